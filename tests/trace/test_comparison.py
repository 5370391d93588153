"""Traces and lists of calls that say the same are equal, and what they say otherwise is told."""

from pathlib import Path

from devshim.trace.comparison import CallList, explained
from devshim.trace.event import Event, Header, Node
from devshim.trace.format.reader import Trace
from devshim.trace.format.writer import Writer


def calls(*texts: bytes, since: float = 0.0) -> CallList:
    opened = Event("open", "/dev/box", 1, flags=1, time=since)
    return CallList([opened, *(Event("write", "/dev/box", 1, data=text, result=len(text)) for text in texts)])


def written(path: Path, events: CallList) -> Trace:
    writer = Writer(str(path), Header("test"))
    writer.node(Node("/dev/box"))
    for event in events:
        writer.event(event)
    writer.end()
    return Trace(path)


def test_times_do_not_count_and_bytes_do(tmp_path: Path) -> None:
    first, later, other = calls(b"x"), calls(b"x", since=3.5), calls(b"y")
    assert first == later and first == list(later)
    assert first != other
    trace = written(tmp_path / "first.trace", first)
    assert trace == written(tmp_path / "later.trace", later)
    assert trace == later and later == trace
    assert trace != written(tmp_path / "other.trace", other)
    assert trace != "first.trace" and first != 1


def polls(*timeouts: float | None) -> CallList:
    return CallList([Event("poll", "/dev/box", 1, asked=1, ready=1, timeout=one) for one in timeouts])


def test_how_long_a_poll_would_wait_does_not_count_and_whether_it_does_counts() -> None:
    assert polls(2.0, 0.0, None) == polls(1.999999, 0.0, None)
    assert polls(2.0) != polls(0.0)
    assert polls(2.0) != polls(None)
    assert explained(polls(None), polls(1.5)) == [
        "- poll(/dev/box, POLLIN) = POLLIN",
        "+ poll(/dev/box, POLLIN, 1.5 s) = POLLIN",
    ]


def test_the_difference_is_told_in_the_manner_of_diff() -> None:
    assert explained(calls(b"x", b"y", b"z"), calls(b"x", b"q", b"z")) == [
        "  open(/dev/box, O_WRONLY) = 1",
        '  write(/dev/box, "x", 1) = 1',
        '- write(/dev/box, "y", 1) = 1',
        '+ write(/dev/box, "q", 1) = 1',
    ]
    assert explained(calls(b"x"), calls(b"x")) == []

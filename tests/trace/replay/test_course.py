"""Courses and sources: what is read ahead, and how much is kept of it."""

from pathlib import Path

import pytest
from handmade import call, ioctl, opened, read, write_trace

from devshim.trace.event import Event
from devshim.trace.replay.device import ReplayDevice
from devshim.trace.replay.file import ReplayFile
from devshim.trace.replay.nodes import told_at
from devshim.trace.replay.replay import Replay
from devshim.trace.replay.source import BATCH, MOST_KEPT, PIECE, REACH

GET = 0x80044D01


def device(trace: Path, *nodes: str) -> tuple[Replay, list[ReplayDevice]]:
    """The devices of a trace, plugged nowhere."""
    replay = Replay(str(trace))
    found = [replay.device(node) for node in nodes]
    for one in found:
        assert isinstance(one, ReplayDevice)
        list(one.descriptions())
    return replay, found  # type: ignore[return-value]


def opened_file(one: ReplayDevice) -> ReplayFile:
    """A file that was opened as recorded."""
    file = one.open(2)
    assert isinstance(file, ReplayFile)
    return file


def test_no_more_of_a_long_trace_is_kept_than_is_looked_at(tmp_path: Path) -> None:
    events = [opened("/dev/a"), *[ioctl(GET, after=f"{number % 7:08x}") for number in range(30_000)]]
    replay, (one,) = device(write_trace(tmp_path / "long.trace", "/dev/a", events), "/dev/a")
    file = opened_file(one)
    for number in range(2000):
        answer = file.raw_ioctl(GET, 0, [bytes(4)])
        assert answer.after == [bytes.fromhex(f"{number % 7:08x}")]
        assert replay.source.read - replay.source.used <= 1024
    assert replay.source.kept < BATCH


def test_of_large_events_few_are_read_at_a_time_because_a_program_may_be_waiting(tmp_path: Path) -> None:
    events = [opened("/dev/a"), *[read("x" * 4000) for _ in range(100)]]
    replay, (one,) = device(write_trace(tmp_path / "large.trace", "/dev/a", events), "/dev/a")
    file = opened_file(one)
    for _ in range(100):
        assert file.read(4000) == b"x" * 4000
        assert replay.source.read - replay.source.used <= 2 * PIECE / 4000
    assert file.course.exhausted


def test_files_that_nobody_has_opened_yet_wait_in_the_trace_and_not_in_memory(tmp_path: Path) -> None:
    count = 3 * MOST_KEPT
    events = [opened("/dev/a"), opened("/dev/b", 2)]
    for number in range(count):
        events += [read(f"a{number:05}"), read(f"b{number:05}", file=2)]
    nodes = [{"node": "/dev/a"}, {"node": "/dev/b"}]
    replay, (a, b) = device(write_trace(tmp_path / "two.trace", nodes, events), "/dev/a", "/dev/b")
    file = opened_file(a)
    assert all(file.read(9) == b"a%05d" % number for number in range(count))
    assert replay.source.kept <= MOST_KEPT + 1024
    late = opened_file(b)
    assert all(late.read(9) == b"b%05d" % number for number in range(count))


def test_what_lies_beyond_reach_is_not_looked_for(tmp_path: Path) -> None:
    events = [opened("/dev/a"), opened("/dev/b", 2), *[read("x", file=2) for _ in range(2 * REACH)], read("far")]
    nodes = [{"node": "/dev/a"}, {"node": "/dev/b"}]
    replay, (a, b) = device(write_trace(tmp_path / "far.trace", nodes, events), "/dev/a", "/dev/b")
    file, other = opened_file(a), opened_file(b)
    assert file.course.next_data() is None
    assert not file.course.exhausted
    for _ in range(2 * REACH):
        other.read(9)
    assert file.read(9) == b"far"
    assert replay.source.used == 2 * REACH + 3


def test_a_steady_answer_is_steady_until_the_program_goes_on(tmp_path: Path) -> None:
    events = [opened("/dev/a"), ioctl(GET, after="01000000"), call("write", data="x")]
    _, (one,) = device(write_trace(tmp_path / "steady.trace", "/dev/a", events), "/dev/a")
    file = opened_file(one)
    assert file.raw_ioctl(GET, 0, [bytes(4)]).steady is None
    steady = file.raw_ioctl(GET, 0, [bytes(4)]).steady
    assert steady.good
    assert file.write(b"x") == 1
    assert not steady.good


def test_lines_that_describe_are_found_wherever_the_pieces_of_the_file_meet(tmp_path: Path) -> None:
    filler = [read("x" * 900) for _ in range(1165)]
    for shift in range(0, 40, 3):
        trace = write_trace(
            tmp_path / "far.trace",
            "/dev/a",
            [opened("/dev/a"), *filler, read("y" * shift), {"node": "/dev/late"}, read("z")],
        )
        text = trace.read_bytes()
        found = dict(told_at(str(trace)))
        assert [text[at : at + 8] for at, is_open in found.items() if not is_open] == [b'{"node":']
        assert "/dev/late" in Replay(str(trace)).nodes


def test_a_node_that_only_an_open_names_is_found_however_that_is_written(tmp_path: Path) -> None:
    trace = tmp_path / "plain.trace"
    opens = '{"call":"open","file":1,"node":"/dev/a","flags":"O_RDWR"}\n'
    opens += '{ "call" : "inherit", "file": 2, "node": "/dev/ttyS9", "flags": "O_RDWR"}\n'
    failed = '{"call": "open", "node": "/dev/no", "flags": "O_RDWR", "error": "ENOENT"}\n'
    trace.write_text('{"format": "devtrace/1"}\n' + failed + opens)
    assert {path: node.kind for path, node in Replay(str(trace)).nodes.items()} == {
        "/dev/a": "char",
        "/dev/ttyS9": "tty",
    }


@pytest.mark.parametrize("filler", ["\n", "\n ", '\n{"call" ', " "])
def test_a_trace_of_nothing_but_beginnings_is_looked_through_in_no_time(tmp_path: Path, filler: str) -> None:
    trace = tmp_path / "hostile.trace"
    trace.write_text('{"format": "devtrace/1"}\n' + filler * 300_000)
    assert list(told_at(str(trace))) == []


def test_an_event_may_be_left_out_where_nothing_depends_on_it(tmp_path: Path) -> None:
    events = [
        opened("/dev/a"),
        ioctl(GET, after="01000000"),
        call("poll", asked="POLLIN", ready="POLLIN"),
        call("write", data="x"),
    ]
    _, (one,) = device(write_trace(tmp_path / "left.trace", "/dev/a", events), "/dev/a")
    file = opened_file(one)
    assert file.poll() & 1
    assert file.course.take(Event("write", "/dev/a", data=b"x")) is not None

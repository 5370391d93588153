"""What the tools say of long traces, most of whose lines are known by their shape, is what they say of any other."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from devshim.trace.event import Event, Header, Node
from devshim.trace.format.writer import Writer


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """600 events of a few kinds, with times."""
    path = tmp_path / "long.trace"
    writer = Writer(str(path), Header(made="record", nodes={"/dev/meter0": Node("/dev/meter0")}))
    kinds: list[Callable[[int], Event]] = [
        lambda at: Event("write", file=1, data=b"AT%d\r" % at, result=3 + len(str(at))),
        lambda at: Event("read", file=1, size=64, data=bytes([at % 256, 0]), result=2),
        lambda at: Event("ioctl", file=1, request=0x80044D01, after=[at.to_bytes(4, "little")]),
        lambda at: Event("ioctl", file=1, request=0xC0084D02, before=[b"%08d" % at], after=[b"%08d" % (at + 1)]),
        lambda at: Event("ioctl", file=1, request=0x4D03, argument=at % 3),
    ]
    events = [Event("open", "/dev/meter0", 1, flags=2, result=1), *(kinds[at % 5](at) for at in range(600))]
    for at, event in enumerate(events):
        event.time, event.took = at / 1000, at % 7 / 1000
        writer.event(event)
    writer.end()
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("show", "{}"),
        ("show", "--json", "{}"),
        ("stats", "{}"),
        ("verify", "{}"),
        ("diff", "{}", "{}"),
        ("convert", "{}", "{}.json"),
        ("convert", "{}", "{}.stable.trace"),
        ("cut", "{}", "100-500", "-o", "{}.part.trace"),
    ],
    ids=" ".join,
)
def test_each_tool_says_the_same_whether_lines_are_known_by_their_shape_or_not(
    trace: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = []
    for often in (1, 1_000_000):
        monkeypatch.setattr("devshim.trace.format.shapes.OFTEN", often)
        for made in trace.parent.glob("long.trace.*"):
            made.unlink()
        ended = importlib.import_module(f"devshim.cli.{words[0]}").main([word.format(trace) for word in words[1:]])
        files = {path.name: path.read_bytes() for path in trace.parent.iterdir()}
        outcomes.append((ended, capsys.readouterr(), files))

    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == 0, outcomes[0]

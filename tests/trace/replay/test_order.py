"""Data of one node waits for what the program did on another before it came, where it may; and never for ever."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import Line, call, ioctl, opened, read, write_trace, wrote
from harness import Outcome

LINE, PORT, OTHER = "/dev/line0", "/dev/ttyUSB77", "/dev/thing0"
SET = "0x40044d02"
PATIENT = ("--patience", "60")  # on a busy machine, too
NODES = [{"node": LINE}, {"node": PORT, "kind": "tty"}, {"node": OTHER}]

Run = Callable[..., Outcome]

PROGRAM = f"""
import fcntl, os, select, sys
def set(fd, value): fcntl.ioctl(fd, {SET}, bytes([value, 0, 0, 0]))
def ready(fd, seconds): return bool(select.select([fd], [], [], seconds)[0])
def opened(node): return os.open(node, os.O_RDWR)
line, port, thing = {LINE!r}, {PORT!r}, {OTHER!r}
"""


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of three nodes to lines of Python."""

    def run(events: list[Line], program: str, *options: str) -> Outcome:
        trace = write_trace(tmp_path / "order.trace", NODES, events)
        return devshim_verb("replay", trace, *options, "--", sys.executable, "-c", PROGRAM + program)

    return run


def events_of(node: str, process: int = 1) -> list[Line]:
    """A line is set, and then there is data on another node."""
    return [
        opened(LINE, process=process), opened(node, 2), ioctl(SET, "01000000", process=process), read("go", file=2),
        wrote("on", file=2), ioctl(SET, "00000000", process=process), read("off", file=2),
    ]  # fmt: skip


@pytest.mark.parametrize("node", [PORT, OTHER])
def test_data_comes_after_what_was_set_elsewhere(replay: Run, node: str) -> None:
    program = f"""
a, b = opened(line), opened({node!r})
print(ready(b, 0)); set(a, 1); print(ready(b, 20), os.read(b, 9)); os.write(b, b"on")
print(ready(b, 0)); set(a, 0); print(ready(b, 20), os.read(b, 9))
"""
    outcome = replay(events_of(node), program, *PATIENT)
    assert outcome.stdout == "False\nTrue b'go'\nFalse\nTrue b'off'\n"
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_data_waits_for_another_process_that_has_not_even_opened_the_other_node(replay: Run) -> None:
    program = """
asked, asking = os.pipe()
if os.fork() == 0:
    os.read(asked, 1); a = opened(line); set(a, 1); os._exit(0)
b = opened(thing); print(ready(b, 0)); os.write(asking, b"!"); print(os.read(b, 9))
"""
    outcome = replay(events_of(OTHER, process=2)[:-3], program, *PATIENT)
    assert outcome.stdout == "False\nb'go'\n"
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_loose_lets_data_come_at_once(replay: Run) -> None:
    assert replay(events_of(OTHER), "opened(line); print(ready(opened(thing), 20))", "--loose").stdout == "True\n"


def test_a_single_thread_that_waits_gets_its_data_as_nobody_else_could_set_the_line(replay: Run) -> None:
    outcome = replay(events_of(OTHER)[:4], "a, b = opened(line), opened(thing); print(os.read(b, 9)); set(a, 1)")
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("b'go'\n", 0, "")


def test_data_is_not_held_for_ever_and_the_end_says_for_what_it_was(replay: Run) -> None:
    events = events_of(OTHER, process=2)
    program = "b = opened(thing); print(os.read(b, 9), os.write(b, b'on'), os.read(b, 9))"
    outcome = replay(events, program, "--patience", "0.3")
    assert (outcome.stdout, outcome.returncode) == ("b'go' 2 b'off'\n", 0)
    assert "order.trace:4: data of /dev/thing0 came after this, ioctl(/dev/line0, 0x40044d02" in outcome.stderr


def test_what_is_only_asked_elsewhere_holds_up_nothing(replay: Run) -> None:
    events = [opened(LINE), opened(OTHER, 2), ioctl("0x80044d01", after="01000000"), read("go", file=2)]
    events += [call("read", 1, size=4, data="none"), read("on", file=2)]
    assert replay(events, "opened(line); b = opened(thing); print(os.read(b, 9), ready(b, 20))").stdout == (
        "b'go' True\n"
    )

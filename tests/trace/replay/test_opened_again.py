"""A program may open a node more often than was recorded: it gets again what the latest open alike got."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import COOKED, TCGETS, ioctl, opened, read, serial_port, write_trace, wrote
from harness import Outcome

THING, PORT, DISK = "/dev/thing0", "/dev/ttyUSB77", "/dev/sdz"
GET, ONE, TWO = "0x80044d01", "0xc0044d02", "0xc0044d03"

Run = Callable[..., Outcome]

PROGRAM = """
import errno, fcntl, os, serial
def opened(): return os.open(NODE, os.O_RDWR)
def get(fd): return fcntl.ioctl(fd, 0x80044d01, bytes(4))[0]
def one(fd): return fcntl.ioctl(fd, 0xc0044d02, bytes(4))[0]
def two(fd): return fcntl.ioctl(fd, 0xc0044d03, bytes(4))[0]
def ask(port, what): port.write(what); return port.read(2)
def port(): return serial.Serial(NODE, timeout=10)
def failing(what, *args):
    try: return what(*args)
    except OSError as problem: return errno.errorcode[problem.errno]
"""


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of a node to lines of Python; all of them are to be used."""

    def run(node: str, events: list[object], program: str, *options: str, kind: str = "char") -> Outcome:
        trace = write_trace(tmp_path / "again.trace", node, events, kind=kind)  # type: ignore[arg-type]
        script = f"NODE = {node!r}{PROGRAM}{program}"
        return devshim_verb("replay", trace, "--fail-on-unused", *options, "--", sys.executable, "-c", script)

    return run


def answered(file: int, request: str, value: str) -> object:
    return ioctl(request, "00000000", f"{value}000000", file=file)


def test_an_open_too_many_begins_the_conversation_again(replay: Run) -> None:
    events = [opened(THING), answered(1, ONE, "01"), answered(1, ONE, "02"), wrote("go"), read("done")]
    program = """
for _ in range(3):
    fd = opened(); print(one(fd), one(fd), os.write(fd, b"go"), os.read(fd, 9)); os.close(fd)
"""
    outcome = replay(THING, events, program)
    assert outcome.stdout == "1 2 2 b'done'\n" * 3
    assert "again.trace:2: /dev/thing0 was opened 2 times more than recorded" in outcome.stderr
    assert outcome.returncode == 0
    assert replay(THING, events, program, "--strict").returncode == 1


def test_who_only_looks_first_leaves_all_to_the_next(replay: Run) -> None:
    events = [opened(THING), answered(1, ONE, "01"), wrote("go")]
    outcome = replay(THING, events, 'os.close(opened()); fd = opened(); print(one(fd), os.write(fd, b"go"))')
    assert (outcome.stdout, outcome.returncode) == ("1 2\n", 0)


def test_a_refusal_is_repeated_as_long_as_somebody_has_the_node_open(replay: Run) -> None:
    events = [opened(THING), opened(THING, 0, error="EBUSY"), answered(1, ONE, "01")]
    program = """
fd = opened(); print(failing(opened), failing(opened), one(fd)); os.close(fd)
print(one(opened()))
"""
    assert replay(THING, events, program).stdout == "EBUSY EBUSY 1\n1\n"


def test_one_of_several_conversations_may_come_once_more_between_the_others(replay: Run) -> None:
    events = [
        opened(THING), answered(1, ONE, "01"), opened(THING, 2), answered(2, TWO, "02"),
    ]  # fmt: skip
    outcome = replay(THING, events, "print(one(opened()), one(opened()), two(opened()))")
    assert (outcome.stdout, outcome.returncode) == ("1 1 2\n", 0)


def test_one_that_comes_again_in_the_place_of_another_is_a_mismatch(replay: Run) -> None:
    events = [opened(THING), answered(1, ONE, "01"), opened(THING, 2), answered(2, TWO, "02")]
    outcome = replay(THING, events, "print(one(opened()), one(opened()))", "--error-exitcode", "7")
    assert outcome.stdout == "1 1\n"
    assert "again.trace:4: mismatch: what was recorded from here on was not done; instead, that from line 2" in (
        outcome.stderr
    )
    assert outcome.returncode == 7


def test_a_disk_may_be_opened_as_often_as_one_likes(replay: Run) -> None:
    events = [opened(DISK), read("content", size=7)]
    program = "print([os.read(opened(), 7) for _ in range(3)])"
    assert replay(DISK, events, program, kind="block").stdout == f"{[b'content'] * 3}\n"


def test_a_port_that_was_only_looked_at_is_as_new(replay: Run) -> None:
    events = [opened(PORT), ioctl(TCGETS, after=COOKED), read("$GPRMC\r\n"), read("$GPGGA\r\n")]
    program = """
fd = opened(); print(len(fcntl.ioctl(fd, 0x5401, bytes(36)))); os.close(fd)
fd = opened(); print(os.read(fd, 8), os.read(fd, 8))
"""
    outcome = replay(PORT, events, program, kind="tty")
    assert outcome.stdout == "36\nb'$GPRMC\\r\\n' b'$GPGGA\\r\\n'\n"
    assert outcome.returncode == 0


def test_a_conversation_with_a_port_may_be_had_again(replay: Run) -> None:
    events = serial_port(PORT, wrote("A?"), read("a1"), wrote("B?"), read("b1"))
    whole = "one = port(); print(ask(one, b'A?'), ask(one, b'B?')); one.close()\n"
    half = "one = port(); print(ask(one, b'A?')); one.close()\n"
    outcome = replay(PORT, events, whole + whole, kind="tty")
    assert (outcome.stdout, outcome.returncode) == ("b'a1' b'b1'\n" * 2, 0)
    outcome = replay(PORT, events, half + whole, kind="tty")
    assert outcome.stdout == "b'a1'\nb'a1' b'b1'\n"


def test_a_port_that_two_have_open_goes_on(replay: Run) -> None:
    events = [opened(PORT), wrote("A?"), read("a1"), wrote("B?"), read("b1")]
    program = """
fd = opened(); print(os.write(fd, b"A?"), os.read(fd, 2)); other = opened()
print(os.write(other, b"B?"), os.read(fd, 2))
"""
    outcome = replay(PORT, events, program, kind="tty")
    assert (outcome.stdout, outcome.returncode) == ("2 b'a1'\n2 b'b1'\n", 0)

"""Threads and processes race to open a node: what they do then tells which recorded file is whose."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import ioctl, opened, read, write_trace, wrote
from harness import Outcome

NODE, BOTH, ONE, TWO = "/dev/thing0", "0x80044d01", "0xc0044d02", "0xc0044d03"
ASKED = {"before": "00000000"}

Run = Callable[..., Outcome]

PROGRAM = f"""
import fcntl, os
def both(fd): return fcntl.ioctl(fd, {BOTH}, bytes(4))[0]
def one(fd): return fcntl.ioctl(fd, {ONE}, bytes(4))[0]
def two(fd): return fcntl.ioctl(fd, {TWO}, bytes(4))[0]
first, second = (os.open({NODE!r}, os.O_RDWR) for _ in range(2))
"""

#: Two files that begin alike.
EVENTS = [
    opened(NODE), opened(NODE, 2), ioctl(BOTH, after="07000000"), ioctl(BOTH, after="07000000", file=2),
    ioctl(ONE, **ASKED, after="01000000"), ioctl(TWO, **ASKED, after="02000000", file=2),
]  # fmt: skip


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of NODE to lines of Python in which it is open twice, all to be used."""

    def run(events: list[object], program: str, *options: str) -> Outcome:
        trace = write_trace(tmp_path / "thing.trace", NODE, events)  # type: ignore[arg-type]
        return devshim_verb(
            "replay", trace, "--fail-on-unused", *options, "--", sys.executable, "-c", PROGRAM + program
        )

    return run


@pytest.mark.parametrize("swapped", [False, True])
def test_two_open_files_may_be_each_other(replay: Run, swapped: bool) -> None:
    names = "second, first" if swapped else "first, second"
    outcome = replay(EVENTS, f"a, b = {names}; print(both(a), both(b), one(a), two(b))")
    assert (outcome.stdout, outcome.stderr) == ("7 7 1 2\n", "")


def test_a_file_may_be_one_that_is_opened_later(replay: Run) -> None:
    events = [*EVENTS, opened(NODE, 3), ioctl(BOTH, after="07000000", file=3), wrote("go", file=3)]
    program = f"""
print(both(first), os.write(first, b"go"), both(second), two(second))
third = os.open({NODE!r}, os.O_RDWR)
print(both(third), one(third))
"""
    outcome = replay(events, program)
    assert (outcome.stdout, outcome.stderr) == ("7 2 7 2\n7 1\n", "")


def test_what_fits_no_file_is_a_mismatch(replay: Run) -> None:
    outcome = replay(EVENTS, "print(both(first), one(first), two(first))")
    assert "mismatch" in outcome.stderr
    assert outcome.returncode == 1


def test_who_has_read_stays_with_the_file(replay: Run) -> None:
    events = [opened(NODE), opened(NODE, 2), read("mine"), read("yours", file=2), wrote("go"), wrote("stop", file=2)]
    outcome = replay(events, "print(os.read(first, 9)); os.write(first, b'stop')")
    assert outcome.stdout == "b'mine'\n"
    assert "mismatch" in outcome.stderr


def test_strict_takes_files_in_their_order(replay: Run) -> None:
    assert "mismatch" in replay(EVENTS, "print(both(first), two(first))", "--strict").stderr


def test_a_program_gets_the_files_of_the_program_of_its_name(tmp_path: Path, devshim_verb: Run) -> None:
    events = [opened(NODE), opened(NODE, 2, process=2), read("head's"), read("dd's", file=2, process=2)]
    trace = write_trace(tmp_path / "thing.trace", NODE, events)  # type: ignore[arg-type]
    head, *rest = trace.read_text().splitlines()
    programs = '{"program": "head"}', '{"program": "dd", "process": 2}'
    trace.write_text("".join(f"{line}\n" for line in (head, *programs, *rest)))

    outcome = devshim_verb("replay", trace, "--", "sh", "-c", f"dd if={NODE} count=1 status=none; head -c 6 {NODE}")

    assert (outcome.stdout, outcome.stderr) == ("dd'shead's", "")

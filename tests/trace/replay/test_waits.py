"""A program that waits for what its replay cannot give: it is let go, unless the recorded one waited there, too."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import call, ioctl, opened, read, write_trace, wrote
from harness import Outcome

THING, PORT = "/dev/thing0", "/dev/ttyUSB78"
SOON = ("--patience", "0.3")

Run = Callable[..., Outcome]


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of a node to a Python program in which fd is open on it."""

    def run(node: str, events: list[object], program: str, *options: str, **how: object) -> Outcome:
        kind = "tty" if node == PORT else "char"
        trace = write_trace(tmp_path / "waits.trace", node, [opened(node), *events], kind=kind)  # type: ignore[list-item]
        words = (sys.executable, "-c", START.format(node=node) + program)
        return devshim_verb("replay", trace, *options, "--", *words, timeout=60, **how)

    return run


START = """
import asyncio, errno, os, select, selectors, signal, sys, threading
fd = os.open("{node}", os.O_RDWR | os.O_NOCTTY)
other, theirs = os.pipe()
def got():
    try: return os.read(fd, 99)
    except OSError as problem: return errno.errorcode[problem.errno]
def lost():  # a terminal hangs up: that is an end of file, too
    return got() in ("EIO", b"")
"""

WAITS = {
    "poll": "p = select.poll(); p.register(fd, select.POLLIN); p.register(other, select.POLLIN); p.poll()",
    "select": "select.select([fd, other], [], [])",
    "epoll": "p = select.epoll(); p.register(fd, select.EPOLLIN); p.register(other, select.EPOLLIN); p.poll()",
    "edge": "p = select.epoll(); p.register(fd, select.EPOLLIN | select.EPOLLET); p.register(other); p.poll()",
    "long": "select.select([fd, other], [], [], 3600)",
    "only epoll": "p = select.epoll(); p.register(fd, select.EPOLLIN); p.poll()",
    "dup": "p = select.epoll(); p.register(os.dup(fd), select.EPOLLIN); p.register(other); p.poll()",
}


@pytest.mark.parametrize("node", [THING, PORT])
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_wait_beside_other_descriptors_ends_with_an_errno(replay: Run, node: str, wait: str) -> None:
    outcome = replay(node, [read("one")], f"print(got()); {wait}; print(lost())", *SOON)
    assert outcome.stdout == "b'one'\nTrue\n"
    assert "the program waits for data, and the trace has no more" in outcome.stderr
    assert outcome.returncode == 1


def test_a_poll_finds_data_behind_many_questions_that_nobody_asks(replay: Run) -> None:
    questions = [ioctl(0x80044D01, after=f"{number:08x}") for number in range(400)]
    program = "p = select.poll(); p.register(fd, select.POLLIN)\nwhile not p.poll(50): pass\nprint(got())"
    assert replay(THING, [*questions, read("!")], program).stdout == "b'!'\n"


@pytest.mark.parametrize("node", [THING, PORT])
def test_asyncio_is_let_go_and_told_what_it_left_out(replay: Run, node: str) -> None:
    program = """
async def main():
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(fd, done.set)
    await done.wait()
    print(lost())
asyncio.run(main())
"""
    outcome = replay(node, [wrote("?"), read("!")], program, *SOON)
    assert outcome.stdout == "True\n"
    assert "comes only after it does this" in outcome.stderr and "--patience" in outcome.stderr


@pytest.mark.parametrize("node", [THING, PORT])
def test_other_descriptors_may_wake_a_program_meanwhile(replay: Run, node: str) -> None:
    program = """
print(got())
for _ in range(4):
    threading.Timer(0.2, os.write, (theirs, b"x")).start()
    select.select([fd, other], [], []); os.read(other, 1)
print("woken")
"""
    outcome = replay(node, [read("one")], program, *SOON)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("b'one'\nwoken\n", "", 0)


@pytest.mark.parametrize("node", [THING, PORT])
def test_who_does_something_else_after_a_wait_is_left_alone(replay: Run, node: str) -> None:
    program = """
print(got())
os.write(theirs, b"x"); threading.Timer(0.1, os.write, (theirs, b"x")).start()
os.read(other, 1); select.select([fd, other], [], []); signal.sigtimedwait([signal.SIGUSR1], 0.8)
"""
    outcome = replay(node, [read("one")], program, *SOON)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("b'one'\n", "", 0)


@pytest.mark.parametrize("node", [THING, PORT])
def test_a_wait_that_something_else_ended_at_the_recording_may_last(replay: Run, node: str) -> None:
    events = [read("one"), call("poll", asked="POLLIN")]
    program = """
print(got())
threading.Timer(0.9, os.write, (theirs, b"x")).start()
select.select([fd, other], [], []); print("woken")
"""
    outcome = replay(node, events, program, *SOON)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("b'one'\nwoken\n", "", 0)


def test_what_comes_after_a_long_while_as_recorded_is_waited_for(replay: Run) -> None:
    events = [read("one", time=0.0, took=0.0), read("two", time=1.0, took=0.0)]
    program = "print(got()); select.select([fd, other], [], []); print(got())"
    outcome = replay(THING, events, program, *SOON, "--speed", "recorded")
    assert (outcome.stdout, outcome.stderr) == ("b'one'\nb'two'\n", "")


def test_patience_must_be_a_number(devshim_verb: Run) -> None:
    outcome = devshim_verb("replay", "x.trace", "--patience", "soon", "--", "true")
    assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1)

"""The engine `seccomp`: what a supervisor does for programs without a shim, as the program sees it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Outcome, devshim_command, devshim_environment

from devshim import WAIT, Device
from devshim.cli.seccomp import problem
from devshim.session.session import Session

MODELS = Path(__file__).parents[1] / "targets/models.py"
BELL = f"/dev/bell0={MODELS}:Bell"
TALLY = f"/dev/tally0={MODELS}:Tally"
HOT = f"/dev/hot0={Path(__file__).with_name('models.py')}:Hot"

pytestmark = pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")


@pytest.fixture
def supervised(program: Callable[..., Path]) -> Path:
    """The program, statically linked."""
    return program("supervised", "-static")


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that is closed at the end."""
    with Session() as opened:
        yield opened


class Silent(Device):
    """Has nothing to be read, ever; counts how often it was asked."""

    def setup(self) -> None:
        self.asked = 0

    def read(self, size: int) -> Any:
        self.asked += 1
        return WAIT

    def write(self, data: bytes) -> Any:
        """Take all, and do nothing."""


class TestWaiting:
    """Calls that wait in the supervisor."""

    def test_a_signal_ends_a_waiting_read_or_lets_it_go_on_as_its_handler_was_set_up(
        self, supervised: Path, devshim_run: Callable[..., Outcome]
    ) -> None:
        outcome = devshim_run(supervised, "interrupted", "/dev/bell0", devices=[BELL])

        assert outcome.stdout == "interrupted -1 Interrupted system call\nrestarted 9 \n"
        assert (outcome.returncode, outcome.stderr) == (0, "")

    def test_each_call_is_done_once_while_signals_come(
        self, supervised: Path, devshim_run: Callable[..., Outcome]
    ) -> None:
        outcome = devshim_run(supervised, "counted", "/dev/tally0", devices=[TALLY])

        assert outcome.stdout.splitlines() == ["wrong 0 ", "asked 2000 ", "signalled 1 "]

    def test_those_who_wait_hold_nobody_up(self, supervised: Path, devshim_run: Callable[..., Outcome]) -> None:
        assert devshim_run(supervised, "crowd", "/dev/bell0", devices=[BELL]).stdout == "heard 24 \n"

    def test_unplugging_ends_a_waiting_read(self, supervised: Path, session: Session) -> None:
        silent = session.plug("/dev/silent0", Silent())
        with session.start(supervised, "blocked", "/dev/silent0") as program:
            session.until(lambda: silent.asked)
            silent.unplug()
            session.until(lambda: b"read" in program.stdout)

            assert program.stdout == b"waiting 0 \nread -1 No such device\n"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
    def test_a_signal_kills_a_program_in_a_waiting_read(
        self, supervised: Path, session: Session, number: signal.Signals
    ) -> None:
        silent = session.plug("/dev/silent0", Silent())
        with session.start(supervised, "blocked", "/dev/silent0") as program:
            session.until(lambda: silent.asked)
            program.send_signal(number)

            assert program.wait() == -number

    def test_a_key_ends_a_waiting_read_of_a_program_that_takes_it(self, supervised: Path, session: Session) -> None:
        silent = session.plug("/dev/silent0", Silent())
        with session.start(supervised, "handling", "/dev/silent0") as program:
            session.until(lambda: silent.asked)
            os.killpg(program.pid, signal.SIGINT)

            assert program.wait() == 0
            assert program.stdout == b"waiting 0 \nread -1 Interrupted system call\n"

    def test_a_program_in_a_waiting_read_is_stopped_and_goes_on(self, supervised: Path, session: Session) -> None:
        silent = session.plug("/dev/silent0", Silent())
        with session.start(supervised, "blocked", "/dev/silent0") as program:
            session.until(lambda: silent.asked)
            program.send_signal(signal.SIGSTOP)
            session.until(lambda: "State:\tT" in Path(f"/proc/{program.pid}/status").read_text())
            before = silent.asked
            program.send_signal(signal.SIGCONT)
            session.until(lambda: silent.asked > before)

            assert program.stdout == b"waiting 0 \n"


def test_many_threads_that_wait_are_stopped_together_and_go_on(supervised: Path, session: Session) -> None:
    silent = session.plug("/dev/silent0", Silent())
    with session.start(supervised, "crowd", "/dev/silent0") as program:
        session.until(lambda: silent.asked >= 24)
        program.send_signal(signal.SIGSTOP)
        session.until(lambda: states(program.pid) == {"T"})
        before = silent.asked
        program.send_signal(signal.SIGCONT)
        session.until(lambda: silent.asked >= before + 24)


def states(process: int) -> set[str]:
    """The states of a process's threads (proc(5))."""
    texts = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/stat")]
    return {text.rpartition(")")[2].split()[0] for text in texts}


def test_a_descriptor_stays_the_device_however_it_came(supervised: Path, devshim_run: Callable[..., Outcome]) -> None:
    outcome = devshim_run(supervised, "descriptors", "/dev/tally0", devices=[TALLY])

    ways = ["dup", "dup2", "fcntl", "passed", "forked", "executed", "after all"]
    assert outcome.stdout.splitlines() == [f"{way} {number} " for number, way in enumerate(ways, 1)]


def test_a_program_that_gets_no_processor_gets_its_descriptors(
    program: Callable[..., Path], devshim_run: Callable[..., Outcome]
) -> None:
    outcome = devshim_run(program("starved", "-static"), "/dev/hot0", devices=[HOT])

    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "opened\n", "")


def test_a_lost_supervisor_is_told_of_and_fails_the_run(supervised: Path) -> None:
    command = [*devshim_command(), "run", "-d", BELL, "--", str(supervised), "blocked", "/dev/bell0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=devshim_environment()) as waiter:
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "waiting 0 \n"
        os.kill(supervisor_of(waiter.pid), signal.SIGKILL)
        out, err = waiter.communicate(timeout=60)

    assert out == ""  # nor can it write any more
    lost = "the supervisor was lost (killed by signal 9): the program's calls on files fail with ENOSYS from now on"
    assert err == f"devshim: {lost}\n"
    assert waiter.returncode == 1


def supervisor_of(waiter: int) -> int:
    """The process that answers for the program that this `devshim run` waits for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{waiter}/task/{waiter}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if Path(f"/proc/{child}/comm").read_text() == "devshim-calls\n":
                    return int(child)
    raise AssertionError("there is no supervisor")


def test_a_closed_supervisor_leaves_nothing_behind(supervised: Path, session: Session) -> None:
    silent = session.plug("/dev/silent0", Silent())
    with session.start(supervised, "blocked", "/dev/silent0") as program:
        session.until(lambda: silent.asked)
        program.kill()
        program.wait()

        session.until(lambda: not members(program.pid))


def members(group: int) -> list[str]:
    """Processes of a group that are more than zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(member) == group and state != "Z":
            found.append(path.parent.name)
    return found

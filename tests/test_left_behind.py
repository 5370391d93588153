"""Nothing is left of whoever was killed: no directory, no program, no helper."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import devshim_command, devshim_environment

SESSION = """
import os, sys
from devshim.devices import Gps
from devshim.session.session import Session

session = Session()
session.plug("/dev/ttyUSB0", Gps())
starting = session.start("sleep", "1000")
starting.__enter__()
leaving = session.run("sh", "-c", "sleep 1000 >/dev/null 2>&1 &")
print(session._serving.directory, flush=True)
sys.stdin.read()
"""
STARTING = """
import os, signal
from devshim.session.session import Session
from devshim.session.survivor import Survivor

def die(*_):
    print(session._serving.directory, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

session = Session()
Survivor.begun = die
session.start("sleep", "1000").__enter__()
"""
SUITE = """
import sys
from devshim.devices import Gps

def test_it(devshim):
    devshim.plug("/dev/ttyUSB0", Gps())
    with devshim.start("sleep", "1000"):
        print(devshim._serving.directory, file=sys.__stdout__, flush=True)
        sys.__stdin__.read()
"""


@pytest.fixture
def mark() -> str:
    """A folder on PATH that no process has but those of one test and theirs."""
    return f"/marked/{uuid.uuid4()}"


@pytest.fixture
def room() -> Iterator[Path]:
    """A TMPDIR of the test's own, short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="room-", dir="/tmp") as path:
        yield Path(path)


@contextlib.contextmanager
def started(words: list[str], room: Path, mark: str) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for the end of its standard input, in a process group of its own."""
    environment = devshim_environment({"TMPDIR": str(room), "PATH": f"{os.environ['PATH']}:{mark}"})
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, process_group=0, cwd=room
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def all_begin(mark: str, least: int) -> bool:
    """Wait until so many processes have the mark on their PATH: amid execve(2) one has no environment."""
    deadline = time.monotonic() + 60
    while len(marked(mark)) < least:
        if time.monotonic() > deadline:
            return False
    return True


def all_end(mark: str) -> bool:
    """Wait until every process that has the mark on its PATH has ended; False where one does not."""
    while pids := marked(mark):
        for pid in pids:
            try:
                pidfd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                if not select.select([pidfd], [], [], 60)[0]:
                    return False
            finally:
                os.close(pidfd)
    return True


def marked(mark: str) -> list[int]:
    """The living processes with this in their environment; a zombie has none (proc(5))."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if mark.encode() in Path("/proc", name, "environ").read_bytes():
                found.append(int(name))
    return found


def run_directories(room: Path) -> list[str]:
    """What is left of runs."""
    return [name for name in os.listdir(room) if name.startswith("devshim-")]


@pytest.mark.parametrize("what", ["script", "interactive", "pytest"])
def test_of_a_killed_session(what: str, room: Path, mark: str) -> None:
    if what == "pytest":
        (room / "test_it.py").write_text(SUITE)
        words = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    elif what == "interactive":
        words = [sys.executable, "-q", "-i", "-c", SESSION.rpartition("\n")[0].rpartition("\n")[0]]
    else:
        words = [sys.executable, "-c", SESSION]
    with started(words, room, mark) as process:
        assert process.stdout is not None
        directory = next(line for line in process.stdout if line.startswith(str(room))).strip()
        assert os.path.isdir(directory)
        assert all_begin(mark, 3)  # itself, its program, and who cleans up

        process.kill()
        process.wait()

        assert all_end(mark)
        assert run_directories(room) == []


def test_of_a_session_killed_before_it_could_note_what_it_has_started(room: Path, mark: str) -> None:
    with started([sys.executable, "-c", STARTING], room, mark) as process:
        assert process.stdout is not None
        directory = process.stdout.read().strip()
        assert process.wait() == -signal.SIGKILL and directory.startswith(str(room))

        assert all_end(mark)
        assert run_directories(room) == []


def test_of_a_session_that_ends_by_itself(room: Path, mark: str) -> None:
    with started([sys.executable, "-c", SESSION], room, mark) as process:
        _, _ = process.communicate("", timeout=60)

        assert process.returncode == 0
        assert all_end(mark)
        assert run_directories(room) == []


@pytest.mark.parametrize("options", [(), ("--in-process",)], ids=["host", "in-process"])
@pytest.mark.parametrize("whom", ["program", "command", "host", "command and host", "all"])
def test_of_a_run(whom: str, options: tuple[str, ...], room: Path, mark: str) -> None:
    reads = "exec 3<>/dev/ttyUSB0; echo $$; cat"
    words = [*devshim_command(), "run", *options, "-d", "/dev/ttyUSB0=gps", "--", "sh", "-c", reads]
    with started(words, room, mark) as process:
        assert process.stdout is not None and process.stdin is not None
        program = int(process.stdout.readline())
        host = next(pid for pid in marked(mark) if os.getsid(pid) == pid)
        killed = {
            "program": [program],
            "command": [process.pid],
            "host": [host],
            "command and host": [process.pid, host],
        }

        for pid in killed.get(whom, [process.pid, host, program]):
            os.kill(pid, signal.SIGKILL)
        process.stdin.close()

        assert all_end(mark)
        if whom in ("command and host", "all"):  # nobody was left to do it: then the next run does
            subprocess.run(
                [*devshim_command(), "run", "true"], env=devshim_environment({"TMPDIR": str(room)}), check=True
            )
        assert run_directories(room) == []

"""Own-process calls: the process that holds the host sees its devices, until it is detached."""

import contextlib
import ctypes
import errno
import fcntl
import gc
import glob
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT
from host.own_devices import GET, LARGE, NODE, Attached, Large, Motor, State, attached, opened

from devshim import Device, Serial
from devshim.errors import DevshimError
from devshim.host import ownprocess


@pytest.fixture
def there() -> Iterator[Attached]:
    with attached(own0=Motor()) as there:
        yield there


@pytest.fixture
def motor(there: Attached) -> Motor:
    device = there.devices[NODE]
    assert isinstance(device, Motor)
    return device


@pytest.fixture(scope="module")
def library(program: Callable[..., Path]) -> Path:
    return program("own_calls", "-shared", "-fPIC")


def test_open_read_write_and_ioctl_reach_the_model(motor: Motor) -> None:
    with open(NODE, "rb", buffering=0) as file:
        assert file.read(16) == b"7\n"
    with opened() as fd:
        assert os.write(fd, b"42") == 2
        assert motor.position == 42
        assert State.from_buffer_copy(fcntl.ioctl(fd, GET, bytes(8))).position == 42


def test_paths_are_seen_and_gone_after_the_end() -> None:
    with attached(own0=Motor()):
        assert "own0" in os.listdir("/dev") and os.path.exists(NODE) and glob.glob("/dev/own?") == [NODE]
        assert os.stat(NODE).st_rdev == os.stat(NODE, follow_symlinks=False).st_rdev != 0

    assert "own0" not in os.listdir("/dev") and not os.path.exists(NODE)
    with pytest.raises(FileNotFoundError):
        os.open(NODE, os.O_RDWR)


def test_an_open_gets_the_lowest_descriptor(motor: Motor) -> None:
    lowest = os.dup(2)
    os.close(lowest)

    with opened() as fd:
        assert fd == lowest


def test_a_read_that_waits_lets_other_threads_run_and_is_woken(motor: Motor) -> None:
    motor.empty = True
    with opened() as fd:
        motor.after(0.02, motor.fill)

        assert os.read(fd, 16) == b"7\n"


def test_poll_and_nonblocking_reads_go_by_the_model(motor: Motor) -> None:
    motor.empty = True
    with opened(flags=os.O_RDWR | os.O_NONBLOCK) as fd:
        with pytest.raises(BlockingIOError):
            os.read(fd, 16)
        assert select.select([fd], [], [], 0)[0] == []
        motor.after(0.02, motor.fill)
        assert select.select([fd], [], [], 10)[0] == [fd]


def test_an_extension_that_keeps_the_gil_in_a_waiting_read_does_not_hang(motor: Motor, library: Path) -> None:
    keeps_gil = ctypes.PyDLL(str(library))
    room = ctypes.create_string_buffer(16)
    fd = keeps_gil.own_open(NODE.encode(), os.O_RDWR)
    motor.empty = True
    motor.after(0.02, motor.fill)

    assert (keeps_gil.own_read(fd, room, 16), room.value) == (2, b"7\n")
    os.close(fd)


def test_an_extension_that_keeps_the_gil_in_a_serial_read_does_not_hang(library: Path) -> None:
    port = Serial()
    with attached(own0=port):
        keeps_gil = ctypes.PyDLL(str(library))
        room = ctypes.create_string_buffer(16)
        fd = keeps_gil.own_open(NODE.encode(), os.O_RDWR | os.O_NOCTTY)
        port.after(0.02, lambda: port.send(b"late\n"))

        assert (keeps_gil.own_read(fd, room, 16), room.value) == (5, b"late\n")
        os.close(fd)


def test_libraries_that_are_loaded_later_are_caught_and_their_tables_too(
    motor: Motor, library: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later.so"
    shutil.copy(library, later)
    loaded = ctypes.CDLL(str(later), use_errno=True)
    fd = loaded.own_open(NODE.encode(), os.O_RDONLY)
    assert fd >= 0
    os.close(fd)

    loaded.own_table.restype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    fd = loaded.own_table()(NODE.encode(), os.O_RDONLY)
    assert fd >= 0
    os.close(fd)


def test_a_libc_function_that_was_asked_for_by_name_meets_the_device(motor: Motor) -> None:
    fd = ctypes.CDLL(None).open(NODE.encode(), os.O_RDONLY)

    assert os.read(fd, 16) == b"7\n"
    os.close(fd)


def test_all_slots_hold_what_they_held_before_when_it_is_over(library: Path) -> None:
    loaded = ctypes.CDLL(str(library), use_errno=True)
    loaded.own_table.restype = ctypes.c_void_p
    before = loaded.own_table(), writable_parts()
    with attached(own0=Motor()):
        assert loaded.own_table() != before[0]

    assert (loaded.own_table(), writable_parts()) == before
    assert loaded.own_open(NODE.encode(), os.O_RDONLY) == -1 and ctypes.get_errno() == errno.ENOENT


def writable_parts() -> set[str]:
    """Which parts of which libraries may be written to."""
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps]
    return {f"{words[0]} {words[1]}" for words in lines if len(words) > 5 and "own_calls" in words[5]}


def test_a_large_ioctl_keeps_the_gil_and_does_not_deadlock_with_other_processes(motor: Motor) -> None:
    done = threading.Event()
    with opened() as fd:
        other = subprocess.Popen(["dd", f"if={NODE}", "of=/dev/null", "bs=8", "count=3000"], stderr=subprocess.DEVNULL)
        thread = threading.Thread(target=lambda: (other.wait(), done.set()))
        thread.start()
        argument = bytearray(bytes(Large()))
        while not done.is_set():
            fcntl.ioctl(fd, LARGE, argument)
        thread.join()

    assert Large.from_buffer_copy(argument).number > 0 and other.returncode == 0
    assert not motor.met


def test_calls_of_many_threads_never_meet_in_the_model(motor: Motor) -> None:
    def work() -> None:
        with opened() as fd:
            for _ in range(300):
                assert os.read(fd, 16) == b"7\n"

    failed: list[Any] = []
    before, threading.excepthook = threading.excepthook, failed.append
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = before

    assert not motor.met and not failed


def test_a_program_that_is_started_is_a_target_whatever_its_environment(motor: Motor) -> None:
    for environment in (None, {}):
        got = subprocess.run(["head", "-c", "2", NODE], capture_output=True, env=environment, timeout=60, check=True)
        assert got.stdout == b"7\n"


def test_a_fork_child_asks_its_parent_and_not_its_copy_of_the_model(motor: Motor) -> None:
    with opened() as fd:
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(Exception):
                os.write(fd, b"11")
                with opened() as own:
                    code = 0 if os.read(own, 16) == b"11\n" and motor.position == 7 else 2
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    assert motor.position == 11


def test_an_open_in_a_vfork_child_is_refused_instead_of_waiting_for_its_parent(motor: Motor, library: Path) -> None:
    for load in (ctypes.CDLL, ctypes.PyDLL):
        assert load(str(library)).own_open_in_vfork_child(NODE.encode()) == errno.EDEADLK


def test_who_holds_the_lock_is_not_left_waiting(there: Attached, motor: Motor) -> None:
    with there.host.lock, opened() as fd:
        assert os.read(fd, 16) == b"7\n"
        motor.empty = True
        with pytest.raises(OSError, match="deadlock") as failed:
            os.read(fd, 16)

    assert failed.value.errno == errno.EDEADLK


def test_what_a_model_opens_itself_is_the_real_thing() -> None:
    class Curious(Device):
        """Looks for its own node."""

        def read(self, size: int) -> bytes:
            """Whether it is there."""
            return b"%d" % os.path.exists(NODE)

    with attached(own0=Curious()), opened() as fd:
        assert os.path.exists(NODE) and os.read(fd, 1) == b"0"


def test_an_interrupt_in_a_model_is_raised_where_the_program_called() -> None:
    class Slow(Device):
        """Is interrupted while it answers."""

        def read(self, size: int) -> bytes:
            """As Ctrl-C does."""
            signal.raise_signal(signal.SIGINT)
            return b"never"

    model = Slow()
    with attached(own0=model), opened() as fd, pytest.raises(KeyboardInterrupt):
        os.read(fd, 16)


def test_an_exception_of_a_signal_handler_in_a_model_is_raised_where_the_program_called() -> None:
    class Alarm(BaseException):
        """What a time-out raises."""

    def handler(number: int, frame: Any) -> None:
        raise Alarm("time is up")

    class Slow(Device):
        """Is interrupted while it answers."""

        def read(self, size: int) -> bytes:
            """As a time-out does."""
            signal.raise_signal(signal.SIGALRM)
            return b"never"

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with attached(own0=Slow()), opened() as fd, pytest.raises(Alarm, match="time is up"):
            os.read(fd, 16)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_failing_model_costs_the_program_an_io_error_and_no_more(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(Device):
        """Cannot."""

        def read(self, size: int) -> bytes:
            """Fail."""
            raise ValueError("no such luck")

    with attached(own0=Broken()), opened() as fd, pytest.raises(OSError, match="error") as failed:
        os.read(fd, 16)

    assert failed.value.errno == errno.EIO
    assert capfd.readouterr().err.count("Traceback") == 1


def test_a_second_host_is_refused_in_one_line(there: Attached) -> None:
    with pytest.raises(DevshimError, match="another host") as refusal:
        ownprocess.attach("/nowhere", there.host)

    assert "\n" not in str(refusal.value)


def test_nothing_grows_over_many_sessions() -> None:
    def counts() -> tuple[int, int, int]:
        with open("/proc/self/maps") as maps:
            return len(os.listdir("/proc/self/fd")), threading.active_count(), len(maps.readlines())

    def session() -> None:
        with attached(own0=Motor()), opened() as fd:
            os.read(fd, 1)

    for _ in range(5):
        session()
    gc.collect()
    before = counts()
    for _ in range(60):
        session()
    gc.collect()

    after = counts()
    assert after[:2] == before[:2]
    assert after[2] <= before[2] + 4  # the interpreter's own memory


SCRIPT = """
import os, sys, fcntl, subprocess, threading
sys.path[:0] = [{root!r}, {here!r}]
from host.own_devices import GET, NODE, Motor, State, attached
model = Motor()
with attached(own0=model):
    with open(NODE, "rb", buffering=0) as file:
        assert file.read(16) == b"7\\n"
        assert State.from_buffer_copy(fcntl.ioctl(file, GET, bytes(8))).position == 7
    assert "own0" in os.listdir("/dev") and os.stat(NODE).st_rdev
    assert subprocess.run(["head", "-c2", NODE], capture_output=True, env={{}}).stdout == b"7\\n"
    model.empty = True
    model.after(0.02, model.fill)
    assert os.read(os.open(NODE, os.O_RDONLY), 9) == b"7\\n"
assert not os.path.exists(NODE)
print("fine", sys.version_info[:2])
"""


def interpreters() -> list[str]:
    """Every CPython from 3.11 on that is installed here: pyenv's, the system's, and what $PATH has."""
    places = [*glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3")), "/usr/bin/python3"]
    found = {os.path.realpath(place) for place in places if os.access(place, os.X_OK)}
    return sorted(path for path in found if version_of(path) >= (3, 11))


def version_of(path: str) -> tuple[int, ...]:
    """Its version, by its name where that tells."""
    name = os.path.basename(path).removeprefix("python")
    return tuple(int(part) for part in name.split(".") if part.isdigit()) or (3, 0)


@pytest.mark.parametrize("interpreter", interpreters() or [sys.executable])
def test_every_installed_interpreter_can_see_its_own_devices(interpreter: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT), here=str(ROOT / "tests")))

    got = subprocess.run([interpreter, script], capture_output=True, text=True, timeout=60, check=False)

    assert got.returncode == 0 and got.stdout.startswith("fine"), got.stderr

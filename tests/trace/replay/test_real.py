"""Where a trace has nothing more, the real node may answer, and the trace may be extended by what it said."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import ioctl, opened, read, write_trace, wrote
from harness import Outcome
from recordings import terminal

Run = Callable[..., Outcome]

ZERO = """
import fcntl, os
fd = os.open("/dev/zero", os.O_RDWR)
print(os.read(fd, 3), os.read(fd, 3), os.write(fd, b"xy"))
"""
RANDOM = """
import fcntl, os
fd = os.open("/dev/urandom", os.O_RDWR)
print([fcntl.ioctl(fd, 0x80045200, bytes(4)) != b"abcd" for _ in range(2)])
try: fcntl.ioctl(fd, 0x80045299, bytes(4))
except OSError as problem: print(problem.errno)
"""


@pytest.fixture
def zero(tmp_path: Path) -> Path:
    """Return a trace of /dev/zero in which it is not what it is."""
    return write_trace(tmp_path / "zero.trace", "/dev/zero", [opened("/dev/zero"), read("one")])


def test_the_real_node_answers_what_the_trace_does_not_have(devshim_verb: Run, zero: Path) -> None:
    outcome = devshim_verb("replay", zero, "--on-miss", "real", "--", sys.executable, "-c", ZERO)
    assert (outcome.stdout, outcome.returncode) == ("b'one' b'\\x00\\x00\\x00' 2\n", 0)
    assert "mismatch" not in outcome.stderr


def test_a_real_ioctl_gets_and_gives_memory_and_errors(devshim_verb: Run, tmp_path: Path) -> None:
    events = [opened("/dev/urandom"), ioctl("0x80045200", after="61626364"), wrote("x")]
    trace = write_trace(tmp_path / "random.trace", "/dev/urandom", events)
    program = RANDOM.replace("print([", "os.write(fd, b'x'); print([")
    outcome = devshim_verb("replay", trace, "--on-miss", "real", "--", sys.executable, "-c", program)
    assert outcome.stdout == "[True, True]\n22\n"


def test_the_trace_is_extended_and_then_answers_itself(devshim_verb: Run, zero: Path) -> None:
    first = devshim_verb("replay", zero, "--on-miss", "record", "--", sys.executable, "-c", ZERO)
    assert "zero.trace: extended by 2 events" in first.stderr
    again = devshim_verb("replay", zero, "--fail-on-unused", "--", sys.executable, "-c", ZERO)
    assert (again.stdout, again.returncode, again.stderr) == (first.stdout, 0, "")


def test_a_file_that_was_not_recorded_is_added_with_its_open(devshim_verb: Run, zero: Path) -> None:
    program = ZERO + "print(os.read(os.open('/dev/zero', os.O_RDONLY), 2))\n"
    first = devshim_verb("replay", zero, "--on-miss", "record", "--", sys.executable, "-c", program)
    assert first.stdout.endswith("b'\\x00\\x00'\n")
    again = devshim_verb("replay", zero, "--fail-on-unused", "--", sys.executable, "-c", program)
    assert (again.stdout, again.returncode) == (first.stdout, 0)


GONE = """
import fcntl, os, signal, sys
fd = os.open("/dev/zero", os.O_RDWR); os.read(fd, 3); os.read(fd, 3)
try: fcntl.ioctl(fd, 0x80045299, bytes(4))
except OSError as problem: print(problem.errno)
"""
HOST = """
parent = os.getppid()
def parent_of(pid): return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
host = next(pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if pid != os.getpid() and os.path.exists(f"/proc/{pid}") and parent_of(pid) == parent)
"""


def test_a_call_that_fails_is_added_too(devshim_verb: Run, zero: Path) -> None:
    first = devshim_verb("replay", zero, "--on-miss", "record", "--", sys.executable, "-c", GONE)
    assert "zero.trace: extended by 2 events" in first.stderr
    again = devshim_verb("replay", zero, "--fail-on-unused", "--", sys.executable, "-c", GONE)
    assert (again.stdout, again.returncode, again.stderr) == (first.stdout, 0, "")


def test_whoever_kills_the_host_loses_nothing_that_was_added(devshim_verb: Run, zero: Path) -> None:
    with zero.open("a") as file:
        file.write('{"end": "finished", "events": 2}\n')
    program = GONE + HOST + "os.kill(host, signal.SIGKILL)"
    killed = devshim_verb("replay", zero, "--on-miss", "record", "--", sys.executable, "-c", program)
    assert "extended by" not in killed.stderr
    again = devshim_verb("replay", zero, "--fail-on-unused", "--", sys.executable, "-c", GONE)
    assert (again.stdout, again.returncode, again.stderr) == ("25\n", 0, "")


def test_a_packed_trace_is_extended(devshim_verb: Run, zero: Path) -> None:
    pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    packed = zero.with_name("zero.trace.zst")
    assert devshim_verb("cut", zero, "-o", packed).returncode == 0
    first = devshim_verb("replay", packed, "--on-miss", "record", "--", sys.executable, "-c", GONE)
    assert "zero.trace.zst: extended by 2 events" in first.stderr
    again = devshim_verb("replay", packed, "--fail-on-unused", "--", sys.executable, "-c", GONE)
    assert (again.stdout, again.returncode, again.stderr) == (first.stdout, 0, "")


def test_what_a_real_terminal_adds_belongs_to_its_file(devshim_verb: Run, tmp_path: Path) -> None:
    with terminal() as port:
        trace = write_trace(tmp_path / "port.trace", port.path, [opened(port.path), wrote("AT")], kind="tty")
        program = f"""
import os
fd = os.open("{port.path}", os.O_RDWR | os.O_NOCTTY); os.write(fd, b"AT"); os.write(fd, b"?"); data = b""
while len(data) < 3: data += os.read(fd, 9)
print(data)
"""
        words = ("--", sys.executable, "-c", program)
        first = devshim_verb("replay", trace, "--on-miss", "record", *words, timeout=60)
        assert "port.trace: extended by" in first.stderr
    again = devshim_verb("replay", trace, "--fail-on-unused", *words, timeout=60)
    assert (again.stdout, again.returncode, again.stderr) == ("b'<?>'\n", 0, "")


def test_from_an_event_on_the_real_node_answers_all(devshim_verb: Run, tmp_path: Path) -> None:
    events = [opened("/dev/zero"), read("one"), read("two"), read("six")]
    trace = write_trace(tmp_path / "zero.trace", "/dev/zero", events)
    words = (
        "--on-miss",
        "real",
        "--until",
        "3",
        "--",
        sys.executable,
        "-c",
        ZERO.replace(", os.write", ", os.read(fd, 1), os.write"),
    )
    assert devshim_verb("replay", trace, *words).stdout == "b'one' b'two' b'\\x00' 2\n"


def test_a_real_terminal_goes_on_where_the_trace_ends(devshim_verb: Run, tmp_path: Path) -> None:
    with terminal() as port:
        trace = write_trace(
            tmp_path / "port.trace", port.path, [opened(port.path), wrote("AT\r"), read("OK")], kind="tty"
        )
        program = f"""
import os
fd = os.open("{port.path}", os.O_RDWR | os.O_NOCTTY)
os.write(fd, b"AT\\r"); print(os.read(fd, 9))
os.write(fd, b"real?"); data = b""
while len(data) < 5: data += os.read(fd, 9)
print(data)
"""
        outcome = devshim_verb("replay", trace, "--on-miss", "real", "--", sys.executable, "-c", program, timeout=60)
    assert outcome.stdout.startswith("b'OK'\n")

"""What a program does on a recorded device stands in the trace, whichever way it does it, and it does not notice."""

import os
import re
import signal
import stat
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from recordings import calls, events, record, terminal

from devshim.trace.event import Event
from devshim.trace.format.reader import Trace

ZERO = "/dev/zero"
MODELS = Path(__file__).with_name("models.py")
pytestmark = pytest.mark.skipif(not os.access(ZERO, os.W_OK), reason="needs /dev/zero")


@pytest.fixture
def recorded(program: Callable[..., Path], tmp_path: Path) -> Callable[[str], list[Event]]:
    """Return a function that records programs/recorded.c on /dev/zero, one of its ways, and gives the events."""

    def run(way: str) -> list[Event]:
        trace = tmp_path / f"{way}.trace"
        record(trace, program("recorded", "-w"), ZERO, way, devices=[ZERO])
        return events(trace)[1:]  # the first is its open

    return run


def names(found: list[Event]) -> list[str]:
    return [event.name for event in found]


# ---- Every way to call ----------------------------------------------------------------------------------


def test_every_way_to_read_is_recorded(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("reads")

    assert [(event.name, event.size, event.offset, event.data) for event in found] == [
        ("read", 1, None, bytes(1)),
        ("read", 5, None, bytes(5)),
        ("pread", 3, 10, bytes(3)),
        ("pread", 5, 20, bytes(5)),
        ("pread", 5, 30, bytes(5)),
        ("read", 2, None, bytes(2)),
    ]


def test_every_way_to_write_is_recorded(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("writes")

    assert [(event.name, event.offset, event.data, event.result) for event in found] == [
        ("write", None, b"a", 1),
        ("write", None, b"abcde", 5),
        ("pwrite", 10, b"xyz", 3),
        ("pwrite", 20, b"abcde", 5),
        ("pwrite", 30, b"abcde", 5),
        ("write", None, b"12", 2),
    ]


def test_streams_of_the_c_library_are_recorded(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("stdio")

    assert "".join(event.data.decode() for event in found if event.name == "write") == "putprinted"
    assert sum(len(event.data) for event in found if event.name == "read") == 4
    assert [event.file for event in found if event.name == "close"] == [2, 1]


def test_other_calls_are_recorded_with_their_errors(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("others")

    assert [(event.name, event.operation or event.flags, event.error) for event in found] == [
        ("lseek", "SEEK_SET", None),
        ("flock", "LOCK_EX|LOCK_NB", None),
        ("fcntl", "F_SETLK F_WRLCK", None),
        ("fsync", 0, "EINVAL"),
        ("fdatasync", 0, "EINVAL"),
        ("ftruncate", 0, "EINVAL"),
        ("mmap", "PROT_READ MAP_PRIVATE", None),
        ("open", os.O_WRONLY | os.O_CLOEXEC, None),
        ("close", 0, None),
        ("open", os.O_DIRECTORY, "ENOTDIR"),
    ]


def test_what_poll_and_its_kin_say_is_recorded(program: Callable[..., Path], tmp_path: Path) -> None:
    trace = tmp_path / "polls.trace"
    with terminal(answers=False) as port:
        record(trace, program("recorded", "-w"), port.path, "polls", devices=[port.path])

    found = events(trace)[1:]
    assert [(event.asked, event.ready) for event in found] == [(5, 4), (5, 4), (1, 0), (1, 0), (1, 0)]
    assert [event.timeout for event in found] == [1, 0.001, 0.001, 0.001, 0.001]


def test_descriptors_keep_their_file_through_copies(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("copies")

    assert [(event.name, event.file, event.data) for event in found] == [
        ("write", 1, b"copy"),
        ("close", 1, b""),
        ("write", 1, b"third"),
        ("open", 2, b""),
        ("close", 1, b""),  # dup2() closed the third
        ("write", 2, b"other"),
        ("close", 1, b""),
    ]


def test_a_descriptor_that_was_received_is_met_as_a_new_file(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("pass")

    assert [(event.name, event.file, event.node) for event in found] == [("inherit", 2, ZERO), ("write", 2, ZERO)]


def test_a_bad_pointer_fails_as_without_a_recording(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("bad")

    assert [(event.name, event.result, event.error) for event in found] == [
        ("write", 4, None),  # which the kernel takes without a look at the memory
        ("read", -1, "EFAULT"),
        ("ioctl", -1, "ENOTTY"),
    ]


# ---- Threads and processes ------------------------------------------------------------------------------


def test_calls_of_threads_are_told_apart_and_none_is_lost(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("threads")

    written = Counter((event.thread, event.data) for event in found if event.name == "write")
    assert sorted(written.values()) == [1000] * 4
    assert sorted(data for _, data in written) == [b"a", b"b", b"c", b"d"]
    assert {thread for thread, _ in written} == {2, 3, 4, 5}
    assert len({event.file for event in found if event.name == "open"}) == 4


def test_children_and_executed_programs_are_told_apart(recorded: Callable[[str], list[Event]], tmp_path: Path) -> None:
    found = [event for event in recorded("processes") if event.name != "close"]

    assert [(event.name, event.process, event.file, event.data) for event in found] == [
        ("write", 2, 1, b"child"),
        ("write", 3, 1, b"executed\n"),  # by way of vfork, dup2 and exec
        ("write", 1, 1, b"parent"),
        ("write", 1, 1, b"last\n"),  # by the shell that it has executed
    ]


def test_what_a_killed_program_did_before_is_there(recorded: Callable[[str], list[Event]]) -> None:
    found = recorded("signals")

    assert [(event.name, event.data) for event in found] == [("write", b"handler")]


def test_a_call_in_which_a_program_was_killed_never_returned(tmp_path: Path) -> None:
    client = """
import os, signal, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
reader = os.getpid()
if os.fork() == 0:
    while not open(f"/proc/{reader}/syscall").read().startswith("0 "):
        pass  # it does not wait in read(2) yet
    os.kill(reader, signal.SIGKILL)
    os._exit(0)
os.read(port, 10)
"""
    with terminal(answers=False) as port:
        outcome = record(tmp_path / "x", sys.executable, "-c", client, port.path, devices=[port.path])

    last = events(tmp_path / "x")[-1]
    assert outcome.returncode == 128 + signal.SIGKILL
    assert (last.name, last.size, last.finished, last.error) == ("read", 10, False, None)


# ---- Terminals, disks, and other hardware ---------------------------------------------------------------


def test_a_conversation_with_a_terminal_is_recorded(tmp_path: Path) -> None:
    client = """
import os, sys, termios
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
settings = termios.tcgetattr(port)
termios.tcsetattr(port, termios.TCSANOW, settings)
os.write(port, b"hello")
print(os.read(port, 100))
termios.tcflush(port, termios.TCIOFLUSH)
"""
    with terminal() as port:
        outcome = record(tmp_path / "x", sys.executable, "-c", client, port.path, devices=[port.path])

    found = events(tmp_path / "x")
    node = Trace(str(tmp_path / "x")).header.nodes
    assert outcome.stdout == "b'<hello>'\n"
    assert [event.label for event in found if event.name == "ioctl"][-2:] == ["TCSETS", "TCFLSH"]
    assert [event.data for event in found if event.name in ("read", "write")] == [b"hello", b"<hello>"]
    assert all(one.kind == "tty" and one.rdev[0] == 136 for one in node.values())


def test_a_hang_up_is_recorded(tmp_path: Path) -> None:
    client = """
import errno, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
os.write(port, b"go")
try:
    print(len(os.read(port, 10)))
except OSError as problem:  # where the other end was quicker
    print(errno.errorcode[problem.errno])
"""
    with terminal(answers=False) as port:

        def go() -> None:
            os.read(port.master, 2)
            port.hang_up()

        threading.Thread(target=go).start()
        outcome = record(tmp_path / "x", sys.executable, "-c", client, port.path, devices=[port.path])

    read = events(tmp_path / "x")[-1]
    assert outcome.stdout in ("0\n", "EIO\n")
    assert (read.name, read.data, read.error or f"{read.result}") == ("read", b"", outcome.stdout.strip())


def test_a_disk_is_recorded_in_whole_blocks(tmp_path: Path) -> None:
    """More than one record holds, and more than the ring; in the trace it is several, for the sake of its readers."""
    outcome = record(tmp_path / "x", "dd", f"if={ZERO}", "of=/dev/null", "bs=40M", "count=1", devices=[ZERO])

    reads = [line for line in (tmp_path / "x").read_bytes().splitlines() if b'"read"' in line]
    assert outcome.returncode == 0
    assert [line.partition(b', "hex"')[0] for line in reads] == [b'{"call": "read", "file": 1, "size": 4194304'] * 10
    assert sum(line.count(b"0" * 1024) for line in reads) == (80 << 20) // 1024


@pytest.mark.skipif(not os.access("/dev/ptmx", os.R_OK | os.W_OK), reason="needs /dev/ptmx")
def test_pseudo_terminals_that_the_c_library_opens_are_recorded(tmp_path: Path) -> None:
    client = """
import os, pty
master, slave = os.openpty()
assert os.ttyname(slave).startswith("/dev/pts/")
child, terminal = pty.fork()
if child == 0:
    os.write(1, b"from the child")
    os._exit(0)
print(os.read(terminal, 100))
"""
    outcome = record(tmp_path / "x", sys.executable, "-c", client, devices=["/dev/ptmx"])

    found = [event for event in events(tmp_path / "x") if event.process == 1 and event.name != "close"]
    opening = ["open", "TIOCSPTLCK", "TIOCGPTN"]
    assert outcome.stdout == "b'from the child'\n"
    assert [event.label or event.name for event in found] == [*opening, *opening, "read"]
    assert found[-1].data == b"from the child"


@pytest.mark.client("sed")
def test_streams_ask_for_as_much_as_without_a_recording(tmp_path: Path) -> None:
    with terminal(answers=False) as port:
        os.write(port.master, b"line\n")
        outcome = record(tmp_path / "x", "sed", "1q", port.path, devices=[port.path])
        usual = os.stat(port.path).st_blksize

    assert outcome.stdout == "line\n"
    assert [event.size for event in events(tmp_path / "x") if event.name == "read"] == [usual]


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="needs /dev/kvm")
def test_files_that_an_ioctl_opens_have_numbers_of_their_own(tmp_path: Path) -> None:
    client = """
import fcntl, os
system = os.open("/dev/kvm", os.O_RDWR)
machine = fcntl.ioctl(system, 0xAE01)
other = fcntl.ioctl(system, 0xAE01)
fcntl.ioctl(os.dup(machine), 0xAE03, 10)
fcntl.ioctl(other, 0xAE03, 10)
"""
    record(tmp_path / "x", sys.executable, "-c", client)

    found = [event for event in events(tmp_path / "x") if event.name == "ioctl"]
    assert [(event.label, event.file, event.new_file, event.result > 0) for event in found] == [
        ("KVM_CREATE_VM", 1, 2, False),
        ("KVM_CREATE_VM", 1, 3, False),
        ("KVM_CHECK_EXTENSION", 2, 0, True),
        ("KVM_CHECK_EXTENSION", 3, 0, True),
    ]


# ---- Memory of ioctls -----------------------------------------------------------------------------------


def test_an_address_that_nobody_described_is_told_and_not_written(tmp_path: Path) -> None:
    client = """
import ctypes, fcntl, os
room = ctypes.create_string_buffer(b"secret")
port = os.open("/dev/zero", os.O_RDWR)
secret = (7).to_bytes(8, "little") + ctypes.addressof(room).to_bytes(8, "little")
for request, argument in (0xC0104101, secret), (0x4102, 0):
    try:
        fcntl.ioctl(port, request, argument)
    except OSError as problem:
        print(problem.errno)
"""
    outcome = record(tmp_path / "x", sys.executable, "-c", client, devices=[ZERO])

    first, second = [event for event in events(tmp_path / "x") if event.name == "ioctl"]
    assert outcome.stdout == "25\n25\n"
    assert (first.pointers, first.before, first.error) == ((8,), [bytes([7, *[0] * 15])], "ENOTTY")
    assert (second.argument, second.pointers) == (0, ())
    assert re.search(r"/dev/zero: ioctl 0xc0104101, 'A' 0x01.*: offset 8 looks like a pointer; what it", outcome.stderr)


def test_memory_behind_described_pointers_is_recorded_without_addresses(tmp_path: Path) -> None:
    header = tmp_path / "acme.h"
    header.write_text(
        "struct acme { __u32 length; __u32 pad; __u8 *data; /* devshim: length=length access=rw */ };\n"
        "#define ACME_EXCHANGE _IOWR('A', 1, struct acme)\n"
    )
    client = """
import ctypes, fcntl, os
room = ctypes.create_string_buffer(b"asked", 5)
port = os.open("/dev/zero", os.O_RDWR)
argument = (5).to_bytes(8, "little") + ctypes.addressof(room).to_bytes(8, "little")
try:
    fcntl.ioctl(port, 0xC0104101, argument)
except OSError as problem:
    print(problem.errno)
"""
    outcome = record(tmp_path / "x", sys.executable, "-c", client, devices=[ZERO], options=["--describe", str(header)])

    (event,) = [event for event in events(tmp_path / "x") if event.name == "ioctl"]
    assert (event.label, event.before) == ("ACME_EXCHANGE", [bytes([5, *[0] * 7, 1, *[0] * 7]), b"asked"])
    assert event.error == "ENOTTY" and event.after is None and not event.pointers
    assert "looks like" not in outcome.stderr
    assert Trace(str(tmp_path / "x")).header.ioctls or b"ACME_EXCHANGE" in (tmp_path / "x").read_bytes()


# ---- Models ---------------------------------------------------------------------------------------------


@pytest.mark.client("i2cget")
def test_a_model_is_recorded_as_hardware_is(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", "i2cget", "-y", "1", "0x48", "0", "w", devices=["/dev/i2c-1=tmp102"])

    found = events(tmp_path / "x")
    assert outcome.stdout == "0x8015\n"
    assert [event.label or event.name for event in found] == ["open", "I2C_FUNCS", "I2C_SLAVE", "I2C_SMBUS", "close"]
    smbus = found[3]
    assert smbus.before is not None and smbus.before[0] is not None and smbus.before[0][8:] == bytes([1, *[0] * 7])
    assert smbus.after == [None, bytes([0x15, 0x80])]


@pytest.mark.client("gpioget")
def test_a_line_that_a_model_hands_out_is_a_file_of_its_own(tmp_path: Path) -> None:
    record(tmp_path / "x", "gpioget", "gpiochip0", "3", devices=["/dev/gpiochip0=raspberry_pi4"])

    found = events(tmp_path / "x")
    made = next(event for event in found if event.new_file)
    used = [event.file for event in found if event.number > made.number and event.name == "ioctl"]
    assert made.place is not None
    assert made.new_file in used


def test_a_model_and_hardware_share_a_trace_in_one_order(tmp_path: Path) -> None:
    script = "head -c 3 /dev/zero; head -c 6 /dev/ttyUSB0; head -c 2 /dev/zero"
    outcome = record(tmp_path / "x", "sh", "-c", script, devices=[ZERO, "/dev/ttyUSB0=gps"])

    found = [(event.node, event.data) for event in events(tmp_path / "x") if event.name == "read"]
    assert outcome.stdout == "\0\0\0$GPRMC\0\0"
    assert found == [(ZERO, bytes(3)), ("/dev/ttyUSB0", b"$GPRMC"), (ZERO, bytes(2))]


# ---- What is recorded, and what is not ------------------------------------------------------------------


def test_without_d_what_every_program_uses_is_not_recorded(tmp_path: Path) -> None:
    with terminal() as port:
        script = f"head -c 4 /dev/urandom >/dev/null; echo x >{port.path}; cat </dev/null"
        outcome = record(tmp_path / "x", "sh", "-c", script)

    assert "nothing was recorded" in outcome.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_without_d_every_other_node_that_is_opened_is_recorded(tmp_path: Path) -> None:
    node = tmp_path / "own-full"
    os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(1, 11))  # kmsg, at a place of its own
    outcome = record(tmp_path / "x", "sh", "-c", f"cd {tmp_path}; echo '<7>devshim test' >own-full")

    assert outcome.returncode == 0
    assert {event.node for event in events(tmp_path / "x")} == {str(node)}
    assert calls(tmp_path / "x")[0] == ("open", 0)


def test_an_inherited_descriptor_is_recorded_where_its_node_is_named(tmp_path: Path) -> None:
    reader = "import os; os.read(0, 2)"
    starter = f"""
import os, sys
os.dup2(os.open("{ZERO}", os.O_RDONLY), 0)
os.environ.clear()
os.execv(sys.executable, [sys.executable, "-c", "{reader}"])
"""
    record(tmp_path / "x", sys.executable, "-c", starter, devices=[ZERO])

    assert [event.data for event in events(tmp_path / "x") if event.name == "read"] == [bytes(2)]


def test_a_stream_on_standard_input_is_recorded(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", "sh", "-c", f"od -N 4 -An <{ZERO}", devices=[ZERO])

    assert outcome.stdout.split() == ["000000", "000000"]
    assert sum(len(event.data) for event in events(tmp_path / "x") if event.name == "read") == 4

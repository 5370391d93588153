"""A replayed terminal: bytes as a stream, after what the program did before, whatever its line discipline would do."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import COOKED, RAW, TCFLSH, TCGETS, TCSETS, call, ioctl, opened, read, serial_port, write_trace, wrote
from harness import Outcome

NODE = "/dev/ttyUSB77"
TIOCMGET, TIOCMIWAIT, TIOCGWINSZ = "0x00005415", "0x0000545c", "0x00005413"

Run = Callable[..., Outcome]


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of a terminal to a command, or to a Python program (one word)."""

    def run(events: list[object], *command: str, options: tuple[str, ...] = (), **how: object) -> Outcome:
        trace = write_trace(tmp_path / "port.trace", NODE, events, kind="tty")  # type: ignore[arg-type]
        words = command if len(command) > 1 else (sys.executable, "-c", IMPORTS + command[0])
        return devshim_verb("replay", trace, *options, "--", *words, timeout=60, **how)

    return run


IMPORTS = """
import errno, fcntl, os, select, struct, termios
NODE = "/dev/ttyUSB77"
def failing(what, *args):
    try: return what(*args)
    except OSError as problem: return errno.errorcode[problem.errno]
"""
SERIAL = (
    IMPORTS
    + """
import serial
port = serial.Serial(NODE, 9600, timeout=5)
"""
)


def test_pyserial_opens_and_its_flush_leaves_the_start_of_the_stream_alone(replay: Run) -> None:
    sentences = [read(f"$GPRMC,{number:06}\r\n") for number in range(200)]
    program = SERIAL + 'print(all(port.readline() == b"$GPRMC,%06d\\r\\n" % n for n in range(200)))'
    outcome = replay(serial_port(NODE, *sentences), program)
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("True\n", 0, "")


def test_a_question_and_its_answer_may_be_cut_otherwise_than_recorded(replay: Run) -> None:
    events = serial_port(NODE, wrote("*ID"), wrote("N?\r\n"), read("ACM"), read("E-1\r"), read("\n"))
    whole = 'port.write(b"*IDN?\\r\\n"); print(port.readline())'
    assert replay(events, SERIAL + whole).stdout == "b'ACME-1\\r\\n'\n"
    single = '[port.write(bytes([b])) for b in b"*IDN?\\r\\n"]; print(port.readline())'
    assert replay(events, SERIAL + single).stdout == "b'ACME-1\\r\\n'\n"


def test_an_answer_comes_only_after_its_question(replay: Run) -> None:
    events = serial_port(NODE, read("hello"), wrote("?"), read("!"))
    program = SERIAL + 'print(port.read(5), port.in_waiting); port.write(b"?"); print(port.read(1))'
    assert replay(events, program).stdout == "b'hello' 0\nb'!'\n"


def test_other_bytes_than_recorded_fail_in_the_very_write(replay: Run) -> None:
    events = [opened(NODE), wrote("AT\r"), read("OK")]
    outcome = replay(events, 'fd = os.open(NODE, os.O_RDWR); print(failing(os.write, fd, b"AX\\r"))')
    assert outcome.stdout == "EIO\n"
    assert "port.trace:3: mismatch: byte 1 is 0x58 'X', recorded 0x54 'T'" in outcome.stderr
    assert outcome.returncode == 1


def test_the_line_discipline_is_passed_only_once(replay: Run) -> None:
    events = [opened(NODE), ioctl(TCGETS, after=COOKED), wrote("AT\n"), read("AT\n"), read("OK\x03\x1a\n")]
    program = """
fd = os.open(NODE, os.O_RDWR)
print(bool(termios.tcgetattr(fd)[3] & termios.ECHO), os.write(fd, b"AT\\n"))
data = b""
while len(data) < 8: data += os.read(fd, 100)
print(data)
"""
    assert replay(events, program).stdout == "True 3\nb'AT\\nOK\\x03\\x1a\\n'\n"


def test_settings_read_back_are_those_that_were_recorded_and_then_those_set(replay: Run) -> None:
    events = [opened(NODE), ioctl(TCGETS, after=COOKED), ioctl(TCSETS, RAW)]
    program = """
fd = os.open(NODE, os.O_RDWR)
settings = termios.tcgetattr(fd)
for at in 0, 1, 3: settings[at] = 0
settings[6][termios.VMIN] = 0
termios.tcsetattr(fd, termios.TCSANOW, settings)
print(termios.tcgetattr(fd)[:4] == settings[:4], failing(termios.tcsetattr, fd, termios.TCSANOW, settings))
settings[2] ^= termios.CSTOPB
try: termios.tcsetattr(fd, termios.TCSANOW, settings)
except termios.error as problem: print(problem.args[0])
"""
    outcome = replay(events, program)
    assert outcome.stdout == "True None\n5\n"
    assert "mismatch" in outcome.stderr


def test_a_flush_drops_what_was_there_and_not_what_came_after_it(replay: Run) -> None:
    events = [opened(NODE), read("old"), ioctl(TCFLSH, value=0), read("new")]
    program = """
fd = os.open(NODE, os.O_RDWR)
select.select([fd], [], [])
termios.tcflush(fd, termios.TCIFLUSH)
print(os.read(fd, 100))
"""
    assert replay(events, program).stdout == "b'new'\n"


def test_modem_lines_change_as_they_did(replay: Run) -> None:
    events = [opened(NODE), ioctl(TIOCMGET, after="06000000"), ioctl(TIOCMGET, after="26000000")]
    program = """
fd = os.open(NODE, os.O_RDWR)
print(*[struct.unpack("i", fcntl.ioctl(fd, termios.TIOCMGET, bytes(4)))[0] for _ in range(3)])
"""
    assert replay(events, program).stdout == "6 38 38\n"


def test_what_the_pty_would_answer_otherwise_comes_from_the_trace(replay: Run) -> None:
    events = [opened(NODE), ioctl(TIOCGWINSZ, after="1800500000000000"), ioctl(TIOCMGET, error="ENOTTY")]
    program = """
fd = os.open(NODE, os.O_RDWR)
print(os.get_terminal_size(fd)[:], failing(fcntl.ioctl, fd, 0x5415, bytes(4)), os.isatty(fd))
"""
    assert replay(events, program).stdout == "(80, 24) ENOTTY True\n"


def test_a_hang_up_comes_when_all_before_it_was_read(replay: Run) -> None:
    events = [opened(NODE), read("last words"), read()]
    program = """
fd = os.open(NODE, os.O_RDWR)
data = b""
while more := os.read(fd, 3): data += more
print(data, failing(os.write, fd, b"x"))
"""
    assert replay(events, program).stdout == "b'last words' EIO\n"


def test_a_port_that_was_opened_again_after_a_hang_up_opens_again(replay: Run) -> None:
    events = [opened(NODE), read("one"), read(), opened(NODE, 2), read("two", file=2)]
    program = """
fd = os.open(NODE, os.O_RDWR); print(os.read(fd, 9), os.read(fd, 9)); os.close(fd)
print(os.read(os.open(NODE, os.O_RDWR), 9))
"""
    assert replay(events, program).stdout == "b'one' b''\nb'two'\n"


def test_cat_prints_all_and_waits_where_the_recorded_program_was_killed(replay: Run) -> None:
    events = [opened(NODE, flags="O_RDONLY"), read("one\n"), read("two\n"), read(finished=False)]
    outcome = replay(events, "timeout", "1", "cat", NODE)
    assert (outcome.stdout, outcome.returncode) == ("one\ntwo\n", 124)


def test_an_lseek_on_a_terminal_is_no_event_that_is_left_over(replay: Run) -> None:
    events = [opened(NODE), call("lseek", offset=0, whence="SEEK_CUR", error="ESPIPE"), read("one\n")]
    outcome = replay(events, "print(os.read(os.open(NODE, os.O_RDWR), 4))", options=("--fail-on-unused",))
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("b'one\\n'\n", 0, "")


def test_a_read_beyond_the_recording_hangs_up_and_is_told(replay: Run) -> None:
    outcome = replay([opened(NODE, flags="O_RDONLY"), read("one\n")], "cat", NODE)
    assert outcome.stdout == "one\n"
    assert "the program waits for data, and the trace has no more" in outcome.stderr
    assert outcome.returncode == 1


def test_a_reader_that_left_the_question_out_is_told_which(replay: Run) -> None:
    outcome = replay([opened(NODE), wrote("AT\r"), read("OK")], "cat", NODE)
    assert "comes only after it does this" in outcome.stderr
    assert "write(/dev/ttyUSB77" in outcome.stderr
    assert outcome.returncode == 1


def test_a_program_that_does_not_read_leaves_the_rest_in_the_trace(replay: Run) -> None:
    events = [opened(NODE), *[read("x" * 4000) for _ in range(200)]]
    outcome = replay(events, "fd = os.open(NODE, os.O_RDWR); print(len(os.read(fd, 10)))")
    assert outcome.stdout == "10\n"
    assert "were not used" in outcome.stderr


def test_a_long_stream_arrives_whole(replay: Run) -> None:
    events = [opened(NODE), *[read(f"{number:04}" * 1000) for number in range(200)], read()]
    program = """
fd = os.open(NODE, os.O_RDWR); data = b""
while more := os.read(fd, 65536): data += more
print(data == b"".join(b"%04d" % n * 1000 for n in range(200)))
"""
    assert replay(events, program).stdout == "True\n"


def test_two_processes_share_a_port(replay: Run) -> None:
    events = [
        opened(NODE), ioctl(TCGETS, after=COOKED), opened(NODE, 2, process=2), read("shared\n", file=2, process=2),
    ]  # fmt: skip
    program = "(stty < /dev/ttyUSB77 > /dev/null; head -n 1 /dev/ttyUSB77)"
    assert "shared\n" in replay(events, "sh", "-c", program).stdout


@pytest.mark.client("stty")
def test_stty_shows_the_recorded_settings(replay: Run) -> None:
    slow = COOKED.replace("bd0c0000", "b70c0000")  # 600 baud
    events = [
        opened(NODE, flags="O_RDONLY|O_NONBLOCK"),
        ioctl(TCGETS, after=slow),
        ioctl(TIOCGWINSZ, after="0000000000000000"),
    ]
    outcome = replay(events, "stty", "-F", NODE)
    assert "speed 300 baud" in outcome.stdout


def test_threads_that_take_turns_may_come_in_another_order(replay: Run) -> None:
    events = []
    for thread in (1, 2, 3):
        at = {"file": thread, "thread": thread}
        events += [opened(NODE, **at), wrote(f"AT{thread}\r", **at), read(f"OK{thread}\r\n", **at), call("close", **at)]
    program = """
def ask(number):
    fd = os.open(NODE, os.O_RDWR); os.write(fd, b"AT%d\\r" % number); print(os.read(fd, 9)); os.close(fd)
"""
    for order in ("123", "213", "321"):
        outcome = replay(events, f"{program}\nfor number in map(int, {order!r}): ask(number)")
        assert outcome.stdout == "".join(f"b'OK{number}\\r\\n'\n" for number in order), outcome.stderr
        assert (outcome.returncode, outcome.stderr) == (0, "")
    assert replay(events, f"{program}\nask(4)").returncode == 1


def test_what_another_thread_must_do_first_stays_to_be_done(replay: Run) -> None:
    events = [
        opened(NODE), ioctl(TCFLSH, value=0), wrote("one"), wrote("two", thread=2), ioctl(TCFLSH, value=1),
    ]  # fmt: skip
    program = """
fd = os.open(NODE, os.O_RDWR)
print(os.write(fd, b"two"), fcntl.ioctl(fd, 0x540b, 0), os.write(fd, b"one"), fcntl.ioctl(fd, 0x540b, 1))
"""
    outcome = replay(events, program, options=("--fail-on-unused",))
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("3 0 3 0\n", 0, "")


def test_a_question_is_answered_after_it_also_where_all_may_come_in_any_order(replay: Run) -> None:
    events = serial_port(NODE, wrote("A?"), read("a1"), wrote("B?"), read("b1"))
    ask = 'port.write(b"A?"); print(port.read(2)); port.write(b"B?"); print(port.read(2))'
    outcome = replay(events, SERIAL + ask, options=("--loose",))
    assert (outcome.stdout, outcome.returncode) == ("b'a1'\nb'b1'\n", 0)

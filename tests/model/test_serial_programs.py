"""Serial ports as programs meet them: several processes, lines, waits, and an adapter that is pulled out."""

import os
import sys

import pytest
from harness import run_devshim

NODE = "/dev/ttyUSB0"

MODELS = """
from devshim import Serial, command, every


class Idle(Serial):
    pass


class Memory(Serial):
    said = b""

    @command("SAY (.*)")
    def say_it(self, text):
        self.text = text

    @command("WHAT")
    def what(self):
        return self.text


class Pulled(Serial):
    after_seconds: float = 0.2
    back: float = 0.0
    opens = 0

    def opened(self):
        self.opens += 1
        self.send(f"open {self.opens}\\r\\n")
        if self.opens == 1:
            self.after(self.after_seconds, self.unplug)

    def unplugged(self):
        pass


class Toggler(Serial):
    cts: bool = False

    @every(seconds=0.1)
    def toggle(self):
        self.cts = not self.cts


class Answering(Serial):
    cd = False

    def lines_changed(self):
        if self.dtr:
            self.after(0.2, self.pick_up)

    def pick_up(self):
        self.cd = True


class Slow(Serial):
    paced: bool = True
    heard = 0

    def received(self, data):
        self.heard += len(data)

    def break_received(self):
        self.send(f"{self.heard} then a break at {self.settings}\\r\\n")
"""


@pytest.fixture
def device(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return lambda spec: [f"{NODE}={tmp_path}/models.py:{spec}"]


def python(program, devices):
    """What a Python program prints that has the port as `port`, opened raw, with a few names at hand."""
    head = f"""
import errno, fcntl, os, struct, termios, time, tty
def opened(flags=os.O_RDWR):
    fd = os.open({NODE!r}, flags | os.O_NOCTTY)
    tty.setraw(fd)
    return fd
def number(request, value=0):
    return struct.unpack("i", fcntl.ioctl(port, request, struct.pack("i", value)))[0]
port = opened()
"""
    outcome = run_devshim(sys.executable, "-c", head + program, devices=devices)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    return outcome.stdout


def test_one_process_asks_what_another_has_said(device):
    script = f"stty -F {NODE} raw -echo; printf 'SAY hello\\n' > {NODE}; exec 3<>{NODE}; echo WHAT >&3; head -n 1 <&3"
    assert run_devshim("sh", "-c", script, devices=device("Memory")).stdout == "hello\n"


def test_head_reads_lines_of_a_cooked_port(device):
    outcome = run_devshim("head", "-n", "1", NODE, devices=device("Pulled,after_seconds=60"))
    assert (outcome.stdout, outcome.returncode) == ("open 1\n", 0)


def test_pulled_out_while_a_program_waits(device):
    said = python(
        """
port = opened()
while True:
    try:
        if not os.read(port, 100): break
    except OSError as error:
        assert error.errno == errno.EIO
        break
print("end", os.read(port, 100))
for call in (lambda: os.write(port, b"x"), lambda: termios.tcgetattr(port), lambda: number(termios.TIOCMGET)):
    try: call()
    except (OSError, termios.error) as error: print(errno.errorcode[error.args[0]])
try: opened()
except OSError as error: print(errno.errorcode[error.errno])
""",
        device("Pulled"),
    )
    assert said.split("\n")[:4] == ["end b''", "EIO", "EIO", "EIO"]
    assert said.split("\n")[4] in ("ENOENT", "ENODEV", "ENXIO")


def test_waiting_for_a_line_to_change(device):
    said = python(
        """
before = struct.unpack("20i", fcntl.ioctl(port, termios.TIOCGICOUNT, bytes(80)))[0]
begin = time.monotonic()
fcntl.ioctl(port, termios.TIOCMIWAIT, termios.TIOCM_CTS)
fcntl.ioctl(port, termios.TIOCMIWAIT, termios.TIOCM_CTS)
after = struct.unpack("20i", fcntl.ioctl(port, termios.TIOCGICOUNT, bytes(80)))[0]
print(after - before >= 2, time.monotonic() - begin > 0.05)
""",
        device("Toggler"),
    )
    assert said == "True True\n"


def test_a_signal_ends_a_wait_for_a_line(device):
    said = python(
        """
import signal
def ring(*_): raise TimeoutError
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)  # again, where the first is too early
try: fcntl.ioctl(port, termios.TIOCMIWAIT, termios.TIOCM_CTS)
except TimeoutError: print("rang")
""",
        device("Idle"),
    )
    assert said == "rang\n"


def test_an_open_waits_for_the_carrier(device):
    said = python(
        """
mode = termios.tcgetattr(port)
mode[2] &= ~termios.CLOCAL
termios.tcsetattr(port, termios.TCSANOW, mode)
os.close(port)
begin = time.monotonic()
os.close(os.open("/dev/ttyUSB0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
print("at once", time.monotonic() - begin < 0.15)
port = os.open("/dev/ttyUSB0", os.O_RDWR | os.O_NOCTTY)
print("carrier", bool(number(termios.TIOCMGET) & termios.TIOCM_CAR))
""",
        device("Answering"),
    )
    assert said == "at once True\ncarrier True\n"


def test_exclusive_use_holds_between_processes_until_the_last_close(device):
    program = """
fcntl.ioctl(port, termios.TIOCEXCL)
child = os.fork()
if child == 0:
    if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)
    try: opened(); print("opened", flush=True)
    except OSError as error: print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
os.waitpid(child, 0)
os.close(port)
port = opened(); print("opened")
"""
    assert python(program, device("Idle")) == "EBUSY\nopened\n"


def test_drain_takes_as_long_as_the_line_does(device):
    said = python(
        """
begin = time.monotonic()
os.write(port, b"x" * 96)
print("queued", number(termios.TIOCOUTQ) > 0)
termios.tcdrain(port)
print("drained", time.monotonic() - begin > 0.09, number(termios.TIOCOUTQ))
termios.tcsendbreak(port, 0)
line = b""
while not line.endswith(b"\\r\\n"): line += os.read(port, 100)
print(line.decode().strip())
""",
        device("Slow"),
    )
    assert said == "queued True\ndrained True 0\n96 then a break at 9600 8N1\n"


def test_drain_waits_on_a_port_that_was_opened_not_to_wait(device):  # as pyserial's flush() does
    said = python(
        """
port = opened(os.O_RDWR | os.O_NONBLOCK)
os.write(port, b"x" * 96)
termios.tcdrain(port)
print("drained", number(termios.TIOCOUTQ))
os.write(port, b"x" * 96)
termios.tcsetattr(port, termios.TCSADRAIN, termios.tcgetattr(port))
print("set", number(termios.TIOCOUTQ))
try: os.read(port, 1)
except BlockingIOError: print("nothing to read")
""",
        device("Slow"),
    )
    assert said == "drained 0\nset 0\nnothing to read\n"


def test_a_wait_for_a_line_waits_on_a_port_that_was_opened_not_to_wait(device):
    said = python(
        """
port = opened(os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(port, termios.TIOCMIWAIT, termios.TIOCM_CTS)
print("changed")
""",
        device("Toggler"),
    )
    assert said == "changed\n"


def test_a_serial_port_is_no_pty_and_no_rs485(device):
    said = python(
        """
for request in (0x80045430, 0x80045438, 0x542E, 0x5441):  # TIOCGPTN, TIOCGPKT, TIOCGRS485, TIOCGPTPEER
    try: fcntl.ioctl(port, request, bytearray(64)); print("answered")
    except OSError as error: print(errno.errorcode[error.errno])
print(os.isatty(port), os.ttyname(port))
""",
        device("Idle"),
    )
    assert said == "ENOTTY\n" * 3 + f"EIO\nTrue {NODE}\n"


def test_low_latency_is_kept(device):
    pytest.importorskip("serial")
    said = python(
        """
import serial
with serial.Serial("/dev/ttyUSB0") as other:
    other.set_low_latency_mode(True)
buf = fcntl.ioctl(port, 0x541E, bytes(72))
print(bool(struct.unpack_from("i", buf, 16)[0] & 0x2000))
""",
        device("Idle"),
    )
    assert said == "True\n"


def test_a_hundred_thousand_bytes_come_and_go_whole(device):
    said = python(
        """
import threading
sent = bytes(range(256)) * 400
threading.Thread(target=lambda: [os.write(port, sent[at:at + 1024]) for at in range(0, len(sent), 1024)]).start()
got = b""
while len(got) < len(sent): got += os.read(port, 65536)
print(got == sent)
""",
        device("Idle,echo=true"),
    )
    assert said == "True\n"


def test_nothing_is_left_of_a_run(device):
    before = set(os.listdir("/dev/pts"))
    run_devshim("true", devices=device("Idle"))
    assert len(set(os.listdir("/dev/pts")) - before) <= 4  # other tests' ports come and go meanwhile

"""What a program's own system calls on /dev/hidrawN give: packets, the queue of each open, unplugging, /sys."""

import sys

import pytest
from harness import run_devshim

MODEL = '''
from devshim import Hidraw

class Echo(Hidraw):
    """Says after the program what it writes; some words are commands."""

    manufacturer: str = "Maker"
    product: str = "Echo"
    serial: str = "E7"
    report_descriptor = bytes.fromhex("0600ff 0901 a101 0901 1500 26ff00 7508 9540 8102 0901 9540 9102 c0")

    def output(self, report):
        if report.startswith(b"many"):
            self.count = sum(self.send_input(bytes([number] * 64)) for number in range(100))
        elif report.startswith(b"count"):
            self.send_input(b"%d" % self.count)
        elif report.startswith(b"later"):
            self.after(0.05, self.send_input, b"at last")
        elif report.startswith(b"pull"):
            self.send_input(b"goodbye")
            self.unplug()
            self.after(0.1, self.plug)
        else:
            self.send_input(report)
'''

START = r"""
import errno, fcntl, os, select
def attempt(name, call):
    try:
        result = call()
    except OSError as problem:
        result = errno.errorcode[problem.errno]
    print(name, result)
fd = os.open("/dev/hidraw0", os.O_RDWR)
"""

CALLS = r"""
attempt("write", lambda: os.write(fd, b"\0one"))
attempt("again", lambda: os.write(fd, b"\0second"))
attempt("short read drops the rest", lambda: os.read(fd, 2))
attempt("next", lambda: os.read(fd, 100))
attempt("poll", lambda: [len(ready) for ready in select.select([fd], [fd], [], 0)])
os.set_blocking(fd, False)
attempt("nothing", lambda: os.read(fd, 64))
os.set_blocking(fd, True)
os.write(fd, b"\0later")
attempt("a read that waits", lambda: os.read(fd, 64))
for size in (0, 1, 16385):
    attempt(f"write {size}", lambda: os.write(fd, bytes(size)))
attempt("lseek", lambda: os.lseek(fd, 5, os.SEEK_SET))
attempt("tcgetattr", lambda: fcntl.ioctl(fd, 0x5401, bytearray(60)))
attempt("bad pointer", lambda: fcntl.ioctl(fd, 0x90044802, 8))
attempt("name", lambda: fcntl.ioctl(fd, 0x81004804, bytearray(256)))
attempt("buffered", lambda: type(open("/dev/hidraw0", "r+b")).__name__)
other = os.open("/dev/hidraw0", os.O_RDONLY)
os.write(fd, b"\0both")
attempt("one", lambda: os.read(fd, 64))
attempt("other", lambda: os.read(other, 64))
attempt("read only", lambda: os.write(other, b"\0no"))
"""

WANTED = r"""
write 4
again 7
short read drops the rest b'on'
next b'second'
poll [0, 1, 0]
nothing EAGAIN
a read that waits b'at last'
write 0 EINVAL
write 1 EINVAL
write 16385 EINVAL
lseek 0
tcgetattr EINVAL
bad pointer EFAULT
name 11
buffered BufferedRandom
one b'both'
other b'both'
read only EBADF
"""

QUEUE = r"""
os.write(fd, b"\0many")
read = [os.read(fd, 64) for _ in range(63)]
print([report[0] for report in read] == list(range(63)), {len(report) for report in read})
os.write(fd, b"\0count")
print(os.read(fd, 64))
"""

PULLED = r"""
poll = select.poll()
poll.register(fd)
os.write(fd, b"\0pull")
attempt("what was sent before", lambda: os.read(fd, 64))
attempt("read", lambda: os.read(fd, 64))
attempt("write", lambda: os.write(fd, b"\0no"))
attempt("ioctl", lambda: fcntl.ioctl(fd, 0x80044801, bytearray(4)))
attempt("hang-up", lambda: bool(poll.poll(0)[0][1] & select.POLLHUP))
attempt("node", lambda: os.path.exists("/dev/hidraw0"))
attempt("class", lambda: os.path.lexists("/sys/class/hidraw/hidraw0"))
while not os.path.exists("/dev/hidraw0"):
    select.select([], [], [], 0.01)
fd = os.open("/dev/hidraw0", os.O_RDWR)
os.write(fd, b"\0back")
attempt("plugged again", lambda: os.read(fd, 64))
attempt("class", lambda: os.path.lexists("/sys/class/hidraw/hidraw0"))
"""

PULLED_WANTED = r"""
what was sent before b'goodbye'
read EIO
write ENODEV
ioctl ENODEV
hang-up True
node False
class False
plugged again b'back'
class True
"""


@pytest.fixture
def device(tmp_path):
    model = tmp_path / "echo.py"
    model.write_text(MODEL)
    return [f"/dev/hidraw0={model}"]


def lines(device, program):
    outcome = run_devshim(sys.executable, "-c", START + program, devices=device)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.strip().splitlines()


def test_system_calls_answer_as_hidraw_does(device):
    assert lines(device, CALLS) == WANTED.strip().splitlines()


def test_a_program_that_does_not_read_has_the_first_63_reports(device):
    assert lines(device, QUEUE) == ["True {64}", "b'63'"]


def test_a_device_that_is_pulled_out_and_comes_back(device):
    assert lines(device, PULLED) == PULLED_WANTED.strip().splitlines()


def test_hidapi_of_pypi_finds_it_by_its_serial_number_and_talks_to_it(device):
    pytest.importorskip("hidraw")
    program = """
import hidraw
device = hidraw.device()
device.open(0x1209, 0x0001, "E7")
print(device.get_manufacturer_string(), device.get_product_string(), device.get_serial_number_string())
print(device.write(b"\\0ping"), bytes(device.read(64)), device.read(64, 20))
print(bytes(device.get_report_descriptor()).hex()[:10])
"""

    assert lines(device, program) == ["Maker Echo E7", "5 b'ping' []", "0600ff0901"]

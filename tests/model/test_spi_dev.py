"""What a program's own system calls on /dev/spidevB.C give, at the edges that spi-tools never reach."""

import sys

from harness import run_devshim

MODEL = """
from devshim import SpiChip

class Loopback(SpiChip):
    def transfer(self, out):
        return out
"""

PROGRAM = r"""
import ctypes, errno, fcntl, mmap, os, select, struct

def attempt(name, call):
    try:
        result = call()
    except OSError as problem:
        result = errno.errorcode[problem.errno]
    print(name, result)

fd = os.open("/dev/spidev0.0", os.O_RDWR)
room = ctypes.create_string_buffer
def address(of):
    return of if isinstance(of, int) else ctypes.addressof(of)
def message(*transfers):
    heads = [struct.pack("<QQI12x", address(tx), address(rx), size) for tx, rx, size in transfers]
    data = b"".join(heads)
    return fcntl.ioctl(fd, 0x40006B00 | len(data) << 16, bytearray(data))
libc = ctypes.CDLL(None, use_errno=True)
def pointing_nowhere(request):
    result = libc.ioctl(fd, ctypes.c_ulong(request), ctypes.c_void_p(8))
    return result, errno.errorcode[ctypes.get_errno()]

out, back = room(b"hello", 5), room(5)
attempt("message", lambda: (message((out, back, 5), (out, 0, 3)), back.raw))
attempt("no buffers", lambda: message((0, 0, 5)))
attempt("nothing", lambda: fcntl.ioctl(fd, 0x40006B00, 0))
attempt("bad tx", lambda: message((8, back, 5)))
attempt("bad rx", lambda: message((out, 8, 5)))
attempt("bad transfers", lambda: pointing_nowhere(0x40206B00))
attempt("long", lambda: message((out, 0, 4097)))
attempt("33 bytes", lambda: fcntl.ioctl(fd, 0x40216B00, bytes(33)))
large = room(bytes(range(256)) * 16, 4096)
answer = room(4096)
attempt("4096 bytes", lambda: (message((large, answer, 4096)), answer.raw == large.raw))
attempt("100 transfers", lambda: message(*[(out, back, 1)] * 100))
page = mmap.mmap(-1, 8192)
end = ctypes.addressof(ctypes.c_uint8.from_buffer(page)) + 8192 - 5
attempt("at the end of memory", lambda: (message((out, end, 5)), ctypes.string_at(end, 5)))
attempt("mode", lambda: fcntl.ioctl(fd, 0x40016B01, b"\3"))
attempt("mode is", lambda: fcntl.ioctl(fd, 0x80016B01, b"\0"))
attempt("bad setting", lambda: pointing_nowhere(0x40046B04))
attempt("write nothing", lambda: os.write(fd, b""))
attempt("write", lambda: os.write(fd, b"abc"))
attempt("read", lambda: os.read(fd, 3))
attempt("read 5000", lambda: os.read(fd, 5000))
attempt("pread", lambda: os.pread(fd, 1, 5))
attempt("lseek", lambda: os.lseek(fd, 0, 0))
attempt("mmap", lambda: mmap.mmap(fd, 4096))
attempt("unknown", lambda: fcntl.ioctl(fd, 0x40046B09, bytes(4)))
attempt("poll", lambda: [len(ready) for ready in select.select([fd], [fd], [], 0)])
attempt("stat", lambda: (os.major(os.fstat(fd).st_rdev), os.minor(os.fstat(fd).st_rdev)))
attempt("sys", lambda: open("/sys/class/spidev/spidev0.0/dev").read().strip())
attempt("bus", lambda: os.path.realpath("/sys/bus/spi/devices/spi0.0").rpartition("/")[2])
"""

WANTED = r"""
message (8, b'hello')
no buffers 5
nothing 0
bad tx EFAULT
bad rx EFAULT
bad transfers (-1, 'EFAULT')
long EMSGSIZE
33 bytes EINVAL
4096 bytes (4096, True)
100 transfers 100
at the end of memory (5, b'hello')
mode b'\x03'
mode is b'\x03'
bad setting (-1, 'EFAULT')
write nothing 0
write 3
read b'\x00\x00\x00'
read 5000 EMSGSIZE
pread ESPIPE
lseek ESPIPE
mmap ENODEV
unknown ENOTTY
poll [1, 1, 0]
stat (153, 0)
sys 153:0
bus spi0.0
"""


def test_system_calls_on_a_chip_answer_as_spidev_does(tmp_path):
    model = tmp_path / "loopback.py"
    model.write_text(MODEL)

    outcome = run_devshim(sys.executable, "-c", PROGRAM, devices=[f"/dev/spidev0.0={model}"])

    assert outcome.stdout.splitlines() == WANTED.strip().splitlines()
    assert outcome.returncode == 0

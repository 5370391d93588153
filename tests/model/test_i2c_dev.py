"""What a program's own system calls on /dev/i2c-N give, at the edges that i2c-tools never reach."""

import sys

from harness import run_devshim

PROGRAM = r"""
import ctypes, errno, fcntl, mmap, os, select
from ctypes import POINTER, Structure, c_uint8, c_uint16, c_uint32

class Msg(Structure):
    _fields_ = [("addr", c_uint16), ("flags", c_uint16), ("len", c_uint16), ("buf", POINTER(c_uint8))]
class Rdwr(Structure):
    _fields_ = [("msgs", POINTER(Msg)), ("nmsgs", c_uint32)]
class Smbus(Structure):
    _fields_ = [("read_write", c_uint8), ("command", c_uint8), ("size", c_uint32), ("data", ctypes.c_void_p)]

fd = os.open("/dev/i2c-1", os.O_RDWR)

def attempt(name, call):
    try:
        result = call()
    except OSError as problem:
        result = errno.errorcode[problem.errno]
    print(name, result)

def rdwr(count, *messages):
    msgs = (Msg * max(count, 1))()
    for at in range(count):
        address, flags, room = messages[at % len(messages)]
        msgs[at] = Msg(address, flags, len(room), ctypes.cast(room, POINTER(c_uint8)))
    return fcntl.ioctl(fd, 0x0707, Rdwr(msgs, count))

def smbus(read_write, size, data, command=0):
    return fcntl.ioctl(fd, 0x0720, Smbus(read_write, command, size, data))

room = ctypes.create_string_buffer
attempt("slave 0x400", lambda: fcntl.ioctl(fd, 0x0703, 0x400))
attempt("slave 0x80", lambda: fcntl.ioctl(fd, 0x0703, 0x80))
attempt("no address yet", lambda: os.read(fd, 1))
attempt("slave 0x50", lambda: fcntl.ioctl(fd, 0x0703, 0x50))
attempt("write nothing", lambda: os.write(fd, b""))
attempt("write address", lambda: os.write(fd, b"\x10"))
attempt("read 9000", lambda: len(os.read(fd, 9000)))
attempt("pread", lambda: os.pread(fd, 1, 5))
attempt("lseek", lambda: os.lseek(fd, 0, 0))
attempt("mmap", lambda: mmap.mmap(fd, 4096))
attempt("unknown", lambda: fcntl.ioctl(fd, 0x0709, 0))
attempt("poll", lambda: [len(ready) for ready in select.select([fd], [fd], [], 0)])
attempt("stat", lambda: (os.major(os.fstat(fd).st_rdev), os.minor(os.fstat(fd).st_rdev)))
for count in (0, 1, 42, 43):
    attempt(f"{count} messages", lambda: rdwr(count, (0x50, 1, room(2))))
attempt("absent", lambda: rdwr(1, (0x51, 1, room(2))))
attempt("no room", lambda: fcntl.ioctl(fd, 0x0707, Rdwr(ctypes.cast(8, POINTER(Msg)), 1)))
attempt("null messages", lambda: fcntl.ioctl(fd, 0x0707, Rdwr(None, 1)))
large = room(8192)
attempt("large", lambda: (rdwr(2, (0x50, 0, room(1)), (0x50, 1, large)), large.raw[:3], len(set(large.raw))))
attempt("too large", lambda: rdwr(1, (0x50, 1, room(8193))))
page = mmap.mmap(-1, 8192)
end = ctypes.addressof(c_uint8.from_buffer(page)) + 8192 - 34
ctypes.memset(end, 4, 1)
attempt("block at the end of memory", lambda: (smbus(1, 8, end), ctypes.string_at(end, 6)))
attempt("byte at the end of memory", lambda: (smbus(1, 2, end + 33, 7), ctypes.string_at(end + 33, 1)))
attempt("no data", lambda: smbus(1, 2, None))
attempt("quick", lambda: smbus(0, 0, None))
attempt("bad data", lambda: smbus(1, 2, 8))
attempt("size 9", lambda: smbus(1, 9, None))
attempt("direction 2", lambda: smbus(2, 2, None))
attempt("retries", lambda: fcntl.ioctl(fd, 0x0701, 3))
attempt("many retries", lambda: fcntl.ioctl(fd, 0x0701, -1))
"""

WANTED = r"""
slave 0x400 EINVAL
slave 0x80 EINVAL
no address yet ENXIO
slave 0x50 0
write nothing 0
write address 1
read 9000 8192
pread b'\x10'
lseek ESPIPE
mmap ENODEV
unknown ENOTTY
poll [1, 1, 0]
stat (89, 1)
0 messages EINVAL
1 messages 1
42 messages 42
43 messages EINVAL
absent ENXIO
no room EFAULT
null messages EINVAL
large (2, b'\x00\x01\x02', 256)
too large EINVAL
block at the end of memory (0, b'\x04\x00\x01\x02\x03\x00')
byte at the end of memory (0, b'\x07')
no data EINVAL
quick 0
bad data EFAULT
size 9 EINVAL
direction 2 EINVAL
retries 0
many retries EINVAL
"""


def test_system_calls_on_a_bus_answer_as_i2c_dev_does(tmp_path):
    contents = tmp_path / "eeprom.bin"
    contents.write_bytes(bytes(range(256)))

    outcome = run_devshim(sys.executable, "-c", PROGRAM, devices=[f"/dev/i2c-1=at24c02,file={contents}"])

    assert outcome.stdout.splitlines() == WANTED.strip().splitlines()
    assert outcome.returncode == 0

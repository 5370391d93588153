"""A program as others write them: it uses devices in all the ways that Python has.  It knows nothing of devshim.

Prints "ok NAME" for each check, or a traceback, and ends with 1 if one failed.  For Python 3.6 and later.
"""

# ruff: noqa: PT017, SIM115, UP031, UP036  (older versions, and files left to the collector, are meant)

import array
import asyncio
import errno
import fcntl
import glob
import io
import mmap
import multiprocessing
import os
import pathlib
import pty
import select
import selectors
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import traceback
import tty

METER, BELL, GPS, I2C = "/dev/meter0", "/dev/bell0", "/dev/ttyGPS0", "/dev/i2c-7"
READINGS = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n"
LINES = READINGS.splitlines(True)
GET, SET, TURN, COUNT, WAIT = 0x80086D01, 0x40046D02, 0xC8006D03, 0x6D04, 0x80046201
I2C_SLAVE = 0x0703


def fails(error, call, *words):
    try:
        call(*words)
    except OSError as raised:
        assert raised.errno == error, raised
    else:
        raise AssertionError("did not fail with " + errno.errorcode[error])


def ring():
    with open(BELL, "w") as bell:
        bell.write("ring\n")


def struck(line):
    word, number = line.split()
    return word in ("strike", b"strike") and int(number) > 0


# ---- os, io, pathlib, glob


def check_os_read_and_write():
    fd = os.open(METER, os.O_RDWR | os.O_CLOEXEC)
    assert os.read(fd, 5) == b"delta"
    assert os.read(fd, 1000) == READINGS.encode()[5:]
    assert os.read(fd, 1000) == b""
    assert os.write(fd, b"17\n") == 3
    fails(errno.ERANGE, os.write, fd, b"1000")
    fails(errno.EINVAL, os.write, fd, b"much")
    os.close(fd)
    fails(errno.EBADF, os.read, fd, 1)


def check_os_vectors_and_positions():
    fd = os.open(METER, os.O_RDWR)
    first, second = bytearray(6), bytearray(4)
    assert os.readv(fd, [first, second]) == 10
    assert bytes(first + second) == READINGS.encode()[:10]
    assert os.writev(fd, [b"1", b"8\n"]) == 3
    assert os.pread(fd, 3, 5) == READINGS.encode()[10:13]
    assert os.pwrite(fd, b"19", 7) == 2
    fails(errno.ESPIPE, os.lseek, fd, 0, os.SEEK_SET)
    os.close(fd)


def check_access_modes():
    reading, writing = os.open(METER, os.O_RDONLY), os.open(METER, os.O_WRONLY)
    fails(errno.EBADF, os.write, reading, b"1")
    fails(errno.EBADF, os.read, writing, 1)
    assert fcntl.fcntl(reading, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    assert fcntl.fcntl(writing, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    os.close(reading)
    os.close(writing)
    fails(errno.EEXIST, os.open, METER, os.O_CREAT | os.O_EXCL)
    fails(errno.ENOTDIR, os.open, METER, os.O_DIRECTORY)


def check_status():
    with open(METER, "rb") as meter:
        seen = [os.fstat(meter.fileno()), os.stat(METER), os.lstat(METER), os.stat(meter.fileno())]
        assert not os.isatty(meter.fileno())
    assert all(stat.S_ISCHR(one.st_mode) and one.st_size == 0 for one in seen)
    assert len({(one.st_dev, one.st_ino, one.st_rdev, one.st_mode) for one in seen}) == 1
    with open(GPS, "rb", buffering=0) as port:
        assert os.isatty(port.fileno()) and port.isatty()
        assert os.ttyname(port.fileno()) == GPS
        assert os.fstat(port.fileno()).st_rdev == os.stat(GPS).st_rdev
    assert os.access(METER, os.R_OK | os.W_OK) and not os.access(METER, os.X_OK)
    assert os.path.exists(METER) and not os.path.isfile(METER) and not os.path.islink(METER)
    assert os.path.realpath("/dev/../dev/./meter0") == METER
    assert os.path.samefile(METER, "/dev/../dev/meter0")


def check_listings():
    names = os.listdir("/dev")
    assert {"meter0", "bell0", "ttyGPS0", "i2c-7", "null"} <= set(names) and len(names) == len(set(names))
    with os.scandir("/dev") as entries:
        found = {entry.name: entry for entry in entries}
    assert not found["meter0"].is_file() and not found["meter0"].is_dir()
    assert stat.S_ISCHR(found["meter0"].stat().st_mode) and found["meter0"].inode() == os.stat(METER).st_ino
    assert glob.glob("/dev/ttyG*") == [GPS] and glob.glob("/dev/meter[0-9]") == [METER]
    assert "meter0" in next(iter(os.walk("/dev")))[2]
    here = os.open("/dev", os.O_RDONLY)
    assert "bell0" in os.listdir(here)
    fd = os.open("meter0", os.O_RDONLY, dir_fd=here)
    assert os.read(fd, 5) == b"delta"
    os.close(fd)
    os.close(here)


def check_relative_paths():
    before = os.getcwd()
    os.chdir("/dev")
    try:
        with open("meter0") as meter:
            assert meter.read() == READINGS
        assert os.getcwd() == "/dev"
    finally:
        os.chdir(before)


def check_io_text():
    with open(METER) as meter:
        assert meter.readline() == LINES[0]
        assert list(meter) == LINES[1:]
        assert meter.read() == ""
    with open(METER, encoding="ascii") as meter:
        assert meter.readlines() == LINES
    with open(METER, "w") as meter:
        print(20, file=meter)
    with open(METER, "w", buffering=1) as meter:
        meter.write("21\n")


def check_io_bytes():
    with open(METER, "rb") as meter:
        assert meter.peek(3)[:3] == b"del"
        assert meter.read(8) == b"delta 4\n"
        room = bytearray(7)
        assert meter.readinto(room) == 7 and room == b"alpha 1"
        assert meter.read1(1) == b"\n"
        assert not meter.seekable()
        assert meter.read() == b"charlie 3\nbravo 2\n"
    with open(METER, "r+b", buffering=0) as meter:
        assert isinstance(meter, io.FileIO)
        assert meter.read(2) == b"de" and meter.readall() == READINGS.encode()[2:]
        assert meter.write(b"22\n") == 3
    try:
        open(METER, "r+")
    except io.UnsupportedOperation:
        pass  # a buffered stream for both needs a file that can seek, as on any character device
    else:
        raise AssertionError("r+ on a character device")
    meter = open(METER, "wb")
    meter.write(b"1000\n")
    fails(errno.ERANGE, meter.close)


def check_pathlib():
    path = pathlib.Path(METER)
    assert path.exists() and path.is_char_device() and not path.is_file()
    assert path.read_text() == READINGS and path.read_bytes() == READINGS.encode()
    assert path.write_text("23\n") == 3
    assert path in set(pathlib.Path("/dev").iterdir()) and path in set(pathlib.Path("/dev").glob("meter*"))
    assert path.resolve() == path and path.stat().st_rdev == os.stat(METER).st_rdev


def check_copies():
    room = io.BytesIO()
    with open(METER, "rb") as meter:
        shutil.copyfileobj(meter, room)
    assert room.getvalue() == READINGS.encode()
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "copy")
        shutil.copyfile(METER, copy)
        with open(copy) as text:
            assert text.read() == READINGS
        with open(copy, "r+b") as out, open(METER, "rb") as meter:
            fails(errno.EINVAL, os.sendfile, out.fileno(), meter.fileno(), None, 10)
            if hasattr(os, "copy_file_range"):
                fails(errno.EINVAL, os.copy_file_range, meter.fileno(), out.fileno(), 10)


def check_it_is_no_socket():
    import socket

    with open(METER, "rb") as meter:
        if sys.version_info >= (3, 7):
            fails(errno.ENOTSOCK, lambda: socket.socket(fileno=meter.fileno()))


def check_mmap():
    with open(METER, "rb") as meter:
        fails(errno.ENODEV, lambda: mmap.mmap(meter.fileno(), 4096, prot=mmap.PROT_READ))


def check_standard_streams_of_this_program():
    first, second = os.pipe()
    saved = os.dup(0)
    fd = os.open(METER, os.O_RDONLY)
    os.dup2(fd, 0)
    os.close(fd)
    try:
        assert sys.stdin.readline() == LINES[0]
        with open("/dev/stdin") as again:
            assert again.read() == READINGS
        with open("/proc/self/fd/0") as again:
            assert again.readline() == LINES[0]
    finally:
        os.dup2(saved, 0)
        for fd in (saved, first, second):
            os.close(fd)


# ---- fcntl, termios


def check_ioctl():
    with open(METER, "r+b", buffering=0) as meter:
        fcntl.ioctl(meter, SET, struct.pack("i", 55))
        assert struct.unpack("ii", fcntl.ioctl(meter, GET, bytes(8))) == (42, 55)
        state = bytearray(8)
        assert fcntl.ioctl(meter, GET, state) == 0
        assert struct.unpack("ii", state) == (42, 55)
        numbers = array.array("i", [0, 0])
        fcntl.ioctl(meter, GET, numbers, True)
        assert list(numbers) == [42, 55]
        assert fcntl.ioctl(meter, COUNT) == 4
        fails(errno.ERANGE, fcntl.ioctl, meter, SET, struct.pack("i", 1000))
        fails(errno.ENOTTY, fcntl.ioctl, meter, 0x6D77)
        page = bytearray(struct.pack("I", 5) + b"abcde" + bytes(2039))
        assert fcntl.ioctl(meter, TURN, page, True) == 5
        assert page[4:10] == b"edcba\0"
        fails(errno.EFAULT, fcntl.ioctl, meter, GET, 16)


def check_locks():
    one, other = open(METER), open(METER)
    fcntl.flock(one, fcntl.LOCK_EX)
    fails(errno.EWOULDBLOCK, fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(one, fcntl.LOCK_UN)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    one.close()
    other.close()


def check_descriptors():
    fd = os.open(METER, os.O_RDONLY)
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD, 100)
    assert copy >= 100 and os.read(fd, 5) == b"delta" and os.read(copy, 2) == b" 4"
    assert not os.get_inheritable(fd)
    os.set_inheritable(fd, True)
    os.closerange(fd, fd + 1)
    assert os.read(copy, 1) == b"\n"
    os.close(copy)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    fd = os.open(METER, os.O_RDONLY)
    assert fd == lowest
    os.close(fd)


def check_termios():
    fd = os.open(GPS, os.O_RDWR | os.O_NOCTTY)
    was = termios.tcgetattr(fd)
    assert len(was[6]) == 32 and was[2] & termios.CREAD
    tty.setraw(fd)
    new = termios.tcgetattr(fd)
    assert not new[3] & (termios.ICANON | termios.ECHO) and new[2] & termios.CSIZE == termios.CS8
    new[4] = new[5] = termios.B115200
    new[2] |= termios.PARENB
    termios.tcsetattr(fd, termios.TCSADRAIN, new)
    assert termios.tcgetattr(fd)[4:6] == [termios.B115200] * 2 and termios.tcgetattr(fd)[2] & termios.PARENB
    termios.tcflush(fd, termios.TCIFLUSH)
    os.write(fd, b"$PMTK605*31\r\n")
    termios.tcdrain(fd)
    termios.tcsendbreak(fd, 0)
    lines = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCMGET, bytes(4)))[0]
    assert lines & termios.TIOCM_DTR
    with open(fd, "rb") as port:
        answers = [port.readline() for _ in range(10)]
        assert any(b"PMTK705" in answer for answer in answers), answers
        assert any(answer.startswith(b"$GPRMC") and answer.endswith(b"\r\n") for answer in answers), answers
        termios.tcsetattr(port, termios.TCSAFLUSH, was)


def check_pty_of_its_own():
    master, slave = pty.openpty()
    assert os.ttyname(slave).startswith("/dev/pts/") and os.isatty(slave)
    tty.setraw(slave)
    os.write(master, b"hello")
    assert os.read(slave, 10) == b"hello"
    os.close(master)
    os.close(slave)
    pid, master = pty.fork()
    if pid == 0:
        os.execlp("head", "head", "-1", METER)
    assert os.read(master, 100) == b"delta 4\r\n"
    assert os.waitpid(pid, 0)[1] == 0
    os.close(master)


def check_i2c():
    with open(I2C, "r+b", buffering=0) as bus:
        fcntl.ioctl(bus, I2C_SLAVE, 0x48)
        bus.write(b"\0")
        assert bus.read(2) == b"\x15\x80"
        fcntl.ioctl(bus, I2C_SLAVE, 0x49)
        fails(errno.ENXIO, bus.read, 2)


# ---- Waiting


def check_blocking_read():
    ring()
    with open(BELL) as bell:
        assert struck(bell.readline())


def check_blocking_ioctl():
    with open(BELL, "r+b", buffering=0) as bell:
        bell.write(b"ring\n")
        number = struct.unpack("I", fcntl.ioctl(bell, WAIT, bytes(4)))[0]
        assert bell.read(100) == b"strike %d\n" % number


def check_nonblocking():
    fd = os.open(BELL, os.O_RDONLY | os.O_NONBLOCK)
    fails(errno.EAGAIN, os.read, fd, 10)
    with open(fd, "rb", buffering=0) as bell:
        assert bell.read(10) is None
        os.set_blocking(bell.fileno(), True)
        ring()
        assert struck(bell.read(100))


def check_select_and_poll():
    with open(BELL, "r+b", buffering=0) as bell:
        epoll, poll = select.epoll(), select.poll()
        epoll.register(bell, select.EPOLLIN)
        poll.register(bell, select.POLLIN)
        assert select.select([bell], [bell], [], 0) == ([], [bell], [])
        assert poll.poll(0) == epoll.poll(0) == []
        bell.write(b"ring\n")
        assert epoll.poll(10) == [(bell.fileno(), select.EPOLLIN)]
        assert poll.poll(0) == [(bell.fileno(), select.POLLIN)]
        assert select.select([bell], [], [], 0)[0] == [bell]
        assert struck(bell.read(100))
        assert poll.poll(0) == epoll.poll(0) == [] and not select.select([bell], [], [], 0)[0]
        with selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ, "the bell")
            bell.write(b"ring\n")
            assert [key.data for key, _ in selector.select(10)] == ["the bell"]
        assert struck(bell.read(100))


def check_poll_of_a_tty():
    with open(GPS, "rb", buffering=0) as port:
        assert select.select([port], [], [], 10)[0] == [port]
        assert port.read(1)


def check_asyncio_readers():
    async def wait():
        loop = asyncio.get_event_loop()
        with open(BELL, "r+b", buffering=0) as bell, open(GPS, "rb", buffering=0) as port:
            heard, told = loop.create_future(), loop.create_future()
            loop.add_reader(bell, heard.set_result, None)
            loop.add_reader(port, told.set_result, None)
            bell.write(b"ring\n")
            await asyncio.wait_for(heard, 10)
            loop.remove_reader(bell)
            loop.remove_reader(port)
            return bell.read(100)

    async def both():
        return await asyncio.wait_for(wait(), 10)

    loop = asyncio.new_event_loop()
    try:
        assert struck(loop.run_until_complete(quiet(both)))
    finally:
        loop.close()


async def quiet(work):
    """Run it; a second event of the same reader is no error here."""
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
    return await work()


def check_asyncio_streams():
    async def read():
        loop = asyncio.get_event_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), open(GPS, "rb"))
        line = await asyncio.wait_for(reader.readline(), 10)
        child = await asyncio.create_subprocess_exec("cat", METER, stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
        transport.close()
        return line, out

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    if hasattr(asyncio, "get_child_watcher") and sys.version_info < (3, 8):
        asyncio.get_child_watcher().attach_loop(loop)
    try:
        line, out = loop.run_until_complete(read())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert line.endswith(b"\n") and out == READINGS.encode()


def check_threads():
    heard = []
    with open(BELL, "r+b", buffering=0) as bell:
        threads = [threading.Thread(target=lambda: heard.append(bell.read(100))) for _ in range(4)]
        for thread in threads:
            thread.start()
        bell.write(b"\n" * len(threads))
        for thread in threads:
            thread.join()
    assert len(set(heard)) == 4 and all(map(struck, heard))


def check_signals():
    class Late(Exception):
        pass

    def late(number, frame):
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    for node in (BELL,):
        with open(node, "rb", buffering=0) as bell:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            try:
                bell.read(1)
            except Late:
                signal.setitimer(signal.ITIMER_REAL, 0)
            else:
                raise AssertionError("read ended by itself")
    signal.signal(signal.SIGALRM, before)


# ---- Other processes


def check_subprocess():
    assert subprocess.check_output(["cat", METER]) == READINGS.encode()
    assert subprocess.check_output("head -1 < " + METER, shell=True) == b"delta 4\n"
    with open(METER) as meter:
        assert subprocess.check_output(["sort"], stdin=meter, close_fds=True) == b"".join(
            sorted(line.encode() for line in LINES)
        )
    with open(METER, "w") as meter:
        subprocess.check_call(["echo", "31"], stdout=meter)
    assert subprocess.call(["sh", "-c", "echo 1000 > " + METER], stderr=subprocess.DEVNULL) != 0
    fd = os.open(METER, os.O_RDONLY)
    line = subprocess.check_output(["sh", "-c", "read line <&%d; echo $line" % fd], pass_fds=[fd])
    os.close(fd)
    assert line == b"delta 4\n"
    assert subprocess.check_output(["/bin/cat", METER], env={}) == READINGS.encode()
    assert (
        subprocess.check_output([sys.executable, "-c", "print(open(%r).read(), end='')" % METER]) == READINGS.encode()
    )
    child = subprocess.Popen(["cat", METER], stdout=subprocess.PIPE, cwd="/dev", start_new_session=True)
    assert child.communicate()[0] == READINGS.encode() and child.returncode == 0
    assert subprocess.call(["sh", "-c", "exit 7"]) == 7
    assert os.popen("cat " + METER).read() == READINGS
    assert os.system("test -c " + METER) == 0


def check_posix_spawn():
    if not hasattr(os, "posix_spawn"):
        return
    first, second = os.pipe()
    actions = [(os.POSIX_SPAWN_OPEN, 0, METER, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, second, 1)]
    child = os.posix_spawn("/bin/cat", ["cat"], os.environ, file_actions=actions)
    os.close(second)
    with open(first) as output:
        assert output.read() == READINGS
    assert os.waitpid(child, 0)[1] == 0


def check_fork():
    fd = os.open(METER, os.O_RDONLY)
    child = os.fork()
    if child == 0:
        good = os.read(fd, 8) == b"delta 4\n" and open(METER).read() == READINGS
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(fd, 100) == READINGS.encode()[8:]
    os.close(fd)


def read_a_line(path):
    with open(path) as file:
        return file.readline()


def read_a_line_of(fd):
    return os.read(fd.detach(), 8)


def check_multiprocessing():
    from multiprocessing import reduction

    for way in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(way)
        with context.Pool(1) as pool:
            assert pool.map(read_a_line, [METER]) == LINES[:1]
            fd = os.open(METER, os.O_RDONLY)
            assert pool.apply(read_a_line_of, [reduction.DupFd(fd)]) == b"delta 4\n", way
            assert os.read(fd, 8) == b"alpha 1\n"
            os.close(fd)


def check_descriptor_over_a_socket():
    import socket

    if not hasattr(socket, "send_fds"):
        return
    one, other = socket.socketpair()
    fd = os.open(METER, os.O_RDONLY)
    socket.send_fds(one, [b"here"], [fd])
    os.close(fd)
    _, fds, _, _ = socket.recv_fds(other, 10, 1)
    assert os.read(fds[0], 7) == b"delta 4"
    os.close(fds[0])
    one.close()
    other.close()


def main():
    failed = 0
    for name, check in list(globals().items()):
        if name.startswith("check_") and (len(sys.argv) < 2 or name[6:] in sys.argv[1:]):
            try:
                check()
            except BaseException:
                print("FAILED", name[6:])
                traceback.print_exc(file=sys.stdout)
                failed = 1
            else:
                print("ok", name[6:])
            sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())

"""The pty carrier, seen from a program's end of it; calls on the device are made as the host makes them."""

import errno
import fcntl
import os
import select
import struct
import termios
import threading
import time
from pathlib import Path

import pytest

from devshim.host import structures, wire
from devshim.host._channel import Lock
from devshim.host.loop import Loop
from devshim.host.registry import Registry
from devshim.host.tty import TtyCarrier
from devshim.model.device import WAIT
from devshim.model.serial import Serial, command
from devshim.model.termios import CLOCAL, CRTSCTS, ICANON, TCIOFLUSH, Termios, as_termios
from devshim.model.timing import every

LONG = 60.0  # seconds after which a test has failed; nothing waits so long otherwise


class Recorder(Serial):
    """Remembers what it hears; answers `?` with what it is told to."""

    def setup(self):
        self.heard = b""
        self.events = []
        self.heard_something = threading.Event()

    def received(self, data):
        self.heard += data
        self.heard_something.set()

    def opened(self):
        self.events.append("opened")

    def closed(self):
        self.events.append("closed")
        self.heard_something.set()

    def lines_changed(self):
        self.events.append(f"dtr {self.dtr:d} rts {self.rts:d}")


class Place:
    """A plug for one device: what of a host a TtyCarrier needs, real loop and registry."""

    node = "/dev/ttyTEST0"

    def __init__(self, folder):
        self.failures = []
        self.lock = Lock()
        self.loop = Loop(self.lock, lambda callback, error: self.failures.append(error))
        self.registry = Registry(str(folder / "registry"))
        self.woken = threading.Event()
        self.carrier = None
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def plug(self, device):
        with self.lock:
            self.device = device
            self.carrier = TtyCarrier(device, self.loop, self.registry, 1, lambda *what: self.failures.append(what))
            device.attached(self)
        return device

    def open(self, flags=os.O_RDWR, raw=True, pid=0):
        with self.lock:
            if raw:
                make_raw(self.device)
            return self.carrier.open(flags, pid)

    def after(self, seconds, callback):
        return self.loop.after(seconds, callback)

    def wake(self, file):
        self.woken.set()

    def send(self, data):
        self.carrier.send(data)

    def unplug(self):
        self.carrier.hang_up()

    def replug(self):
        self.carrier = TtyCarrier(self.device, self.loop, self.registry, 1, lambda *what: self.failures.append(what))

    def end(self):
        with self.lock:
            if self.carrier is not None:
                self.carrier.close()
        self.loop.stop()
        self.thread.join(LONG)
        assert not self.thread.is_alive()


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.end()
    assert made.failures == []


def make_raw(device):
    new = as_termios(device.termios)
    new.c_iflag = new.c_oflag = new.c_lflag = 0
    device.tcsets(new)


def readable(fd):
    return bool(select.select([fd], [], [], LONG)[0])


def read_exactly(fd, size):
    data = b""
    while len(data) < size:
        assert readable(fd), f"only {len(data)} of {size} bytes came"
        piece = os.read(fd, size - len(data))
        assert piece, f"end of file after {len(data)} of {size} bytes"
        data += piece
    return data


def wait_for(condition, place):
    """Look again and again, giving the loop the lock in between, until the condition holds."""
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        with place.lock:
            if condition():
                return
        time.sleep(0.002)
    raise AssertionError("it never came true")


def test_a_question_gets_its_answer(place):
    class Talker(Serial):
        @command("name")
        def name(self):
            return "talker"

    place.plug(Talker())
    program = place.open()

    os.write(program, b"name\n")

    assert read_exactly(program, 8) == b"talker\r\n"
    os.close(program)


def test_what_is_sent_while_closed_is_lost(place):
    device = place.plug(Recorder())
    with place.lock:
        device.send(b"nobody hears this")

    program = place.open()
    with place.lock:
        device.send(b"but this")

    assert read_exactly(program, 8) == b"but this"
    os.close(program)


def test_what_was_not_read_is_gone_at_the_next_open(place):
    device = place.plug(Recorder())
    first = place.open()
    with place.lock:
        device.send(b"left over" * 5000)
    os.close(first)

    second = place.open()
    with place.lock:
        device.send(b"fresh")

    assert read_exactly(second, 5) == b"fresh"
    os.close(second)


def test_what_was_written_before_the_close_reaches_the_device(place):
    device = place.plug(Recorder())
    for number in range(20):
        program = place.open(os.O_WRONLY)
        os.write(program, b"%02d" % number)
        os.close(program)

    wait_for(lambda: not device.is_open, place)
    assert device.heard == b"".join(b"%02d" % number for number in range(20))


def test_opened_and_closed_come_in_turn_however_fast_the_program_is(place):
    device = place.plug(Recorder())
    for _ in range(50):
        os.close(place.open())

    wait_for(lambda: not device.is_open, place)
    names = [event for event in device.events if not event.startswith("dtr")]
    assert names == ["opened", "closed"] * 50


def test_only_the_last_close_counts(place):
    device = place.plug(Recorder())
    first, second = place.open(), place.open()
    third = os.dup(second)
    os.close(first)
    os.close(second)
    os.write(third, b"still open")
    wait_for(lambda: device.heard == b"still open", place)
    assert "closed" not in device.events

    os.close(third)
    wait_for(lambda: "closed" in device.events, place)


def test_open_raises_dtr_and_rts_and_the_last_close_drops_them(place):
    device = place.plug(Recorder())
    program = place.open()
    assert device.dtr
    assert device.rts
    os.close(program)
    wait_for(lambda: not device.is_open, place)
    assert [event for event in device.events if event.startswith("dtr")] == ["dtr 1 rts 1", "dtr 0 rts 0"]


def test_the_descriptor_has_the_mode_that_was_asked_for(place):
    place.plug(Recorder())
    program = place.open(os.O_RDONLY | os.O_NONBLOCK)

    assert fcntl.fcntl(program, fcntl.F_GETFL) & (os.O_ACCMODE | os.O_NONBLOCK) == os.O_RDONLY | os.O_NONBLOCK
    with pytest.raises(BlockingIOError):
        os.read(program, 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(program, b"x")
    os.close(program)


def test_an_open_waits_for_the_carrier_unless_clocal(place):
    device = place.plug(Recorder(cd=False))
    with place.lock:
        new = as_termios(device.termios)
        new.c_cflag &= ~CLOCAL
        device.tcsets(new)
    assert place.open(raw=False) is WAIT
    os.close(place.open(os.O_RDWR | os.O_NONBLOCK, raw=False))

    with place.lock:
        device.cd = True
    assert place.woken.is_set()
    os.close(place.open(raw=False))


def test_exclusive_use_refuses_others_until_the_last_close(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        device.tiocexcl()
    with pytest.raises(OSError, match="busy") as refused:
        place.open(pid=0)
    assert refused.value.errno == errno.EBUSY

    os.close(program)
    os.close(place.open())


def test_who_may_administer_the_system_opens_an_exclusive_port(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        device.tiocexcl()
    status = Path("/proc/self/status").read_text()
    privileged = int(status.split("CapEff:")[1].split()[0], 16) >> 21 & 1
    if privileged:
        os.close(place.open(pid=os.getpid()))
    else:
        with pytest.raises(OSError, match="busy"):
            place.open(pid=os.getpid())
    os.close(program)


def test_a_write_is_heard_before_the_ioctl_that_follows_it(place):
    order = []

    class Careful(Serial):
        def received(self, data):
            order.append(data)

        def configured(self):
            order.append(self.baud_rate)

    device = place.plug(Careful())
    program = place.open()
    order.clear()
    new = as_termios(device.termios)
    new.c_cflag = new.c_cflag & ~0o10017 | 0o10002
    for number in range(200):
        with place.lock:
            os.write(program, b"%03d" % number)
            device.tcsets(new)

    heard = "".join(what.decode() if isinstance(what, bytes) else f"<{what}>" for what in order)
    assert heard == "".join(f"{number:03d}<115200>" for number in range(200))
    os.close(program)


def test_the_ptys_line_discipline_follows_the_devices_termios(place):
    device = place.plug(Recorder())
    program = place.open(raw=False)
    assert termios.tcgetattr(program)[3] & ICANON
    with place.lock:
        device.send(b"line\r\n")
    assert read_exactly(program, 6) == b"line\n\n"  # ICRNL, as on a UART

    with place.lock:
        make_raw(device)
        device.send(b"raw\r\n")
    assert read_exactly(program, 5) == b"raw\r\n"
    os.close(program)


def test_settings_that_a_pty_cannot_keep_are_kept(place):
    device = place.plug(Recorder())
    program = place.open()
    new = as_termios(device.termios)
    new.c_cflag = 0o10002 | 0o40 | 0o400 | 0o1000 | 0o100  # 115200 7O2
    with place.lock:
        device.tcsets(new)
        assert device.settings == "115200 7O2"
        assert device.tcgets().c_cflag == new.c_cflag
    os.close(program)


def test_flush_drops_what_was_not_read_however_much_it_is(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        device.send(b"x" * 1_000_000)
    assert readable(program)
    with place.lock:
        device.tcflsh(TCIOFLUSH)
        device.send(b"after")

    assert read_exactly(program, 5) == b"after"
    os.close(program)


def test_more_than_the_pty_holds_arrives_whole(place):
    device = place.plug(Recorder())
    program = place.open()
    sent = os.urandom(1 << 20)
    with place.lock:
        device.send(sent[: 1 << 19])
        device.send(sent[1 << 19 :])

    assert read_exactly(program, len(sent)) == sent
    os.close(program)


def test_a_program_that_does_not_read_costs_no_more_than_a_bounded_queue(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        for _ in range(10):
            device.send(b"y" * (1 << 20))
        assert device.counters.buf_overrun >= 4 << 20
        assert device.counters.rx == 10 << 20
    os.close(program)


def test_what_the_program_writes_in_bulk_arrives_whole(place):
    device = place.plug(Recorder())
    program = place.open()
    sent = os.urandom(1 << 20)
    writer = threading.Thread(target=write_all, args=(program, sent))
    writer.start()
    writer.join(LONG)
    wait_for(lambda: len(device.heard) == len(sent), place)
    assert device.heard == sent
    assert device.counters.tx == len(sent)
    os.close(program)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def test_pulled_out_in_use_readers_see_the_end_and_writers_an_error(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        device.unplug()

    poll = select.poll()
    poll.register(program, select.POLLIN)
    assert poll.poll(LONG * 1000)[0][1] & select.POLLHUP
    assert os.read(program, 10) == b""
    with pytest.raises(OSError, match="Input/output") as problem:
        os.write(program, b"x")
    assert problem.value.errno == errno.EIO
    assert not device.is_open
    assert not device.dtr
    os.close(program)


def test_pulled_out_a_reader_that_waits_is_released(place):
    device = place.plug(Recorder())
    program = place.open()
    answers = []

    def read():
        try:
            answers.append(os.read(program, 10))
        except OSError as error:
            answers.append(error.errno)

    reader = threading.Thread(target=read)
    reader.start()
    with place.lock:
        device.unplug()
    reader.join(LONG)
    assert answers in ([errno.EIO], [b""])  # it waited already, or came too late for that
    assert os.read(program, 10) == b""
    os.close(program)


def test_plugged_in_again_it_works_again(place):
    device = place.plug(Recorder())
    os.close(place.open())
    with place.lock:
        device.unplug()
        device.plug()
    program = place.open()
    os.write(program, b"hello")
    wait_for(lambda: device.heard == b"hello", place)
    os.close(program)


def test_a_device_may_unplug_itself_in_mid_answer(place):
    class Suicidal(Recorder):
        def received(self, data):
            self.send(b"bye")
            self.unplug()

    place.plug(Suicidal())
    program = place.open()
    os.write(program, b"die")
    poll = select.poll()
    poll.register(program, 0)
    assert poll.poll(LONG * 1000)[0][1] & select.POLLHUP
    os.close(program)


def test_what_a_model_raises_is_told_and_the_port_lives_on(place):
    class Faulty(Recorder):
        def received(self, data):
            if data == b"bad":
                raise RuntimeError("a bug")
            super().received(data)

    device = place.plug(Faulty())
    program = place.open()
    os.write(program, b"bad")
    wait_for(lambda: place.failures, place)
    ((failed, call, error),) = place.failures
    assert failed is device
    assert call == "write"
    assert "a bug" in str(error)
    place.failures.clear()
    os.write(program, b"good")
    wait_for(lambda: device.heard == b"good", place)
    os.close(program)


def test_paced_characters_take_their_time_both_ways(place):
    device = place.plug(Recorder(paced=True))
    program = place.open()
    begin = time.monotonic()
    with place.lock:
        device.send(b"z" * 96)  # 0.1 s at 9600 8N1
    assert read_exactly(program, 96)
    assert time.monotonic() - begin >= 0.095

    begin = time.monotonic()
    os.write(program, b"w" * 96)
    with place.lock:
        assert device.tcsbrk(1) is WAIT
        assert device.tiocoutq().value > 0
    assert place.woken.wait(LONG)
    assert time.monotonic() - begin >= 0.095
    with place.lock:
        assert device.heard == b"w" * 96
        assert device.tcsbrk(1) is None
    os.close(program)


def test_with_rtscts_the_output_waits_for_cts(place):
    device = place.plug(Recorder(cts=False))
    program = place.open()
    with place.lock:
        new = as_termios(device.termios)
        new.c_cflag |= CRTSCTS
        device.tcsets(new)
        os.write(program, b"held")
        assert device.tiocoutq().value == 4
        assert device.tcsbrk(1) is WAIT
        assert device.heard == b""
        device.cts = True
        assert device.tcsbrk(1) is None
        assert device.heard == b"held"
    os.close(program)


def test_timers_send_on_their_own(place):
    class Clock(Serial):
        @every(seconds=0.01)
        def tick(self):
            self.send("tick")

    place.plug(Clock())
    program = place.open()
    assert read_exactly(program, 12) == b"tick" * 3
    os.close(program)


def carriers(registry):
    """What the registry has of carriers."""
    entries = (structures.Carrier * wire.MAX_CARRIERS).from_buffer_copy(registry._map, registry.head.carriers_at)
    return [carrier for carrier in entries if carrier.inode > wire.CARRIER_GONE]


def test_the_registry_knows_the_carrier_until_it_is_pulled_out(place):
    device = place.plug(Recorder())
    program = place.open()
    status = os.fstat(program)
    entries = {(carrier.inode, carrier.dev, carrier.born) for carrier in carriers(place.registry)}
    assert entries == {(status.st_ino, status.st_dev, status.st_ctime_ns)}
    with place.lock:
        device.unplug()
    assert not carriers(place.registry)
    os.close(program)


def test_fionread_is_native(place):
    device = place.plug(Recorder())
    program = place.open()
    with place.lock:
        device.send(b"12345")
    assert readable(program)
    assert struct.unpack("i", fcntl.ioctl(program, termios.FIONREAD, bytes(4))) == (5,)
    os.close(program)


def test_termios_given_to_the_handler_is_not_kept_by_reference(place):
    device = place.plug(Recorder())
    new = Termios.from_buffer_copy(device.tcgets())
    with place.lock:
        device.tcsets(new)
        new.c_cflag = 0
        assert device.tcgets().c_cflag != 0

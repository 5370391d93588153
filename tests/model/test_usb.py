"""UsbDevice through usbfs: what each request gives, as devio.c and USB 2.0 have it.  The test's own process calls."""

import contextlib
import errno
import os
import select
import struct
import threading
from collections.abc import Iterator
from ctypes import c_uint
from pathlib import Path

import pytest
from harness import run_devshim
from usbfs import BULK, CONTINUATION, CONTROL, INTERRUPT, ISO, SHORT_NOT_OK, Urb, Usbfs, setup

import devshim
from devshim import WAIT, Configuration, Endpoint, Interface, UsbDevice, control, plugged
from devshim.model.usb_file import UsbFile

NODE = "/dev/bus/usb/095/002"


class Gadget(UsbDevice):
    """Endpoints of each kind: bulk ones that echo, an interrupt one, isochronous ones; a second setting; a driver."""

    manufacturer: str = "Maker"
    product: str = "Gadget"
    serial: str = "G7"
    strings = {0xEE: "extra"}
    interfaces = (
        Interface(endpoints=[Endpoint(0x81), Endpoint(0x01), Endpoint(0x82, "interrupt", 8, 10)], name="echo"),
        Interface(number=1),
        Interface(
            endpoints=[Endpoint(0x83, "isochronous", 96, 1), Endpoint(0x03, "isochronous", 96, 1)],
            number=1,
            alternate=1,
        ),
        Interface((3, 0, 0), number=2, driver="usbhid"),
    )

    taken = b""
    pins = 0
    resets = 0
    busy = False

    def bulk_out(self, endpoint, data):
        if data == b"stall":
            raise OSError(32, "stalled")
        if data == b"busy" and self.busy:
            return WAIT
        return self.take(data)

    def take(self, data):
        self.taken += data
        if data.startswith(b"echo"):
            self.send(0x81, data)

    def iso_out(self, endpoint, data):
        self.taken += data

    @control(0xC0, 1)
    def version(self, setup):
        return b"\x02\x01" + struct.pack("<HH", setup.value, setup.index)

    @control(0x40, 2)
    @control(0x21, 9, value=0x0200)
    def set_pins(self, setup, data):
        self.pins = setup.value
        self.taken += data

    @control(0xC0, 3)
    def when_ready(self, setup):
        return b"now" if self.pins else WAIT

    def was_reset(self):
        self.resets += 1


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = Gadget()
    with plugged({NODE: gadget}):
        yield gadget


@pytest.fixture
def usb(gadget: Gadget) -> Iterator[Usbfs]:
    with Usbfs() as usb:
        yield usb


@contextlib.contextmanager
def failure(error: str) -> Iterator[None]:
    """The call fails with this errno."""
    try:
        yield
    except OSError as problem:
        assert errno.errorcode[problem.errno or 0] == error  # noqa: PT017
    else:
        raise AssertionError(f"no {error}")


# ---- Descriptors


def test_the_node_reads_as_its_descriptors(usb: Usbfs) -> None:
    content = os.read(usb.fd, 18)

    assert content == bytes.fromhex("1201 0002 000000 40 0912 0100 0001 010203 01")
    rest = os.read(usb.fd, 1000)
    assert rest[:4] == struct.pack("<BBH", 9, 2, len(rest))
    assert os.read(usb.fd, 10) == b""
    assert os.pread(usb.fd, 2, 4) == content[4:6]
    assert os.lseek(usb.fd, 8, os.SEEK_SET) == 8
    assert os.read(usb.fd, 2) == b"\x09\x12"


def test_it_cannot_be_sought_from_its_end(usb: Usbfs) -> None:
    with failure("EINVAL"):
        os.lseek(usb.fd, 0, os.SEEK_END)


def test_an_open_for_reading_has_descriptors_and_no_requests(gadget: Gadget) -> None:
    with Usbfs(flags=os.O_RDONLY) as usb:
        assert len(os.read(usb.fd, 18)) == 18
        with failure("EPERM"):
            usb.claim()


@pytest.mark.parametrize(("index", "text"), [(1, "Maker"), (2, "Gadget"), (3, "G7"), (4, "echo"), (0xEE, "extra")])
def test_texts_are_string_descriptors(usb: Usbfs, index: int, text: str) -> None:
    wanted = text.encode("utf-16-le")

    assert usb.control(0x80, 6, 0x300 | index, 0x409, 255) == bytes([len(wanted) + 2, 3]) + wanted


def test_a_descriptor_that_is_not_there_stalls(usb: Usbfs) -> None:
    for value in (0x0309, 0x0600, 0x0F00, 0x0201):
        with failure("EPIPE"):
            usb.control(0x80, 6, value, 0, 255)
    assert usb.control(0x80, 6, 0x0300, 0, 255) == b"\x04\x03\x09\x04"


def test_sys_and_udev_show_it(devshim_run, tmp_path) -> None:
    model = tmp_path / "m.py"
    model.write_text(
        "from devshim import *\nclass M(UsbDevice):\n    product: str = 'Thing'\n    speed = 'high'\n"
        "    kind = (0xEF, 2, 1)\n    interfaces = [Interface((255, 1, 2), [Endpoint(0x81)], name='pipe')]\n"
    )
    look = (
        "cd /sys/bus/usb/devices/95-4; cat speed bDeviceClass 95-4:1.0/bInterfaceSubClass 95-4:1.0/interface dev; "
        "od -An -tx1 -N2 descriptors; cat uevent; grep ID_PATH= /run/udev/data/c189:12036; "
        "cat /dev/bus/usb/095/005 | wc -c"
    )

    outcome = devshim_run("sh", "-c", look, devices=[f"/dev/bus/usb/095/005={model}"])

    assert outcome.stderr == ""
    assert outcome.stdout.split() == [
        "480", "ef", "01", "pipe", "189:12036", "12", "01", "MAJOR=189", "MINOR=12036", "DEVNAME=bus/usb/095/005",
        "DEVTYPE=usb_device", "DRIVER=usb", "PRODUCT=1209/1/100", "TYPE=239/2/1", "BUSNUM=095", "DEVNUM=005",
        "E:ID_PATH=platform-devshim_hcd.5-usb-0:4", "43",
    ]  # fmt: skip


@pytest.mark.parametrize("node", ["/dev/usb0", "/dev/bus/usb/095/001", "/dev/bus/usb/000/002", "/dev/bus/usb/1/2"])
def test_any_other_node_is_refused_with_an_example(node: str) -> None:
    with pytest.raises(devshim.SpecError, match="such as /dev/bus/usb/095/002"), plugged({node: Gadget()}):
        pass


# ---- Control transfers


def test_control_transfers_go_to_the_methods_that_take_them(usb: Usbfs, gadget: Gadget) -> None:
    assert usb.control(0xC0, 1, 0x1234, 0x5678, 64) == bytes.fromhex("0201 3412 7856")
    assert usb.control(0xC0, 1, 0, 0, 1) == b"\x02"
    assert usb.control(0x40, 2, 7, 0, b"data") == b"data"
    usb.claim()
    usb.control(0x21, 9, 0x0200, 0, b"more")

    assert (gadget.pins, gadget.taken) == (0x0200, b"datamore")


def test_what_nobody_answers_stalls(usb: Usbfs) -> None:
    with failure("EPIPE"):
        usb.control(0xC0, 77, 0, 0, 4)
    with failure("EPIPE"):
        usb.control(0x21, 9, 0x0300, 0, b"other value")


def test_a_control_transfer_waits_until_the_device_wakes(usb: Usbfs, gadget: Gadget) -> None:
    with devshim.lock:
        gadget.after(0.01, lambda: (setattr(gadget, "pins", 1), gadget.wake()))

    assert usb.control(0xC0, 3, 0, 0, 8, timeout=30000) == b"now"


def test_a_control_transfer_that_waits_for_too_long_times_out(usb: Usbfs) -> None:
    with failure("ETIMEDOUT"):
        usb.control(0xC0, 3, 0, 0, 8, timeout=5)


def test_a_transfer_of_more_than_a_page_is_refused(usb: Usbfs) -> None:
    with failure("EINVAL"):
        usb.control(0xC0, 1, 0, 0, 4097)


def test_standard_requests_are_answered(usb: Usbfs, gadget: Gadget) -> None:
    usb.claim(0)
    usb.claim(1)
    assert usb.control(0x80, 8, 0, 0, 1) == b"\x01"
    assert usb.control(0x80, 0, 0, 0, 2) == b"\0\0"
    usb.control(0x00, 3, 1)
    assert usb.control(0x80, 0, 0, 0, 2) == b"\x02\0"
    usb.control(0x01, 11, 1, 1)
    assert usb.control(0x81, 10, 0, 1, 1) == b"\x01"
    usb.control(0x02, 3, 0, 0x81)
    assert usb.control(0x82, 0, 0, 0x81, 2) == b"\x01\0"
    with failure("EPIPE"):
        usb.bulk(0x81, 8, timeout=1000)
    usb.control(0x02, 1, 0, 0x81)
    assert gadget.halted == set()


# ---- Bulk transfers that wait


def test_what_is_sent_comes_back(usb: Usbfs, gadget: Gadget) -> None:
    assert usb.bulk(0x01, b"echo this") == b"echo this"
    assert usb.bulk(0x81, 4) == b"echo"
    assert usb.bulk(0x81, 64) == b" this"
    assert usb.bulk(0x01, b"") == b""


def test_a_transfer_of_three_megabytes_is_one_call(usb: Usbfs, gadget: Gadget) -> None:
    data = b"echo" + bytes(range(256)) * 12288

    usb.bulk(0x01, data)

    assert usb.bulk(0x81, len(data) + 5) == data


def test_a_bulk_transfer_times_out_where_nothing_comes(usb: Usbfs) -> None:
    with failure("ETIMEDOUT"):
        usb.bulk(0x81, 64, timeout=5)


def test_a_stalled_endpoint_stays_halted_until_that_is_cleared(usb: Usbfs, gadget: Gadget) -> None:
    for data in (b"stall", b"anything"):
        with failure("EPIPE"):
            usb.bulk(0x01, data)
    usb.number(0x80045515, 0x01)

    assert usb.bulk(0x01, b"anything") == b"anything"
    assert gadget.taken == b"anything"


def test_more_than_was_asked_for_is_an_overflow(usb: Usbfs, gadget: Gadget) -> None:
    gadget.bulk_in = lambda endpoint, size: bytes(size + 1)

    with failure("EOVERFLOW"):
        usb.bulk(0x81, 8)


@pytest.mark.parametrize(
    ("endpoint", "error"), [(0x84, "ENOENT"), (0x02, "ENOENT"), (0x141, "EINVAL"), (0x83, "ENOENT")]
)
def test_an_endpoint_that_is_not_there_now_is_refused(usb: Usbfs, endpoint: int, error: str) -> None:
    with failure(error):
        usb.bulk(endpoint, 8)


# ---- URBs


def test_an_urb_is_reaped_with_its_data_once_they_are_there(usb: Usbfs, gadget: Gadget) -> None:
    urb = usb.submit(Urb(BULK, 0x81, 64))
    with failure("EAGAIN"):
        usb.reap()
    assert (usb.ready(), urb.raw.status) == (0, 99)

    with devshim.lock:
        gadget.send(0x81, b"hello")

    assert usb.ready() == select.POLLOUT
    assert usb.reap() == urb.address
    assert (urb.raw.status, urb.data, urb.raw.error_count) == (0, b"hello", 0)
    assert usb.ready() == 0


def test_urbs_complete_in_the_order_of_their_endpoint(usb: Usbfs, gadget: Gadget) -> None:
    urbs = [usb.submit(Urb(BULK, 0x81, 8)) for _ in range(3)]
    late = usb.submit(Urb(INTERRUPT, 0x82, 8))
    for number in range(3):
        with devshim.lock:
            gadget.send(0x81, b"%d" % number)
    with devshim.lock:
        gadget.send(0x82, b"event")

    assert [usb.reap() for _ in range(4)] == [one.address for one in (*urbs, late)]
    assert [one.data for one in (*urbs, late)] == [b"0", b"1", b"2", b"event"]


def test_a_control_urb_has_its_setup_before_its_data(usb: Usbfs, gadget: Gadget) -> None:
    urb = usb.submit(Urb(CONTROL, 0, setup(0xC0, 1, 5, 6, 20) + bytes(20)))

    assert usb.reap() == urb.address
    assert (urb.raw.status, urb.raw.actual_length, urb.buffer.raw[8:14]) == (0, 6, bytes.fromhex("0201 0500 0600"))
    usb.submit(Urb(CONTROL, 0, setup(0x40, 2, 3, 0, 4) + b"data"))
    assert (gadget.pins, gadget.taken) == (3, b"data")


def test_a_thread_that_waits_for_an_urb_gets_it(usb: Usbfs, gadget: Gadget) -> None:
    reaped: list[int] = []
    urb = usb.submit(Urb(BULK, 0x81, 64))
    thread = threading.Thread(target=lambda: reaped.append(usb.reap(waits=True)))
    thread.start()
    with devshim.lock:
        gadget.after(0.01, gadget.send, 0x81, b"late")
    thread.join(30)

    assert (reaped, urb.data) == ([urb.address], b"late")


def test_a_discarded_urb_is_reaped_with_enoent(usb: Usbfs, gadget: Gadget) -> None:
    urb = usb.submit(Urb(BULK, 0x81, 64))
    usb.discard(urb)
    with failure("EINVAL"):
        usb.discard(urb)

    assert usb.reap() == urb.address
    assert (urb.raw.status, urb.raw.actual_length) == (-2, 0)
    with devshim.lock:
        gadget.send(0x81, b"kept")
    assert usb.bulk(0x81, 64) == b"kept"


def test_an_urb_at_a_stalled_endpoint_fails_with_epipe(usb: Usbfs) -> None:
    urb = usb.submit(Urb(BULK, 0x01, b"stall"))

    usb.reap()

    assert urb.raw.status == -32


def test_a_short_transfer_where_that_is_not_ok_takes_the_rest_of_its_whole_with_it(usb: Usbfs, gadget: Gadget) -> None:
    first = usb.submit(Urb(BULK, 0x81, 8, SHORT_NOT_OK))
    second = usb.submit(Urb(BULK, 0x81, 8, SHORT_NOT_OK | CONTINUATION))
    with devshim.lock:
        gadget.send(0x81, b"short")

    assert [usb.reap(), usb.reap()] == [first.address, second.address]
    assert (first.raw.status, first.data) == (-121, b"short")
    assert second.raw.status == -104
    with failure("EREMOTEIO"):
        usb.submit(Urb(BULK, 0x81, 8, CONTINUATION))
    usb.submit(Urb(BULK, 0x81, 8))


def test_isochronous_packets_have_lengths_and_places_of_their_own(usb: Usbfs, gadget: Gadget) -> None:
    usb.claim(1)
    usb.call(0x80085504, (c_uint * 2)(1, 1))
    urb = usb.submit(Urb(ISO, 0x83, 30, packets=(10, 10, 10)))
    for data in (b"one", b"", b"three"):
        with devshim.lock:
            gadget.send(0x83, data)
    usb.submit(Urb(ISO, 0x03, b"abcdef", packets=(2, 4)))

    usb.reap()
    assert [tuple(packet) for packet in urb.raw.packets[:3]] == [(10, 3, 0), (10, 0, 0), (10, 5, 0)]
    assert urb.buffer.raw[:3] + urb.buffer.raw[20:25] == b"onethree"
    assert gadget.taken == b"abcdef"


@pytest.mark.parametrize(
    "urb",
    [
        Urb(9, 0x81, 8), Urb(BULK, 0x81, 8, 0x1000), Urb(ISO, 0x81, 8, packets=(8,)), Urb(CONTROL, 0, b"short"),
        Urb(CONTROL, 0, setup(0xC0, 1, 0, 0, 9)), Urb(INTERRUPT, 0x81, 8),
    ],
    ids=["no type", "no flag", "no isochronous endpoint", "no setup", "no room", "no interrupt endpoint"],
)  # fmt: skip
def test_an_urb_that_cannot_be_is_refused(usb: Usbfs, urb: Urb) -> None:
    with failure("EINVAL"):
        usb.submit(urb)


def test_an_urb_whose_memory_has_gone_is_reaped_with_efault(usb: Usbfs, gadget: Gadget) -> None:
    urb = Urb(BULK, 0x81, 64)
    urb.raw.buffer = 16
    usb.submit(urb)
    with devshim.lock:
        gadget.send(0x81, b"hello")

    with failure("EFAULT"):
        usb.reap()
    with failure("EAGAIN"):
        usb.reap()


def test_a_bug_of_the_device_fails_the_transfer_and_is_reported(devshim_run, tmp_path) -> None:
    model = tmp_path / "m.py"
    model.write_text(
        "from devshim import *\nclass M(UsbDevice):\n    interfaces = [Interface(endpoints=[Endpoint(1)])]\n"
        "    def bulk_out(self, endpoint, data): return 'all'\n"
    )
    client = (
        "from usbfs import *\nusb = Usbfs()\nurb = usb.submit(Urb(BULK, 1, b'x'))\nusb.reap()\nprint(urb.raw.status)\n"
    )

    outcome = run_devshim(
        "python3",
        "-c",
        client,
        devices=[f"{NODE}={model}"],
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(__file__))},
    )

    assert outcome.stdout == "-71\n"
    assert "M.bulk_out() returned 'all': it must return None, a number of bytes up to 1, or WAIT" in outcome.stderr


# ---- Interfaces


def test_an_interface_belongs_to_one_file_at_a_time(usb: Usbfs) -> None:
    with Usbfs() as other:
        other.claim()
        with failure("EBUSY"):
            usb.claim()
        with failure("EBUSY"):
            usb.bulk(0x81, 8)
        with failure("EINVAL"):
            usb.number(0x80045510, 0)
        other.number(0x80045510, 0)
        usb.claim()
        usb.number(0x80045510, 0)
        other.claim()

    usb.claim()
    for number, error in ((7, "ENOENT"), (64, "EINVAL")):
        with failure(error):
            usb.claim(number)


def driver(usb: Usbfs, interface: int) -> bytes:
    """USBDEVFS_GETDRIVER."""
    argument = bytearray(struct.pack("<I256x", interface))
    usb.call(0x41045508, argument)
    return bytes(argument[4:]).rstrip(b"\0")


def test_a_driver_can_be_taken_away_and_given_back(usb: Usbfs) -> None:
    def detach(code: int) -> int:
        return usb.call(0xC0105512, bytearray(struct.pack("<iiQ", 2, code, 0)))

    assert driver(usb, 2) == b"usbhid"
    with failure("EBUSY"):
        usb.claim(2)
    assert detach(0x5516) == 0
    with failure("ENODATA"):
        driver(usb, 2)
    with failure("ENODATA"):
        detach(0x5516)
    usb.claim(2)
    assert driver(usb, 2) == b"usbfs"
    with failure("EBUSY"):
        detach(0x5517)
    usb.number(0x80045510, 2)
    assert detach(0x5517) == 1
    assert driver(usb, 2) == b"usbhid"


def test_disconnect_and_claim_looks_at_the_driver_s_name(usb: Usbfs) -> None:
    def take(flags: int, name: bytes) -> int:
        return usb.call(0x8108551B, bytearray(struct.pack("<II256s", 2, flags, name)))

    with failure("EBUSY"):
        take(1, b"other")
    with failure("EBUSY"):
        take(2, b"usbhid")
    take(2, b"usbfs")
    assert driver(usb, 2) == b"usbfs"


def test_dropped_privileges_leave_the_interfaces_that_were_named(usb: Usbfs) -> None:
    usb.call(0x4004551E, c_uint(0b10))

    usb.claim(1)
    with failure("EACCES"):
        usb.claim(0)
    with failure("EACCES"):
        usb.number(0x80045505, 1)


def test_releasing_an_interface_ends_its_urbs(usb: Usbfs) -> None:
    urb = usb.submit(Urb(BULK, 0x81, 8))
    usb.number(0x80045510, 0)

    usb.reap()

    assert urb.raw.status == -2


# ---- Settings


class Two(UsbDevice):
    configurations = (
        Configuration([Interface(endpoints=[Endpoint(0x81)])]),
        Configuration([Interface(endpoints=[Endpoint(0x82)])], value=5, name="other", milliamperes=500),
    )


def test_configurations_can_be_chosen_while_nobody_has_an_interface() -> None:
    two = Two()
    with plugged({NODE: two}), Usbfs() as usb:
        usb.claim()
        with failure("EBUSY"):
            usb.number(0x80045505, 5)
        usb.number(0x80045510, 0)
        with failure("EINVAL"):
            usb.number(0x80045505, 3)
        usb.number(0x80045505, 5)
        shown = Path("/sys/bus/usb/devices/95-1/bConfigurationValue").read_text()
        assert (shown, os.path.exists("/sys/bus/usb/devices/95-1:5.0")) == ("5\n", True)
        assert (two.configuration, usb.control(0x80, 8, 0, 0, 1)) == (5, b"\x05")
        with failure("ENOENT"):
            usb.bulk(0x81, 8)
        usb.number(0x80045505, 0xFFFFFFFF)
        with failure("EHOSTUNREACH"):
            usb.call(0x80085504, (c_uint * 2)(0, 0))


def test_a_setting_that_is_not_there_is_refused(usb: Usbfs) -> None:
    usb.claim(1)
    with failure("EINVAL"):
        usb.call(0x80085504, (c_uint * 2)(1, 2))


def test_a_reset_ends_transfers_and_tells_the_device(usb: Usbfs, gadget: Gadget) -> None:
    urb = usb.submit(Urb(BULK, 0x81, 8))
    usb.call(0x5514)
    usb.reap()

    assert (urb.raw.status, gadget.resets) == (-71, 1)


def test_it_says_who_and_how_fast_it_is(usb: Usbfs) -> None:
    info, capabilities = (c_uint * 2)(), c_uint()
    more = bytearray(24)

    usb.call(0x40085511, info)
    usb.call(0x8004551A, capabilities)
    usb.call(0x80185520, more)

    assert (info[0], info[1] & 0xFF, usb.call(0x551F), capabilities.value) == (2, 0, 2, UsbFile.capabilities)
    assert struct.unpack("<4IBB6x", more) == (24, 95, 2, 2, 1, 1)


def test_other_requests_are_no_requests_of_usbfs(usb: Usbfs) -> None:
    with failure("ENOTTY"):
        usb.call(0x5401, bytearray(64))


# ---- Coming and going


def test_an_unplugged_device_hangs_up_with_an_error(usb: Usbfs, gadget: Gadget) -> None:
    usb.submit(Urb(BULK, 0x81, 8))
    with devshim.lock:
        gadget.unplug()

    assert usb.ready() & (select.POLLERR | select.POLLHUP) == select.POLLERR | select.POLLHUP
    with failure("ENODEV"):
        usb.reap()
    with devshim.lock:
        gadget.plug()
    with Usbfs() as again:
        again.claim()
        assert again.bulk(0x01, b"echo") == b"echo"


def test_what_was_over_when_the_device_went_can_still_be_reaped(usb: Usbfs, gadget: Gadget) -> None:
    done, going = usb.submit(Urb(BULK, 0x81, 8)), usb.submit(Urb(INTERRUPT, 0x82, 8))
    with devshim.lock:
        gadget.send(0x81, b"done")
        gadget.unplug()

    assert usb.ready() == select.POLLOUT
    with failure("ENODEV"):
        usb.call(0x551F)
    assert [usb.reap(), usb.reap()] == [done.address, going.address]
    assert (done.raw.status, done.data, going.raw.status) == (0, b"done", -108)
    assert usb.ready() & (select.POLLERR | select.POLLHUP) == select.POLLERR | select.POLLHUP
    with failure("ENODEV"):
        usb.reap()


def test_what_is_declared_wrongly_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(ValueError, match="two endpoints have the address 0x81"):
        type("Wrong", (UsbDevice,), {"interfaces": [Interface(endpoints=[Endpoint(0x81), Endpoint(0x81)])]})
    with pytest.raises(ValueError, match="number=0, alternate=0"):
        type("Wrong", (UsbDevice,), {"interfaces": [Interface(), Interface()]})
    with pytest.raises(ValueError, match="speed is 'fast'"):
        type("Wrong", (UsbDevice,), {"speed": "fast"})
    with pytest.raises(ValueError, match="0x80"):
        Endpoint(0x80)
    with pytest.raises(ValueError, match="are bytes"):
        control(0x1C0, 1)
    with pytest.raises(ValueError, match="no endpoint 0x85"):
        Gadget().send(0x85, b"")

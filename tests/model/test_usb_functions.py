"""HID devices by usbfs, as libusb's programs talk to them: reports on endpoints and by control transfers."""

import errno
import sys

import pytest
from harness import run_devshim
from usbfs import INTERRUPT, Urb, Usbfs

from devshim import Hidraw, feature

NODE = "/dev/bus/usb/090/002"
GET, SET = (0xA1, 1), (0x21, 9)
IN, OUT, FEATURE = 0x100, 0x200, 0x300


class Echo(Hidraw):
    """Sends back what it gets, and has a feature; its reports have no numbers."""

    report_descriptor = bytes.fromhex("0600ff 0901 a101 1500 26ff00 7508 9502 0901 8102 0901 9102 0901 b102 c0")
    product: str = "echo"

    def setup(self):
        self.kept = b"\1\2"

    def output(self, report):
        self.send_input(report[::-1])

    @feature()
    def settings(self):
        return self.kept

    @settings.written
    def set_settings(self, data):
        self.kept = data


@pytest.fixture
def device(devshim):
    """The device, plugged."""
    return devshim.plug("/dev/hidraw0", Echo())


@pytest.fixture
def usb(device):
    """Its USB node, with its interface taken from the driver."""
    with Usbfs(NODE) as usb:
        usb.detach()
        usb.claim()
        yield usb


def test_reports_go_both_ways_by_interrupt(usb):
    assert usb.bulk(0x01, b"ab") == b"ab"
    assert usb.bulk(0x81, 64) == b"ba"


def test_a_read_waits_for_a_report(usb):
    asked = usb.submit(Urb(INTERRUPT, 0x81, 64))
    with pytest.raises(BlockingIOError):
        usb.reap()

    usb.bulk(0x01, b"cd")

    assert usb.reap() == asked.address
    assert (asked.raw.status, asked.data) == (0, b"dc")


def test_nothing_is_kept_for_those_who_have_not_taken_the_interface(device):
    with Usbfs(NODE) as usb:
        device.send_input(b"xy")
        usb.detach()
        usb.claim()
        device.send_input(b"zz")

        assert usb.bulk(0x81, 64) == b"zz"


def test_who_does_not_read_gets_as_many_as_hidraw_keeps(device, usb):
    assert [device.send_input(bytes([number, 0])) for number in range(64)] == [True] * 63 + [False]
    assert usb.bulk(0x81, 64) == b"\0\0"


def test_who_had_the_interface_when_it_was_pulled_gets_nothing_more(device, usb):
    device.unplug()
    device.plug()

    assert all(device.send_input(b"ab") for _ in range(70))


def test_features_and_reports_by_request(usb):
    assert usb.control(*GET, FEATURE, 0, 8) == b"\1\2"
    usb.control(*SET, FEATURE, 0, b"\7\7")
    assert usb.control(*GET, FEATURE, 0, 8) == b"\7\7"
    usb.control(*SET, OUT, 0, b"pq")
    assert usb.control(*GET, IN, 0, 8) == b"qp"


def test_the_report_descriptor_by_request(usb):
    assert usb.control(0x81, 6, 0x2200, 0, 255) == Echo.report_descriptor
    assert usb.control(0x81, 6, 0x2100, 0, 255)[7:] == len(Echo.report_descriptor).to_bytes(2, "little")


def test_idle_and_protocol_are_taken_note_of(usb):
    usb.control(0x21, 0x0A)
    usb.control(0x21, 0x0B, 1)
    assert (usb.control(0xA1, 2, 0, 0, 1), usb.control(0xA1, 3, 0, 0, 1)) == (b"\0", b"\1")


def test_a_serial_adapter_has_no_reports(devshim):
    devshim.plug("/dev/ttyUSB0", "gps")
    with Usbfs("/dev/bus/usb/091/002") as usb:
        usb.detach()
        with pytest.raises(OSError, match="Broken pipe") as caught:
            usb.control(*GET, FEATURE, 0, 8)

    assert caught.value.errno == errno.EPIPE


HIDAPI = """
import hid
known = hid.enumerate(0x16c0, 0x05df)
print([(one["manufacturer_string"], one["product_string"]) for one in known])
board = hid.device()
board.open(0x16c0, 0x05df)
print(board.send_feature_report([0, 0xff, 2, 0, 0, 0, 0, 0, 0]))
print(bytes(board.get_feature_report(0, 9)))
board.close()
"""


def test_hidapi_by_libusb_switches_a_relay():
    pytest.importorskip("hid")

    outcome = run_devshim(sys.executable, "-c", HIDAPI, devices=["/dev/hidraw0=usb_relay,board=TEST1"])

    said = ["[('www.dcttech.com', 'USBRelay2')]", "9", "b'\\x00TEST1\\x00\\x00\\x02'"]
    assert (outcome.stdout.splitlines(), outcome.stderr) == (said, "")

"""HID devices as hidraw gives them to programs: reports of all kinds, who the device is, and the errors of each."""

import errno
import os
from contextlib import suppress
from ctypes import sizeof

import pytest
from harness import run_devshim
from hypothesis import assume, given
from hypothesis import strategies as st
from i2cprogram import raises_errno
from ioctlwire import ioctl, may_fail

from devshim import Hidraw, feature
from devshim.model import hidraw_abi as abi
from devshim.model.hid_descriptor import reports
from devshim.model.hidraw import Report
from devshim.session.session import Session

VENDOR = "0600ff 0901 a101 0901 1500 26ff00 7508"
PLAIN = bytes.fromhex(VENDOR + "9504 8102 0901 9502 9102 0901 9503 b102 c0")
NUMBERED = bytes.fromhex(VENDOR + "8501 9504 8102 8502 9502 8102 8503 9502 9102 8504 9503 b102 8505 b102 c0")


class Plain(Hidraw):
    """Four bytes in, two out, three of feature, without numbers."""

    manufacturer: str = "Maker"
    product: str = "Thing"
    serial: str = "S1"
    report_descriptor = PLAIN

    def setup(self):
        self.heard = []
        self.kept = b"abc"

    def output(self, report):
        self.heard.append(report)

    @feature()
    def settings(self):
        return self.kept

    @settings.written
    def keep(self, data):
        self.kept = data


class Numbered(Plain):
    """Inputs 1 and 2, output 3, features 4 and 5, of which 5 cannot be written."""

    report_descriptor = NUMBERED

    @feature(4)
    def four(self):
        return self.kept

    @four.written
    def keep_four(self, data):
        self.kept = b"4" + data

    @feature(5)
    def five(self):
        return b"fiv"


class Nameless(Hidraw):
    """No texts, no outputs, no features."""

    report_descriptor = PLAIN


def request(number, size, direction=3):
    """_IOC(direction, 'H', number, size)."""
    return direction << 30 | size << 16 | ord("H") << 8 | number


def text(device, number, size=64):
    result, (after,) = ioctl(device.open(0), request(number, size, 2), bytes(size))
    return result, after[:result]


def get(device, number, report, size):
    """HIDIOCGFEATURE and its kin: the result and the bytes."""
    result, (after,) = ioctl(device.open(0), request(number, size), bytes([report]).ljust(size, b"\0"))
    return after[:result]


def put(device, number, data):
    return ioctl(device.open(0), request(number, len(data)), data)[0]


# ---- Layout


def test_the_structures_and_numbers_are_the_kernels():
    assert (sizeof(abi.HidrawReportDescriptor), sizeof(abi.HidrawDevinfo)) == (4100, 8)
    assert (abi.HIDIOCGRDESCSIZE, abi.HIDIOCGRDESC, abi.HIDIOCGRAWINFO) == (0x80044801, 0x90044802, 0x80084803)


# ---- The descriptor


def test_reports_are_found_with_their_lengths():
    found = reports(NUMBERED)

    assert found.numbered
    assert [found.numbers(kind) for kind in (Report.INPUT, Report.OUTPUT, Report.FEATURE)] == [[1, 2], [3], [4, 5]]
    assert [found.length(Report.INPUT, number) for number in (1, 2)] == [4, 2]
    assert not reports(PLAIN).numbered


def test_bits_of_several_items_add_up_and_push_and_pop_keep_the_state():
    found = reports(bytes.fromhex("7501 9503 8102 a4 7508 9501 8102 b4 9505 8103"))

    assert found.bits == {(Report.INPUT, 0): 3 + 8 + 5}
    assert found.length(Report.INPUT, 0) == 2


def test_long_items_are_passed_over():
    assert reports(bytes.fromhex("fe0205aabb 7508 9501 8102")).length(Report.INPUT, 0) == 1


@pytest.mark.parametrize("descriptor", [b"", b"\x26\xff", b"\xfe\x09\x01\x02", b"\xfe", bytes(4097)])
def test_a_descriptor_that_cannot_be_is_named_when_the_device_is_made(descriptor):
    class Wrong(Hidraw):
        report_descriptor = descriptor

    with pytest.raises(ValueError, match=r"Wrong\.report_descriptor: "):
        Wrong()


@given(st.binary(min_size=1, max_size=64))
def test_any_descriptor_is_read_or_refused(descriptor):
    try:
        found = reports(descriptor)
    except ValueError as problem:
        assert "report_descriptor: the item at byte" in str(problem)  # noqa: PT017
    else:
        assert all(bits >= 0 for bits in found.bits.values())


# ---- Who it is


def test_names_come_with_their_nul_and_as_much_as_fits():
    device = Plain()

    assert text(device, 4) == (12, b"Maker Thing\0")
    assert text(device, 4, 5) == (5, b"Maker")
    assert text(device, 5) == (27, b"usb-devshim_hcd.0-1/input0\0")
    assert text(device, 8) == (3, b"S1\0")
    assert text(Nameless(), 4) == (14, b"HID 1209:0001\0")


def test_the_info_has_bus_vendor_and_product():
    device = Plain(vendor_id=0x16C0, product_id=0xFFFE, bus=5)

    assert ioctl(device.open(0), 0x80084803, bytes(8)) == (0, [bytes.fromhex("05000000 c016 feff")])


def test_the_descriptor_comes_as_far_as_the_program_asks():
    file = Plain().open(0)

    assert ioctl(file, 0x80044801, bytes(4))[1] == [len(PLAIN).to_bytes(4, "little")]
    for size in (3, len(PLAIN), 4095):
        asked = size.to_bytes(4, "little").ljust(4100, b"\xee")
        wanted = (asked[:4] + PLAIN[:size]).ljust(4100, b"\xee")
        assert ioctl(file, 0x90044802, asked) == (0, [wanted])
    with raises_errno(errno.EINVAL):
        ioctl(file, 0x90044802, (4096).to_bytes(4, "little").ljust(4100, b"\0"))


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (request(0x20, 4, 2), errno.ENOTTY),
        (request(0x20, 4, 1), errno.EINVAL),
        (request(4, 4, 1), errno.EINVAL),
        (0x80045A01, errno.EINVAL),
        (0x5401, errno.EINVAL),
    ],
)
def test_unknown_requests_fail_as_hidraw_lets_them(number, error):
    size = number >> 16 & 0x3FFF
    with raises_errno(error):
        ioctl(Plain().open(0), number, *((bytes(size),) if size else ()))


# ---- Reports by request


def test_features_without_a_number_stand_behind_a_0():
    device = Plain()

    assert get(device, 7, 0, 4) == b"\0abc"
    assert get(device, 7, 0, 3) == b"\0ab"
    assert put(device, 6, b"\0new") == 4
    assert device.kept == b"new"


def test_features_with_a_number_stand_behind_it():
    device = Numbered()

    assert get(device, 7, 4, 64) == b"\4abc"
    assert put(device, 6, b"\4xyz") == 4
    assert device.kept == b"4xyz"
    assert get(device, 7, 5, 64) == b"\5fiv"


@pytest.mark.parametrize(
    ("device", "number", "data"),
    [
        (Plain, 7, b"\1\0"),
        (Numbered, 7, b"\6\0"),
        (Numbered, 6, b"\5abc"),
        (Numbered, 6, b"\6abc"),
        (Plain, 9, b"\0abc"),
        (Numbered, 10, b"\7\0"),
        (Numbered, 12, b"\1\0"),
    ],
)
def test_the_device_stalls_for_what_it_does_not_have(device, number, data):
    with raises_errno(errno.EPIPE):
        put(device(), number, data)


@pytest.mark.parametrize("number", range(6, 13))
def test_a_request_needs_two_bytes(number):
    if number != 8:
        with raises_errno(errno.EINVAL):
            put(Plain(), number, b"\0")


def test_inputs_by_request_are_the_last_that_were_sent():
    device = Numbered()

    assert get(device, 10, 1, 64) == b"\1\0\0\0\0"
    device.send_input(b"\1abcd")
    device.send_input(b"\2ef")
    assert get(device, 10, 1, 64) == b"\1abcd"
    assert get(device, 10, 2, 64) == b"\2ef"
    plain = Plain()
    assert get(plain, 10, 0, 64) == b"\0" * 5
    plain.send_input(b"wxyz")
    assert get(plain, 10, 0, 64) == b"\0wxyz"


def test_outputs_by_request_reach_the_device_as_those_by_write():
    device = Numbered()

    assert put(device, 11, b"\3ab") == 3
    assert device.open(0).write(b"\3cd") == 3
    assert device.heard == [b"\3ab", b"\3cd"]
    assert get(device, 12, 3, 64) == b"\3cd"


def test_a_feature_method_can_be_overridden_and_called():
    class Other(Numbered):
        def five(self):
            return b"new"

    assert get(Other(), 7, 5, 64) == b"\5new"
    assert Numbered().five() == b"fiv"


def test_a_feature_that_returns_no_bytes_is_named():
    class Wrong(Plain):
        @feature()
        def settings(self):
            return None

    with pytest.raises(TypeError, match=r"Wrong\.settings\(\) returned None"):
        get(Wrong(), 7, 0, 8)


@pytest.mark.parametrize("number", [-1, 256, "1"])
def test_a_report_number_that_is_no_byte_is_refused(number):
    with pytest.raises(ValueError, match="a report's number is 0"):
        feature(number)


# ---- write()


def test_a_0_before_an_output_report_does_not_go_over_the_wire():
    device = Plain()

    assert device.open(0).write(b"\0ab") == 3
    assert device.open(0).write(b"ab") == 2
    assert device.heard == [b"ab", b"ab"]


@pytest.mark.parametrize("size", [0, 1, 16385, 20000])
def test_writes_that_are_no_report_are_refused(size):
    with raises_errno(errno.EINVAL):
        Plain().open(0).write(bytes(size))


def test_a_device_without_output_reports_stalls():
    with raises_errno(errno.EPIPE):
        Nameless().open(0).write(b"\0ab")


# ---- send_input()


def test_reports_that_the_descriptor_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r"no input report 3; the numbers in the descriptor are: 1, 2"):
        Numbered().send_input(b"\3abcd")
    for report in (b"", bytes(16385)):
        with pytest.raises(ValueError, match="a report has 1 to 16384"):
            Plain().send_input(report)


def test_reports_that_nobody_has_open_are_sent_all_the_same():
    device = Plain()

    assert device.send_input(b"abcd")
    assert get(device, 10, 0, 8) == b"\0abcd"


def test_a_closed_file_gets_no_more():
    device = Plain()
    one, other = device.open(0), device.open(0)

    one.close()

    assert device.files == [other]


# ---- send_inputs()


def drained(fd):
    """All reports that wait."""
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(os.read(fd, 64))
    return found


def test_many_reports_at_once_reach_every_program_in_their_order():
    with Session() as session:
        device = session.plug("/dev/hidraw7", Numbered())
        fds = [os.open("/dev/hidraw7", os.O_RDONLY | os.O_NONBLOCK) for _ in range(2)]
        reports = [bytes((1, number, 0, 0, 0)) for number in range(20)]

        assert device.send_inputs(reports) and device.send_inputs(()) and device.send_inputs([b"\2ab"])

        assert [drained(fd) for fd in fds] == [[*reports, b"\2ab"]] * 2
        assert device.get_report(Report.INPUT, 1) == bytes((19, 0, 0, 0))
        for fd in fds:
            os.close(fd)


@pytest.mark.parametrize("before", [0, 30])
def test_of_many_at_once_a_program_that_does_not_read_has_the_first_63(before):
    with Session() as session:
        device = session.plug("/dev/hidraw7", Plain())
        fd = os.open("/dev/hidraw7", os.O_RDONLY | os.O_NONBLOCK)
        reports = [number.to_bytes(4, "little") for number in range(200)]
        for report in reports[:before]:
            device.send_input(report)

        assert not device.send_inputs(reports[before:])

        assert drained(fd) == reports[:63]
        os.close(fd)


def test_none_of_many_is_sent_where_one_is_no_report():
    with Session() as session:
        device = session.plug("/dev/hidraw7", Numbered())
        fd = os.open("/dev/hidraw7", os.O_RDONLY | os.O_NONBLOCK)

        with pytest.raises(ValueError, match="no input report 3"):
            device.send_inputs([b"\1abcd", b"\3abcd"])

        assert drained(fd) == []
        os.close(fd)


# ---- Around the node


def test_sys_shows_the_device_its_interface_and_its_usb_device():
    around = Plain().surroundings("/dev/hidraw3", 512, 3)

    usb = "/sys/devices/platform/devshim_hcd.0/usb90/90-4"
    hid = f"{usb}/90-4:1.0/0003:1209:0001.0004"
    assert around["/sys/class/hidraw/hidraw3"] == f"../..{hid.removeprefix('/sys')}/hidraw/hidraw3"
    assert around[f"{hid}/uevent"].splitlines()[1:5] == [
        b"HID_ID=0003:00001209:00000001",
        b"HID_NAME=Maker Thing",
        b"HID_PHYS=usb-devshim_hcd.0-4/input0",
        b"HID_UNIQ=S1",
    ]
    assert around[f"{hid}/report_descriptor"].read(0, 4096) == PLAIN
    assert around[f"{usb}/serial"] == b"S1\n"
    assert f"{usb}/manufacturer" in around


def test_a_device_on_another_bus_has_no_usb_device():
    around = Plain(bus=5).surroundings("/dev/hidraw0", 512, 0)

    assert around["/sys/class/hidraw/hidraw0"] == ("../../devices/virtual/misc/uhid/0005:1209:0001.0001/hidraw/hidraw0")
    assert not any("usb" in path for path in around)


def test_the_report_descriptor_is_a_file_of_4096_bytes_that_ends_where_it_does():
    script = "cd /sys/class/hidraw/hidraw0/device; stat -c %s report_descriptor; wc -c < report_descriptor"
    outcome = run_devshim("bash", "-c", script, devices=["/dev/hidraw0=usb_relay"])

    size, length = map(int, outcome.stdout.split())
    assert size == 4096
    assert 0 < length < 4096


# ---- Hostile arguments


@given(st.sampled_from([6, 7, 9, 10, 11, 12]), st.binary(max_size=80))
def test_any_report_is_answered_or_refused(number, data):
    for device in (Plain(), Numbered()):
        with may_fail(errno.EINVAL, errno.EPIPE):
            assert 1 <= put(device, number, data) <= len(data)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=64))
def test_any_request_with_any_bytes_is_answered_or_refused(number, argument):
    assume(number & 0xFFFF not in (0x4806, 0x4807))
    size = number >> 16 & 0x3FFF
    with may_fail(errno.EINVAL, errno.ENOTTY, errno.EPIPE):
        ioctl(Numbered().open(0), number, *((argument.ljust(size, b"\0")[:size],) if size else ()))


@given(st.binary(max_size=40))
def test_any_write_is_taken_or_refused(data):
    with may_fail(errno.EINVAL):
        assert Numbered().open(0).write(data) == len(data)

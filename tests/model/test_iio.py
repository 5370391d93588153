"""IIO buffers: what programs choose in /sys, and the samples that they read (industrialio-buffer.c of the kernel)."""

import errno
import os
import select
import struct
import sys

import pytest

from devshim import Iio, Scan, Session, attribute
from devshim.model.iio_scan import layout_of, numbered, packed, places

NODE = "/dev/iio:device0"
HERE = "/sys/bus/iio/devices/iio:device0"


class Adc(Iio):
    chip = "adc"
    scan = (Scan("in_voltage0", "be:u12/16>>4"), Scan("in_temp", "le:s8/8>>0"), Scan("in_timestamp", "le:s64/64>>0"))
    value = 0x123

    @attribute
    def in_voltage0_raw(self):
        return self.value


@pytest.fixture
def session():
    with Session() as session:
        yield session


@pytest.fixture
def adc(session):
    return session.plug(NODE, Adc())


def put(name, value):
    with open(f"{HERE}/{name}", "w") as file:
        file.write(f"{value}\n")


def get(name):
    with open(f"{HERE}/{name}") as file:
        return file.read().rstrip("\n")


def refused(name, value):
    """The errno with which a file refuses a value; 0 where it takes it."""
    try:
        put(name, value)
    except OSError as problem:
        return problem.errno
    return 0


def begin(*channels, length=8):
    """Enable the buffer with these channels."""
    for channel in channels:
        put(f"scan_elements/{channel}_en", 1)
    put("buffer/length", length)
    put("buffer/enable", 1)


def is_readable(fd):
    return bool(select.select([fd], [], [], 0)[0])


# ---- How samples lie in memory


@pytest.mark.parametrize(
    ("text", "value", "data"),
    [
        ("le:s12/16>>4", -1, b"\xf0\xff"),
        ("be:u12/16>>4", 0x123, b"\x12\x30"),
        ("le:u24/32>>8", 0x010203, b"\x00\x03\x02\x01"),
        ("le:s8/8>>0", -128, b"\x80"),
        ("be:s64/64>>0", -2, b"\xff" * 7 + b"\xfe"),
    ],
)
def test_a_value_is_shifted_into_its_storage(text, value, data):
    assert layout_of(text).pack(value) == data


@pytest.mark.parametrize(
    "text", ["le:s12/16", "xx:s12/16>>4", "le:s12/12>>0", "le:u16/16>>1", "le:f32/32>>0", "le:u0/8>>0"]
)
def test_what_is_no_type_is_refused(text):
    with pytest.raises(ValueError, match=text.replace("/", ".")):
        layout_of(text)


def test_each_element_is_aligned_to_its_size_and_the_sample_to_the_largest():
    elements = numbered(Adc.scan)

    assert places(elements) == ([0, 2, 8], 16)
    assert places(elements[:2]) == ([0, 2], 4)
    assert packed(elements, [1, -1, 2]) == b"\x00\x10\xff" + bytes(5) + struct.pack("<q", 2)


def test_repeated_values_lie_side_by_side():
    elements = numbered((Scan("in_rot_quaternion", "le:s16/16X4>>0"),))

    assert packed(elements, [[1, 2, 3, -1]]) == struct.pack("<4h", 1, 2, 3, -1)
    with pytest.raises(ValueError, match="in_rot_quaternion: 1 values; there are 4"):
        packed(elements, [1])


def test_two_elements_at_one_place_are_refused():
    with pytest.raises(ValueError, match="in_b and in_a both have index 1"):
        numbered((Scan("in_a", "le:u8/8>>0", 1), Scan("in_b", "le:u8/8>>0", 1)))


# ---- What programs see and set


def test_the_files_of_the_buffer_are_there_twice(adc):
    assert get("scan_elements/in_voltage0_type") == get("buffer0/in_voltage0_type") == "be:u12/16>>4"
    assert [get(f"buffer/{name}") for name in ("enable", "length", "watermark", "data_available", "direction")] == [
        "0", "2", "1", "0", "in",
    ]  # fmt: skip
    put("buffer0/in_temp_en", 1)
    assert (get("scan_elements/in_temp_en"), get("scan_elements/in_temp_index")) == ("1", "1")


def test_a_buffer_without_channels_or_trigger_is_not_enabled(adc):
    assert refused("buffer/enable", 1) == errno.EINVAL
    put("scan_elements/in_voltage0_en", 1)
    assert get("trigger/current_trigger") == "adc-dev0"
    put("trigger/current_trigger", "")
    assert refused("buffer/enable", 1) == errno.EINVAL
    assert refused("trigger/current_trigger", "elsewhere") == errno.EINVAL
    put("trigger/current_trigger", "adc-dev0")
    assert refused("buffer/enable", 1) == 0


def test_what_is_set_up_stays_while_the_buffer_is_enabled(adc):
    begin("in_voltage0")

    for name, value in (("scan_elements/in_temp_en", 1), ("buffer/length", 4), ("trigger/current_trigger", "")):
        assert refused(name, value) == errno.EBUSY
    put("buffer/enable", 0)
    assert refused("buffer/watermark", 9) == refused("buffer/watermark", 0) == errno.EINVAL


# ---- Samples


def test_samples_are_read_whole_and_in_their_order(adc):
    begin("in_voltage0", "in_temp")
    fd = os.open(NODE, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            os.read(fd, 99)
        assert not is_readable(fd)
        adc.push(in_temp=-5)
        adc.push(in_voltage0=0xFFF, in_temp=6)
        assert is_readable(fd)
        assert get("buffer/data_available") == "2"
        assert os.read(fd, 7) == b"\x12\x30\xfb\x00"
        assert os.read(fd, 99) == b"\xff\xf0\x06\x00"
        with pytest.raises(OSError, match="Invalid argument"):
            os.read(fd, 3)
    finally:
        os.close(fd)


def test_readers_wait_for_the_watermark(session, adc):
    put("buffer/length", 8)
    put("buffer/watermark", 3)
    begin("in_voltage0")
    program = "import os; print(os.read(os.open('/dev/iio:device0', os.O_RDONLY), 99).hex())"
    with session.start(sys.executable, "-c", program) as reader:
        session.until(lambda: any(call.name == "read" for call in adc.calls), timeout=60)
        for value in (1, 2, 3):
            adc.push(in_voltage0=value)
        assert reader.wait(60) == 0
        assert reader.stdout == b"001000200030\n"


def test_a_full_buffer_takes_no_more_and_keeps_what_it_has(adc):
    begin("in_voltage0", length=2)

    assert [adc.push(in_voltage0=value) for value in (1, 2, 3)] == [True, True, False]
    assert adc.buffer.lost == 1
    with open(NODE, "rb", buffering=0) as file:
        assert file.read(99) == b"\x00\x10\x00\x20"


def test_what_is_left_in_a_buffer_that_was_turned_off_can_be_read(adc):
    begin("in_voltage0")
    adc.push()
    put("buffer/enable", 0)

    assert not adc.push()
    with open(NODE, "rb", buffering=0) as file:
        assert file.read(99) == b"\x12\x30"


def test_the_node_is_open_once(adc):
    first = os.open(NODE, os.O_RDONLY)
    with pytest.raises(OSError, match="Device or resource busy"):
        os.open(NODE, os.O_RDONLY)
    os.close(first)
    os.close(os.open(NODE, os.O_RDONLY))


def test_a_value_that_does_not_fit_is_named(adc):
    begin("in_voltage0")

    with pytest.raises(ValueError, match="in_voltage0: 4096 is not from 0 to 4095, what 12 bits hold"):
        adc.push(in_voltage0=4096)


def test_samples_come_as_often_as_the_frequency_says(session):
    class Sampler(Adc):
        sampling_frequency = 10

    session.clock.manual()
    adc = session.plug(NODE, Sampler())
    begin("in_voltage0")
    session.clock.step(0.35)
    assert get("buffer/data_available") == "3"
    put("buffer/enable", 0)
    session.clock.step(1)
    assert get("buffer/data_available") == "3"
    assert adc.buffer.lost == 0


def test_a_pulled_device_forgets_what_was_set_up(adc):
    begin("in_voltage0")
    adc.unplug()
    adc.plug()

    assert (get("buffer/enable"), get("scan_elements/in_voltage0_en")) == ("0", "0")

"""Numbers and layouts of <linux/gpio.h>: version 2 of the interface, version 1, and what turns one into the other."""

from __future__ import annotations

import errno
import os
from ctypes import Structure, Union, c_char, c_uint8, c_uint32, c_uint64

from devshim.model.ioctl import IOR, IOWR, NewFile

NAME_SIZE = 32  # GPIO_MAX_NAME_SIZE, with its NUL
LINES_MAX = 64  # GPIO_V2_LINES_MAX and GPIOHANDLES_MAX
ATTRIBUTES_MAX = 10  # GPIO_V2_LINE_NUM_ATTRS_MAX

# enum gpio_v2_line_flag
USED, ACTIVE_LOW, INPUT, OUTPUT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
EDGE_RISING, EDGE_FALLING, OPEN_DRAIN, OPEN_SOURCE = 1 << 4, 1 << 5, 1 << 6, 1 << 7
BIAS_PULL_UP, BIAS_PULL_DOWN, BIAS_DISABLED = 1 << 8, 1 << 9, 1 << 10
EVENT_CLOCK_REALTIME, EVENT_CLOCK_HTE = 1 << 11, 1 << 12

DIRECTIONS = INPUT | OUTPUT
EDGES = EDGE_RISING | EDGE_FALLING
DRIVES = OPEN_DRAIN | OPEN_SOURCE
BIASES = BIAS_PULL_UP | BIAS_PULL_DOWN | BIAS_DISABLED
VALID = ACTIVE_LOW | DIRECTIONS | DRIVES | EDGES | EVENT_CLOCK_REALTIME | EVENT_CLOCK_HTE | BIASES

# enum gpio_v2_line_attr_id
ATTRIBUTE_FLAGS, ATTRIBUTE_OUTPUT_VALUES, ATTRIBUTE_DEBOUNCE = 1, 2, 3

# enum gpio_v2_line_changed_type and enum gpio_v2_line_event_id; those of version 1 are the same numbers
CHANGED_REQUESTED, CHANGED_RELEASED, CHANGED_CONFIG = 1, 2, 3
RISING_EDGE, FALLING_EDGE = 1, 2

#: GPIOHANDLE_REQUEST_* and the flags of version 2 that mean the same.
HANDLE_FLAGS = {
    1 << 0: INPUT, 1 << 1: OUTPUT, 1 << 2: ACTIVE_LOW, 1 << 3: OPEN_DRAIN, 1 << 4: OPEN_SOURCE,
    1 << 5: BIAS_PULL_UP, 1 << 6: BIAS_PULL_DOWN, 1 << 7: BIAS_DISABLED,
}  # fmt: skip
#: GPIOLINE_FLAG_* and the flags of version 2 that mean the same.
LINE_FLAGS = {1 << 0: USED, 1 << 1: OUTPUT, **{flag: HANDLE_FLAGS[flag] for flag in HANDLE_FLAGS if flag >= 1 << 2}}
#: GPIOEVENT_REQUEST_*
EVENT_FLAGS = {1 << 0: EDGE_RISING, 1 << 1: EDGE_FALLING}

Name = c_char * NAME_SIZE


class GpiochipInfo(Structure):
    """struct gpiochip_info."""

    _fields_ = [("name", Name), ("label", Name), ("lines", c_uint32)]


# ---- Version 2


class GpioV2LineValues(Structure):
    """struct gpio_v2_line_values."""

    _fields_ = [("bits", c_uint64), ("mask", c_uint64)]


class AttributeValue(Union):
    """The union in struct gpio_v2_line_attribute."""

    _fields_ = [("flags", c_uint64), ("values", c_uint64), ("debounce_period_us", c_uint32)]


class GpioV2LineAttribute(Structure):
    """struct gpio_v2_line_attribute."""

    _anonymous_ = ("value",)
    _fields_ = [("id", c_uint32), ("padding", c_uint32), ("value", AttributeValue)]


class GpioV2LineConfigAttribute(Structure):
    """struct gpio_v2_line_config_attribute."""

    _fields_ = [("attr", GpioV2LineAttribute), ("mask", c_uint64)]


class GpioV2LineConfig(Structure):
    """struct gpio_v2_line_config."""

    _fields_ = [
        ("flags", c_uint64),
        ("num_attrs", c_uint32),
        ("padding", c_uint32 * 5),
        ("attrs", GpioV2LineConfigAttribute * ATTRIBUTES_MAX),
    ]


class GpioV2LineRequest(Structure):
    """struct gpio_v2_line_request."""

    _fields_ = [
        ("offsets", c_uint32 * LINES_MAX),
        ("consumer", Name),
        ("config", GpioV2LineConfig),
        ("num_lines", c_uint32),
        ("event_buffer_size", c_uint32),
        ("padding", c_uint32 * 5),
        ("fd", NewFile),
    ]


class GpioV2LineInfo(Structure):
    """struct gpio_v2_line_info."""

    _fields_ = [
        ("name", Name),
        ("consumer", Name),
        ("offset", c_uint32),
        ("num_attrs", c_uint32),
        ("flags", c_uint64),
        ("attrs", GpioV2LineAttribute * ATTRIBUTES_MAX),
        ("padding", c_uint32 * 4),
    ]


class GpioV2LineInfoChanged(Structure):
    """struct gpio_v2_line_info_changed, as read from a chip."""

    _fields_ = [
        ("info", GpioV2LineInfo),
        ("timestamp_ns", c_uint64),
        ("event_type", c_uint32),
        ("padding", c_uint32 * 5),
    ]


class GpioV2LineEvent(Structure):
    """struct gpio_v2_line_event, as read from a request."""

    _fields_ = [
        ("timestamp_ns", c_uint64),
        ("id", c_uint32),
        ("offset", c_uint32),
        ("seqno", c_uint32),
        ("line_seqno", c_uint32),
        ("padding", c_uint32 * 6),
    ]


# ---- Version 1


class GpiolineInfo(Structure):
    """struct gpioline_info."""

    _fields_ = [("line_offset", c_uint32), ("flags", c_uint32), ("name", Name), ("consumer", Name)]


class GpiolineInfoChanged(Structure):
    """struct gpioline_info_changed, as read from a chip."""

    _fields_ = [
        ("info", GpiolineInfo),
        ("timestamp", c_uint64),
        ("event_type", c_uint32),
        ("padding", c_uint32 * 5),
    ]


class GpiohandleRequest(Structure):
    """struct gpiohandle_request."""

    _fields_ = [
        ("lineoffsets", c_uint32 * LINES_MAX),
        ("flags", c_uint32),
        ("default_values", c_uint8 * LINES_MAX),
        ("consumer_label", Name),
        ("lines", c_uint32),
        ("fd", NewFile),
    ]


class GpiohandleConfig(Structure):
    """struct gpiohandle_config."""

    _fields_ = [("flags", c_uint32), ("default_values", c_uint8 * LINES_MAX), ("padding", c_uint32 * 4)]


class GpiohandleData(Structure):
    """struct gpiohandle_data."""

    _fields_ = [("values", c_uint8 * LINES_MAX)]


class GpioeventRequest(Structure):
    """struct gpioevent_request."""

    _fields_ = [
        ("lineoffset", c_uint32),
        ("handleflags", c_uint32),
        ("eventflags", c_uint32),
        ("consumer_label", Name),
        ("fd", NewFile),
    ]


class GpioeventData(Structure):
    """struct gpioevent_data, as read from an event request."""

    _fields_ = [("timestamp", c_uint64), ("id", c_uint32)]


# ---- Requests

GET_CHIPINFO = IOR(0xB4, 0x01, GpiochipInfo).named("GPIO_GET_CHIPINFO_IOCTL")
GET_LINEINFO_UNWATCH = IOWR(0xB4, 0x0C, c_uint32).named("GPIO_GET_LINEINFO_UNWATCH_IOCTL")

V2_GET_LINEINFO = IOWR(0xB4, 0x05, GpioV2LineInfo).named("GPIO_V2_GET_LINEINFO_IOCTL")
V2_GET_LINEINFO_WATCH = IOWR(0xB4, 0x06, GpioV2LineInfo).named("GPIO_V2_GET_LINEINFO_WATCH_IOCTL")
V2_GET_LINE = IOWR(0xB4, 0x07, GpioV2LineRequest).named("GPIO_V2_GET_LINE_IOCTL")
V2_LINE_SET_CONFIG = IOWR(0xB4, 0x0D, GpioV2LineConfig).named("GPIO_V2_LINE_SET_CONFIG_IOCTL")
V2_LINE_GET_VALUES = IOWR(0xB4, 0x0E, GpioV2LineValues).named("GPIO_V2_LINE_GET_VALUES_IOCTL")
V2_LINE_SET_VALUES = IOWR(0xB4, 0x0F, GpioV2LineValues).named("GPIO_V2_LINE_SET_VALUES_IOCTL")

GET_LINEINFO = IOWR(0xB4, 0x02, GpiolineInfo).named("GPIO_GET_LINEINFO_IOCTL")
GET_LINEHANDLE = IOWR(0xB4, 0x03, GpiohandleRequest).named("GPIO_GET_LINEHANDLE_IOCTL")
GET_LINEEVENT = IOWR(0xB4, 0x04, GpioeventRequest).named("GPIO_GET_LINEEVENT_IOCTL")
HANDLE_GET_LINE_VALUES = IOWR(0xB4, 0x08, GpiohandleData).named("GPIOHANDLE_GET_LINE_VALUES_IOCTL")
HANDLE_SET_LINE_VALUES = IOWR(0xB4, 0x09, GpiohandleData).named("GPIOHANDLE_SET_LINE_VALUES_IOCTL")
HANDLE_SET_CONFIG = IOWR(0xB4, 0x0A, GpiohandleConfig).named("GPIOHANDLE_SET_CONFIG_IOCTL")
GET_LINEINFO_WATCH = IOWR(0xB4, 0x0B, GpiolineInfo).named("GPIO_GET_LINEINFO_WATCH_IOCTL")


def translated(flags: int, table: dict[int, int]) -> int:
    """Flags of version 1 as those of version 2."""
    return sum(meaning for flag, meaning in table.items() if flags & flag)


def translated_back(flags: int, table: dict[int, int]) -> int:
    """Flags of version 2 as those of version 1; what that does not have is left out."""
    return sum(flag for flag, meaning in table.items() if flags & meaning)


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))


def invalid(why: str) -> OSError:
    """EINVAL, and why."""
    return OSError(errno.EINVAL, why)

"""Numbers and layouts of <linux/hidraw.h>, and the kinds of HID reports."""

from __future__ import annotations

import os
from ctypes import Structure, c_int, c_int16, c_uint8, c_uint32
from enum import Enum

from devshim.model.ioctl import IOR, IOWR, sized

#: Buses of <linux/input.h> that HID devices are on.
BUS_USB, BUS_BLUETOOTH, BUS_VIRTUAL, BUS_I2C = 0x03, 0x05, 0x06, 0x18

MOST_DESCRIPTOR = 4096  # HID_MAX_DESCRIPTOR_SIZE
MOST_REPORT = 16384  # HID_MAX_BUFFER_SIZE
LEAST_REPORT = 2  # hidraw.c: a report's number and one byte
QUEUE = 63  # HIDRAW_BUFFER_SIZE is 64, of which a full ring leaves one empty


class Report(Enum):
    """The three kinds of reports, with the main items that declare them (HID 1.11, section 6.2.2.4)."""

    INPUT = 0x80
    OUTPUT = 0x90
    FEATURE = 0xB0


class HidrawReportDescriptor(Structure):
    """struct hidraw_report_descriptor."""

    _fields_ = [("size", c_uint32), ("value", c_uint8 * MOST_DESCRIPTOR)]


class HidrawDevinfo(Structure):
    """struct hidraw_devinfo."""

    _fields_ = [("bustype", c_uint32), ("vendor", c_int16), ("product", c_int16)]


BYTES = sized(c_uint8)
HIDIOCGRDESCSIZE = IOR("H", 0x01, c_int)
HIDIOCGRDESC = IOR("H", 0x02, HidrawReportDescriptor)
HIDIOCGRAWINFO = IOR("H", 0x03, HidrawDevinfo)
HIDIOCGRAWNAME, HIDIOCGRAWPHYS, HIDIOCGRAWUNIQ = IOR("H", 0x04, BYTES), IOR("H", 0x05, BYTES), IOR("H", 0x08, BYTES)
HIDIOCSFEATURE, HIDIOCGFEATURE = IOWR("H", 0x06, BYTES), IOWR("H", 0x07, BYTES)
HIDIOCSINPUT, HIDIOCGINPUT = IOWR("H", 0x09, BYTES), IOWR("H", 0x0A, BYTES)
HIDIOCSOUTPUT, HIDIOCGOUTPUT = IOWR("H", 0x0B, BYTES), IOWR("H", 0x0C, BYTES)


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))

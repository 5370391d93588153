"""Numbers and layouts of <linux/usbdevice_fs.h>, as far as programs use them, and USB's own (USB 2.0, chapter 9)."""

from __future__ import annotations

import os
from ctypes import Structure, Union, c_char, c_int, c_int32, c_uint, c_uint8, c_uint16, c_uint32, c_uint64

from devshim.model.ioctl import IO, IOR, IOW, IOWR, Request, pointer, sized, trailing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

IN = 0x80  #: of an endpoint's address and of a request's type: from the device to the program

ISO, INTERRUPT, CONTROL, BULK = 0, 1, 2, 3  # USBDEVFS_URB_TYPE_*
SHORT_NOT_OK, ISO_ASAP, BULK_CONTINUATION, NO_FSBR, ZERO_PACKET, NO_INTERRUPT = 0x01, 0x02, 0x04, 0x20, 0x40, 0x80
URB_FLAGS = SHORT_NOT_OK | ISO_ASAP | BULK_CONTINUATION | NO_FSBR | ZERO_PACKET | NO_INTERRUPT

CAP_ZERO_PACKET, CAP_BULK_CONTINUATION, CAP_NO_PACKET_SIZE_LIM, CAP_BULK_SCATTER_GATHER = 0x01, 0x02, 0x04, 0x08
CAP_DROP_PRIVILEGES, CAP_CONNINFO_EX = 0x40, 0x80

IF_DRIVER, EXCEPT_DRIVER = 1, 2  # of USBDEVFS_DISCONNECT_CLAIM

MOST_PACKETS = 128  # of an isochronous URB
MOST_CONTROL = 4096  # devio.c: a page, for USBDEVFS_CONTROL
POLLWRNORM = 0x100

#: Speeds by name: enum usb_device_speed of linux/usb/ch9.h, what /sys says, and bMaxPacketSize0 of most devices.
SPEEDS = {"low": (1, "1.5", 8), "full": (2, "12", 64), "high": (3, "480", 64), "super": (5, "5000", 9)}


class ControlData(Union):
    """The data of a control transfer, which go the way that the highest bit of bRequestType says."""

    _fields_ = [
        ("data", pointer(c_uint8, length="wLength", access="w", optional=True, when=("bRequestType", 0, 0x7F))),
        ("data_in", pointer(c_uint8, length="wLength", access="r", optional=True, when=("bRequestType", 0x80, 0xFF))),
    ]


class ControlTransfer(Structure):
    """struct usbdevfs_ctrltransfer."""

    _anonymous_: ClassVar[list[str]] = ["way"]
    _fields_ = [
        ("bRequestType", c_uint8), ("bRequest", c_uint8), ("wValue", c_uint16), ("wIndex", c_uint16),
        ("wLength", c_uint16), ("timeout", c_uint32), ("way", ControlData),
    ]  # fmt: skip


class BulkData(Union):
    """The data of a bulk transfer, which go the way that the highest bit of its endpoint's address says."""

    _fields_ = [
        ("data", pointer(c_uint8, length="len", access="w", optional=True, when=("ep", 0, 0x7F))),
        ("data_in", pointer(c_uint8, length="len", access="r", optional=True, when=("ep", 0x80, 0xFF))),
    ]


class BulkTransfer(Structure):
    """struct usbdevfs_bulktransfer."""

    _anonymous_: ClassVar[list[str]] = ["way"]
    _fields_ = [("ep", c_uint), ("len", c_uint), ("timeout", c_uint), ("way", BulkData)]


class Count(Union):
    """What stands for packets where there are such, and for a stream elsewhere."""

    _fields_ = [("number_of_packets", c_int), ("stream_id", c_uint)]


class IsoPacket(Structure):
    """struct usbdevfs_iso_packet_desc."""

    _fields_ = [("length", c_uint), ("actual_length", c_uint), ("status", c_uint)]


class Urb(Structure):
    """struct usbdevfs_urb.  Its buffer is read when it is submitted, unless bytes only come there (above 0x80)."""

    _anonymous_: ClassVar[list[str]] = ["count"]
    _fields_ = [
        ("type", c_uint8), ("endpoint", c_uint8), ("status", c_int), ("flags", c_uint),
        ("buffer", pointer(c_uint8, length="buffer_length", access="w", optional=True, when=("endpoint", 0, 0x80))),
        ("buffer_length", c_int), ("actual_length", c_int), ("start_frame", c_int), ("count", Count),
        ("error_count", c_int), ("signr", c_uint), ("usercontext", c_uint64),
        ("iso_frame_desc", trailing(IsoPacket, length="number_of_packets", access="w", when=("type", ISO))),
    ]  # fmt: skip


class SetInterface(Structure):
    """struct usbdevfs_setinterface."""

    _fields_ = [("interface", c_uint), ("altsetting", c_uint)]


class GetDriver(Structure):
    """struct usbdevfs_getdriver."""

    _fields_ = [("interface", c_uint), ("driver", c_char * 256)]


class DisconnectSignal(Structure):
    """struct usbdevfs_disconnectsignal."""

    _fields_ = [("signr", c_uint), ("context", c_uint64)]


class ConnectInfo(Structure):
    """struct usbdevfs_connectinfo."""

    _fields_ = [("devnum", c_uint), ("slow", c_uint8)]


class ConnectInfoEx(Structure):
    """struct usbdevfs_conninfo_ex."""

    _fields_ = [
        ("size", c_uint32), ("busnum", c_uint32), ("devnum", c_uint32), ("speed", c_uint32), ("num_ports", c_uint8),
        ("ports", c_uint8 * 7),
    ]  # fmt: skip


class DriverIoctl(Structure):
    """struct usbdevfs_ioctl, with what its data point to left alone."""

    _fields_ = [("ifno", c_int32), ("ioctl_code", c_int32), ("data", c_uint64)]


class DisconnectClaim(Structure):
    """struct usbdevfs_disconnect_claim."""

    _fields_ = [("interface", c_uint), ("flags", c_uint), ("driver", c_char * 256)]


USBDEVFS_CONTROL = IOWR("U", 0, ControlTransfer)
USBDEVFS_BULK = IOWR("U", 2, BulkTransfer)
USBDEVFS_RESETEP = IOR("U", 3, c_uint)
USBDEVFS_SETINTERFACE = IOR("U", 4, SetInterface)
USBDEVFS_SETCONFIGURATION = IOR("U", 5, c_uint)
USBDEVFS_GETDRIVER = IOW("U", 8, GetDriver)
USBDEVFS_SUBMITURB = IOR("U", 10, Urb)
USBDEVFS_DISCARDURB = IO("U", 11)
USBDEVFS_REAPURB = IOW("U", 12, c_uint64)
USBDEVFS_REAPURBNDELAY = IOW("U", 13, c_uint64)
USBDEVFS_DISCSIGNAL = IOR("U", 14, DisconnectSignal)
USBDEVFS_CLAIMINTERFACE = IOR("U", 15, c_uint)
USBDEVFS_RELEASEINTERFACE = IOR("U", 16, c_uint)
USBDEVFS_CONNECTINFO = IOW("U", 17, ConnectInfo)
USBDEVFS_IOCTL = IOWR("U", 18, DriverIoctl)
USBDEVFS_RESET = IO("U", 20)
USBDEVFS_CLEAR_HALT = IOR("U", 21, c_uint)
USBDEVFS_DISCONNECT = IO("U", 22)
USBDEVFS_CONNECT = IO("U", 23)
USBDEVFS_GET_CAPABILITIES = IOR("U", 26, c_uint32)
USBDEVFS_DISCONNECT_CLAIM = IOR("U", 27, DisconnectClaim)
USBDEVFS_DROP_PRIVILEGES = IOW("U", 30, c_uint32)
USBDEVFS_GET_SPEED = IO("U", 31)
USBDEVFS_CONNINFO_EX: Request = IOR("U", 32, sized(c_uint8))
USBDEVFS_FORBID_SUSPEND = IO("U", 33)
USBDEVFS_ALLOW_SUSPEND = IO("U", 34)
USBDEVFS_WAIT_FOR_RESUME = IO("U", 35)


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))

"""USB devices as usbfs gives them, and HID devices as hiddev does: linux/usbdevice_fs.h, linux/hiddev.h"""

from __future__ import annotations

from devshim.known.record import BYTES, address, known, pointer, record, trailing, union, value
from devshim.model.argument import Ctype


def both_ways(length: str, way: str) -> Ctype:
    """Data that goes the way which the highest bit of a member says: set, it comes from the device (USB 2.0, 9.3)."""
    return union(
        data=pointer(BYTES, length=length, access="w", optional=True, when=(way, 0, 0x7F)),
        data_in=pointer(BYTES, length=length, access="r", optional=True, when=(way, 0x80, 0xFF)),
    )


usbdevfs_ctrltransfer = record(
    "usbdevfs_ctrltransfer",
    bRequestType="u8",
    bRequest="u8",
    wValue="u16",
    wIndex="u16",
    wLength="u16",
    timeout="u32",
    _0=both_ways("wLength", "bRequestType"),
)
usbdevfs_bulktransfer = record("usbdevfs_bulktransfer", ep="u32", len="u32", timeout="u32", _0=both_ways("len", "ep"))
usbdevfs_setinterface = record("usbdevfs_setinterface", interface="u32", altsetting="u32")
usbdevfs_getdriver = record("usbdevfs_getdriver", interface="u32", driver="char*256")
usbdevfs_iso_packet_desc = record("usbdevfs_iso_packet_desc", length="u32", actual_length="u32", status="u32")


def urb(**buffer: Ctype) -> Ctype:
    """struct usbdevfs_urb, with what is to be had behind its buffer at one moment."""
    return record(
        "usbdevfs_urb",
        type="u8",
        endpoint="u8",
        status="i32",
        flags="u32",
        _0=union(**buffer),
        buffer_length="i32",
        actual_length="i32",
        start_frame="i32",
        _1=union(number_of_packets="i32", stream_id="u32"),
        error_count="i32",
        signr="u32",
        usercontext=address("type"),
        iso_frame_desc=trailing(usbdevfs_iso_packet_desc, length="number_of_packets", when=("type", 0)),
    )


# What goes to the device, and the head of a control transfer, is there when it is submitted; what the device sent, when
# REAPURB gives the address back.
usbdevfs_urb = urb(
    buffer=pointer(BYTES, length="buffer_length", access="w", optional=True, when=("endpoint", 0, 0x80)),
)
usbdevfs_reaped_urb = urb(
    buffer=pointer(BYTES, length="buffer_length", optional=True, when=("endpoint", 0, 0x80)),
    data_in=pointer(BYTES, length="actual_length", optional=True, when=("endpoint", 0x81, 0xFF)),
)
usbdevfs_reaped = record("", urb=pointer(usbdevfs_reaped_urb, optional=True))
usbdevfs_disconnectsignal = record("usbdevfs_disconnectsignal", signr="u32", context=address("signr"))
usbdevfs_connectinfo = record("usbdevfs_connectinfo", devnum="u32", slow="u8")
usbdevfs_ioctl = record("usbdevfs_ioctl", ifno="i32", ioctl_code="i32", data=address("ifno"))
usbdevfs_hub_portinfo = record("usbdevfs_hub_portinfo", nports="i8", port="char*127")
usbdevfs_disconnect_claim = record("usbdevfs_disconnect_claim", interface="u32", flags="u32", driver="char*256")
usbdevfs_streams = record(
    "usbdevfs_streams", num_streams="u32", num_eps="u32", eps=trailing(BYTES, length="num_eps", access="w")
)
hiddev_devinfo = record(
    "hiddev_devinfo",
    bustype="u32",
    busnum="u32",
    devnum="u32",
    ifnum="u32",
    vendor="i16",
    product="i16",
    version="i16",
    num_applications="u32",
)
hiddev_string_descriptor = record("hiddev_string_descriptor", index="i32", value="char*256")
hiddev_report_info = record("hiddev_report_info", report_type="u32", report_id="u32", num_fields="u32")
hiddev_field_info = record(
    "hiddev_field_info",
    report_type="u32",
    report_id="u32",
    field_index="u32",
    maxusage="u32",
    flags="u32",
    physical="u32",
    logical="u32",
    application="u32",
    logical_minimum="i32",
    logical_maximum="i32",
    physical_minimum="i32",
    physical_maximum="i32",
    unit_exponent="u32",
    unit="u32",
)
hiddev_usage_ref = record(
    "hiddev_usage_ref",
    report_type="u32",
    report_id="u32",
    field_index="u32",
    usage_index="u32",
    usage_code="u32",
    value="i32",
)
hiddev_collection_info = record("hiddev_collection_info", index="u32", type="u32", usage="u32", level="u32")
hiddev_usage_ref_multi = record("hiddev_usage_ref_multi", uref=hiddev_usage_ref, num_values="u32", values="i32*1024")

DESCRIPTIONS = [
    known("USBDEVFS_CONTROL", 0xC0185500, usbdevfs_ctrltransfer),
    known("USBDEVFS_BULK", 0xC0185502, usbdevfs_bulktransfer),
    known("USBDEVFS_RESETEP", 0x80045503, "u32", "w"),
    known("USBDEVFS_SETINTERFACE", 0x80085504, usbdevfs_setinterface, "w"),
    known("USBDEVFS_SETCONFIGURATION", 0x80045505, "u32", "w"),
    known("USBDEVFS_GETDRIVER", 0x41045508, usbdevfs_getdriver, "rw"),
    known("USBDEVFS_SUBMITURB", 0x8038550A, usbdevfs_urb, "rw"),
    known("USBDEVFS_DISCARDURB", 0x550B),  # an address, which says nothing outside of the program
    known("USBDEVFS_REAPURB", 0x4008550C, usbdevfs_reaped, "r", follows=True),
    known("USBDEVFS_REAPURB32", 0x4004550C, "u32", "r"),
    known("USBDEVFS_REAPURBNDELAY", 0x4008550D, usbdevfs_reaped, "r", follows=True),
    known("USBDEVFS_REAPURBNDELAY32", 0x4004550D, "u32", "r"),
    known("USBDEVFS_DISCSIGNAL", 0x8010550E, usbdevfs_disconnectsignal, "w"),
    known("USBDEVFS_CLAIMINTERFACE", 0x8004550F, "u32", "w"),
    known("USBDEVFS_RELEASEINTERFACE", 0x80045510, "u32", "w"),
    known("USBDEVFS_CONNECTINFO", 0x40085511, usbdevfs_connectinfo, "r"),
    known("USBDEVFS_IOCTL", 0xC0105512, usbdevfs_ioctl),
    known("USBDEVFS_HUB_PORTINFO", 0x80805513, usbdevfs_hub_portinfo, "r"),
    known("USBDEVFS_RESET", 0x5514),
    known("USBDEVFS_CLEAR_HALT", 0x80045515, "u32", "w"),
    known("USBDEVFS_DISCONNECT", 0x5516),
    known("USBDEVFS_CONNECT", 0x5517),
    known("USBDEVFS_CLAIM_PORT", 0x80045518, "u32", "w"),
    known("USBDEVFS_RELEASE_PORT", 0x80045519, "u32", "w"),
    known("USBDEVFS_GET_CAPABILITIES", 0x8004551A, "u32", "r"),
    known("USBDEVFS_DISCONNECT_CLAIM", 0x8108551B, usbdevfs_disconnect_claim, "w"),
    known("USBDEVFS_ALLOC_STREAMS", 0x8008551C, usbdevfs_streams, "w"),
    known("USBDEVFS_FREE_STREAMS", 0x8008551D, usbdevfs_streams, "w"),
    known("USBDEVFS_DROP_PRIVILEGES", 0x4004551E, "u32"),
    known("USBDEVFS_GET_SPEED", 0x551F),
    known("USBDEVFS_FORBID_SUSPEND", 0x5521),
    known("USBDEVFS_ALLOW_SUSPEND", 0x5522),
    known("USBDEVFS_WAIT_FOR_RESUME", 0x5523),
    known("HIDIOCGVERSION", 0x80044801, "i32"),
    value("HIDIOCAPPLICATION", 0x4802),
    known("HIDIOCGDEVINFO", 0x801C4803, hiddev_devinfo),
    known("HIDIOCGSTRING", 0x81044804, hiddev_string_descriptor, "rw"),
    known("HIDIOCINITREPORT", 0x4805),
    known("HIDIOCGREPORT", 0x400C4807, hiddev_report_info, "w"),
    known("HIDIOCSREPORT", 0x400C4808, hiddev_report_info),
    known("HIDIOCGREPORTINFO", 0xC00C4809, hiddev_report_info),
    known("HIDIOCGFIELDINFO", 0xC038480A, hiddev_field_info),
    known("HIDIOCGUSAGE", 0xC018480B, hiddev_usage_ref),
    known("HIDIOCSUSAGE", 0x4018480C, hiddev_usage_ref),
    known("HIDIOCGUCODE", 0xC018480D, hiddev_usage_ref),
    known("HIDIOCGFLAG", 0x8004480E, "i32"),
    known("HIDIOCSFLAG", 0x4004480F, "i32"),
    known("HIDIOCGCOLLECTIONINDEX", 0x40184810, hiddev_usage_ref, "w"),
    known("HIDIOCGCOLLECTIONINFO", 0xC0104811, hiddev_collection_info),
    known("HIDIOCGUSAGES", 0xD01C4813, hiddev_usage_ref_multi),
    known("HIDIOCSUSAGES", 0x501C4814, hiddev_usage_ref_multi),
]

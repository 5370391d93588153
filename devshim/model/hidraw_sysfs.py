"""What /sys and udev's database show around a hidraw node: the HID device, where it is plugged, and the links."""

from __future__ import annotations

from devshim.model.attribute import BinaryAttribute
from devshim.model.device import Link
from devshim.model.hidraw_abi import MOST_DESCRIPTOR
from devshim.model.sysfs import Files, lines, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.hidraw import Hidraw

HID_CLASS = 3


def surroundings(device: Hidraw, node: str, major: int, minor: int) -> Files:
    """Files and links around /dev/hidrawN, as hid-core, hidraw and usbcore make them."""
    name = node.rpartition("/")[2]
    usb = device.usb_device()
    found: Files = {}
    above = "/sys/devices/virtual/misc/uhid"
    if usb is not None:
        above, found = usb.interface(device.interface, "usbhid", (HID_CLASS, 0, 0))
        found |= usb.files()
    hid = f"{device.bus:04X}:{device.vendor_id:04X}:{device.product_id:04X}.{device.instance:04X}"
    found |= hid_device(device, above, hid)
    return found | hidraw(f"{above}/{hid}", hid, name, major, minor)


def up(path: str) -> str:
    """From a directory in /sys to /sys: one ".." for each name below it."""
    return "/".join([".."] * path.removeprefix("/sys/").count("/") + [".."])


def hid_device(device: Hidraw, above: str, hid: str) -> Files:
    """The device on the HID bus."""
    here = f"{above}/{hid}"
    alias = f"hid:b{device.bus:04X}g0001v{device.vendor_id:08X}p{device.product_id:08X}"
    uevent = {
        "DRIVER": "hid-generic",
        "HID_ID": f"{device.bus:04X}:{device.vendor_id:08X}:{device.product_id:08X}",
        "HID_NAME": device.name,
        "HID_PHYS": device.physical_path(),
        "HID_UNIQ": device.serial,
        "MODALIAS": alias,
    }
    return {
        f"{here}/uevent": lines(uevent),
        f"{here}/modalias": f"{alias}\n".encode(),
        f"{here}/country": b"00\n",
        f"{here}/report_descriptor": BinaryAttribute(
            lambda offset, size: device.report_descriptor[offset : offset + size], size=MOST_DESCRIPTOR
        ),
        f"{here}/driver": Link(f"{up(here)}/bus/hid/drivers/hid-generic"),
        f"{here}/subsystem": Link(f"{up(here)}/bus/hid"),
        f"/sys/bus/hid/devices/{hid}": Link(f"../../..{here.removeprefix('/sys')}"),
    }


def hidraw(above: str, hid: str, name: str, major: int, minor: int) -> Files:
    """The hidraw device below it, and what leads there."""
    here = f"{above}/hidraw/{name}"
    target = here.removeprefix("/sys")
    return {
        f"{here}/uevent": lines({"MAJOR": major, "MINOR": minor, "DEVNAME": name}),
        f"{here}/dev": f"{major}:{minor}\n".encode(),
        f"{here}/device": Link(f"../../../{hid}"),
        f"{here}/subsystem": Link(f"{up(here)}/class/hidraw"),
        f"/sys/class/hidraw/{name}": Link(f"../..{target}"),
        f"/sys/dev/char/{major}:{minor}": Link(f"../..{target}"),
        f"/run/udev/data/c{major}:{minor}": record(tags=("seat",)),
    }

"""What udev's usb_id and path_id find out about a device on USB (systemd's src/udev/udev-builtin-usb_id.c)."""

from __future__ import annotations

from devshim.model.udev_names import as_name, encoded
from devshim.model.usb_descriptors import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from devshim.model.usb_sysfs import UsbInterface

TYPES = {(3, 1): "kbd", (3, 2): "mouse", (2, 0): "generic", (8, 6): "disk"}


def identity(usb: UsbInterface) -> dict[str, str]:
    """The ID_* properties of whatever hangs below an interface."""
    device = usb.device
    vendor, product = device.manufacturer or f"{device.vendor_id:04x}", device.product or f"{device.product_id:04x}"
    serial = f"{as_name(vendor)}_{as_name(product)}" + (f"_{as_name(device.serial)}" if device.serial else "")
    kind = TYPES.get(usb.kind[:2]) or {3: "hid", 0xE: "video", 1: "audio"}.get(usb.kind[0], "generic")
    plain = {
        "MODEL": as_name(product), "MODEL_ENC": encoded(product), "MODEL_ID": f"{device.product_id:04x}",
        "SERIAL": serial, **({"SERIAL_SHORT": as_name(device.serial)} if device.serial else {}),
        "VENDOR": as_name(vendor), "VENDOR_ENC": encoded(vendor), "VENDOR_ID": f"{device.vendor_id:04x}",
        "REVISION": f"{device.release:04x}", "TYPE": kind,
    }  # fmt: skip
    return {
        "ID_BUS": "usb",
        **{f"ID_{key}": value for key, value in plain.items()},
        **{f"ID_USB_{key}": value for key, value in plain.items()},
        "ID_USB_INTERFACES": interfaces(device.kinds),
        "ID_USB_INTERFACE_NUM": f"{usb.number:02x}",
        "ID_USB_DRIVER": usb.driver,
    }


def interfaces(kinds: Mapping[int, Kind]) -> str:
    """ID_USB_INTERFACES: each kind of interface once."""
    return ":" + "".join("{:02x}{:02x}{:02x}:".format(*kind) for kind in dict.fromkeys(kinds.values()))


def place(usb: UsbInterface) -> dict[str, str]:
    """ID_PATH and its tag: where the device is plugged."""
    path = path_id(usb)
    return {"ID_PATH": path, "ID_PATH_TAG": "".join(sign if sign.isalnum() or sign == "-" else "_" for sign in path)}


def path_id(usb: UsbInterface) -> str:
    """ID_PATH, such as platform-devshim_hcd.0-usb-0:1:1.0."""
    return f"platform-{usb.device.controller}-usb-0:{usb.device.port}:1.{usb.number}"

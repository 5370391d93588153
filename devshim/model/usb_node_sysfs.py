"""What /sys and udev's database show of a USB device that has a node of its own: usbcore's directories."""

from __future__ import annotations

from functools import partial

from devshim.model.attribute import Attribute
from devshim.model.sysfs import Files, lines, on_bus, record
from devshim.model.usb_abi import SPEEDS
from devshim.model.usb_layout import Interface
from devshim.model.usb_sysfs import UsbInterface, UsbPlace
from devshim.model.usb_udev import identity, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.usb import UsbDevice


CHOSEN = ("bConfigurationValue", "bNumInterfaces", "configuration", "bMaxPower", "bmAttributes")


def surroundings(device: UsbDevice) -> Files:
    """The directories of the device and of its interfaces, and what udev knows of it."""
    active = device.active
    first = [one for one in (active.interfaces if active is not None else ()) if not one.alternate]
    texts = device.manufacturer, device.product, device.serial
    usb = UsbPlace(
        device.device_number - 1, device.vendor_id, device.product_id, device.release, *texts, device.bus_number,
        {one.number: one.kind for one in first} or {0: (0, 0, 0)},
    )  # fmt: skip
    found = usb.files()
    path = usb.path
    _, speed, packet = SPEEDS[device.speed]
    version = f"{device.usb_release >> 8:2x}.{device.usb_release & 0xFF:02x}"
    shown = {
        "speed": speed, "version": version, "bMaxPacketSize0": packet,
        "bDeviceClass": f"{device.kind[0]:02x}", "bDeviceSubClass": f"{device.kind[1]:02x}",
        "bDeviceProtocol": f"{device.kind[2]:02x}", "bNumConfigurations": len(device.all_configurations()),
        **chosen(device),
    }  # fmt: skip
    found |= {f"{path}/{name}": f"{value}\n".encode() for name, value in shown.items()}
    if len(device.all_configurations()) > 1:
        found |= {
            f"{path}/{name}": Attribute(partial(lambda one: chosen(device)[one], name)) for name in chosen(device)
        }
    found[f"{path}/descriptors"] = device.device_descriptor() + b"".join(device.configuration_descriptors())
    kind, uevent = "/".join(map(str, device.kind)), found[f"{path}/uevent"]
    assert isinstance(uevent, bytes)
    found[f"{path}/uevent"] = uevent.replace(b"TYPE=0/0/0", f"TYPE={kind}".encode())
    for one in first:
        found |= interface(device, usb, one)
    whole = UsbInterface(usb, 0, "usb", device.kind)
    _, minor = device.numbers(device.node or f"/dev/bus/usb/{usb.bus:03}/{usb.number:03}")
    seen = identity(whole)
    seen |= {
        key: text.removesuffix(end) for (key, text), end in zip(place(whole).items(), (":1.0", "_1_0"), strict=True)
    }
    del seen["ID_USB_INTERFACE_NUM"]
    found[f"/run/udev/data/c{device.major}:{minor}"] = record({**seen, "ID_USB_DRIVER": "usb"})
    return found


def chosen(device: UsbDevice) -> dict[str, object]:
    """The files that depend on the configuration that is chosen."""
    active = device.active
    if active is None:
        return dict.fromkeys(CHOSEN, "")
    count = len({one.number for one in active.interfaces})
    values = active.value, f"{count:2}", active.name, f"{active.milliamperes}mA", f"{active.attributes:02x}"
    return dict(zip(CHOSEN, values, strict=True))


def interface(device: UsbDevice, usb: UsbPlace, one: Interface) -> Files:
    """The directory of an interface, and its links."""
    path = f"{usb.path}/{usb.name}:{device.configuration}.{one.number}"
    of_device = f"usb:v{usb.vendor_id:04X}p{usb.product_id:04X}d{usb.release:04X}" + "dc{:02X}dsc{:02X}dp{:02X}".format(
        *device.kind
    )
    alias = of_device + "ic{:02X}isc{:02X}ip{:02X}".format(*one.kind) + f"in{one.number:02X}"
    uevent = {
        "DEVTYPE": "usb_interface", **({"DRIVER": one.driver} if one.driver else {}), "PRODUCT": usb.triple,
        "TYPE": "/".join(map(str, device.kind)), "INTERFACE": "/".join(map(str, one.kind)), "MODALIAS": alias,
    }  # fmt: skip
    attributes = {
        "bInterfaceNumber": f"{one.number:02x}", "bInterfaceClass": f"{one.kind[0]:02x}",
        "bInterfaceSubClass": f"{one.kind[1]:02x}", "bInterfaceProtocol": f"{one.kind[2]:02x}",
        "bAlternateSetting": f"{one.alternate:2}", "bNumEndpoints": f"{len(one.endpoints):02x}", "authorized": "1",
        "modalias": alias, **({"interface": one.name} if one.name else {}),
    }  # fmt: skip
    found: Files = {f"{path}/{name}": f"{value}\n".encode() for name, value in attributes.items()}
    if device.active is not None and len(device.active.settings(one.number)) > 1:
        found[f"{path}/bAlternateSetting"] = Attribute(lambda: f"{device.settings.get(one.number, 0):2}")
    found[f"{path}/uevent"] = lines(uevent)
    return found | on_bus(path, "usb", one.driver)

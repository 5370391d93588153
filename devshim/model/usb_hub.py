"""What /sys shows of the root hub of one of the run's own USB buses (the kernel's drivers/usb/core/hcd.c, sysfs.c).

Each device of a bus brings its files; what udev goes by comes with the hub's own node, for a hub does not go with what
is plugged into it.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from devshim.model.device import Shared
from devshim.model.sysfs import Files, lines, link, on_bus, with_number
from devshim.model.usb_descriptors import Kind

LINUX = 0x1D6B
USB_MAJOR = 189
HUB: Kind = (9, 0, 0)

#: Of the device, its configuration, its interface, and the endpoint that tells of changes (usb2_rh_dev_descriptor).
DESCRIPTORS = b"".join(
    (
        struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 9, 0, 1, 64, LINUX, 2, 0x0100, 1, 2, 3, 1),
        struct.pack("<BBHBBBBB", 9, 2, 25, 1, 1, 0, 0xE0, 0),
        struct.pack("<9B", 9, 4, 0, 0, 1, *HUB, 0),
        struct.pack("<BBBBHB", 7, 5, 0x81, 3, 4, 12),
    )
)


def hub_texts(controller: str) -> tuple[str, str, str]:
    """Its manufacturer, product and serial number, as usb_add_hcd makes them of the controller's."""
    return "Linux devshim_hcd", "devshim host controller", controller


@lru_cache(maxsize=64)
def root_hub(bus: int, controller: str, ports: int) -> Files:
    """The directories of the hub and of its one interface, and their links on the bus."""
    path = f"/sys/devices/platform/{controller}/usb{bus}"
    interface = f"{path}/{bus}-0:1.0"
    texts = hub_texts(controller)
    hub: dict[str, object] = {
        "idVendor": f"{LINUX:04x}", "idProduct": "0002", "bcdDevice": "0100", "busnum": bus, "devnum": 1, "devpath": 0,
        "speed": 480, "version": " 2.00", "maxchild": ports, "bDeviceClass": "09", "bDeviceSubClass": "00",
        "bDeviceProtocol": "01", "bConfigurationValue": 1, "bNumConfigurations": 1, "bNumInterfaces": " 1",
        "bMaxPacketSize0": 64, "bMaxPower": "0mA", "bmAttributes": "e0", "configuration": "", "rx_lanes": 1,
        "tx_lanes": 1, "authorized": 1, "manufacturer": texts[0], "product": texts[1], "serial": texts[2],
    }  # fmt: skip
    kind: dict[str, object] = {
        "bInterfaceNumber": "00", "bInterfaceClass": "09", "bInterfaceSubClass": "00", "bInterfaceProtocol": "00",
        "bAlternateSetting": " 0", "bNumEndpoints": "01", "authorized": 1,
    }  # fmt: skip
    found: Files = {f"{path}/{name}": Shared(f"{value}\n".encode()) for name, value in hub.items()}
    found |= {f"{interface}/{name}": Shared(f"{value}\n".encode()) for name, value in kind.items()}
    found[f"{path}/descriptors"] = Shared(DESCRIPTORS)
    driver = f"/sys/devices/platform/{controller}/driver"
    found[driver] = link(driver, "/sys/bus/platform/drivers/devshim_hcd")
    return found | on_bus(path, "usb", "usb") | on_bus(interface, "usb", "hub")


def hub_uevents(bus: int, controller: str, minor: int) -> Files:
    """Its device number, and the uevent files of the hub and of its interface."""
    path = f"/sys/devices/platform/{controller}/usb{bus}"
    common = {"PRODUCT": f"{LINUX:x}/2/100", "TYPE": "9/0/1"}
    hub = {"DEVTYPE": "usb_device", "DRIVER": "usb", **common, "BUSNUM": f"{bus:03}", "DEVNUM": "001"}
    alias = f"usb:v{LINUX:04X}p0002d0100dc09dsc00dp01ic09isc00ip00in00"
    interface = {"DEVTYPE": "usb_interface", "DRIVER": "hub", **common, "INTERFACE": "9/0/0", "MODALIAS": alias}
    return {
        **with_number(path, USB_MAJOR, minor, f"bus/usb/{bus:03}/001", hub),
        f"{path}/{bus}-0:1.0/uevent": lines(interface),
        f"{path}/{bus}-0:1.0/modalias": f"{alias}\n".encode(),
    }

"""What /sys shows of a USB device and of one of its interfaces, as usbcore makes it; for whatever hangs below one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devshim.model.device import Link

#: A controller and a bus number that no real machine has.
CONTROLLER, BUS = "devshim_hcd.0", 90
USB_MAJOR = 189
DEVICES_PER_BUS = 128


@dataclass(frozen=True)
class UsbDevice:
    """A USB device at a port of the run's own bus; texts that it does not have are empty."""

    port: int
    vendor_id: int
    product_id: int
    release: int = 0x0100
    manufacturer: str = ""
    product: str = ""
    serial: str = ""

    @property
    def name(self) -> str:
        """What the kernel calls it, such as 90-1."""
        return f"{BUS}-{self.port}"

    @property
    def number(self) -> int:
        """Its device number on the bus; 1 is the root hub."""
        return self.port + 1

    @property
    def path(self) -> str:
        """Its directory in /sys."""
        return f"/sys/devices/platform/{CONTROLLER}/usb{BUS}/{self.name}"

    @property
    def phys(self) -> str:
        """Where it is, as drivers say it (usb_make_path)."""
        return f"usb-{CONTROLLER}-{self.port}"

    def files(self) -> dict[str, bytes | Link]:
        """Its directory, and its link on the bus."""
        minor = (BUS - 1) * DEVICES_PER_BUS + self.number - 1
        named = f"bus/usb/{BUS:03}/{self.number:03}"
        uevent = {
            "MAJOR": USB_MAJOR, "MINOR": minor, "DEVNAME": named, "DEVTYPE": "usb_device", "DRIVER": "usb",
            "PRODUCT": self.triple, "TYPE": "0/0/0", "BUSNUM": f"{BUS:03}", "DEVNUM": f"{self.number:03}",
        }  # fmt: skip
        attributes = {
            "idVendor": f"{self.vendor_id:04x}", "idProduct": f"{self.product_id:04x}",
            "bcdDevice": f"{self.release:04x}", "busnum": BUS, "devnum": self.number, "devpath": self.port,
            "dev": f"{USB_MAJOR}:{minor}", "speed": 12, "version": " 2.00", "maxchild": 0, "bDeviceClass": "00",
            "bDeviceSubClass": "00", "bDeviceProtocol": "00", "bConfigurationValue": 1, "bNumConfigurations": 1,
            "bNumInterfaces": " 1", "removable": "unknown", "manufacturer": self.manufacturer, "product": self.product,
            "serial": self.serial,
        }  # fmt: skip
        found: dict[str, bytes | Link] = {
            f"{self.path}/{name}": f"{value}\n".encode() for name, value in attributes.items() if value != ""
        }
        found[f"{self.path}/uevent"] = lines(uevent)
        found[f"{self.path}/driver"] = Link("../../../../../bus/usb/drivers/usb")
        found[f"{self.path}/subsystem"] = Link("../../../../../bus/usb")
        found[f"/sys/bus/usb/devices/{self.name}"] = Link(f"../../..{self.path.removeprefix('/sys')}")
        return found

    @property
    def triple(self) -> str:
        """PRODUCT= of its uevents."""
        return f"{self.vendor_id:x}/{self.product_id:x}/{self.release:x}"

    def interface(self, number: int, driver: str, kind: tuple[int, int, int]) -> tuple[str, dict[str, bytes | Link]]:
        """The directory of an interface, and what lies in it; kind is its class, subclass and protocol."""
        name = f"{self.name}:1.{number}"
        path = f"{self.path}/{name}"
        of_device = f"usb:v{self.vendor_id:04X}p{self.product_id:04X}d{self.release:04X}dc00dsc00dp00"
        alias = of_device + "ic{:02X}isc{:02X}ip{:02X}".format(*kind) + f"in{number:02X}"
        uevent = {
            "DEVTYPE": "usb_interface", "DRIVER": driver, "PRODUCT": self.triple, "TYPE": "0/0/0",
            "INTERFACE": "/".join(map(str, kind)), "MODALIAS": alias,
        }  # fmt: skip
        attributes = {
            "bInterfaceNumber": f"{number:02x}", "bInterfaceClass": f"{kind[0]:02x}",
            "bInterfaceSubClass": f"{kind[1]:02x}", "bInterfaceProtocol": f"{kind[2]:02x}",
            "bAlternateSetting": " 0", "modalias": alias,
        }  # fmt: skip
        found: dict[str, bytes | Link] = {f"{path}/{name}": f"{value}\n".encode() for name, value in attributes.items()}
        found[f"{path}/uevent"] = lines(uevent)
        found[f"{path}/driver"] = Link(f"../../../../../../bus/usb/drivers/{driver}")
        found[f"{path}/subsystem"] = Link("../../../../../../bus/usb")
        found[f"/sys/bus/usb/devices/{name}"] = Link(f"../../..{path.removeprefix('/sys')}")
        return path, found


def lines(pairs: Mapping[str, object]) -> bytes:
    """KEY=value lines, as uevent files hold them."""
    return "".join(f"{key}={value}\n" for key, value in pairs.items()).encode()

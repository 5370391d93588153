"""What /sys shows of a USB device and of one of its interfaces, as usbcore makes it; for whatever hangs below one."""

from __future__ import annotations

from devshim.model.sysfs import Files, lines, on_bus, record, with_number
from devshim.model.usb_descriptors import NO_REPORTS, Kind, descriptors
from devshim.model.usb_hub import USB_MAJOR, root_hub
from devshim.model.usb_udev import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UsbInterface", "UsbPlace", "lines", "port_of"]

#: The first of the run's own buses, each with a controller of its own, which no real machine has.
BUS = 90
DEVICES_PER_BUS = 128
LOWEST = 1000  # the controllers of buses below BUS, which a user has asked for, are counted from here
PORTS = 100  # of a bus, as far as they are used here

#: Which bus a family's devices are on, counted from BUS; a family with more than PORTS goes on ten buses further.
#: Bus 95 is for whoever has a node below /dev/bus/usb, and says himself where.
FAMILIES = ("hidraw", "ttyUSB", "ttyACM", "input", "whole")


def port_of(family: str, number: int) -> tuple[int, int]:
    """Bus and port of the number-th device of a family, so that no two devices of a run are at one port."""
    return BUS + FAMILIES.index(family) + 10 * (number // PORTS), number % PORTS + 1


VENDORS: Mapping[int, Kind] = {0: (0xFF, 0xFF, 0xFF)}


class UsbPlace:
    """What a USB device is in /sys, and where: at a port of one of the run's own buses; texts that it lacks are empty.

    kinds: class, subclass and protocol of its interfaces, by their number; reports: of HID ones the size of the report
    descriptor.
    """

    def __init__(
        self,
        port: int,
        vendor_id: int,
        product_id: int,
        release: int = 0x0100,
        manufacturer: str = "",
        product: str = "",
        serial: str = "",
        bus: int = BUS,
        kinds: Mapping[int, Kind] = VENDORS,
        reports: Mapping[int, int] = NO_REPORTS,
    ) -> None:
        self.port = port
        self.vendor_id = vendor_id
        self.product_id = product_id
        self.release = release
        self.manufacturer = manufacturer
        self.product = product
        self.serial = serial
        self.bus = bus
        self.kinds = kinds
        self.reports = reports

    @property
    def controller(self) -> str:
        """The platform device of its host controller."""
        return f"devshim_hcd.{self.bus - BUS if self.bus >= BUS else self.bus + LOWEST}"

    @property
    def name(self) -> str:
        """What the kernel calls it, such as 90-1."""
        return f"{self.bus}-{self.port}"

    @property
    def number(self) -> int:
        """Its device number on the bus; 1 is the root hub."""
        return self.port + 1

    @property
    def path(self) -> str:
        """Its directory in /sys."""
        return f"/sys/devices/platform/{self.controller}/usb{self.bus}/{self.name}"

    @property
    def phys(self) -> str:
        """Where it is, as drivers say it (usb_make_path)."""
        return f"usb-{self.controller}-{self.port}"

    def files(self) -> Files:
        """Its directory, and its link on the bus."""
        path = self.path
        minor = (self.bus - 1) * DEVICES_PER_BUS + self.number - 1
        attributes = {
            "idVendor": f"{self.vendor_id:04x}", "idProduct": f"{self.product_id:04x}",
            "bcdDevice": f"{self.release:04x}", "busnum": self.bus, "devnum": self.number, "devpath": self.port,
            "speed": 12, "version": " 2.00", "maxchild": 0, "bDeviceClass": "00",
            "bDeviceSubClass": "00", "bDeviceProtocol": "00", "bConfigurationValue": 1, "bNumConfigurations": 1,
            "bNumInterfaces": f"{len(self.kinds):2}", "removable": "unknown", "authorized": 1,
            "bMaxPacketSize0": 64, "bMaxPower": "100mA", "bmAttributes": "80", "rx_lanes": 1, "tx_lanes": 1,
            "manufacturer": self.manufacturer, "product": self.product, "serial": self.serial,
        }  # fmt: skip
        more = {
            "DEVTYPE": "usb_device", "DRIVER": "usb", "PRODUCT": self.triple, "TYPE": "0/0/0",
            "BUSNUM": f"{self.bus:03}", "DEVNUM": f"{self.number:03}",
        }  # fmt: skip
        found: Files = {f"{path}/{name}": f"{value}\n".encode() for name, value in attributes.items() if value != ""}
        ids = self.vendor_id, self.product_id, self.release
        texts = self.manufacturer, self.product, self.serial
        found[f"{path}/descriptors"] = descriptors(ids, texts, self.kinds, self.reports)
        found[f"{path}/configuration"] = b"\n"
        found |= root_hub(self.bus, self.controller, PORTS)
        found |= with_number(path, USB_MAJOR, minor, f"bus/usb/{self.bus:03}/{self.number:03}", more)
        found |= on_bus(path, "usb", "usb")
        whole = UsbInterface(self, 0, "usb", (0, 0, 0))
        seen = {key: value for key, value in identity(whole).items() if "INTERFACE_NUM" not in key}
        found[f"/run/udev/data/c{USB_MAJOR}:{minor}"] = record({**seen, "ID_USB_DRIVER": "usb"})
        return found

    @property
    def triple(self) -> str:
        """PRODUCT= of its uevents."""
        return f"{self.vendor_id:x}/{self.product_id:x}/{self.release:x}"

    def interface(self, number: int, driver: str, kind: Kind) -> tuple[str, Files]:
        """The directory of an interface, and what lies in it; kind is its class, subclass and protocol."""
        usb = UsbInterface(self, number, driver, kind)
        return usb.path, usb.files()


class UsbInterface:
    """One interface of a USB device, with the driver that has it; kind is its class, subclass and protocol."""

    def __init__(self, device: UsbPlace, number: int, driver: str, kind: Kind) -> None:
        self.device = device
        self.number = number
        self.driver = driver
        self.kind = kind

    @property
    def path(self) -> str:
        """Its directory in /sys."""
        return f"{self.device.path}/{self.device.name}:1.{self.number}"

    @property
    def instance(self) -> int:
        """The number in the name of its HID device, which the kernel counts."""
        return self.device.bus << 12 & 0xF000 | self.device.port << 4 & 0xFF0 | self.number & 0xF

    @property
    def hid(self) -> str:
        """The directory of its HID device."""
        usb = self.device
        return f"{self.path}/0003:{usb.vendor_id:04X}:{usb.product_id:04X}.{self.instance:04X}"

    def files(self) -> Files:
        """Its directory, and its links on the bus."""
        usb, path = self.device, self.path
        of_device = f"usb:v{usb.vendor_id:04X}p{usb.product_id:04X}d{usb.release:04X}dc00dsc00dp00"
        alias = of_device + "ic{:02X}isc{:02X}ip{:02X}".format(*self.kind) + f"in{self.number:02X}"
        uevent = {
            "DEVTYPE": "usb_interface", "DRIVER": self.driver, "PRODUCT": usb.triple, "TYPE": "0/0/0",
            "INTERFACE": "/".join(map(str, self.kind)), "MODALIAS": alias,
        }  # fmt: skip
        attributes = {
            "bInterfaceNumber": f"{self.number:02x}", "bInterfaceClass": f"{self.kind[0]:02x}",
            "bInterfaceSubClass": f"{self.kind[1]:02x}", "bInterfaceProtocol": f"{self.kind[2]:02x}",
            "bAlternateSetting": " 0", "bNumEndpoints": "02", "authorized": "1", "modalias": alias,
        }  # fmt: skip
        found: Files = {f"{path}/{name}": f"{value}\n".encode() for name, value in attributes.items()}
        found[f"{path}/uevent"] = lines(uevent)
        return found | on_bus(path, "usb", self.driver)

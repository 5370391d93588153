"""What /sys and udev show around a serial port: the adapter on USB that it is on, or the chip on the board."""

from __future__ import annotations

import re

from devshim.model.attribute import Attribute
from devshim.model.device import Link
from devshim.model.setting import number_in, text_of
from devshim.model.sysfs import Files, in_class, lines, on_bus, record, with_number
from devshim.model.udev_names import as_name
from devshim.model.usb_sysfs import UsbInterface, UsbPlace, port_of
from devshim.model.usb_udev import identity, path_id, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from devshim.model.companion import Companion
    from devshim.model.serial import Serial

NODE = re.compile(r"/dev/((tty[A-Z]+|rfcomm)(\d+))")

VENDOR_KIND, COMMUNICATION, DATA = (0xFF, 0xFF, 0xFF), (2, 2, 1), (0xA, 0, 0)
#: Drivers by the vendor of an adapter; any other's is usbserial_generic.
DRIVERS = {0x0403: "ftdi_sio", 0x067B: "pl2303", 0x10C4: "cp210x", 0x1A86: "ch341-uart"}
#: What a port is on where the model does not say: an FT232R, and the gadget of a Linux board.
ADAPTERS = {
    "ttyUSB": (0x0403, 0x6001, 0x0600, "FTDI", "FT232R USB UART"),
    "ttyACM": (0x0525, 0xA4A7, 0x0601, "Linux Foundation", "Gadget Serial v2.4"),
}
TAGS = ("systemd", "seat")


def surroundings(device: Serial, node: str, major: int, minor: int) -> Files:
    """Files and links around a serial port; none for a node of another name."""
    match = NODE.fullmatch(node)
    if match is None:
        return {}
    name, family, number = match[1], match[2], int(match[3])
    if family == "ttyUSB":
        return usb_serial(device, name, number, major, minor)
    if family == "ttyACM":
        return cdc_acm(device, name, number, major, minor)
    return on_board(name, family, number, major, minor)


def adapter(device: Serial, family: str, number: int) -> UsbPlace:
    """The USB device that a port belongs to.  Raises ValueError for a usb_id that is none."""
    vendor, product, release, *texts = ADAPTERS[family]
    if device.usb_id:
        match = re.fullmatch(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})", device.usb_id)
        if match is None:
            raise ValueError(f'usb_id="{device.usb_id}": write vendor and product in hex, such as 0403:6015')
        vendor, product, release, texts = int(match[1], 16), int(match[2], 16), 0x0100, ["", ""]
    bus, port = port_of(family, number)
    return UsbPlace(
        port, vendor, product, release,
        device.usb_manufacturer or texts[0], device.usb_product or texts[1], device.usb_serial or f"DS{number:06}",
        bus, {0: COMMUNICATION, 1: DATA} if family == "ttyACM" else {0: VENDOR_KIND},
    )  # fmt: skip


def companions(device: Serial, node: str) -> Mapping[str, Companion]:
    """The node of the USB device that a port belongs to; none for a port on the board."""
    match = NODE.fullmatch(node)
    usb = interface_of(device, match[2], int(match[3])) if match is not None and match[2] in ADAPTERS else None
    if usb is None:
        return {}
    from devshim.model.usb_parent import usb_nodes

    return usb_nodes(device, usb.device, usb.number, usb.driver)


def interface_of(device: Serial, family: str, number: int) -> UsbInterface:
    """The interface of that USB device which the port's driver has."""
    if device._on_usb is not None:
        return device._on_usb
    of = adapter(device, family, number)
    if family == "ttyACM":
        return UsbInterface(of, 0, "cdc_acm", COMMUNICATION)
    return UsbInterface(of, 0, DRIVERS.get(of.vendor_id, "usbserial_generic"), VENDOR_KIND)


def usb_serial(device: Serial, name: str, number: int, major: int, minor: int) -> Files:
    """A converter with a chip of its own: usb-serial has a port between interface and tty."""
    usb = interface_of(device, "ttyUSB", number)
    port = f"{usb.path}/{name}"
    found = usb.device.files() | usb.files() | on_bus(port, "usb-serial", usb.driver)
    found |= {f"{port}/uevent": lines({"DRIVER": usb.driver}), f"{port}/port_number": b"0\n"}
    if usb.driver == "ftdi_sio":
        found[f"{port}/latency_timer"] = latency(device)
    return found | tty(f"{port}/tty/{name}", name, major, minor, usb, "-port0")


def cdc_acm(device: Serial, name: str, number: int, major: int, minor: int) -> Files:
    """A device that is a modem by the standard: two interfaces, the tty on the first."""
    usb = interface_of(device, "ttyACM", number)
    data = UsbInterface(usb.device, usb.number + 1, "cdc_acm", DATA)
    found = usb.device.files() | usb.files() | data.files()
    found[f"{usb.path}/bmCapabilities"] = b"2\n"
    return found | tty(f"{usb.path}/tty/{name}", name, major, minor, usb, "")


def tty(here: str, name: str, major: int, minor: int, usb: UsbInterface, port: str) -> Files:
    """The tty itself, with udev's record and the links by which scripts find it."""
    known = identity(usb)
    links = {
        f"serial/by-path/{path_id(usb)}{port}": f"../../{name}",
        f"serial/by-id/usb-{as_name(known['ID_SERIAL'])}-if{usb.number:02x}{port}": f"../../{name}",
    }
    found = bare_tty(here, name, major, minor)
    found[f"/run/udev/data/c{major}:{minor}"] = record({**known, **place(usb)}, links, TAGS)
    return found | {f"/dev/{path}": Link(to) for path, to in links.items()}


def bare_tty(here: str, name: str, major: int, minor: int) -> Files:
    """A tty's directory, and what leads there."""
    above = here.rpartition("/tty/")[0].rpartition("/")[2]
    return {
        **with_number(here, major, minor, name),
        **in_class(here, "tty"),
        f"{here}/device": Link(f"../../../{above}"),
    }


def on_board(name: str, family: str, number: int, major: int, minor: int) -> Files:
    """A UART of the machine: on ISA, where Plug and Play knows it, or on the chip."""
    if family == "ttyS":
        above = f"/sys/devices/pnp0/00:{0x90 + number:02x}"
        found = on_bus(above, "pnp", "serial")
        found |= {f"{above}/id": b"PNP0501\n", f"{above}/uevent": lines({"DRIVER": "serial"})}
    else:
        above = f"/sys/devices/platform/devshim-{family.lower()}.{number}"
        driver = "uart-pl011" if family == "ttyAMA" else "devshim-uart"
        found = on_bus(above, "platform", driver)
        found |= {f"{above}/uevent": lines({"DRIVER": driver, "MODALIAS": f"platform:{driver}"})}
    here = f"{above}/tty/{name}"
    found |= {f"{here}/line": f"{number}\n".encode(), f"{here}/type": b"4\n", f"{here}/uartclk": b"1843200\n"}
    found[f"/run/udev/data/c{major}:{minor}"] = record({}, (), TAGS)
    return found | bare_tty(here, name, major, minor)


def latency(device: Serial) -> Attribute:
    """FTDI's latency timer, in milliseconds, which programs like to make shorter (ftdi_sio.c)."""

    def store(data: bytes) -> None:
        device.latency_timer = number_in(text_of(data)) & 0xFF

    return Attribute(lambda: device.latency_timer, store)

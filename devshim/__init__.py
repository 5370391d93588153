"""devshim runs your program against devices written in Python; no root, no kernel module, no change to the program.

The public names, one list.  They are imported when first used, so that starting a program costs none of them.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.errors import ConfigError, DevshimError, ModelError, ShimNotBuilt, SpecError, TargetFailed
    from devshim.host.lock import lock
    from devshim.model.attribute import Attribute, BinaryAttribute
    from devshim.model.backlight import Backlight
    from devshim.model.class_device import ClassDevice
    from devshim.model.composite import Composite, Function, UsbComposite
    from devshim.model.ctext import structures
    from devshim.model.device import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, REAL, WAIT, Device, File, Link
    from devshim.model.gpio import ChipLine, GpioChip
    from devshim.model.hidraw import Hidraw, feature
    from devshim.model.hook import array, hook, reference
    from devshim.model.hwmon import Hwmon
    from devshim.model.i2c import I2cBus, I2cChip
    from devshim.model.iio import Iio
    from devshim.model.iio_scan import Scan
    from devshim.model.input import Input
    from devshim.model.input_axes import Axis
    from devshim.model.ioctl import IO, IOR, IOW, IOWR, NewFile, ioctl, pointer, sized, trailing
    from devshim.model.led import Led
    from devshim.model.line import Line
    from devshim.model.opening import opening
    from devshim.model.pwm import PwmChip
    from devshim.model.registers import Block, Register
    from devshim.model.serial import Serial, characters, command, pause
    from devshim.model.setting import Setting, attribute
    from devshim.model.spi import SpiChip
    from devshim.model.spi_frame import instruction
    from devshim.model.stream import Stream
    from devshim.model.timing import every
    from devshim.model.usb import Configuration, Endpoint, Interface, Setup, UsbDevice, control
    from devshim.model.wires import wire
    from devshim.session.plugged import plugged
    from devshim.session.session import Session

__version__ = "0.1.0"

PUBLIC = {
    "devshim.errors": ("ConfigError", "DevshimError", "ModelError", "ShimNotBuilt", "SpecError", "TargetFailed"),
    "devshim.model.attribute": ("Attribute", "BinaryAttribute"),
    "devshim.model.backlight": ("Backlight",),
    "devshim.model.class_device": ("ClassDevice",),
    "devshim.model.composite": ("Composite", "Function", "UsbComposite"),
    "devshim.model.ctext": ("structures",),
    "devshim.model.device": (
        "POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "POLLPRI", "REAL", "WAIT", "Device", "File", "Link",
    ),
    "devshim.model.gpio": ("ChipLine", "GpioChip"),
    "devshim.model.hidraw": ("Hidraw", "feature"),
    "devshim.model.hwmon": ("Hwmon",),
    "devshim.model.hook": ("array", "hook", "reference"),
    "devshim.model.i2c": ("I2cBus", "I2cChip"),
    "devshim.model.iio": ("Iio",),
    "devshim.model.iio_scan": ("Scan",),
    "devshim.model.input": ("Input",),
    "devshim.model.input_axes": ("Axis",),
    "devshim.model.ioctl": ("IO", "IOR", "IOW", "IOWR", "NewFile", "ioctl", "pointer", "sized", "trailing"),
    "devshim.model.led": ("Led",),
    "devshim.model.line": ("Line",),
    "devshim.model.opening": ("opening",),
    "devshim.model.pwm": ("PwmChip",),
    "devshim.model.registers": ("Block", "Register"),
    "devshim.model.serial": ("Serial", "characters", "command", "pause"),
    "devshim.model.setting": ("Setting", "attribute"),
    "devshim.model.spi": ("SpiChip",),
    "devshim.model.spi_frame": ("instruction",),
    "devshim.model.stream": ("Stream",),
    "devshim.model.timing": ("every",),
    "devshim.model.usb": ("Configuration", "Endpoint", "Interface", "Setup", "UsbDevice", "control"),
    "devshim.model.wires": ("wire",),
    "devshim.host.lock": ("lock",),
    "devshim.session.plugged": ("plugged",),
    "devshim.session.session": ("Session",),
}  # fmt: skip

__all__ = [
    "IO", "IOR", "IOW", "IOWR", "POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "POLLPRI", "REAL", "WAIT", "Attribute",
    "Axis", "Backlight", "BinaryAttribute", "Block", "ChipLine", "ClassDevice", "Composite", "ConfigError",
    "Configuration", "Device", "DevshimError", "Endpoint", "File", "Function", "GpioChip", "Hidraw", "Hwmon", "I2cBus",
    "I2cChip", "Iio", "Input", "Interface", "Led", "Line", "Link", "ModelError", "NewFile", "PwmChip", "Register",
    "Scan", "Serial", "Session", "Setting", "Setup", "ShimNotBuilt", "SpecError", "SpiChip", "Stream", "TargetFailed",
    "UsbComposite", "UsbDevice", "array", "attribute", "characters", "command", "control", "every", "feature", "hook",
    "instruction", "ioctl", "lock", "opening", "pause", "plugged", "pointer", "reference", "sized", "structures",
    "trailing", "wire",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for module, names in PUBLIC.items():
        if name in names:
            __import__(module)  # and not importlib, which is dear to import
            value = getattr(sys.modules[module], name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'devshim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

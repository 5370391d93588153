"""All devices of the catalogue plugged together: scandir, glob, ls, find, readlink, realpath and stat tell the same."""

import sys
from pathlib import Path

from harness import run_devshim

from devshim import catalogue, spec

PROGRAM = Path(__file__).with_name("agreeing.py")
NODES = {
    "Serial": "/dev/ttyUSB{}", "I2cChip": "/dev/i2c-{}", "SpiChip": "/dev/spidev{}.0", "GpioChip": "/dev/gpiochip{}",
    "Hidraw": "/dev/hidraw{}", "Input": "/dev/input/event{}", "Hwmon": "/sys/class/hwmon/hwmon{}",
    "Led": "/sys/class/leds/led{}", "Backlight": "/sys/class/backlight/screen{}", "PwmChip": "/sys/class/pwm/pwmchip{}",
    "Iio": "/dev/iio:device{}", "UsbComposite": "/dev/ttyACM{}", "Composite": "/dev/i2c-{}",
    "UsbDevice": "/dev/bus/usb/095/{:03}", "Device": "/dev/odd{}",
}  # fmt: skip
ROOTS = (
    "/sys/bus", "/sys/class", "/sys/dev", "/sys/devices/platform", "/dev/input", "/dev/serial",
    "/run/udev",
)  # fmt: skip


def plugged():
    """Each device of the catalogue, at a node of its family."""
    for number, name in enumerate(sorted(catalogue.names()), 10):
        bases = type(spec.load(spec.parse(f"/dev/any={name}"))).__mro__
        family = next(base.__name__ for base in bases if base.__name__ in NODES)
        yield f"{NODES[family].format(number)}={name}"


def test_every_way_to_look_tells_the_same():
    devices = list(plugged())
    outcome = run_devshim(sys.executable, PROGRAM, *ROOTS, devices=devices, options=["--hide-real"])

    assert outcome.stderr == ""
    *differences, last = outcome.stdout.splitlines()
    assert differences == []
    assert int(last.split()[0]) > 50 * len(devices) / 2

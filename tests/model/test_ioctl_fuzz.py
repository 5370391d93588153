"""Ioctls of every family with pointers into nowhere, odd sizes and unknown flags: an errno, and nothing falls over."""

import sys
from pathlib import Path

import pytest
from harness import run_devshim

PROGRAM = Path(__file__).with_name("fuzz_ioctls.py")
#: What else than EFAULT, EINVAL, ENOTTY and ENOMEM (a size that nobody has room for) each family's driver may say.
FAMILIES = {
    "gpio": ("/dev/gpiochip0=gpio_panel", ["devshim.model.gpio_file:GpioFile"], {"EBUSY", "EPERM", "ENODEV"}),
    "spi": ("/dev/spidev0.0=w25q128", ["devshim.model.spi_file:SpidevFile"], {"EMSGSIZE", "ENOMEM"}),
    "i2c": ("/dev/i2c-1=at24c02", ["devshim.model.i2c_file:I2cFile"], {"ENXIO", "EBUSY", "ENOTSUP", "EIO"}),
    "hidraw": ("/dev/hidraw0=usb_relay", ["devshim.model.hidraw_file:HidrawFile"], {"EPIPE", "ENODATA"}),
    "input": (
        "/dev/input/event0=xbox360", ["devshim.model.input_file:InputFile"],
        {"EBUSY", "ENOENT", "ENOSYS", "ENOSPC", "EACCES", "ENODEV"},
    ),
    "joystick": ("/dev/input/event0=xbox360", ["devshim.model.joystick_file:WithoutAxes"], set()),
    "serial": ("/dev/ttyUSB0=gps", ["devshim.model.serial:Serial"], {"EIO", "EPERM", "EBUSY", "EAGAIN", "EINTR"}),
}  # fmt: skip


#: Where the node that is opened is not the one at which the device is plugged.
BESIDE = {"joystick": "/dev/input/js0"}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_argument_brings_anything_down(family):
    device, classes, errors = FAMILIES[family]

    node = BESIDE.get(family, device.partition("=")[0])
    outcome = run_devshim(
        sys.executable, PROGRAM, node, *classes, devices=[device], options=["--hide-real"], timeout=120
    )

    assert outcome.returncode == 0, outcome.stderr
    answers = set(outcome.stdout.split())
    assert answers <= {"fine", "EFAULT", "EINVAL", "ENOTTY", "ENOMEM"} | errors
    assert "EFAULT" in answers and "fine" in answers
    assert "failed" not in outcome.stderr and "Traceback" not in outcome.stderr

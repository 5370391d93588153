"""What authors of models and tests write, for the type checker (`make lint`): nobody runs this."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import assert_type

import devshim
from devshim import (
    WAIT,
    Axis,
    Device,
    GpioChip,
    Hidraw,
    Hwmon,
    I2cBus,
    I2cChip,
    Input,
    Line,
    Register,
    Serial,
    Session,
    SpiChip,
    attribute,
    command,
    every,
    ioctl,
    pause,
)


class Scale(Serial):
    grams: float = 500.0

    @command("W")
    def weigh(self) -> str:
        return f"{self.grams:.1f} g"

    @command("SLOW")
    def slowly(self) -> Iterator[object]:
        yield pause(0.5)
        yield "done"


class Thermometer(I2cChip):
    address: int = 0x48
    celsius: float = 20.0

    config = Register(0x01, size=2, reset=0x60A0)
    shutdown = config.bit(8)
    rate = config.bits(7, 6)

    @Register(0x00, size=2)
    def temperature(self) -> int:
        return round(self.celsius * 16) << 4

    @config.written
    def configured(self, value: int) -> None:
        self.celsius += value

    @every(1.0)
    def warm(self) -> None:
        self.celsius += 0.1


class Counter(Device):
    start: int = 0

    def read(self, size: int) -> object:
        return WAIT if size == 0 else b"1\n"

    @ioctl(0x80044D01, ctypes.c_uint32, access="r")
    def count(self) -> ctypes.c_uint32:
        return ctypes.c_uint32(self.start)


class Panel(GpioChip):
    button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")

    @button.changed
    def pressed(self, level: int) -> None:
        self.lamp = level


class Fan(Hwmon):
    rpm: int = 900

    @attribute
    def fan1_input(self) -> int:
        return self.rpm

    @attribute("pwm1", mode=0o644)
    def speed(self) -> int:
        return 255


class Pad(Input):
    name = "Pad"


class Nothing(Hidraw):
    pass


class Flash(SpiChip):
    pass


def use() -> None:
    """Plug, run, look."""
    scale = Scale(grams=812.5)
    sensor = Thermometer(address=0x49, celsius=80)
    assert_type(scale.grams, float)
    assert_type(scale.is_open, bool)
    assert_type(sensor.config, int)
    assert_type(sensor.shutdown, bool)
    assert_type(sensor.rate, int)
    assert_type(Thermometer.config, Register)
    sensor.shutdown = True
    panel = Panel()
    panel.button = 1
    with devshim.plugged({"/dev/ttyACM0": scale, "/dev/i2c-1": I2cBus(sensor), "/dev/x": Counter(start=3)}):
        pass
    Fan(rpm=1), Pad(), Nothing(), Flash(), Axis(0, 255)


def test_of_a_user(devshim: Session) -> None:
    sensor = devshim.plug("/dev/i2c-1", Thermometer(celsius=80))
    assert_type(sensor, Thermometer)
    assert devshim.run("i2cget", "-y", "1", "0x48").stdout == "0x14\n"
    devshim.until(lambda: sensor.celsius > 3)
    devshim.clock.step(1.0)
    devshim.unplug("/dev/i2c-1")

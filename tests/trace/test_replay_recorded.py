"""Recorded with a model and replayed without it: the client cannot tell the difference."""

import sys
from pathlib import Path

import pytest
from harness import run_devshim_verb
from recordings import record

MODEM = 'import serial; p = serial.Serial("/dev/ttyUSB0", timeout=1); p.write(b"ATI\\r"); print(p.read(100))'
THERMOMETER = """
import fcntl, os
fd = os.open("/dev/hidraw0", os.O_RDWR); name = bytearray(64); print(fcntl.ioctl(fd, 0x80404804, name), name)
os.write(fd, bytes([0, 1, 0x80, 0x33, 1, 0, 0, 0, 0])); print(os.read(fd, 8))
"""
READ_EEPROM = ("i2ctransfer", "-y", "1", "w1@0x50", "0", "r16")
SENSOR_AND_PANEL = ("sh", "-c", "i2cget -y 1 0x48 0 w; gpioinfo gpiochip0 | head -n 3")
CASES = [
    (["/dev/i2c-1=tmp102"], ("i2cget", "-y", "1", "0x48", "0", "w")),
    (["/dev/i2c-1=tmp102"], ("i2cdetect", "-y", "1")),
    (["/dev/i2c-1=bme280"], ("i2cdump", "-y", "1", "0x76", "b")),
    (["/dev/i2c-1=at24c02"], READ_EEPROM),
    (["/dev/i2c-1=at24c02"], ("i2cset", "-y", "1", "0x50", "3", "0x55")),
    (["/dev/i2c-1=tmp102", "/dev/gpiochip0=gpio_panel"], SENSOR_AND_PANEL),
    (["/dev/gpiochip0=gpio_panel"], ("gpiodetect",)),
    (["/dev/gpiochip0=gpio_panel"], ("gpioget", "gpiochip0", "3", "4")),
    (["/dev/gpiochip0=gpio_panel"], ("gpioset", "gpiochip0", "17=1")),
    (["/dev/ttyUSB0=gps"], ("stty", "-F", "/dev/ttyUSB0", "-a")),
    (["/dev/ttyUSB0=k120"], ("stty", "-F", "/dev/ttyUSB0", "115200", "raw")),
    (["/dev/ttyUSB0=modem"], (sys.executable, "-c", MODEM)),
    (["/dev/ttyUSB0=modem"], ("picocom", "-q", "--exit-after", "300", "-t", "ATI\r", "/dev/ttyUSB0")),
    (["/dev/ttyUSB0=modbus_meter"], ("mbpoll", "-1", "-m", "rtu", "-b", "9600", "-P", "none", "-c", "2", "/dev/ttyUSB0")),
    (["/dev/input/event5=xbox360"], ("evtest", "--query", "/dev/input/event5", "EV_KEY", "BTN_SOUTH")),
    (["/dev/input/event5=gt911"], ("evemu-describe", "/dev/input/event5")),
    (["/dev/spidev0.0=w25q128"], ("flashrom", "-p", "linux_spi:dev=/dev/spidev0.0")),
    (["/dev/spidev0.0=mcp3008"], ("spi-config", "-d", "/dev/spidev0.0", "-q")),
    (["/dev/hidraw0=temper"], (sys.executable, "-c", THERMOMETER)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("devices", "program"),
    CASES,
    ids=[f"{case[0][0].partition('=')[2]}-{case[1][0].rpartition('/')[2]}" for case in CASES],
)
def test_a_client_gets_the_same_from_the_recording(
    devices: list[str], program: tuple[str, ...], tmp_path: Path, client
) -> None:  # type: ignore[no-untyped-def]
    for name in program[0], *(["i2cget", "gpioinfo"] if program is SENSOR_AND_PANEL else []):
        if not name.startswith("/") and name != "sh":
            client(name)
    trace = tmp_path / "case.trace"
    recorded = record(trace, *program, devices=devices, options=["--snapshot"])
    replayed = run_devshim_verb("replay", trace, "--fail-on-unused", "--", *program)
    assert (replayed.stdout, replayed.returncode) == (recorded.stdout, recorded.returncode)
    assert "devshim:" not in replayed.stderr


def test_a_stream_that_its_reader_left_in_the_middle_is_replayed_as_far(tmp_path: Path) -> None:
    trace = tmp_path / "gps.trace"
    program = ("sh", "-c", "head -n 2 /dev/ttyUSB0")
    recorded = record(trace, *program, devices=["/dev/ttyUSB0=gps"])
    replayed = run_devshim_verb("replay", trace, "--", *program)
    assert recorded.stdout.startswith("$GPRMC")
    assert (replayed.stdout, replayed.returncode) == (recorded.stdout, 0)


def test_a_replay_can_be_recorded_and_the_recording_replayed(tmp_path: Path) -> None:
    first, second = tmp_path / "first.trace", tmp_path / "second.trace"
    record(first, *READ_EEPROM, devices=["/dev/i2c-1=at24c02"])
    again = record(second, *READ_EEPROM, devices=[f"/dev/i2c-1={first}"])
    last = run_devshim_verb("replay", second, "--", *READ_EEPROM)
    assert again.stdout == last.stdout != ""

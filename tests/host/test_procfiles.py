"""/proc/devices, /proc/misc and /proc/tty/drivers: what is plugged, among what the machine has."""

import sys
from pathlib import Path

import pytest
from harness import run_devshim

from devshim.devices import Gps
from devshim.session.session import Session

MISC = """from devshim import Device
class Misc(Device):
    major, minor = 10, 130
"""


@pytest.fixture
def devices(tmp_path):
    model = tmp_path / "misc.py"
    model.write_text(MISC)
    return ["/dev/ttyUSB0=gps", "/dev/i2c-1=tmp102", "/dev/gpiochip0=gpio_panel", f"/dev/wonder={model}:Misc"]


def show(*names):
    """A program that prints files of /proc, as found from there."""
    opened = "".join(f"print(open({name!r}).read(), end='');" for name in names)
    return [sys.executable, "-c", f"import os; os.chdir('/proc'); {opened}"]


def lines(outcome):
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def test_majors_and_their_drivers_are_listed_in_their_order(devices):
    found = lines(run_devshim(*show("devices"), devices=devices))

    characters = found[1 : found.index("")]
    assert {"  1 mem", " 10 misc", " 89 i2c", "188 ttyUSB"} <= set(characters)
    assert [line for line in characters if line.endswith(" gpiochip")]
    assert found[0] == "Character devices:" and found[found.index("") + 1] == "Block devices:"
    assert [int(line.split()[0]) for line in characters] == sorted(int(line.split()[0]) for line in characters)


def test_drivers_of_serial_ports_are_listed_with_their_numbers(devices):
    outcome = run_devshim(*show("/proc/tty/drivers"), devices=[*devices, "/dev/ttyACM3=modem"])

    assert "usbserial            /dev/ttyUSB   188 0-511 serial\n" in outcome.stdout
    assert "acm                  /dev/ttyACM   166 0-255 serial\n" in outcome.stdout
    assert outcome.stdout.startswith("/dev/tty             /dev/tty        5       0 system:/dev/tty\n")


def test_misc_devices_are_listed_with_their_minor(devices):
    assert lines(run_devshim(*show("misc"), devices=devices))[0] == "130 wonder"


def test_with_the_machine_hidden_its_drivers_are_hidden_too(devices):
    outcome = run_devshim(*show("devices", "misc", "tty/drivers"), devices=devices, options=["--hide-real"])

    shown = outcome.stdout
    assert {line.split()[1] for line in shown.splitlines() if line[:3].strip().isdigit()} == {
        "mem", "/dev/tty", "/dev/console", "/dev/ptmx", "misc", "i2c", "ptm", "pts", "ttyUSB", "usb_device", "gpiochip",
        "wonder",
    }  # fmt: skip
    assert "/dev/ttyS" not in shown and "Block devices:\n130 wonder\n" in shown


@pytest.mark.skipif(not Path("/proc/bus/input/devices").exists(), reason="this machine has no input devices")
def test_with_the_machine_hidden_its_input_devices_are_hidden_too(devices):
    there = [sys.executable, "-c", "import os\nprint(os.path.exists('/proc/bus/input/devices'))"]
    none = run_devshim(*there, devices=devices, options=["--hide-real"])
    keyboard = ["/dev/input/event4=k120"]
    one = run_devshim(*show("/proc/bus/input/devices"), devices=keyboard, options=["--hide-real"])

    assert lines(none) == ["False"]
    assert [line for line in lines(one) if line.startswith("N:")] == ['N: Name="Logitech USB Keyboard"']


def test_the_files_change_with_what_is_plugged():
    def drivers():
        return Path("/proc/tty/drivers").read_text()

    with Session() as session:
        assert "/dev/ttyACM " not in drivers() or pytest.skip("this machine has such a port")
        gps = session.plug("/dev/ttyACM0", Gps())
        assert "/dev/ttyACM " in drivers()
        gps.unplug()
        assert "/dev/ttyACM " not in drivers()

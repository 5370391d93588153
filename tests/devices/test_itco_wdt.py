"""The chip set's watchdog: what wdctl says of it, what stops it, and when it would reset the machine."""

import os

import pytest
from harness import run_devshim
from tabletop import Tabletop

from devshim.devices import ItcoWdt

NODE = "/dev/watchdog0"

# Of a real one, tests/trace/truth: wdctl-tco; without the pretimeout that newer kernels give each watchdog.
SHOWN = """\
FLAG           DESCRIPTION               STATUS BOOT-STATUS
KEEPALIVEPING  Keep alive ping reply          1           0
MAGICCLOSE     Supports magic close char      0           0
SETTIMEOUT     Set timeout (in seconds)       0           0
"""


@pytest.mark.client("wdctl")
def test_wdctl_sets_and_shows_it():
    outcome = run_devshim("wdctl", "-s", "60", NODE, devices=[f"{NODE}=itco_wdt"], env={"LC_ALL": "C"})

    assert "Identity:      iTCO_wdt [version 0]\nTimeout:       60 seconds\n" in outcome.stdout
    assert outcome.stdout.endswith(SHOWN)
    assert outcome.stderr == ""


def test_a_shell_starts_it_and_stops_it_by_the_magic_character():
    script = "cd /sys/class/watchdog/watchdog0; for text in dog V; do echo $text > /dev/watchdog0; cat state; done"
    outcome = run_devshim("sh", "-c", script, devices=[f"{NODE}=itco_wdt"])

    assert (outcome.stdout, outcome.stderr) == ("active\ninactive\n", "")


def test_old_programs_find_it_under_its_old_name():
    script = "echo V > /dev/watchdog; readlink /dev/watchdog; ls /dev | grep watchdog; cat /sys/class/watchdog/*/state"
    outcome = run_devshim("sh", "-c", script, devices=[f"{NODE}=itco_wdt"])

    assert (outcome.stdout, outcome.stderr) == ("watchdog0\nwatchdog\nwatchdog0\ninactive\n", "")


@pytest.fixture
def dog():
    dog = ItcoWdt(timeout=10)
    dog.table = Tabletop.plug(dog, NODE)
    return dog


def test_it_would_reset_the_machine_unless_it_is_fed(dog):
    dog.open(os.O_WRONLY)
    for _ in range(5):
        dog.table.advance(9)
        dog.write(b"\0")
    assert dog.resets == 0
    dog.table.advance(10)
    assert dog.resets == 1


def test_a_program_that_dies_does_not_stop_it(dog):
    dog.open(os.O_WRONLY)
    dog.close()
    dog.table.advance(10)
    assert dog.resets == 1


def test_the_magic_character_counts_only_in_the_last_write(dog):
    dog.open(os.O_WRONLY)
    dog.write(b"V")
    dog.write(b"\n")
    dog.close()
    assert dog.state == "active"
    dog.open(os.O_WRONLY)
    dog.write(b"xVx")
    dog.close()
    assert dog.state == "inactive"


def test_with_nowayout_nothing_stops_it():
    dog = ItcoWdt(nowayout=True)
    Tabletop.plug(dog, NODE)
    dog.open(os.O_WRONLY)
    dog.write(b"V")
    dog.close()
    assert dog.state == "active"

"""The engine `seccomp`: where a static program is, and what it finds there, is what it would be with the shim in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome

from devshim.cli.seccomp import problem

MODELS = Path(__file__).with_name("models.py")
DEVICES = [f"/dev/hot0={MODELS}:Hot", "/dev/ttyUSB0=gps"]
PORT = "/sys/class/tty/ttyUSB0"

HAND = """
from devshim import Device

class Toy(Device):
    def setup(self):
        Hand.held = self

class Hand(Device):
    held = None
    def write(self, data):
        self.held.unplug() if data == b"0" else self.held.plug()
"""

pytestmark = pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")


def test_a_directory_that_only_the_run_has_is_a_place_to_be(
    program: Callable[..., Path], devshim_run: Callable[..., Outcome]
) -> None:
    with_shim, without = program("whereabouts"), program("whereabouts", "-static")

    wanted = devshim_run(with_shim, "/dev/hot0", PORT, devices=DEVICES)
    found = devshim_run(without, "/dev/hot0", PORT, devices=DEVICES)

    assert found.stdout == wanted.stdout
    assert found.returncode == wanted.returncode == 0
    assert found.stdout.count("dev: 188:0") == 3 and "\n188:0\n" in found.stdout  # the last by a child with the shim


def test_a_link_itself_can_be_held_by_a_descriptor(
    program: Callable[..., Path], devshim_run: Callable[..., Outcome]
) -> None:
    wanted = devshim_run(program("climb"), "/sys/bus/usb/devices/91-1", devices=["/dev/ttyUSB0=gps"])
    found = devshim_run(program("climb", "-static"), "/sys/bus/usb/devices/91-1", devices=["/dev/ttyUSB0=gps"])

    assert found.stdout == wanted.stdout
    assert found.stdout.splitlines()[-1] == "91-1 120000 ../../../devices/platform/devshim_hcd.1/usb91/91-1"


def test_a_watch_hears_of_what_is_plugged_under_the_number_that_it_has(
    program: Callable[..., Path], devshim_run: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "hand.py").write_text(HAND)
    devices = [f"/dev/toy={tmp_path}/hand.py:Toy", f"/dev/hand={tmp_path}/hand.py:Hand"]

    outcome = devshim_run(program("whereabouts", "-static"), "/dev/toy", "/dev/hand", devices=devices)

    heard = "heard 200 toy", "heard 100 toy"
    gone = "inotify_rm_watch(inotify, watch): 0 ", "inotify_rm_watch(inotify, watch): -1 Invalid argument"
    assert outcome.stdout.splitlines() == [*heard, *gone], outcome

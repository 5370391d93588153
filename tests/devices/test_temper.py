"""The TEMPerX stick: its answers, and temper-py, which finds and reads it."""

import sys

import pytest
from harness import run_devshim

from devshim.devices import Temper


class Listening(Temper):
    """A stick whose answers are kept, too."""

    def setup(self):
        self.said = []

    def send_input(self, report):
        self.said.append(report.hex())
        return super().send_input(report)


def ask(stick, command):
    stick.output(bytes.fromhex(command).ljust(8, b"\0"))
    return stick.said


def test_temperature_and_humidity_come_in_hundredths():
    assert ask(Listening(celsius=21.5, humidity=40), "01803301") == ["808008660fa00000", "80014e204e200000"]


def test_below_zero_is_a_negative_number_and_a_probe_is_in_the_second_answer():
    stick = Listening(celsius=-3.25, outer_celsius=-40, outer_humidity=99.99)

    assert ask(stick, "01803301") == ["8080febb0fa00000", "8001f060270f0000"]


def test_the_firmware_comes_in_two_reports():
    assert bytes.fromhex("".join(ask(Listening(), "0186ff01"))) == b"TEMPerX_V3.3    "


def test_other_commands_are_ignored():
    assert ask(Listening(), "01ff") == []


# ---- unmodified programs


def test_temper_py_finds_and_reads_it():
    pytest.importorskip("temper")
    devices = ["/dev/hidraw0=usb_relay", "/dev/hidraw1=temper,celsius=-3.25,humidity=55,outer_celsius=7"]

    outcome = run_devshim(sys.executable, "-m", "temper", devices=devices)

    shown = "Bus 090 Dev 003 413d:2107 TEMPerX_V3.3 -3.25C 26.15F 55% 7.00C 44.60F -\n"
    assert (outcome.stdout, outcome.stderr) == (shown, "")

"""The Raspberry Pi's lines: names, users and pulls as on the board, with gpiod's tools."""

import pytest
from gpioprogram import Program
from harness import run_devshim

from devshim.devices import RaspberryPi4
from devshim.model.gpio_abi import BIAS_PULL_UP, EDGES, INPUT

NODE = "/dev/gpiochip0=raspberry_pi4"


def test_it_has_58_lines_with_the_pulls_of_the_datasheet():
    pi = RaspberryPi4()

    assert len(pi.lines) == 58
    assert [line.level for line in pi.lines[:28]] == [1] * 9 + [0] * 19


def test_a_button_to_ground_is_read_with_the_pull_up_that_the_program_chooses():
    pi = RaspberryPi4()
    program = Program(pi)
    file = program.request(17, flags=INPUT | BIAS_PULL_UP | EDGES)
    assert program.get(file) == 1

    pi.line("GPIO17").value = 0
    assert program.get(file) == 0
    pi.line("GPIO17").value = None
    assert program.get(file) == 1


@pytest.mark.client("gpiodetect", "gpioinfo", "gpiofind")
def test_gpiods_tools_see_the_board():
    outcome = run_devshim("sh", "-c", "gpiodetect; gpiofind GPIO27; gpioinfo gpiochip0", devices=[NODE])

    lines = outcome.stdout.splitlines()
    assert lines[:3] == ["gpiochip0 [pinctrl-bcm2711] (58 lines)", "gpiochip0 27", "gpiochip0 - 58 lines:"]
    assert lines[3].split() == ["line", "0:", '"ID_SDA"', "unused", "input", "active-high"]
    assert lines[45].split() == ["line", "42:", '"STATUS_LED_G_CLK"', '"ACT"', "output", "active-high", "[used]"]
    assert len(lines) == 61


@pytest.mark.client("gpioset")
def test_the_leds_line_is_busy():
    outcome = run_devshim("gpioset", "gpiochip0", "42=1", devices=[NODE])

    assert outcome.returncode == 1
    assert "Device or resource busy" in outcome.stderr


def test_the_device_tree_tells_which_board_it_is():
    tree = "/proc/device-tree"
    asked = f"od -An -tx1 {tree}/system/linux,revision; tr '\\0' '\\n' < {tree}/model; readlink {tree}"

    outcome = run_devshim("sh", "-c", asked, devices=["/dev/gpiochip0=raspberry_pi4,revision=0xc03114"])

    assert outcome.stdout.splitlines() == [
        " 00 c0 31 14",
        "Raspberry Pi 4 Model B Rev 1.4",
        "/sys/firmware/devicetree/base",
    ]

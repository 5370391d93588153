"""The panel: what a test presses a program reads, and what a program drives a test reads; with gpiod's tools."""

import pytest
from gpioprogram import Program, edges
from harness import run_devshim

from devshim.devices import GpioPanel
from devshim.model.gpio_abi import ACTIVE_LOW, EDGES, INPUT, OUTPUT, RISING_EDGE


def test_the_program_drives_the_lamp_and_the_panel_counts_its_flashes():
    panel = GpioPanel()
    program = Program(panel)
    line = program.request(17, flags=OUTPUT)

    for value in (1, 0, 1):
        program.set(line, value)

    assert (panel.lamp, panel.flashes, panel.buzzed) == (1, 2, 0)


def test_a_button_let_go_of_falls_back_to_its_resistor():
    panel = GpioPanel()

    panel.button = panel.stop = 1
    assert [panel.lines[offset].level for offset in (3, 4)] == [1, 0]
    panel.button = panel.stop = None

    assert [panel.lines[offset].level for offset in (3, 4)] == [0, 1]
    assert (panel.button, panel.stop) == (0, 0)


def test_the_stop_button_is_1_to_a_program_that_knows_it_is_active_low():
    panel = GpioPanel()
    program = Program(panel)
    file = program.request(4, flags=INPUT | ACTIVE_LOW | EDGES)

    panel.stop = 1

    assert edges(file) == [(RISING_EDGE, 4, 1, 1)]
    assert program.get(file) == 1


def test_the_button_presses_itself_where_asked_to():
    panel = GpioPanel(press_every=0.5)
    program = Program(panel)
    file = program.request(3, flags=INPUT | EDGES)

    program.table.advance(1.6)

    assert len(edges(file)) == 3


@pytest.mark.client("gpiomon", "gpiofind", "gpioset", "gpioget")
def test_gpiods_tools_find_watch_and_drive_it():
    script = """
        gpiofind LAMP
        gpiomon --num-events=2 --format=%e $(gpiofind BUTTON)
        gpioset gpiochip0 17=1; gpioget gpiochip0 17
        gpioset gpiochip0 18=1; gpioget gpiochip0 18
    """

    outcome = run_devshim("sh", "-c", script, devices=["/dev/gpiochip0=gpio_panel,press_every=0.05"])

    found, *events, lamp = outcome.stdout.splitlines()
    assert (found, sorted(events), lamp) == ("gpiochip0 17", ["0", "1"], "1")
    assert outcome.stderr == "gpioget: error reading GPIO values: Input/output error\n"  # a buzzer is no input

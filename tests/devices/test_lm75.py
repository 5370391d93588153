"""The LM75B: steps and ends of its register, and what sensors shows."""

import pytest
from harness import run_devshim

from devshim.devices import Lm75


@pytest.mark.parametrize(("celsius", "shown"), [(25.0, 25000), (25.06, 25000), (25.1, 25125), (200, 125000)])
def test_temperatures_come_in_eighths_of_a_degree(celsius, shown):
    assert Lm75(celsius=celsius).temp1_input == shown


@pytest.mark.client("sensors")
def test_sensors_shows_it_with_its_limits():
    shown = run_devshim("sensors", devices=["/sys/class/hwmon/hwmon0=lm75,celsius=31"]).stdout

    assert "temp1:        +31.0°C  (high = +80.0°C, hyst = +75.0°C)" in shown

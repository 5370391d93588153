"""The NCT6775F: steps of its registers, alarms, and a fan that follows its PWM."""

import pytest

from devshim.devices import Nct6775


@pytest.mark.parametrize(("celsius", "shown"), [(38.0, 38000), (38.2, 38000), (38.3, 38500), (-5.5, -5500)])
def test_temperatures_come_in_steps_of_half_a_degree(celsius, shown):
    assert Nct6775(celsius=celsius).temp1_input == shown


def test_voltages_come_in_steps_of_8_mv():
    assert Nct6775(vcore=1.101).in0_input == 1104


def test_alarms_follow_the_limits():
    board = Nct6775(celsius=85)

    assert (board.temp1_alarm, board.in0_alarm, board.fan1_alarm) == (True, False, False)
    board.temp1_max, board.in0_max, board.fan1_min = 90000, 1000, 3000
    assert (board.temp1_alarm, board.in0_alarm, board.fan1_alarm) == (False, True, True)


def test_the_fan_runs_at_full_speed_unless_it_is_controlled():
    board = Nct6775()
    board.pwm1 = 51

    assert board.fan1_input == 480
    board.pwm1_enable = 0
    assert board.fan1_input == 2400

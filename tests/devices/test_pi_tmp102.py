"""A TMP102 whose ALERT pin is a line of a Raspberry Pi: the threshold that a program sets ends another one's wait."""

import pytest
from harness import run_devshim

from devshim.devices import PiTmp102


@pytest.mark.client("gpiomon", "i2cset", "i2cget")
def test_a_threshold_below_the_temperature_pulls_the_line():
    script = """
        coproc gpiomon --num-events=1 --falling-edge --format=%o gpiochip0 4
        while [ "$(gpioinfo gpiochip0 | grep -c 'GPIO4.*gpiomon')" = 0 ]; do :; done
        i2cset -y 1 0x48 3 0x0014 w
        read -u ${COPROC[0]} line; echo edge on $line
        gpioget gpiochip0 4
    """

    outcome = run_devshim("bash", "-c", script, devices=["/dev/i2c-1=pi_tmp102,celsius=30"])

    assert outcome.stdout.splitlines() == ["edge on 4", "0"]


@pytest.mark.client("i2cdetect")
def test_the_adapter_is_the_pis():
    outcome = run_devshim("i2cdetect", "-l", devices=["/dev/i2c-1=pi_tmp102"], options=["--hide-real"])

    assert outcome.stdout.split("\t")[2].strip() == "bcm2835 (i2c@7e804000)"


def test_the_pin_is_an_open_drain_of_either_polarity():
    board = PiTmp102(celsius=90)
    sensor, line = board.sensor, board.header.line("GPIO4")

    assert (sensor.alert, line.value) == (False, 1)
    sensor.convert()
    assert (sensor.alert, line.value) == (True, 0)
    sensor.polarity = 1
    sensor.configured()
    assert (sensor.alert, line.value) == (True, 1)

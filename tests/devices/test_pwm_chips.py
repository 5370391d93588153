"""The PWM chips of the catalogue: PCA9685 and the Raspberry Pi 4's."""

from harness import run_devshim

INVALID = "bash: line 1: echo: write error: Invalid argument"


def shell(script, device):
    outcome = run_devshim("bash", "-c", f"exec 2>&1; cd /sys/class/pwm/pwmchip0; {script}", devices=[device])
    return outcome.stdout.split("\n")[:-1]


def channel(number, period, duty=0):
    """Commands that export a channel and turn it on."""
    values = {"period": period, "duty_cycle": duty, "enable": 1}
    return f"echo {number} > export;" + "".join(f"echo {value} > pwm{number}/{name};" for name, value in values.items())


def test_the_outputs_of_a_pca9685_share_their_period():
    device = "/sys/class/pwm/pwmchip0=pca9685"
    servo = channel(0, 20_000_000, 1_500_000)

    assert shell(f"cat npwm; {servo} {channel(1, 20_000_000)} cat pwm*/enable", device) == ["17", "1", "1"]
    assert shell(f"{servo} {channel(1, 10_000_000)} cat pwm*/enable", device) == [INVALID, "1", "0"]
    assert shell(f"{channel(0, 1000)} cat pwm0/enable", device) == [INVALID, "0"]


def test_the_counter_of_a_raspberry_pi_has_32_bits():
    device = "/sys/class/pwm/pwmchip0=bcm2711_pwm"

    assert shell(f"cat npwm; {channel(1, 1_000_000, 250_000)} cat pwm1/duty_cycle", device) == ["2", "250000"]
    assert shell("echo 0 > export; echo 90000000000 > pwm0/period; cat pwm0/period", device) == [INVALID, "0"]

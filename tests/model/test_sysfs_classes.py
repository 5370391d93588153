"""hwmon, leds, backlight, pwm and iio: what programs find and set in /sys."""

import sys

import pytest
from harness import run_devshim

from devshim import Backlight, Led, PwmChip

IIO = """
from devshim import Iio, Setting, attribute


class Adc(Iio):
    chip = "mcp3208"
    volts: float = 1.65
    in_voltage_scale = Setting("0.805664062")
    sampling = Setting(1000, 1, 100000, file="sampling_frequency")

    @attribute
    def in_voltage0_raw(self):
        return round(self.volts / 3.3 * 4096)
"""


def shell(script, *devices):
    outcome = run_devshim("bash", "-c", script, devices=devices)
    assert outcome.stderr == "", outcome.stderr
    return outcome.stdout.splitlines()


@pytest.mark.client("sensors")
def test_sensors_shows_a_chip_and_what_a_program_does_to_it():
    lines = shell("sensors; echo 100 > /sys/class/hwmon/hwmon0/pwm1; sensors", "/sys/class/hwmon/hwmon0=nct6775")

    first, second = "\n".join(lines).split("nct6775-isa-0290\nAdapter: ISA adapter\n")[1:]
    assert "SYSTIN:       +38.0°C  (high = +80.0°C)" in first
    assert "Vcore:         1.10 V  (min =  +0.00 V, max =  +1.74 V)" in first
    assert "fan1:        2400 RPM" in first
    assert "fan1:         941 RPM" in second


def test_a_chip_sits_below_a_platform_device_with_a_driver():
    lines = shell(
        "cd /sys/class/hwmon/hwmon4; readlink device/subsystem device/driver; cat name device/uevent; pwd -P",
        "/sys/class/hwmon/hwmon4=nct6775",
    )

    assert lines == [
        "../../../bus/platform", "../../../bus/platform/drivers/nct6775",
        "nct6775", "DRIVER=nct6775", "MODALIAS=platform:nct6775",
        "/sys/devices/platform/nct6775.656/hwmon/hwmon4",
    ]  # fmt: skip


def test_a_light_is_switched_with_echo_and_triggers_with_their_files():
    lines = shell(
        "cd /sys/class/leds/ACT; cat trigger; echo none > trigger; echo 5 > brightness; cat brightness max_brightness;"
        "ls delay* 2>&1; echo timer > trigger; echo 100 > delay_on; cat delay_on delay_off;"
        "echo 0 > brightness; ls; cat trigger",
        "/sys/class/leds/ACT=pi_act_led",
    )

    rest = "timer oneshot heartbeat backlight default-on input panic"
    assert lines == [
        f"none {rest} [mmc0]", "1", "1", "ls: cannot access 'delay*': No such file or directory", "100", "500",
        "brightness", "device", "max_brightness", "subsystem", "trigger", "uevent", f"[none] {rest} mmc0",
    ]  # fmt: skip


def test_a_light_tells_its_class_and_knows_its_triggers():
    heard = []

    class Lamp(Led):
        def changed(self):
            heard.append((self.level, self.trigger))

    lamp = Lamp(max_brightness=10)
    lamp.set_brightness("20")
    lamp.set_trigger("default-on")
    lamp.set_brightness("0")

    assert heard == [(10, "none"), (10, "default-on"), (0, "none")]
    for wrong in (lambda: lamp.set_trigger("rainbow"), lambda: lamp.set_brightness("-1"), lambda: Led(trigger="x")):
        with pytest.raises(ValueError, match=r"trigger|brightness"):
            wrong()


def test_a_backlight_refuses_more_than_it_has(tmp_path):
    model = tmp_path / "panel.py"
    model.write_text("from devshim import Backlight\nclass Panel(Backlight):\n    pass\n")

    outcome = run_devshim(
        "bash", "-c",
        "cd /sys/class/backlight/panel; cat type; echo 40 > brightness; cat actual_brightness; echo 4 > bl_power;"
        "cat brightness actual_brightness; echo 300 > brightness || cat max_brightness",
        devices=[f"/sys/class/backlight/panel={model}"],
    )  # fmt: skip

    assert outcome.stdout.split() == ["raw", "40", "40", "0", "255"]
    assert "Invalid argument" in outcome.stderr


def test_a_backlight_tells_its_class():
    heard = []

    class Panel(Backlight):
        def changed(self):
            heard.append((self.level, self.actual_brightness))

    panel = Panel()
    panel.set_brightness("7")
    panel.bl_power = 4
    panel.power_set()

    assert heard == [(7, 7), (7, 0)]


def test_a_pwm_channel_is_exported_set_and_given_back(tmp_path):
    model = tmp_path / "chip.py"
    model.write_text("from devshim import PwmChip\nclass Chip(PwmChip):\n    number_of_channels: int = 2\n")
    script = """
        cd /sys/class/pwm/pwmchip0; cat npwm; ls -d pwm?; echo 1 > export; ls -d pwm?; echo 1 > export
        cd pwm1; echo 1 > enable; echo 20000000 > period; echo 1500000 > duty_cycle; echo 1 > enable
        echo 30000000 > duty_cycle; echo inversed > polarity; cat period duty_cycle enable polarity
        cd ..; echo 1 > unexport; ls -d pwm?; echo 7 > export
    """

    outcome = run_devshim("bash", "-c", script, devices=[f"/sys/class/pwm/pwmchip0={model}"], env={"LC_ALL": "C"})

    assert outcome.stdout.split() == ["2", "pwm1", "20000000", "1500000", "1", "normal"]
    errors = [line.rpartition(": ")[2] for line in outcome.stderr.splitlines()]
    assert errors == [
        "No such file or directory", "Device or resource busy", "Invalid argument", "Invalid argument",
        "Invalid argument", "No such file or directory", "No such device",
    ]  # fmt: skip


def test_a_pwm_chip_says_what_its_channels_do():
    chip = PwmChip(number_of_channels=1)
    channel = chip.channels[0]
    channel.period, channel.duty_cycle, channel.enabled = 1000, 250, True

    assert channel.duty == 0.25
    chip.export(b"0\n", True)
    chip.export(b"0\n", False)
    assert channel.duty == 0


def test_a_converter_is_found_on_the_iio_bus(tmp_path):
    model = tmp_path / "adc.py"
    model.write_text(IIO)
    script = """
        cd /sys/bus/iio/devices/iio:device0; cat name in_voltage0_raw in_voltage_scale dev
        echo 500 > sampling_frequency; cat sampling_frequency; ls -l /dev/iio:device0 | cut -c1; cat uevent
    """

    lines = shell(script, f"/dev/iio:device0={model}")

    assert lines == [
        "mcp3208", "2048", "0.805664062", "512:0", "500", "c",
        "MAJOR=512", "MINOR=0", "DEVNAME=iio:device0", "DEVTYPE=iio_device",
    ]  # fmt: skip


def test_a_device_at_the_wrong_place_is_refused_in_one_line():
    outcome = run_devshim(sys.executable, "-c", "", devices=["/dev/red=pi_act_led"])

    assert outcome.returncode == 2
    assert "a PiActLed is plugged at /sys/class/leds/NAME" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1

"""The lights of the catalogue: PCA9633, the Touch Display's and a laptop's."""

import pytest
from harness import run_devshim


def shell(script, device):
    outcome = run_devshim("bash", "-c", f"exec 2>&1; {script}", devices=[device])
    return outcome.stdout.split("\n")[:-1]


def test_a_pca9633_output_has_256_steps():
    script = "cd /sys/class/leds/*:red:*; echo 99 > brightness; cat brightness max_brightness; echo 999 > brightness"

    assert shell(f"{script}; cat brightness", "/sys/class/leds/board:red:status=pca9633") == ["99", "255", "255"]


@pytest.mark.parametrize(
    ("name", "model", "most"),
    [("10-0045", "rpi_touch_display", "255"), ("intel_backlight", "intel_backlight", "96000")],
)
def test_a_screen_is_dimmed_and_blanked(name, model, most):
    script = (
        f"cd /sys/class/backlight/{name}; cat max_brightness type; echo 7 > brightness; cat actual_brightness;"
        "echo 4 > bl_power; cat actual_brightness; echo 99999 > brightness"
    )

    assert shell(script, f"/sys/class/backlight/{name}={model}") == [
        most, "raw", "7", "0", "bash: line 1: echo: write error: Invalid argument",
    ]  # fmt: skip

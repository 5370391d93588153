"""The light of the Raspberry Pi Touch Display (7 inches).  Source: rpi-panel-attiny-regulator.c of Linux."""

from devshim import Backlight


class RpiTouchDisplay(Backlight):
    """256 steps, full after reset: `-d /sys/class/backlight/10-0045=rpi_touch_display`."""

    usual_node = "/sys/class/backlight/10-0045"

    max_brightness: int = 255

    platform, driver = "10-0045", "rpi_touchscreen_attiny"

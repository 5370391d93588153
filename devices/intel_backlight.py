"""The panel's light of an Intel laptop.  Source: drivers/gpu/drm/i915/display/intel_backlight.c of Linux."""

from devshim import Backlight


class IntelBacklight(Backlight):
    """As many steps as the PWM's period has clocks: `-d /sys/class/backlight/intel_backlight=intel_backlight`."""

    usual_node = "/sys/class/backlight/intel_backlight"

    level: int = 48000
    max_brightness: int = 96000     # 24 MHz at 250 Hz

    platform, driver = "intel-lpss.0", "i915"

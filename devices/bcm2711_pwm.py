"""The PWM block of a Raspberry Pi 4.  Source: BCM2711 ARM Peripherals, chapter 8; pwm-bcm2835.c of Linux."""

import errno

from devshim import PwmChip

CLOCK = 54_000_000      # Hz: the oscillator, as bcm2711.dtsi sets it


class Bcm2711Pwm(PwmChip):
    """Two channels, GPIO18 and GPIO19 of the header: `-d /sys/class/pwm/pwmchip0=bcm2711_pwm`."""

    number_of_channels: int = 2

    platform, driver = "fe20c000.pwm", "bcm2835-pwm"

    def changed(self, channel: int) -> None:
        """The counter has 32 bits, and needs two clocks (bcm2835_pwm_apply)."""
        this = self.channels[channel]
        if this.period and not 2 <= this.period * CLOCK // 1_000_000_000 < 1 << 32:
            this.period = this.duty_cycle = 0
            raise OSError(errno.EINVAL, "a period that the counter cannot have")

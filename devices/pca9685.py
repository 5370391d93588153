"""NXP PCA9685: sixteen PWM outputs of one period.  Datasheet: PCA9685 rev. 4.  Driver: pwm-pca9685.c."""

import errno

from devshim import PwmChip

SHORTEST, LONGEST = 656_000, 41_943_040     # nanoseconds: prescale 3 to 255 of the 25 MHz oscillator (7.3.5)


class Pca9685(PwmChip):
    """Servos and lights: `-d /sys/class/pwm/pwmchip0=pca9685`.  Channel 16 drives all others."""

    number_of_channels: int = 17

    platform, driver = "pca9685-pwm.0", "pca9685-pwm"

    def changed(self, channel: int) -> None:
        """The outputs share their period: a second one that is on cannot have another (pca9685_pwm_apply)."""
        this = self.channels[channel]
        if not this.enabled:
            return
        others = {other.period for other in self.channels if other.enabled and other is not this}
        if not SHORTEST <= this.period <= LONGEST or others - {this.period}:
            this.enabled = False
            raise OSError(errno.EINVAL, f"a period of {this.period} ns, where others have {others or 'none'}")

"""NXP LM75B, a thermometer with a limit.  Datasheet: LM75B rev. 6.1.  Driver: Documentation/hwmon/lm75.rst."""

from devshim import Hwmon, Setting, attribute


class Lm75(Hwmon):
    """One temperature, in steps of an eighth of a degree: `-d /sys/class/hwmon/hwmon0=lm75,celsius=31`."""

    celsius: float = 25.0

    chip = "lm75"

    temp1_max = Setting(80000, -55000, 125000, clamp=True)         # Tos and Thyst after reset (table 5)
    temp1_max_hyst = Setting(75000, -55000, 125000, clamp=True)
    update_interval = Setting(100, 100, 100, clamp=True)           # milliseconds that a conversion takes

    @attribute
    def temp1_input(self) -> int:
        return max(-55000, min(125000, round(self.celsius * 8) * 125))

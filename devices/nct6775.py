"""Nuvoton NCT6775F, a PC mainboard's hardware monitor.  Source: Documentation/hwmon/nct6775.rst of the Linux kernel."""

from devshim import Hwmon, Setting, attribute


class Nct6775(Hwmon):
    """Two temperatures, two voltages, and a fan that follows its PWM: `-d /sys/class/hwmon/hwmon0=nct6775`."""

    celsius: float = 38.0          # of the board
    cpu_celsius: float = 47.5
    vcore: float = 1.104           # volts
    full_speed: int = 2400         # of the fan, in rotations a minute

    chip = "nct6775"
    platform = "nct6775.656"       # the I/O port 0x290, by which libsensors names it
    labels = {"temp1": "SYSTIN", "temp2": "CPUTIN", "in0": "Vcore"}

    pwm1 = Setting(255, 0, 255)
    pwm1_enable = Setting(1, 0, 5)  # 0: full speed; 1: manual; the others follow a temperature
    fan1_min = Setting(0, 0, clamp=True)
    temp1_max = Setting(80000, clamp=True, low=-128000, high=127000)
    temp2_max = Setting(80000, clamp=True, low=-128000, high=127000)
    in0_min = Setting(0, 0, 2040, clamp=True)      # 8 mV a step, 8 bits
    in0_max = Setting(1744, 0, 2040, clamp=True)

    @attribute
    def temp1_input(self) -> int:
        return round(self.celsius * 2) * 500       # half a degree is the register's step

    @attribute
    def temp2_input(self) -> int:
        return round(self.cpu_celsius * 2) * 500

    @attribute
    def temp1_alarm(self) -> bool:
        return self.temp1_input > self.temp1_max

    @attribute
    def in0_input(self) -> int:
        return round(self.vcore * 125) * 8

    @attribute
    def in0_alarm(self) -> bool:
        return not self.in0_min <= self.in0_input <= self.in0_max

    @attribute
    def fan1_input(self) -> int:
        duty = 255 if self.pwm1_enable == 0 else self.pwm1
        return self.full_speed * duty // 255

    @attribute
    def fan1_alarm(self) -> bool:
        return self.fan1_input < self.fan1_min

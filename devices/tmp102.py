"""TI TMP102 temperature sensor.  Datasheet: SBOS397."""

from devshim import I2cChip, Register, every


class Tmp102(I2cChip):
    """A thermometer with two thresholds, for a chip at 0x48 to 0x4b (ADD0 pin)."""

    address: int = 0x48
    celsius: float = 21.5   # what the room really is

    addressing, byteorder = "pointer", "big"
    address_mask = 0x03     # the pointer register has two bits

    config = Register(0x01, size=2, reset=0x60A0, writable=0x9FD0)
    t_low  = Register(0x02, size=2, reset=0x4B00)  # 75 °C
    t_high = Register(0x03, size=2, reset=0x5000)  # 80 °C

    one_shot  = config.bit(15)
    faults    = config.bits(12, 11)
    polarity  = config.bit(10)
    interrupt = config.bit(9)
    shutdown  = config.bit(8)
    rate      = config.bits(7, 6)
    alert_bit = config.bit(5)
    extended  = config.bit(4)

    alert = False           # the ALERT pin is active, whatever its polarity
    over = False            # the comparator: above t_high, and not yet below t_low again
    streak = 0              # conversions in a row that ask for the other state
    steps = 0               # the last conversion, in 1/16 °C

    def setup(self) -> None:
        self.measure()

    @property
    def period(self) -> float:
        """Seconds between conversions, by CR1 and CR0."""
        return (4, 1, 0.25, 0.125)[self.rate]

    @Register(0x00, size=2, access="r")
    def temperature(self) -> int:
        """Left-justified: 12 bits, or 13 and a 1 in the lowest place."""
        if not self.shutdown:
            self.measure()
        return (self.steps << 3 | 1) & 0xFFFF if self.extended else (self.steps << 4) & 0xFFFF

    def measure(self) -> None:
        most = 0xFFF if self.extended else 0x7FF
        self.steps = max(-most - 1, min(most, round(self.celsius * 16)))

    @config.written
    def configured(self) -> None:
        asked, self.one_shot = self.one_shot, False
        self.show_alert()
        if asked and self.shutdown:
            self.after(0.026, self.finish)

    def finish(self) -> None:
        """A one-shot conversion ends; the bit says so until the next write (Conversion Ready)."""
        self.convert()
        self.one_shot = True

    @every(seconds="period")
    def tick(self) -> None:
        if not self.shutdown:
            self.convert()

    def convert(self) -> None:
        """Measure, and change the comparator after as many faults in a row as the program asked for (F1, F0)."""
        self.measure()
        crossed = self.steps < self.limit(self.t_low) if self.over else self.steps >= self.limit(self.t_high)
        self.streak = self.streak + 1 if crossed else 0
        if self.streak >= (1, 2, 4, 6)[self.faults]:
            self.over, self.streak = not self.over, 0
            self.alert = self.over or self.interrupt
            self.show_alert()

    def limit(self, register: int) -> int:
        """A threshold in 1/16 °C; it is aligned as the temperature is."""
        signed = register - 0x10000 if register & 0x8000 else register
        return signed >> (3 if self.extended else 4)

    def show_alert(self) -> None:
        """AL follows the comparator, not the pin's mode."""
        self.alert_bit = self.over if self.polarity else not self.over

    def read(self, size: int) -> object:
        if self.interrupt:
            self.alert = False
        return super().read(size)

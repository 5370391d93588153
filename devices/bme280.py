"""Bosch BME280 humidity, pressure and temperature sensor.  Datasheet: BST-BME280-DS002."""

import struct
from bisect import bisect_left

from devshim import Block, I2cChip, Register

# Trimming values, of which each chip has its own (4.2.2).
T = T1, T2, T3 = 27504, 26435, -1000
P = P1, P2, P3, P4, P5, P6, P7, P8, P9 = 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000
H1, H2, H3, H4, H5, H6 = 75, 362, 0, 313, 50, 30
H = H2, H3, H4 >> 4, H4 & 0xF | H5 << 4 & 0xF0, H5 >> 4, H6

SLEEP, NORMAL = 0, 3
SKIPPED = 0x800000          # what the data registers hold before, and for what is not measured (5.4.7)


class Bme280(I2cChip):
    """A weather sensor whose raw data give these values back through the datasheet's formulas."""

    address: int = 0x76
    celsius: float = 21.5
    humidity: float = 45.0  # percent
    hPa: float = 1013.25

    addressing, byteorder = "auto-increment", "big"
    undeclared = 0x00

    trimming = Block(0x88, reset=struct.pack("<HhhHhhhhhhhhxB", *T, *P, H1), access="r")
    chip_id  = Register(0xD0, reset=0x60, access="r")
    trimmed  = Block(0xE1, reset=struct.pack("<hBBBBb", *H), access="r")

    ctrl_hum  = Register(0xF2, writable=0x07)
    status    = Register(0xF3, access="r")
    ctrl_meas = Register(0xF4)
    config    = Register(0xF5, writable=0xFD)

    raw_pressure    = Register(0xF7, size=3, reset=SKIPPED, access="r")
    raw_temperature = Register(0xFA, size=3, reset=SKIPPED, access="r")
    raw_humidity    = Register(0xFD, size=2, reset=SKIPPED >> 8, access="r")

    osrs_h = ctrl_hum.bits(2, 0)
    osrs_t, osrs_p, mode = ctrl_meas.bits(7, 5), ctrl_meas.bits(4, 2), ctrl_meas.bits(1, 0)
    measuring = status.bit(3)

    humidity_samples = 0    # osrs_h counts only after a write to ctrl_meas (5.4.3)

    @Register(0xE0)
    def reset(self) -> int:
        return 0x00

    @reset.written
    def restart(self, value: int) -> None:
        if value == 0xB6:
            self.reset_registers()
            self.humidity_samples = 0

    @ctrl_meas.written
    def start(self) -> None:
        self.humidity_samples = self.osrs_h
        if self.mode not in (SLEEP, NORMAL):
            self.measuring = True
            self.after(self.duration(), self.finish)

    def finish(self) -> None:
        """A forced measurement ends, and the chip sleeps again (3.3.3)."""
        if self.measuring:
            self.measure()
            self.measuring, self.mode = False, SLEEP

    def duration(self) -> float:
        """Seconds that a measurement takes (9.1, typical)."""
        settings = self.osrs_t, self.osrs_p, self.humidity_samples
        t, p, h = (1 << min(setting, 5) - 1 if setting else 0 for setting in settings)
        return (1 + 2 * t + (2 * p + 0.5) * bool(p) + (2 * h + 0.5) * bool(h)) / 1000

    def measure(self) -> None:
        """Find the raw data that the program will turn into our values."""
        t = bisect_left(range(1 << 20), self.celsius * 100, key=lambda raw: (t_fine(raw) * 5 + 128) >> 8)
        fine = t_fine(t)
        p = bisect_left(range(1 << 20), -self.hPa * 25600, key=lambda raw: -pressure(raw, fine))
        h = bisect_left(range(1 << 16), self.humidity * 1024, key=lambda raw: humidity(raw, fine))
        self.raw_temperature = min(t, 0xFFFFF) << 4 if self.osrs_t else SKIPPED
        self.raw_pressure = min(p, 0xFFFFF) << 4 if self.osrs_p else SKIPPED
        self.raw_humidity = min(h, 0xFFFF) if self.humidity_samples else SKIPPED >> 8

    def read(self, size: int) -> object:
        """A burst sees data of one measurement (4.1)."""
        if self.mode == NORMAL:
            self.measure()
        return super().read(size)

    def write(self, data: bytes) -> None:
        """A program writes pairs of address and value; there is no auto-increment (6.2.1)."""
        for at in range(0, len(data), 2):
            super().write(data[at : at + 2])


def t_fine(raw: int) -> int:
    """4.2.3: five hundredths of it are the temperature in 1/128 hundredths of °C."""
    a, b = (raw >> 3) - (T1 << 1), (raw >> 4) - T1
    return (a * T2 >> 11) + ((b * b >> 12) * T3 >> 14)


def pressure(raw: int, fine: int) -> int:
    """4.2.3: in 1/256 Pa."""
    a = fine - 128000
    b = a * a * P6 + (a * P5 << 17) + (P4 << 35)
    a = ((1 << 47) + (a * a * P3 >> 8) + (a * P2 << 12)) * P1 >> 33
    p = ((1048576 - raw << 31) - b) * 3125 // a
    return (p + (P9 * (p >> 13) * (p >> 13) >> 25) + (P8 * p >> 19) >> 8) + (P7 << 4)


def humidity(raw: int, fine: int) -> int:
    """4.2.3: in 1/1024 percent; the program cuts it to 0 to 100."""
    a = fine - 76800
    slope = ((a * H6 >> 10) * ((a * H3 >> 11) + 32768) >> 10) + 2097152
    b = ((raw << 14) - (H4 << 20) - H5 * a + 16384 >> 15) * (slope * H2 + 8192 >> 14)
    return b - (((b >> 15) * (b >> 15) >> 7) * H1 >> 4) >> 12

"""TI ADS1015: a converter of 12 bits with four inputs and a programmable range, as the kernel's ti-ads1015 shows it.

Datasheet: SBAS473E.  Driver: drivers/iio/adc/ti-ads1015.c.
"""

from devshim import Iio, Scan, Setting, attribute

RANGE = 2.048               # volts at full scale after reset (table 8-3)
RATES = ("128", "250", "490", "920", "1600", "2400", "3300")


class Ads1015(Iio):
    """Four voltages against ground; the model has 12 bits with a sign."""

    volts0: float = 0.5
    volts1: float = 1.0
    volts2: float = 1.5
    volts3: float = 2.0

    chip = "ads1015"
    scan = (
        *(Scan(f"in_voltage{number}", "le:s12/16>>4", index=number + 4) for number in range(4)),
        Scan("in_timestamp", "le:s64/64>>0", index=8),
    )

    sampling_frequency = Setting("1600", choices=RATES)

    def raw(self, volts: float) -> int:
        """Counts of full scale / 2048, and no further than the ends (8.5.3)."""
        return max(-2048, min(2047, round(volts / RANGE * 2048)))

    @attribute
    def in_voltage0_raw(self): return self.raw(self.volts0)
    @attribute
    def in_voltage1_raw(self): return self.raw(self.volts1)
    @attribute
    def in_voltage2_raw(self): return self.raw(self.volts2)
    @attribute
    def in_voltage3_raw(self): return self.raw(self.volts3)
    @attribute
    def in_voltage_scale(self): return f"{RANGE / 2048 * 1000:.9f}"
    @attribute
    def sampling_frequency_available(self): return " ".join(RATES)
    @attribute
    def scale_available(self): return "3.000000000 2.000000000 1.000000000 0.500000000 0.250000000 0.125000000"

"""Analog Devices ADXL345: acceleration in three axes.  Datasheet: rev. G.  Driver: adxl345_core.c."""

from devshim import Iio, Scan, Setting, attribute

G = 9.80665
SCALE = 0.038245934             # m/s² a count at full resolution, 3.9 mg (table 1), as the driver shows it
RATES = ("0.097656", "0.195312", "0.390625", "0.78125", "1.5625", "3.125", "6.25", "12.5", "25", "50", "100", "200",
         "400", "800", "1600", "3200")


class Adxl345(Iio):
    """Lies flat and still: one g along z.  `-d /dev/iio:device0=adxl345,x=0.5`, in g."""

    x: float = 0.0
    y: float = 0.0
    z: float = 1.0

    chip = "adxl345"
    scan = (
        *(Scan(f"in_accel_{axis}", "le:s13/16>>0", index) for index, axis in enumerate("xyz")),
        Scan("in_timestamp", "le:s64/64>>0"),
    )

    in_accel_sampling_frequency = Setting("100", choices=RATES)
    in_accel_scale = Setting(f"{SCALE:.6f}", choices=(f"{SCALE:.6f}",))
    in_accel_x_calibbias = Setting(0, -128, 127)
    in_accel_y_calibbias = Setting(0, -128, 127)
    in_accel_z_calibbias = Setting(0, -128, 127)

    def counts(self, g: float, bias: int) -> int:
        """Counts, with the offset register at 15.6 mg a step (table 20), within the range of 16 g."""
        return max(-4096, min(4095, round(g * G / SCALE) + 4 * bias))

    @attribute
    def in_accel_x_raw(self): return self.counts(self.x, self.in_accel_x_calibbias)
    @attribute
    def in_accel_y_raw(self): return self.counts(self.y, self.in_accel_y_calibbias)
    @attribute
    def in_accel_z_raw(self): return self.counts(self.z, self.in_accel_z_calibbias)
    @attribute
    def sampling_frequency_available(self): return " ".join(RATES)

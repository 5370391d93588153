"""The device of the kernel's iio_dummy driver, as the transcripts met it."""

from devshim import Iio, Scan, Setting


class Refiio(Iio):
    chip = "refiio"
    scan = (
        Scan("in_voltage0", "le:u13/16>>0"),
        Scan("in_voltage1-voltage2", "le:s12/16>>0"),
        Scan("in_voltage3-voltage4", "le:s11/16>>0"),
        Scan("in_accel_x", "le:s16/16>>0"),
        Scan("in_timestamp", "le:s64/64>>0"),
    )

    in_voltage0_offset = Setting(7)
    in_voltage0_raw = Setting(73)
    in_voltage0_scale = Setting("0.001333", choices=("0.001333",))
    first_difference = Setting(33, file="in_voltage1-voltage2_raw")
    second_difference = Setting(-34, file="in_voltage3-voltage4_raw")
    difference_scale = Setting("0.000001344", file="in_voltage-voltage_scale")
    in_accel_x_calibbias = Setting(-7)
    in_accel_x_calibscale = Setting("0.000100", choices=("0.000100", "0.733000", "733.000000"))
    in_accel_x_raw = Setting(34)
    in_activity_walking_input = Setting(4)
    in_activity_running_input = Setting(98)
    in_steps_calibheight = Setting(0)
    in_steps_en = Setting(0)
    in_steps_input = Setting(47)
    in_sampling_frequency = Setting("3.000000033")
    out_voltage0_raw = Setting(0)

    def trigger_files(self, here, name):
        return {}



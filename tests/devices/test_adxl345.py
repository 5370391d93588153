"""The ADXL345: counts of acceleration, its offset registers, and the buffer."""

import struct

import pytest
from harness import run_devshim

from devshim.devices import Adxl345


def test_one_g_is_256_counts_of_3_9_mg():
    assert [getattr(Adxl345(x=0.5), f"in_accel_{axis}_raw") for axis in "xyz"] == [128, 0, 256]


def test_an_offset_step_is_four_counts():
    chip = Adxl345()
    chip.in_accel_z_calibbias = -64

    assert chip.in_accel_z_raw == 0


@pytest.mark.client("iio_readdev")
@pytest.mark.client("xxd")
def test_iio_readdev_reads_all_axes():
    script = "iio_readdev -b 4 -s 8 adxl345 accel_x accel_y accel_z | xxd -p"
    outcome = run_devshim("bash", "-c", script, devices=["/dev/iio:device0=adxl345,y=-1"])

    assert list(struct.iter_unpack("<3h", bytes.fromhex(outcome.stdout))) == [(0, -256, 256)] * 8

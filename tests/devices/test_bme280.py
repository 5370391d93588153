"""The BME280: its raw data give the weather back, through the datasheet's other, floating-point formulas."""

import struct
import sys

import pytest
from harness import run_devshim
from hypothesis import given, settings
from hypothesis import strategies as st
from i2cprogram import burst, opened, smbus
from tabletop import Tabletop

from devshim.devices import Bme280
from devshim.model.i2c_abi import BYTE_DATA


def put(file, register, value):
    smbus(file, 0, BYTE_DATA, register, bytes([value]))


def compensated(file):
    """Celsius, percent, hPa: the datasheet's floating-point formulas (8.1), from the trimming values on the chip."""
    t1, t2, t3, *p = struct.unpack("<HhhHhhhhhhhh", burst(file, 0x88, 24))
    h1 = burst(file, 0xA1, 1)[0]
    h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", burst(file, 0xE1, 7))
    h4, h5 = e4 << 4 | e5 & 0xF, e6 << 4 | e5 >> 4
    data = burst(file, 0xF7, 8)
    raw_p, raw_t = (int.from_bytes(data[at : at + 3], "big") >> 4 for at in (0, 3))
    raw_h = int.from_bytes(data[6:], "big")

    x = raw_t / 131072 - t1 / 8192
    fine = (raw_t / 16384 - t1 / 1024) * t2 + x * x * t3
    a = fine / 2 - 64000
    b = (a * a * p[5] / 32768 + a * p[4] * 2) / 4 + p[3] * 65536
    c = (1 + (p[2] * a * a / 524288 + p[1] * a) / 524288 / 32768) * p[0]
    pressure = (1048576 - raw_p - b / 4096) * 6250 / c
    pressure += (p[8] * pressure * pressure / 2147483648 + pressure * p[7] / 32768 + p[6]) / 16
    d = fine - 76800
    humidity = raw_h - (h4 * 64 + h5 / 16384 * d)
    humidity *= h2 / 65536 * (1 + h6 / 67108864 * d * (1 + h3 / 67108864 * d))
    humidity *= 1 - h1 * humidity / 524288
    return fine / 5120, humidity, pressure / 100


def start(file, mode, humidity=1):
    put(file, 0xF2, humidity)
    put(file, 0xF4, 0x24 | mode)


def test_it_says_what_it_is():
    assert burst(opened(Bme280()), 0xD0, 1) == b"\x60"


def test_before_the_first_measurement_the_data_are_the_skipped_values():
    assert burst(opened(Bme280()), 0xF7, 8).hex() == "8000008000008000"


@settings(max_examples=50, deadline=None)
@given(celsius=st.floats(-40, 85), humidity=st.floats(0, 100), hpa=st.floats(300, 1100))
def test_the_datasheets_formulas_give_the_parameters_back(celsius, humidity, hpa):
    file = opened(Bme280(celsius=celsius, humidity=humidity, hPa=hpa))

    start(file, 3)

    assert compensated(file) == (
        pytest.approx(celsius, abs=0.02),
        pytest.approx(humidity, abs=0.1),
        pytest.approx(hpa, abs=0.05),
    )


def test_a_forced_measurement_takes_its_time_and_ends_asleep():
    chip = Bme280(celsius=30)
    file = opened(chip)
    table = Tabletop.plug(file.device)

    start(file, 1)
    assert burst(file, 0xF3, 1) == b"\x08"
    table.advance(0.007)
    assert burst(file, 0xFA, 3) == b"\x80\0\0"
    table.advance(0.001)
    assert burst(file, 0xF3, 2) == b"\x00\x24"
    assert compensated(file)[0] == pytest.approx(30, abs=0.02)

    chip.celsius = 10
    assert compensated(file)[0] == pytest.approx(30, abs=0.02)


def test_in_normal_mode_the_data_follow():
    chip = Bme280(celsius=30)
    file = opened(chip)

    start(file, 3)
    chip.celsius = 10

    assert compensated(file)[0] == pytest.approx(10, abs=0.02)


def test_what_is_not_sampled_is_skipped():
    file = opened(Bme280())

    put(file, 0xF4, 0x23)

    data = burst(file, 0xF7, 8).hex()
    assert data[:6] == "800000"
    assert data[12:] == "8000"
    assert data[6:12] != "800000"


def test_the_humidity_setting_counts_after_a_write_to_ctrl_meas():
    file = opened(Bme280())
    put(file, 0xF4, 0x27)

    put(file, 0xF2, 1)
    assert burst(file, 0xFD, 2) == b"\x80\0"
    put(file, 0xF4, 0x27)
    assert burst(file, 0xFD, 2) != b"\x80\0"


def test_a_write_is_pairs_of_address_and_value():
    chip = Bme280()
    file = opened(chip)

    file.write(b"\xf2\x05\xf5\xa0\xf4\x27")

    assert (chip.ctrl_hum, chip.config, chip.ctrl_meas) == (5, 0xA0, 0x27)


def test_the_reset_word_resets_and_nothing_else_does():
    chip = Bme280()
    file = opened(chip)
    start(file, 3)

    put(file, 0xE0, 0x11)
    assert chip.mode == 3
    put(file, 0xE0, 0xB6)
    assert burst(file, 0xF2, 11).hex() == "00" * 5 + "800000800000"
    assert burst(file, 0xE0, 1) == b"\0"


def test_trimming_values_and_the_identity_cannot_be_written():
    file = opened(Bme280())
    before = burst(file, 0x88, 26)

    file.write(b"\x88\x00\xd0\x00")

    assert burst(file, 0x88, 26) == before
    assert burst(file, 0xD0, 1) == b"\x60"


# ---- unmodified programs


@pytest.mark.client("i2cget")
def test_i2cget_reads_its_identity():
    outcome = run_devshim("i2cget", "-y", "1", "0x77", "0xd0", devices=["/dev/i2c-1=bme280,address=0x77"])

    assert (outcome.stdout, outcome.returncode) == ("0x60\n", 0)


@pytest.mark.client("i2ctransfer")
def test_i2ctransfer_reads_the_skipped_values():
    outcome = run_devshim("i2ctransfer", "-y", "1", "w1@0x76", "0xf7", "r8", devices=["/dev/i2c-1=bme280"])

    assert outcome.stdout == "0x80 0x00 0x00 0x80 0x00 0x00 0x80 0x00\n"


def test_the_driver_from_pypi_reads_the_weather():
    pytest.importorskip("bme280")
    pytest.importorskip("smbus2")
    program = (
        "import bme280, smbus2; bus = smbus2.SMBus(1); "
        "data = bme280.sample(bus, 0x76, bme280.load_calibration_params(bus, 0x76)); "
        "print(f'{data.temperature:.1f} {data.humidity:.1f} {data.pressure:.1f}')"
    )
    devices = ["/dev/i2c-1=bme280,celsius=-3.5,humidity=81,hPa=987.6"]

    outcome = run_devshim(sys.executable, "-c", program, devices=devices)

    assert (outcome.stdout, outcome.returncode) == ("-3.5 81.0 987.6\n", 0)

"""The TMP102: what its registers say, and what unmodified programs read from it."""

import sys

import pytest
from harness import run_devshim
from i2cprogram import burst, opened, smbus
from tabletop import Tabletop

from devshim.devices import Tmp102
from devshim.model.i2c import I2cBus
from devshim.model.i2c_abi import WORD_DATA


def temperature(file):
    """What a driver does with the temperature register."""
    return int.from_bytes(burst(file, 0, 2), "big", signed=True) / 256


def configure(file, value):
    smbus(file, 0, WORD_DATA, 1, value.to_bytes(2, "big"))


@pytest.mark.parametrize(
    ("celsius", "register"),
    [
        (127.9375, "7ff0"),
        (100, "6400"),
        (80, "5000"),
        (0.25, "0040"),
        (0, "0000"),
        (-0.25, "ffc0"),
        (-25, "e700"),
        (-55, "c900"),
    ],
)
def test_temperatures_are_coded_as_in_the_datasheets_table(celsius, register):
    assert burst(opened(Tmp102(celsius=celsius)), 0, 2).hex() == register


@pytest.mark.parametrize(("celsius", "register"), [(150, "4b01"), (100, "3201"), (0.25, "0021"), (-55, "e481")])
def test_extended_mode_has_13_bits_and_a_1_at_the_end(celsius, register):
    file = opened(Tmp102(celsius=celsius))

    configure(file, 0x60B0)

    assert burst(file, 0, 2).hex() == register


def test_what_cannot_be_coded_stops_at_the_end_of_the_range():
    chip = Tmp102(celsius=1000)
    file = opened(chip)

    assert burst(file, 0, 2) == b"\x7f\xf0"
    chip.celsius = -1000
    assert burst(file, 0, 2) == b"\x80\x00"


def test_registers_have_their_reset_values():
    file = opened(Tmp102())

    assert [burst(file, register, 2).hex() for register in (1, 2, 3)] == ["60a0", "4b00", "5000"]


def test_the_pointer_has_two_bits():
    assert burst(opened(Tmp102()), 0xF1, 2) == b"\x60\xa0"


def test_resolution_and_alert_bits_cannot_be_written():
    chip = Tmp102()

    configure(opened(chip), 0x0000)

    assert chip.config == 0x6020


def test_shutdown_holds_the_last_temperature_until_a_one_shot_conversion_is_over():
    chip = Tmp102(celsius=20)
    file = opened(chip)
    table = Tabletop.plug(file.device)

    configure(file, 0x61A0)
    chip.celsius = 30
    assert temperature(file) == 20
    assert chip.shutdown

    configure(file, 0xE1A0)
    assert not chip.one_shot
    table.advance(0.025)
    assert temperature(file) == 20
    table.advance(0.001)
    assert temperature(file) == 30
    assert chip.one_shot


def test_the_alert_follows_the_thresholds_with_hysteresis():
    chip = Tmp102(celsius=79)
    table = Tabletop.plug(I2cBus(chip))
    states = []
    for chip.celsius in (79, 80, 76, 75, 74):
        table.advance(0.25)
        states.append((chip.alert, chip.alert_bit))

    assert states == [(False, True), (True, False), (True, False), (True, False), (False, True)]


def test_the_alert_waits_for_as_many_faults_as_were_asked_for():
    chip = Tmp102(celsius=90)
    file = opened(chip)
    configure(file, 0x68A0)
    table = Tabletop.plug(file.device)

    table.advance(0.25)
    assert not chip.alert
    table.advance(0.25)
    assert chip.alert


def test_in_interrupt_mode_a_read_clears_the_alert():
    chip = Tmp102(celsius=90)
    file = opened(chip)
    configure(file, 0x62A0)
    table = Tabletop.plug(file.device)

    table.advance(0.25)
    assert chip.alert
    temperature(file)
    assert not chip.alert
    table.advance(1)
    assert not chip.alert
    chip.celsius = 20
    table.advance(0.25)
    assert chip.alert


def test_the_conversion_rate_sets_the_pace():
    chip = Tmp102(celsius=90)
    file = opened(chip)
    configure(file, 0x6060)
    table = Tabletop.plug(file.device)

    table.advance(0.9)
    assert not chip.alert
    table.advance(0.1)
    assert chip.alert


# ---- unmodified programs


@pytest.mark.client("i2cget")
def test_i2cget_reads_the_temperature():
    outcome = run_devshim("i2cget", "-y", "1", "0x48", "0", "w", devices=["/dev/i2c-1=tmp102,celsius=21.5"])

    assert (outcome.stdout, outcome.returncode) == ("0x8015\n", 0)


@pytest.mark.client("i2cdetect")
def test_i2cdetect_finds_it_at_the_address_it_was_given():
    outcome = run_devshim("i2cdetect", "-y", "1", devices=["/dev/i2c-1=tmp102,address=0x49"])

    assert "40: -- -- -- -- -- -- -- -- -- 49 -- --" in outcome.stdout
    assert outcome.returncode == 0


@pytest.mark.client("i2cset", "i2cget")
def test_i2cset_changes_a_threshold_and_reads_it_back():
    outcome = run_devshim("i2cset", "-y", "-r", "1", "0x48", "3", "0x0032", "w", devices=["/dev/i2c-1=tmp102"])

    assert outcome.stdout == "Value 0x0032 written, readback matched\n"


@pytest.mark.client("i2ctransfer")
def test_i2ctransfer_reads_it_in_one_transfer():
    outcome = run_devshim("i2ctransfer", "-y", "1", "w1@0x48", "0x01", "r2", devices=["/dev/i2c-1=tmp102"])

    assert (outcome.stdout, outcome.returncode) == ("0x60 0xa0\n", 0)


@pytest.mark.client("i2cdump")
def test_i2cdump_sees_four_registers_over_and_over():
    devices = ["/dev/i2c-1=tmp102,celsius=80"]

    outcome = run_devshim("i2cdump", "-y", "-r", "0-7", "1", "0x48", "w", devices=devices)

    assert outcome.stdout.splitlines()[1].split() == ["00:", *["0050", "a060", "004b", "0050"] * 2]


def test_smbus2_reads_it():
    pytest.importorskip("smbus2")
    program = "import smbus2; print(smbus2.SMBus(1).read_i2c_block_data(0x48, 0, 2))"

    outcome = run_devshim(sys.executable, "-c", program, devices=["/dev/i2c-1=tmp102,celsius=-25"])

    assert (outcome.stdout, outcome.returncode) == ("[231, 0]\n", 0)


def test_a_second_chip_joins_the_bus():
    pytest.importorskip("smbus2")
    program = "import smbus2; bus = smbus2.SMBus(1); print([bus.read_byte_data(at, 0) for at in (0x48, 0x49)])"
    devices = ["/dev/i2c-1=tmp102,celsius=10", "/dev/i2c-1=tmp102,address=0x49,celsius=20"]

    outcome = run_devshim(sys.executable, "-c", program, devices=devices)

    assert outcome.stdout == "[10, 20]\n"

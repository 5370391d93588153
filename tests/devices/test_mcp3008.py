"""The MCP3008: what its ten bits say, however the program frames them."""

import sys

import pytest
from harness import run_devshim

from devshim.devices import Mcp3008
from devshim.model.spi_abi import Transfer


def exchange(chip, *sent):
    """One frame of full-duplex transfers; what came back, joined."""
    return b"".join(chip.message([Transfer(part, len(part)) for part in sent]))


def convert(chip, channel, single=True):
    """The usual three bytes: a start bit, then what to convert, then eight clocks more."""
    answer = exchange(chip, bytes([1, (8 if single else 0) + channel << 4, 0]))
    return int.from_bytes(answer, "big") & 0x3FF


@pytest.mark.parametrize(("volts", "code"), [(0, 0), (1.65, 512), (3.2968, 1023), (3.3, 1023), (9, 1023), (-1, 0)])
def test_codes_are_those_of_the_datasheet(volts, code):
    assert convert(Mcp3008(ch3=volts), 3) == code


def test_each_channel_is_its_own():
    chip = Mcp3008(vref=1.024, **{f"ch{number}": number / 10 + 0.0005 for number in range(8)})

    assert [convert(chip, number) for number in range(8)] == [number * 100 for number in range(8)]


def test_pairs_are_measured_against_each_other():
    chip = Mcp3008(vref=1.024, ch2=0.3005, ch3=0.1)

    assert convert(chip, 2, single=False) == 200
    assert convert(chip, 3, single=False) == 0


def test_leading_zeros_shift_the_answer():
    chip = Mcp3008(ch0=1.65)

    assert exchange(chip, b"\x01\x80\x00") == b"\x00\x02\x00"
    assert exchange(chip, b"\x00\x01\x80\x00") == b"\x00\x00\x02\x00"
    assert exchange(chip, b"\x06\x00\x00") == b"\x00\x08\x00"


def test_a_frame_may_be_cut_anywhere():
    chip = Mcp3008(ch0=3.3)

    assert exchange(chip, b"\x01", b"\x80", b"\x00") == b"\x00\x03\xff"


def test_clocking_on_brings_the_bits_again_with_the_lowest_first_and_then_zeros():
    chip = Mcp3008(vref=1.024, ch0=0.6875)  # 687 is 10 1010 1111

    assert exchange(chip, b"\x01\x80\0\0\0\0").hex() == "0002af" + f"{0b1110101010000000:04x}" + "00"


def test_without_a_start_bit_it_says_nothing():
    assert exchange(Mcp3008(ch0=3.3), bytes(4)) == bytes(4)


# ---- unmodified programs


def test_spidev_reads_it():
    pytest.importorskip("spidev")
    program = """
import spidev
spi = spidev.SpiDev(0, 0)
spi.max_speed_hz = 1_000_000
for channel in (0, 7):
    _, high, low = spi.xfer2([1, (8 + channel) << 4, 0])
    print((high & 3) << 8 | low)
"""

    outcome = run_devshim(sys.executable, "-c", program, devices=["/dev/spidev0.0=mcp3008,ch0=1.65,ch7=0.825"])

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("512\n256\n", "", 0)


@pytest.mark.client("spi-pipe", "xxd")
def test_spi_pipe_reads_it():
    script = r"printf '\001\200\000' | spi-pipe -d /dev/spidev0.0 -s 1000000 -b 3 -n 1 | xxd -p"

    outcome = run_devshim("sh", "-c", script, devices=["/dev/spidev0.0=mcp3008,ch0=1.65"])

    assert (outcome.stdout, outcome.stderr) == ("000200\n", "")

"""The AT24C02 and its larger kin: pages, write cycles, wrapping, and contents that stay."""

import errno
import sys

import pytest
from harness import run_devshim
from i2cprogram import burst, opened, raises_errno, rdwr, smbus
from tabletop import Tabletop

from devshim.devices import At24c02
from devshim.model.i2c import I2cBus
from devshim.model.i2c_abi import BYTE, BYTE_DATA


def test_it_begins_erased():
    assert burst(opened(At24c02()), 0, 256) == b"\xff" * 256


def test_bytes_are_written_and_read_back():
    chip = At24c02()
    file = opened(chip)

    file.write(b"\x10hello")

    assert burst(file, 0x10, 5) == b"hello"
    assert chip.memory[0x10:0x15] == b"hello"


def test_a_current_address_read_goes_on_and_wraps_at_the_end():
    chip = At24c02()
    chip.memory = bytes(range(256))
    file = opened(chip)

    assert burst(file, 0xFE, 1) == b"\xfe"
    assert smbus(file, 1, BYTE)[0] == 0xFF
    assert file.read(2) == b"\x00\x01"


def test_a_write_wraps_within_its_page():
    chip = At24c02()

    opened(chip).write(b"\x0e123456789A")

    assert chip.memory[8:16] == b"3456789A"
    assert chip.memory[:8] + chip.memory[16:] == b"\xff" * 248


def test_it_does_not_answer_while_it_writes():
    chip = At24c02()
    file = opened(chip)
    table = Tabletop.plug(file.device)

    smbus(file, 0, BYTE_DATA, 0, b"x")
    with raises_errno(errno.ENXIO):
        file.read(1)
    with raises_errno(errno.ENXIO):
        smbus(file, 0, BYTE_DATA, 1, b"y")
    table.advance(0.005)
    assert file.read(1) == b"\xff"
    assert chip.memory[:2] == b"x\xff"


def test_setting_the_address_alone_takes_no_time():
    file = opened(At24c02())
    Tabletop.plug(file.device)

    file.write(b"\x10")

    assert file.read(1) == b"\xff"


def test_write_protect_lets_the_address_through_and_the_data_not():
    chip = At24c02(write_protect=True)
    file = opened(chip)

    file.write(b"\x10hello")

    assert chip.memory == b"\xff" * 256
    assert chip.pointer == 0x10


def test_the_large_ones_have_two_address_bytes_and_larger_pages():
    chip = At24c02(size=32768)
    file = opened(chip)

    file.write(b"\x01\x3e" + b"abcd")

    assert chip.memory[0x13E:0x140] == b"ab"
    assert chip.memory[0x100:0x102] == b"cd"
    assert rdwr(file, (0x50, 0, b"\x01\x3e"), (0x50, 1, bytes(2)))[1][1] == b"ab"


def test_a_24c16_answers_at_eight_addresses_one_for_each_256_bytes():
    chip = At24c02(size=2048)
    bus = I2cBus(chip)
    file = bus.open(0)

    file.set_address(0x53)
    file.write(b"\x10third")

    assert sorted(bus.chips) == list(range(0x50, 0x58))
    assert chip.memory[0x310:0x315] == b"third"
    assert burst(file, 0x10, 5) == b"third"


@pytest.mark.parametrize("size", [0, 100, 131072])
def test_a_size_that_there_is_not_is_refused(size):
    with pytest.raises(ValueError, match=f"size={size}: there are such EEPROMs"):
        At24c02(size=size)


def test_a_file_keeps_the_contents(tmp_path):
    file = tmp_path / "eeprom.bin"

    opened(At24c02(file=str(file))).write(b"\x00kept")

    assert file.read_bytes()[:5] == b"kept\xff"
    assert burst(opened(At24c02(file=str(file))), 0, 5) == b"kept\xff"


def test_a_file_that_is_too_long_is_refused(tmp_path):
    file = tmp_path / "eeprom.bin"
    file.write_bytes(bytes(257))

    with pytest.raises(ValueError, match="memory: 257 bytes do not fit into 256"):
        At24c02(file=str(file))


# ---- unmodified programs


@pytest.mark.client("i2cdump", "i2cset")
def test_i2cset_writes_what_i2cdump_shows_in_the_next_run(tmp_path):
    devices = [f"/dev/i2c-1=at24c02,file={tmp_path / 'eeprom.bin'}"]

    written = run_devshim("i2cset", "-y", "1", "0x50", "0x20", "0x64", "0x65", "0x76", "i", devices=devices)
    dumped = run_devshim("i2cdump", "-y", "-r", "0x20-0x2f", "1", "0x50", "b", devices=devices)

    assert written.returncode == 0
    assert dumped.stdout.splitlines()[1].startswith("20: 64 65 76 ff")


def test_smbus2_polls_until_the_write_cycle_is_over():
    pytest.importorskip("smbus2")
    program = """
import errno, smbus2
bus = smbus2.SMBus(1)
refused = 0
for at, byte in enumerate(b"patient"):
    while True:
        try:
            bus.write_byte_data(0x50, at, byte)
            break
        except OSError as problem:
            assert problem.errno == errno.ENXIO
            refused += 1
while True:
    try:
        bus.write_byte(0x50, 0)
        break
    except OSError:
        refused += 1
print(bytes(bus.read_i2c_block_data(0x50, 0, 7)), refused > 0)
"""

    outcome = run_devshim(sys.executable, "-c", program, devices=["/dev/i2c-1=at24c02"])

    assert (outcome.stdout, outcome.returncode) == ("b'patient' True\n", 0)


def test_the_kernels_driver_shows_it_as_a_file_of_its_size():
    script = """
        cd /sys/bus/i2c/devices/2-0050; stat -c '%s %a' eeprom
        printf hello | dd of=eeprom bs=1 seek=16 conv=notrunc 2>&-; dd if=eeprom bs=1 skip=16 count=5 2>&-; echo
        wc -c < eeprom; cmp eeprom /sys/bus/nvmem/devices/2-00500/nvmem && echo same
        printf x | dd of=eeprom bs=1 seek=256 conv=notrunc 2>&1 | head -1; readlink -f /sys/bus/nvmem/devices/2-00500
    """

    outcome = run_devshim("bash", "-c", script, devices=["/dev/i2c-2=at24c02,busy=yes"])

    assert outcome.stdout.splitlines() == [
        "256 600", "hello", "256", "same", "dd: error writing 'eeprom': File too large",
        "/sys/devices/platform/devshim-i2c.2/i2c-2/2-0050/2-00500",
    ]  # fmt: skip


def test_a_protected_one_takes_nothing_from_the_driver():
    chip = At24c02(write_protect=True)

    with pytest.raises(OSError, match="acknowledged"):
        chip.write_by_driver(b"x", 0)
    assert chip.read_by_driver(0, 2) == b"\xff\xff"

"""The W25Q128: programming, erasing, waiting, protection; and flashrom, which takes it for a real one."""

import pytest
from harness import run_devshim
from tabletop import Tabletop

from devshim.devices import W25q128
from devshim.model.spi_abi import Transfer

SIZE = 1 << 24
WINBOND = bytes.fromhex("ef4018")


def command(chip, *sent, receive=0):
    """One frame: send bytes, then receive so many."""
    out = b"".join(bytes([part]) if isinstance(part, int) else part for part in sent)
    return chip.message([Transfer(out, len(out), wants=False), Transfer(None, receive)])[1]


def read(chip, address, size):
    return command(chip, 0x03, address.to_bytes(3, "big"), receive=size)


def status(chip, number=1):
    return command(chip, (0x05, 0x35, 0x15)[number - 1], receive=1)[0]


def program(chip, address, data):
    command(chip, 0x06)
    command(chip, 0x02, address.to_bytes(3, "big"), data)


def erase(chip, code, address):
    command(chip, 0x06)
    command(chip, code, address.to_bytes(3, "big"))


def test_it_tells_who_it_is():
    chip = W25q128(unique_id=0x1122334455667788)

    assert command(chip, 0x9F, receive=3) == WINBOND
    assert command(chip, 0x90, b"\0\0\0", receive=2) == b"\xef\x17"
    assert command(chip, 0x90, b"\0\0\1", receive=2) == b"\x17\xef"
    assert command(chip, 0xAB, b"\0\0\0", receive=1) == b"\x17"
    assert command(chip, 0x4B, b"\0\0\0\0", receive=8) == bytes.fromhex("1122334455667788")


def test_it_begins_erased_and_reads_on_from_the_end_to_the_beginning():
    chip = W25q128()
    chip.memory[0], chip.memory[-1] = 0x12, 0x34

    assert read(chip, SIZE - 2, 4) == b"\xff\x34\x12\xff"
    assert command(chip, 0x0B, b"\xff\xff\xff", 0, receive=2) == b"\x34\x12"


def test_programming_needs_write_enable_and_only_clears_bits():
    chip = W25q128()

    command(chip, 0x02, b"\0\0\0", b"\x0f")
    assert read(chip, 0, 1) == b"\xff"
    program(chip, 0, b"\x0f")
    program(chip, 0, b"\xf3")
    assert read(chip, 0, 1) == b"\x03"
    assert status(chip) == 0


def test_programming_wraps_within_the_page_and_the_last_256_bytes_count():
    chip = W25q128()

    program(chip, 0x1FE, b"abcd")
    assert (read(chip, 0x1FE, 2), read(chip, 0x100, 2), read(chip, 0x200, 1)) == (b"ab", b"cd", b"\xff")
    program(chip, 0x1000, b"x" * 10 + bytes(range(256)))
    assert read(chip, 0x1000, 256) == bytes(range(256))[-10:] + bytes(range(246))


@pytest.mark.parametrize(("code", "size"), [(0x20, 4096), (0x52, 32768), (0xD8, 65536)])
def test_erasing_sets_a_sector_or_block_and_nothing_else(code, size):
    chip = W25q128()
    chip.memory[:] = bytes(SIZE)

    erase(chip, code, size + 5)

    assert read(chip, size, size) == b"\xff" * size
    assert (read(chip, size - 1, 1), read(chip, 2 * size, 1)) == (b"\0", b"\0")


def test_erasing_the_chip_takes_all():
    chip = W25q128()
    chip.memory[:] = bytes(SIZE)

    command(chip, 0x06)
    command(chip, 0xC7)

    assert chip.memory.count(0xFF) == SIZE


def test_it_is_busy_as_long_as_the_datasheet_says_and_hears_only_status_reads():
    chip = W25q128()
    table = Tabletop.plug(chip, "/dev/spidev0.0")

    program(chip, 0, b"x")
    assert status(chip) == 0x03
    assert read(chip, 0, 1) == b"\xff"
    table.advance(0.0007)
    assert status(chip) == 0x00
    assert read(chip, 0, 1) == b"x"
    erase(chip, 0xD8, 0)
    table.advance(0.149)
    assert status(chip) & 1
    table.advance(0.001)
    assert not status(chip) & 1


def test_reading_the_status_on_and_on_sees_the_end():
    chip = W25q128()
    table = Tabletop.plug(chip, "/dev/spidev0.0")
    program(chip, 0, b"x")

    first = chip.message([Transfer(b"\x05", 1, wants=False), Transfer(None, 2, cs_change=True)])[1]
    table.advance(1)

    assert (first, chip.message([Transfer(None, 2)])[0]) == (b"\x03\x03", b"\0\0")


def test_power_down_leaves_only_the_way_back():
    chip = W25q128()

    command(chip, 0xB9)
    assert command(chip, 0x9F, receive=3) == b"\xff\xff\xff"
    command(chip, 0xAB)
    assert command(chip, 0x9F, receive=3) == WINBOND


def test_reset_takes_two_instructions_in_a_row():
    chip = W25q128()
    command(chip, 0x06)

    command(chip, 0x99)
    command(chip, 0x66)
    command(chip, 0x9F, receive=3)
    command(chip, 0x99)
    assert status(chip) == 0x02
    command(chip, 0x66)
    command(chip, 0x99)
    assert status(chip) == 0x00


@pytest.mark.parametrize(
    ("register", "start", "stop"),
    [
        (0x00, 0, 0),
        (0x04, SIZE - (256 << 10), SIZE),
        (0x18, SIZE // 2, SIZE),
        (0x38, 0, SIZE // 2),
        (0x1C, 0, SIZE),
        (0x44, SIZE - 4096, SIZE),
        (0x6C, 0, 16384),
        (0x50, SIZE - 32768, SIZE),
    ],
)
def test_block_protection_covers_what_the_table_says(register, start, stop):
    chip = W25q128()
    command(chip, 0x06)
    command(chip, 0x01, bytes([register]))

    covered = chip.protected()

    assert (covered.start, covered.stop) == (start, stop) or len(covered) == stop - start == 0


def test_protected_sectors_are_neither_erased_nor_programmed():
    chip = W25q128()
    chip.memory[0] = 0x55
    command(chip, 0x06)
    command(chip, 0x01, b"\x3c")

    program(chip, 0, b"\0")
    erase(chip, 0x20, 0)

    assert read(chip, 0, 1) == b"\x55"


def test_cmp_turns_protection_round():
    chip = W25q128()
    command(chip, 0x06)
    command(chip, 0x01, b"\x38\x42")

    program(chip, 0, b"\0")
    program(chip, SIZE // 2, b"\0")

    assert (read(chip, 0, 1), read(chip, SIZE // 2, 1)) == (b"\0", b"\xff")


def test_status_is_kept_over_a_reset_unless_it_was_written_as_volatile():
    chip = W25q128()
    command(chip, 0x06)
    command(chip, 0x01, b"\x04")
    command(chip, 0x50)
    command(chip, 0x01, b"\x08")
    assert status(chip) == 0x08

    command(chip, 0x66)
    command(chip, 0x99)

    assert status(chip) == 0x04


def test_with_srp_and_the_pin_low_the_status_stays():
    chip = W25q128(write_protect=True)
    command(chip, 0x06)
    command(chip, 0x01, b"\x80")

    command(chip, 0x06)
    command(chip, 0x01, b"\x00")

    assert status(chip) & 0x80


def test_a_file_keeps_the_contents(tmp_path):
    file = tmp_path / "flash.bin"

    program(W25q128(file=str(file)), 5, b"kept")

    assert file.stat().st_size == SIZE
    assert read(W25q128(file=str(file)), 4, 6) == b"\xffkept\xff"


def test_a_file_of_another_size_is_refused(tmp_path):
    file = tmp_path / "flash.bin"
    file.write_bytes(bytes(100))

    with pytest.raises(ValueError, match="it has 100 bytes, the chip 16777216"):
        W25q128(file=str(file))


# ---- unmodified programs


@pytest.mark.client("spi-pipe", "xxd")
def test_spi_pipe_reads_the_identity():
    script = r"printf '\237\0\0\0' | spi-pipe -d /dev/spidev0.0 -b 4 -n 1 | xxd -p"

    outcome = run_devshim("sh", "-c", script, devices=["/dev/spidev0.0=w25q128"])

    assert outcome.stdout == f"ff{WINBOND.hex()}\n"


@pytest.mark.client("flashrom")
def test_flashrom_writes_and_verifies_a_region(tmp_path):
    image, new, layout = tmp_path / "flash.bin", tmp_path / "new.bin", tmp_path / "layout"
    old = bytes(range(256)) * 65536
    image.write_bytes(old)
    new.write_bytes(b"A new boot block.".ljust(8192, b"\0") + old[8192:])
    layout.write_text("00000000:00001fff boot\n00002000:00ffffff rest\n")
    command = f"flashrom -p linux_spi:dev=/dev/spidev0.0 -c W25Q128.V -l {layout} -i boot --noverify-all -w {new}"

    outcome = run_devshim(*command.split(), devices=[f"/dev/spidev0.0=w25q128,file={image}"], timeout=240)

    assert "VERIFIED" in outcome.stdout, outcome.stdout + outcome.stderr
    assert "bufsiz" not in outcome.stderr  # it found spidev's parameter, by fopen()
    assert outcome.returncode == 0
    assert image.read_bytes() == new.read_bytes()

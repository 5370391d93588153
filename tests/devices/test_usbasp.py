"""USBasp with an ATmega328P: avrdude reads its signature, writes, verifies and erases."""

from pathlib import Path

import pytest
from harness import Outcome, run_devshim

from devshim.devices import Usbasp

DEVICES = ["/dev/bus/usb/095/002=usbasp"]

pytestmark = pytest.mark.client("avrdude")


def avrdude(*words: str, part: str = "m328p", devices: list[str] = DEVICES) -> Outcome:
    return run_devshim("avrdude", "-c", "usbasp", "-p", part, *words, devices=devices)


def test_the_signature_is_read_and_another_part_refused() -> None:
    outcome = avrdude()

    assert outcome.returncode == 0, outcome.stderr
    assert "device signature = 0x1e950f (probably m328p)" in outcome.stderr
    assert avrdude(part="m8").returncode != 0


def test_flash_eeprom_and_fuses_are_written_and_verified(devshim, tmp_path: Path) -> None:
    chip = devshim.plug("/dev/bus/usb/095/002", Usbasp())
    (tmp_path / "flash.bin").write_bytes(bytes(range(256)) * 3 + b"end")
    (tmp_path / "eeprom.bin").write_bytes(b"kept")

    result = devshim.run(
        "avrdude", "-c", "usbasp", "-p", "m328p", "-U", f"flash:w:{tmp_path}/flash.bin:r", "-U",
        f"eeprom:w:{tmp_path}/eeprom.bin:r", "-U", "lfuse:w:0xFF:m", "-U", "hfuse:w:0xD1:m",
    )  # fmt: skip

    assert "771 bytes of flash verified" in result.stderr
    assert chip.flash[:772] == bytes(range(256)) * 3 + b"end\xff"
    assert chip.eeprom[:5] == b"kept\xff"
    assert (chip.lfuse, chip.hfuse, chip.efuse) == (0xFF, 0xD1, 0xFF)


def test_an_erase_leaves_what_a_fuse_protects(devshim) -> None:
    for hfuse, left in ((0xD9, 0xFF), (0xD1, 7)):
        chip = devshim.plug("/dev/bus/usb/095/002", Usbasp(hfuse=hfuse))
        chip.flash[0] = chip.eeprom[0] = 7
        devshim.run("avrdude", "-c", "usbasp", "-p", "m328p", "-e")
        assert (chip.flash[0], chip.eeprom[0]) == (0xFF, left)
        devshim.unplug("/dev/bus/usb/095/002")


def test_a_parameter_gives_a_fuse() -> None:
    outcome = avrdude("-U", "lfuse:r:-:h", devices=[f"{DEVICES[0]},lfuse=0xE2"])

    assert outcome.stdout.strip() == "0xe2"

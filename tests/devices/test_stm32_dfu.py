"""The STM32's bootloader: dfu-util lists, downloads, uploads, and lets the program start."""

from pathlib import Path

import pytest
from harness import run_devshim

from devshim.devices import Stm32Dfu
from devshim.model.usb_control import Setup, answer_control

FLASH = 0x08000000
DEVICES = ["/dev/bus/usb/095/002=stm32_dfu"]

pytestmark = pytest.mark.client("dfu-util")


def dfu(*words: str | Path, script: str = "", devices: list[str] = DEVICES) -> str:
    """What dfu-util prints that comes to a good end."""
    outcome = run_devshim("dfu-util", *words, devices=devices)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def test_its_four_memories_are_listed() -> None:
    found = [line for line in dfu("-l").splitlines() if line.startswith("Found DFU: [0483:df11] ver=2200")]

    assert len(found) == 4
    assert 'alt=0, name="@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg", serial="3677346C3034"' in found[-1]


def test_what_is_downloaded_can_be_uploaded(tmp_path: Path) -> None:
    firmware, copy = tmp_path / "firmware.bin", tmp_path / "copy.bin"
    firmware.write_bytes(bytes(range(256)) * 150)
    download = f"dfu-util -a 0 -s {FLASH:#x} -D {firmware}"
    upload = f"dfu-util -a 0 -s {FLASH:#x}:38400 -U {copy}"

    outcome = run_devshim("sh", "-c", f"{download} && {upload}", devices=DEVICES)

    assert outcome.returncode == 0, outcome.stderr
    assert copy.read_bytes() == firmware.read_bytes()


def test_a_file_given_as_firmware_is_what_the_flash_holds(tmp_path: Path) -> None:
    firmware, copy = tmp_path / "firmware.bin", tmp_path / "copy.bin"
    firmware.write_bytes(b"first")

    dfu("-a", "0", "-s", f"{FLASH:#x}:8", "-U", copy, devices=[f"{DEVICES[0]},firmware={firmware}"])

    assert copy.read_bytes() == b"first\xff\xff\xff"


def test_an_address_outside_of_all_memories_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.bin").write_bytes(b"x" * 64)

    outcome = run_devshim("dfu-util", "-a", "0", "-s", "0x20000000:force", "-D", tmp_path / "f.bin", devices=DEVICES)

    assert outcome.returncode != 0


def test_a_program_that_is_left_to_starts_and_the_bootloader_is_gone(devshim, tmp_path: Path) -> None:
    chip = devshim.plug("/dev/bus/usb/095/002", Stm32Dfu(serial="123"))
    (tmp_path / "f.bin").write_bytes(b"program")

    result = devshim.run("dfu-util", "-a", "0", "-s", f"{FLASH:#x}:leave", "-D", tmp_path / "f.bin", check=False)

    assert "File downloaded successfully" in result.stdout
    assert chip.flash[:8] == b"program\xff"
    assert chip.started == FLASH


def ask(chip: Stm32Dfu, kind: int, request: int, value: int = 0, data: bytes | int = b"") -> bytes:
    """One control transfer."""
    length = data if isinstance(data, int) else len(data)
    answer = answer_control(chip, Setup(kind, request, value, 0, length), b"" if isinstance(data, int) else data)
    return bytes(answer or b"")


def status(chip: Stm32Dfu) -> tuple[int, int]:
    """bStatus and bState."""
    answer = ask(chip, 0xA1, 3, data=6)
    return answer[0], answer[4]


def test_programming_only_clears_bits_and_erasing_sets_those_of_a_sector() -> None:
    chip = Stm32Dfu()
    chip.plugged()
    for data in (b"\x0f", b"\xf1"):
        ask(chip, 0x21, 1, 2, data)
        assert (status(chip), status(chip)) == ((0, 4), (0, 5))
    assert chip.flash[:2] == b"\x01\xff"
    chip.flash[0x4000] = 0

    ask(chip, 0x21, 1, 0, b"\x41" + FLASH.to_bytes(4, "little"))
    status(chip)

    assert (chip.flash[0], chip.flash[0x4000]) == (0xFF, 0)


def test_an_erase_says_how_long_it_takes() -> None:
    chip = Stm32Dfu(erasing=0.5)
    chip.plugged()

    ask(chip, 0x21, 1, 0, b"\x41" + FLASH.to_bytes(4, "little"))

    assert ask(chip, 0xA1, 3, data=6) == bytes((0, 0xF4, 0x01, 0, 4, 0))


def test_a_bad_command_is_an_error_until_it_is_cleared() -> None:
    chip = Stm32Dfu()
    chip.plugged()

    ask(chip, 0x21, 1, 0, b"\x21\0\0\0\x20")

    assert status(chip)[0] == 8
    assert status(chip) == (8, 10)
    ask(chip, 0x21, 4)
    assert status(chip) == (0, 2)

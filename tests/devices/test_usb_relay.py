"""The USB relay board: its one report, and usbrelay, which switches it."""

import sys

import pytest
from harness import run_devshim

from devshim.devices import UsbRelay
from devshim.model.hidraw import Report


def test_the_state_has_the_name_and_a_bit_for_each_relay():
    assert UsbRelay(board="ABCDE", on=0b10).state() == b"ABCDE\0\0\2"
    assert UsbRelay(board="AB").state() == b"AB\0\0\0\0\0\0"


@pytest.mark.parametrize("relays", [1, 2, 4, 8])
def test_it_is_called_after_the_number_of_its_relays(relays):
    assert UsbRelay(relays=relays).name == f"www.dcttech.com USBRelay{relays}"


def test_there_are_no_boards_with_three():
    with pytest.raises(ValueError, match="there are boards with 1, 2, 4 and 8"):
        UsbRelay(relays=3)


@pytest.mark.parametrize(
    ("commands", "on"),
    [
        (["ff01"], 0b0001),
        (["ff04", "ff01"], 0b1001),
        (["fe00"], 0b1111),
        (["fe00", "fd02"], 0b1101),
        (["fe00", "fc00"], 0b0000),
        (["ff05"], 0b0000),
        (["ff00"], 0b0000),
        (["9901"], 0b0000),
    ],
)
def test_commands_switch(commands, on):
    board = UsbRelay(relays=4)

    for command in commands:
        board.set_report(Report.FEATURE, 0, bytes.fromhex(command).ljust(8, b"\0"))

    assert board.on == on


def test_the_program_may_rename_it():
    board = UsbRelay()

    board.set_report(Report.OUTPUT, 0, b"\xfaHELLO\0\0")

    assert board.get_report(Report.FEATURE, 1)[:5] == b"HELLO"


# ---- unmodified programs


@pytest.mark.client("usbrelay")
def test_usbrelay_switches_and_renames_it():
    script = "usbrelay BITFT_2=1; usbrelay; usbrelay BITFT_0=DESK1; usbrelay 2>/dev/null"

    outcome = run_devshim("sh", "-c", script, devices=["/dev/hidraw0=usb_relay"])

    # It shows the state before it sets it, too.
    before, after, renamed = "BITFT_1=0\nBITFT_2=0\n", "BITFT_1=0\nBITFT_2=1\n", "DESK1_1=0\nDESK1_2=1\n"
    assert outcome.stdout == before + after + after + renamed


def test_hidapi_switches_it_by_a_feature_report():
    pytest.importorskip("hidraw")
    program = """
import hidraw
board = hidraw.device()
board.open(0x16c0, 0x05df)
print(board.send_feature_report([0, 0xff, 2, 0, 0, 0, 0, 0, 0]))
print(bytes(board.get_feature_report(0, 9)))
"""

    outcome = run_devshim(sys.executable, "-c", program, devices=["/dev/hidraw0=usb_relay,board=TEST1"])

    assert outcome.stdout == "9\nb'\\x00TEST1\\x00\\x00\\x02'\n"

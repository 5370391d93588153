"""The Xbox 360 controller: its sticks, and its motors as ff-memless drives them."""

import struct
import sys

import pytest
from harness import run_devshim
from inputprogram import ask, bits, changes, event, of_size, opened, told
from tabletop import Tabletop

from devshim import input_codes as codes
from devshim.devices import Xbox360
from devshim.model import input_abi as abi


@pytest.fixture
def pad():
    return Xbox360()


@pytest.fixture
def table(pad):
    return Tabletop.plug(pad, "/dev/input/event0")


@pytest.fixture
def file(pad, table):
    return opened(pad)


def upload(file, strong=0, weak=0, length=0, delay=0, number=-1):
    effect = abi.FfEffect(codes.FF_RUMBLE, number)
    effect.replay.length, effect.replay.delay = length, delay
    effect.u.rumble.strong_magnitude, effect.u.rumble.weak_magnitude = strong, weak
    return abi.FfEffect.from_buffer_copy(ask(file, abi.EVIOCSFF, bytes(effect))[1][0]).id


def play(file, number, times=1):
    file.write(event(codes.EV_FF, number, times))


def test_it_has_what_the_kernels_driver_declares(file):
    keys = bits(told(file, of_size(abi.EVIOCGBIT, 96, codes.EV_KEY)))
    axes = bits(told(file, of_size(abi.EVIOCGBIT, 8, codes.EV_ABS)))
    effects = bits(told(file, of_size(abi.EVIOCGBIT, 16, codes.EV_FF)))

    assert keys == [0x130, 0x131, 0x133, 0x134, 0x136, 0x137, 0x13A, 0x13B, 0x13C, 0x13D, 0x13E]
    assert axes == [0, 1, 2, 3, 4, 5, 16, 17]
    assert effects == [80, 81, 88, 89, 90, 96]
    assert told(file, abi.EVIOCGEFFECTS) == struct.pack("<i", 16)


def test_both_sticks_move_in_one_report(pad, file):
    pad.sticks(left=(1000, -2000), right=(3000, 0))

    assert changes(file) == [
        (codes.EV_ABS, codes.ABS_X, 1000),
        (codes.EV_ABS, codes.ABS_Y, -2000),
        (codes.EV_ABS, codes.ABS_RX, 3000),
    ]


def test_a_stick_at_rest_trembles_unseen(pad, file):
    pad.axis(codes.ABS_X, 5)

    assert changes(file) == []


def test_a_rumble_lasts_as_long_as_it_was_asked_to(pad, table, file):
    play(file, upload(file, strong=0x8000, weak=0x4000, length=100))

    assert (pad.strong, pad.weak) == (0x8000, 0x4000)
    table.advance(0.099)
    assert pad.strong
    table.advance(0.002)
    assert (pad.strong, pad.weak) == (0, 0)


def test_a_rumble_waits_for_its_delay_and_is_repeated(pad, table, file):
    play(file, upload(file, strong=9, length=100, delay=50), times=2)
    seen = []
    for _ in range(8):
        table.advance(0.04)
        seen.append(pad.strong)

    assert seen == [0, 9, 9, 0, 9, 9, 9, 0]  # 50 ms nothing, 100 ms felt, twice


def test_effects_add_up_and_gain_weakens_them(pad, file):
    play(file, upload(file, strong=0x9000, weak=0x1000))
    play(file, upload(file, strong=0x9000, weak=0x1000))
    assert (pad.strong, pad.weak) == (0xFFFF, 0x2000)

    file.write(event(codes.EV_FF, codes.FF_GAIN, 0x8000))

    assert pad.weak == 2 * (0x1000 * 0x8000 // 0xFFFF)


def test_an_effect_is_stopped_changed_and_forgotten(pad, file):
    number = upload(file, strong=5)
    play(file, number)
    upload(file, strong=6, number=number)
    assert pad.strong == 5 or pad.strong == 6
    play(file, number, 0)
    assert pad.strong == 0
    play(file, number)
    assert pad.strong == 6

    file.close()

    assert pad.strong == 0


def test_the_left_stick_goes_round(pad, table, file):
    pad.circle = 1.0
    table.advance(0.25)

    x, y = (pad.positions.info[axis].value for axis in (codes.ABS_X, codes.ABS_Y))
    assert x > 29000
    assert abs(y) < 3000


def test_python_evdev_makes_it_rumble():
    pytest.importorskip("evdev")
    script = """
from evdev import InputDevice, ecodes, ff
pad = InputDevice("/dev/input/event0")
rumble = ff.Rumble(strong_magnitude=0xffff, weak_magnitude=0)
kind = ff.EffectType(ff_rumble_effect=rumble)
def upload():
    return pad.upload_effect(ff.Effect(ecodes.FF_RUMBLE, -1, 0, ff.Trigger(0, 0), ff.Replay(100, 0), kind))
numbers = [upload() for _ in range(16)]
try:
    upload()
except OSError as error:
    print(numbers, error.strerror)
print(pad.absinfo(ecodes.ABS_RX))
"""
    outcome = run_devshim(sys.executable, "-c", script, devices=["/dev/input/event0=xbox360"])

    assert outcome.stderr == ""
    assert outcome.stdout == (
        f"{list(range(16))} No space left on device\nvalue 0, min -32768, max 32767, fuzz 16, flat 128, res 0\n"
    )

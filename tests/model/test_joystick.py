"""Joysticks at /dev/input/jsN, beside the event nodes of sticks and pads."""

import errno
import os
import select

import pytest
from i2cprogram import raises_errno
from ioctlwire import ioctl

from devshim import Axis, Input
from devshim import input_codes as codes
from devshim.devices import K120, Gt911, Xbox360
from devshim.model import joystick_abi as abi
from devshim.model.device import WAIT
from devshim.model.input_match import is_joystick
from devshim.model.joystick import Joystick, correction
from devshim.session.session import Session

BUTTON, AXIS, INITIAL = abi.JS_EVENT_BUTTON, abi.JS_EVENT_AXIS, abi.JS_EVENT_INIT
STATE = 11 + 8
"""Buttons and axes of the pad."""


class Vmmouse(Input):
    """A pointer of a virtual machine, which is no joystick though it has ABS_X."""

    keys = (codes.BTN_LEFT, codes.BTN_RIGHT, codes.BTN_MIDDLE)
    axes = {codes.ABS_X: Axis(0, 65535), codes.ABS_Y: Axis(0, 65535)}


class Paddle(Vmmouse):
    """One button more, and it is one."""

    keys = (*Vmmouse.keys, codes.BTN_SIDE)


class Buttons(Input):
    """A box of buttons, one of which is numbered from BTN_MISC on."""

    keys = (codes.BTN_1, codes.BTN_TRIGGER, codes.KEY_A)


class Sensors(Input):
    """The motion sensors of a pad of Sony's."""

    vendor: int = 0x054C
    product: int = 0x09CC
    properties = (codes.INPUT_PROP_ACCELEROMETER,)
    axes = {code: Axis(-8192, 8192) for code in (codes.ABS_X, codes.ABS_Y, codes.ABS_Z)}


def opened(pad):
    return Joystick(pad).open(os.O_RDONLY)


def told(file, size=8 * 64):
    """What a read gives: value, type and number of each event."""
    data = file.read(size)
    return data if data is WAIT else [event[1:] for event in abi.EVENT.iter_unpack(data)]


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (Xbox360, True),
        (Buttons, True),
        (Paddle, True),
        (Vmmouse, False),
        (Gt911, False),
        (K120, False),
        (Sensors, False),
    ],
)
def test_the_kernels_rules_say_which_devices_are_joysticks(device, expected):
    assert is_joystick(device()) is expected


def test_an_open_is_told_the_whole_state_first_and_then_what_changes():
    pad = Xbox360()
    pad.press(codes.BTN_B)
    file = opened(pad)

    first = told(file)
    assert [event[1:] for event in first] == [
        *[(BUTTON | INITIAL, number) for number in range(11)],
        *[(AXIS | INITIAL, number) for number in range(8)],
    ]
    assert [event[2] for event in first if event[:2] == (1, BUTTON | INITIAL)] == [1]
    assert told(file) is WAIT and not file.poll() & select.POLLIN

    pad.press(codes.BTN_A)
    pad.axis(codes.ABS_X, 32767)
    assert file.poll() & select.POLLIN
    assert told(file) == [(1, BUTTON, 0), (32767, AXIS, 0)]


def test_buttons_are_numbered_from_btn_joystick_on_and_the_others_behind():
    box = Buttons()
    file = opened(box)
    told(file)

    box.press(codes.KEY_A)  # no button
    box.press(codes.BTN_1)
    box.press(codes.BTN_TRIGGER)

    assert told(file) == [(1, BUTTON, 1), (1, BUTTON, 0)]


def test_who_reads_too_slowly_is_told_the_state_anew():
    pad = Xbox360()
    file = opened(pad)
    told(file)

    for _ in range(32):
        pad.tap(codes.BTN_A)
    pad.press(codes.BTN_B)

    events = told(file)
    assert len(events) == STATE and events[1] == (1, BUTTON | INITIAL, 1)


def test_what_changes_while_the_state_is_told_is_in_the_state():
    pad = Xbox360()
    file = opened(pad)

    assert told(file, 8) == [(0, BUTTON | INITIAL, 0)]
    pad.press(codes.BTN_B)
    assert told(file, 8) == [(1, BUTTON | INITIAL, 1)]
    assert len(told(file)) == STATE - 2


@pytest.mark.parametrize(
    ("axis", "coefficients"),
    [
        (Axis(-32768, 32767, fuzz=16, flat=128), [-128, 128, 16513, 16513]),
        (Axis(0, 255), [127, 127, 4227330, 4227330]),
        (Axis(-1, 1), [0, 0, 1 << 29, 1 << 29]),
    ],
)
def test_axes_are_corrected_as_the_driver_does_at_first(axis, coefficients):
    found = correction(axis.info())

    assert (found.type, found.prec, list(found.coef[:4])) == (abi.JS_CORR_BROKEN, axis.fuzz, coefficients)


def test_an_axis_without_limits_is_not_corrected():
    assert correction(Axis(0, 0).info()).type == abi.JS_CORR_NONE


def test_the_flat_middle_of_an_axis_is_0_and_its_ends_are_those_of_all():
    pad = Xbox360()
    file = opened(pad)
    told(file)

    for value in (100, 32767, -32768, 200):
        pad.axis(codes.ABS_Y, value)

    assert told(file) == [(32767, AXIS, 1), (-32767, AXIS, 1), (72, AXIS, 1)]


def test_requests_say_what_it_has():
    pad = Xbox360()
    file = opened(pad)

    assert ioctl(file, abi.JSIOCGVERSION, bytes(4)) == (0, [(0x020100).to_bytes(4, "little")])
    assert ioctl(file, abi.JSIOCGAXES, bytes(1)) == (0, [b"\x08"])
    assert ioctl(file, abi.JSIOCGBUTTONS, bytes(1)) == (0, [b"\x0b"])
    assert ioctl(file, abi.JSIOCGNAME | 5 << 16, bytes(5)) == (5, [b"Micro"])
    assert ioctl(file, abi.JSIOCGAXMAP | 64 << 16, bytes(64))[0] == 64
    assert ioctl(file, 0x84006A34, bytes(1024))[1][0][:4] == bytes((0x30, 1, 0x31, 1))
    assert len(ioctl(file, abi.JSIOCGCORR, bytes(8 * 36))[1][0]) == 8 * 36
    with raises_errno(errno.EINVAL):
        ioctl(file, 0x80046AFF, bytes(4))


def test_programs_renumber_axes_and_buttons():
    pad = Xbox360()
    file = opened(pad)
    told(file)
    axes = bytes((codes.ABS_Y, codes.ABS_X, *sorted(pad.axes)[2:]))

    ioctl(file, abi.JSIOCSAXMAP | len(axes) << 16, axes)
    pad.axis(codes.ABS_X, -32768)
    assert told(file) == [(-32767, AXIS, 1)]

    keys = b"".join(key.to_bytes(2, "little") for key in sorted(pad.keys, reverse=True))
    ioctl(file, abi.JSIOCSBTNMAP | len(keys) << 16, keys)
    pad.press(codes.BTN_A)
    assert told(file) == [(1, BUTTON, 10)]

    with raises_errno(errno.EINVAL):
        ioctl(file, abi.JSIOCSAXMAP | 1 << 16, b"\xff")
    with raises_errno(errno.EINVAL):
        ioctl(file, abi.JSIOCSBTNMAP | 2 << 16, b"\x01\x00")


def test_programs_correct_axes_otherwise():
    file = opened(Xbox360())
    told(file)
    raw = bytes(abi.JsCorr(type=abi.JS_CORR_NONE)) * 8

    ioctl(file, abi.JSIOCSCORR, raw)

    assert ioctl(file, abi.JSIOCGCORR, bytes(len(raw))) == (0, [raw])
    file.device.source.axis(codes.ABS_X, 500)
    assert told(file) == [(500, AXIS, 0)]


def test_a_read_of_12_bytes_gives_the_state_as_version_0_had_it():
    pad = Xbox360()
    pad.press(codes.BTN_X)
    pad.sticks(left=(32767, -32768))
    file = opened(pad)

    assert abi.OLD_STATE.unpack(file.read(12)) == (0b100, 255, 1)
    with raises_errno(errno.EINVAL):
        file.read(7)


def test_while_a_program_has_grabbed_the_device_a_joystick_hears_nothing():
    pad = Xbox360()
    file = opened(pad)
    told(file)
    other = pad.open(os.O_RDWR)
    pad.grab(other)

    pad.tap(codes.BTN_A)

    assert told(file) is WAIT


# ---- Plugged


def names():
    return set(os.listdir("/dev/input")) if os.path.isdir("/dev/input") else set()


@pytest.mark.client("jstest")
def test_jstest_shows_events():
    with Session() as session:
        before = names()
        pad = session.plug("/dev/input/event3", Xbox360())
        (node,) = (f"/dev/input/{name}" for name in names() - before if name.startswith("js"))
        with session.start("stdbuf", "-oL", "jstest", "--event", node) as program:
            session.until(lambda: program.stdout.count(b"Event:") == STATE)
            pad.press(codes.BTN_B)
            session.until(lambda: program.stdout.count(b"Event:") == STATE + 1)
            last = program.stdout.splitlines()[-1]
            pad.unplug()
            program.wait()
        assert last.startswith(b"Event: type 1, time ") and last.endswith(b", number 1, value 1")
        assert b"Joystick (Microsoft X-Box 360 pad) has 8 axes (X, Y, Z, Rx, Ry, Rz, Hat0X, Hat0Y)" in program.stdout
        assert b"No such device" in program.stderr
        assert not os.path.exists(node)
        pad.plug()
        assert os.path.exists(node)


@pytest.mark.client("jscal")
def test_jscal_shows_and_sets_corrections(devshim_run):
    script = f"jscal -p /dev/input/js0; jscal -s 8{',0,0' * 8} /dev/input/js0; jscal -p /dev/input/js0"
    outcome = devshim_run("bash", "-c", script, devices=["/dev/input/event3=xbox360"], options=["--hide-real"])

    first, *_, last = [line for line in outcome.stdout.splitlines() if line.startswith("jscal -s")]
    assert first.startswith("jscal -s 8,1,16,-128,128,16513,16513,1,16,-128,128,16513,16513,1,0,127,127,")
    assert last.startswith("jscal -s 8,0,0,0,0,")

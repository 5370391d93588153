"""The GT911: fingers in slots, and the oldest one as a pointer."""

from inputprogram import changes, opened

from devshim import input_codes as codes
from devshim.devices import Gt911

SLOT, CONTACT, X, Y = codes.ABS_MT_SLOT, codes.ABS_MT_TRACKING_ID, codes.ABS_MT_POSITION_X, codes.ABS_MT_POSITION_Y
SIZES = [(codes.ABS_MT_TOUCH_MAJOR, 20), (codes.ABS_MT_WIDTH_MAJOR, 20)]


def test_two_fingers_come_and_go():
    screen = Gt911()
    file = opened(screen)

    def seen():
        return [(code, value) for _, code, value in changes(file)]

    screen.touch(0, 100, 200)
    assert seen() == [
        (CONTACT, 0), (X, 100), (Y, 200), *SIZES,
        (codes.BTN_TOUCH, 1), (codes.ABS_X, 100), (codes.ABS_Y, 200),
    ]  # fmt: skip
    screen.touch(1, 300, 400)
    assert seen() == [(SLOT, 1), (CONTACT, 1), (X, 300), (Y, 400), *SIZES]
    screen.touch(1, 301, 400)
    assert seen() == [(X, 301)]
    screen.lift(0)
    assert seen() == [(SLOT, 0), (CONTACT, -1), (codes.ABS_X, 301), (codes.ABS_Y, 400)]
    screen.lift(1)
    assert seen() == [(SLOT, 1), (CONTACT, -1), (codes.BTN_TOUCH, 0)]


def test_a_finger_that_comes_again_is_another_contact():
    screen = Gt911()
    file = opened(screen)
    for _ in range(2):
        screen.touch(2, 1, 1)
        screen.lift(2)

    contacts = [value for _, code, value in changes(file) if code == CONTACT]
    assert contacts == [0, -1, 1, -1]

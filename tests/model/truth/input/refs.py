"""The input devices that the transcripts here were taken with, as models."""

from devshim import Axis, Input
from devshim import input_codes as codes

WIDE = Axis(0, 4095, resolution=10)


class Other(Input):
    """One of the machine's own devices, of which a list shows the name alone."""

    keys = (codes.KEY_POWER,)


class RefKeyboard(Input):
    """/dev/input/event8: pressed and released twice, as the machine's other end did, once a program tries to grab it."""

    name: str = "Ref Keyboard"
    phys: str = "ref/kbd0"
    bus: int = codes.BUS_USB
    vendor: int = 0x1234
    product: int = 0x5678
    version: int = 0x0111

    keys = (codes.KEY_ENTER, codes.KEY_A, codes.KEY_LEFTSHIFT, codes.KEY_B)
    misc = (codes.MSC_SCAN,)
    leds = (codes.LED_CAPSL,)
    max_effects = 96
    times: int = 2
    down: bool = False

    def plugged(self):
        if self.down:
            self.press(codes.KEY_A)

    def grab(self, file):
        super().grab(file)
        for _ in range(self.times):
            self.after(0, self.strike)
        self.times = 0

    def strike(self):
        with self.report():
            self.event(codes.EV_MSC, codes.MSC_SCAN, 0x1E)
            self.press(codes.KEY_A)
        self.let_go()

    def let_go(self):
        self.release(codes.KEY_A)


class HeldKeyboard(RefKeyboard):
    """The same, whose key stays down: in py-evdev the release came after the program had ended."""

    times: int = 1

    def let_go(self):
        pass


class RefPad(Input):
    """/dev/input/event9."""

    name: str = "Ref Pad"
    phys: str = "py-evdev-uinput"
    bus: int = codes.BUS_USB
    vendor: int = 0x1234
    product: int = 0x9ABC
    version: int = 1

    keys = (codes.BTN_A, codes.BTN_B, codes.BTN_X)
    stick = Axis(-32768, 32767, fuzz=16, flat=128)
    axes = {codes.ABS_X: stick, codes.ABS_Y: stick, codes.ABS_HAT0X: Axis(-1, 1)}
    max_effects = 96


class RefMouse(Input):
    """/dev/input/event10."""

    name: str = "Ref Mouse"
    phys: str = "py-evdev-uinput"
    bus: int = codes.BUS_USB
    vendor: int = 0x1234
    product: int = 0xDEF0
    version: int = 1

    keys = (codes.BTN_LEFT, codes.BTN_RIGHT)
    relative = (codes.REL_X, codes.REL_Y, codes.REL_WHEEL)
    max_effects = 96


class RefTouch(Input):
    """/dev/input/event11: touched and left twice."""

    name: str = "Ref Touch"
    phys: str = "py-evdev-uinput"
    bus: int = codes.BUS_USB
    vendor: int = 1
    product: int = 1
    version: int = 1

    keys = (codes.BTN_TOUCH,)
    axes = {
        codes.ABS_X: Axis(0, 4095, resolution=10, value=100),
        codes.ABS_Y: Axis(0, 4095, resolution=10, value=200),
        codes.ABS_MT_SLOT: Axis(0, 4),
        codes.ABS_MT_POSITION_X: WIDE,
        codes.ABS_MT_POSITION_Y: WIDE,
        codes.ABS_MT_TRACKING_ID: Axis(0, 65535),
    }
    properties = (codes.INPUT_PROP_DIRECT,)
    max_effects = 96

    def grab(self, file):
        super().grab(file)
        for _ in range(2):
            self.after(0, self.touch)

    def touch(self):
        for contact, down in ((7, 1), (-1, 0)):
            with self.report():
                self.axis(codes.ABS_MT_TRACKING_ID, contact)
                (self.press if down else self.release)(codes.BTN_TOUCH)

"""Goodix GT911 touchscreen.  As drivers/input/touchscreen/goodix.c makes it; multi-touch-protocol.rst, type B."""

from devshim import Axis, Input
from devshim import input_codes as codes

X, Y, SIZE = Axis(0, 799), Axis(0, 479), Axis(0, 255)


class Gt911(Input):
    """A touchscreen of 800 x 480 for five fingers, with a home button."""

    name: str = "Goodix Capacitive TouchScreen"
    phys: str = "input/ts"
    bus: int = codes.BUS_I2C
    vendor: int = 0x0416
    product: int = 911
    version: int = 0x1060

    keys = (codes.BTN_TOUCH, codes.KEY_LEFTMETA)
    axes = {
        codes.ABS_MT_SLOT:        Axis(0, 4),  codes.ABS_MT_TRACKING_ID: Axis(0, 65535),
        codes.ABS_MT_POSITION_X:  X,           codes.ABS_MT_POSITION_Y:  Y,
        codes.ABS_MT_TOUCH_MAJOR: SIZE,        codes.ABS_MT_WIDTH_MAJOR: SIZE,
        codes.ABS_X:              X,           codes.ABS_Y:              Y,
    }
    properties = (codes.INPUT_PROP_DIRECT,)

    contacts = 0        # tracking ids given so far
    fingers = {}        # slot: tracking id, x, y

    def touch(self, finger, x, y, size=20):
        """A finger (0 to 4) comes down, or moves."""
        contact = self.fingers.get(finger, (self.contacts,))[0]
        self.contacts += finger not in self.fingers
        self.fingers[finger] = contact, x, y
        with self.report():
            self.axis(codes.ABS_MT_SLOT, finger)
            self.axis(codes.ABS_MT_TRACKING_ID, contact & 0xFFFF)
            self.axis(codes.ABS_MT_POSITION_X, x)
            self.axis(codes.ABS_MT_POSITION_Y, y)
            self.axis(codes.ABS_MT_TOUCH_MAJOR, size)
            self.axis(codes.ABS_MT_WIDTH_MAJOR, size)
            self.point()

    def lift(self, finger):
        """A finger goes up."""
        self.fingers.pop(finger, None)
        with self.report():
            self.axis(codes.ABS_MT_SLOT, finger)
            self.axis(codes.ABS_MT_TRACKING_ID, -1)
            self.point()

    def point(self):
        """For programs that know one finger alone: the oldest one (input_mt_report_pointer_emulation)."""
        (self.press if self.fingers else self.release)(codes.BTN_TOUCH)
        if self.fingers:
            _, x, y = min(self.fingers.values())
            self.axis(codes.ABS_X, x)
            self.axis(codes.ABS_Y, y)

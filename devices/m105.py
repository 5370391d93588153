"""Logitech M105 USB optical mouse.  Reports: Device Class Definition for HID 1.11, B.2; drivers/hid/hid-input.c."""

from devshim import Input, every
from devshim import input_codes as codes

PAGE = 0x90000          # usage page 9: buttons, numbered from 1
NOTCH = 120             # REL_WHEEL_HI_RES of one notch of the wheel


class M105(Input):
    """Three buttons and a wheel; its packets are at /dev/input/mouseN and /dev/input/mice, too."""

    name: str = "Logitech USB Optical Mouse"
    phys: str = "usb-0000:00:14.0-4/input0"
    bus: int = codes.BUS_USB
    vendor: int = 0x046D
    product: int = 0xC077
    version: int = 0x0111
    drift: float = 0    # seconds after which it is pushed one step to the right; 0: it lies still

    keys = (codes.BTN_LEFT, codes.BTN_RIGHT, codes.BTN_MIDDLE)
    relative = (codes.REL_X, codes.REL_Y, codes.REL_WHEEL, codes.REL_WHEEL_HI_RES)
    misc = (codes.MSC_SCAN,)

    def push(self, right, down=0):
        """Move it, in its own steps."""
        with self.report():
            self.move(codes.REL_X, right)
            self.move(codes.REL_Y, down)

    def button(self, button, down):
        """BTN_LEFT, BTN_RIGHT or BTN_MIDDLE goes down or up."""
        with self.report():
            self.event(codes.EV_MSC, codes.MSC_SCAN, PAGE + button - codes.BTN_LEFT + 1)
            (self.press if down else self.release)(button)

    def click(self, button=codes.BTN_LEFT):
        """Down and up."""
        self.button(button, True)
        self.button(button, False)

    def roll(self, notches):
        """Turn the wheel away from the hand; negative: towards it."""
        with self.report():
            self.move(codes.REL_WHEEL, notches)
            self.move(codes.REL_WHEEL_HI_RES, notches * NOTCH)

    @every(seconds="drift")
    def drifts(self):
        if self.opens:
            self.push(1)

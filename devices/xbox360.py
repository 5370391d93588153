"""Microsoft Xbox 360 wired controller.  As drivers/input/joystick/xpad.c and ff-memless.c make it; gamepad.rst."""

from math import cos, pi, sin

from devshim import Axis, Input, every
from devshim import input_codes as codes

STICK, TRIGGER, HAT = Axis(-32768, 32767, fuzz=16, flat=128), Axis(0, 255), Axis(-1, 1)
STICKS = (codes.ABS_X, codes.ABS_Y, codes.ABS_RX, codes.ABS_RY)


class Xbox360(Input):
    """Two sticks, two triggers, a cross, eleven buttons, and two motors: a heavy slow and a light fast one."""

    name: str = "Microsoft X-Box 360 pad"
    phys: str = "usb-0000:00:14.0-1/input0"
    bus: int = codes.BUS_USB
    vendor: int = 0x045E
    product: int = 0x028E
    version: int = 0x0110
    circle: float = 0.0     # seconds in which the left stick goes round once; 0: it rests

    keys = (
        codes.BTN_A,      codes.BTN_B,     codes.BTN_X,    codes.BTN_Y,      codes.BTN_TL, codes.BTN_TR,
        codes.BTN_SELECT, codes.BTN_START, codes.BTN_MODE, codes.BTN_THUMBL, codes.BTN_THUMBR,
    )
    axes = {
        codes.ABS_X:  STICK, codes.ABS_Y:  STICK, codes.ABS_Z:  TRIGGER, codes.ABS_HAT0X: HAT,
        codes.ABS_RX: STICK, codes.ABS_RY: STICK, codes.ABS_RZ: TRIGGER, codes.ABS_HAT0Y: HAT,
    }
    effects = (
        codes.FF_RUMBLE, codes.FF_PERIODIC, codes.FF_SQUARE, codes.FF_TRIANGLE, codes.FF_SINE, codes.FF_GAIN,
    )

    strong = weak = 0       # how fast the motors turn, 0 to 0xffff
    gain = 0xFFFF
    angle = 0.0
    playing = {}            # id of an effect: the effect while it can be felt, None before
    alarms = {}             # id: its timer

    def sticks(self, left=(0, 0), right=(0, 0)):
        """Put both sticks somewhere, -32768 to 32767: x to the right, y down."""
        with self.report():
            for axis, value in zip(STICKS, (*left, *right), strict=True):
                self.axis(axis, value)

    @every(seconds=0.02)
    def turn(self):
        if self.circle > 0 and self.opens:
            self.angle += 2 * pi * 0.02 / self.circle
            self.sticks((round(30000 * sin(self.angle)), round(-30000 * cos(self.angle))))

    # ---- Motors: ff-memless.c plays what programs upload, and adds up what plays at once

    def ff_play(self, effect, times):
        self.stop(effect.id)
        if times:
            self.begin(effect, times)

    def ff_upload(self, effect, old):
        if old is not None and self.playing.get(effect.id) is not None:
            self.playing[effect.id] = effect
            self.drive()

    def ff_gain(self, gain):
        self.gain = gain
        self.drive()

    def begin(self, effect, times):
        self.playing[effect.id] = None
        self.later(effect, effect.replay.delay, self.felt, effect, times)

    def felt(self, effect, times):
        self.playing[effect.id] = effect
        self.drive()
        if effect.replay.length:   # 0: until it is stopped
            self.later(effect, effect.replay.length, self.over, effect, times)

    def over(self, effect, times):
        self.stop(effect.id)
        if times > 1:
            self.begin(effect, times - 1)

    def later(self, effect, milliseconds, method, *arguments):
        if milliseconds:
            self.alarms[effect.id] = self.after(milliseconds / 1000, method, *arguments)
        else:
            method(*arguments)

    def stop(self, number):
        timer = self.alarms.pop(number, None)
        if timer is not None:
            timer.cancel()
        self.playing.pop(number, None)
        self.drive()

    def drive(self):
        levels = [self.level(effect) for effect in self.playing.values() if effect is not None]
        self.strong = min(0xFFFF, sum(strong for strong, _ in levels))
        self.weak = min(0xFFFF, sum(weak for _, weak in levels))

    def level(self, effect):
        """What one effect wants of both motors."""
        if effect.type == codes.FF_RUMBLE:
            rumble = effect.u.rumble
            return rumble.strong_magnitude * self.gain // 0xFFFF, rumble.weak_magnitude * self.gain // 0xFFFF
        wave = abs(effect.u.periodic.magnitude) * self.gain // 0x7FFF
        return wave, wave

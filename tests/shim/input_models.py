"""Input devices for tests/shim/programs/input.c and events.c, and for clients in other languages."""

import os

from devshim import Input
from devshim import input_codes as codes

SYN = (codes.EV_SYN, codes.SYN_REPORT, 0)


class Lamp(Input):
    """An LED, a key, and a wheel that does not turn by itself."""

    name: str = "Lamp"
    keys = (codes.KEY_A,)
    relative = (codes.REL_X,)
    leds = (codes.LED_CAPSL,)
    effects = (codes.FF_RUMBLE,)


class Hasty(Lamp):
    """Turns a thousand times at once when its LED is lit, faster than any program reads."""

    def led_changed(self, led, lit):
        self.after(0, self.turn)

    def turn(self):
        self.play(event for number in range(1, 1001) for event in ((codes.EV_REL, codes.REL_X, number), SYN))


class Shy(Lamp):
    """Goes away when its LED is lit."""

    def led_changed(self, led, lit):
        self.after(0, self.unplug)


class Bulk(Input):
    """As many events as a program reads."""

    relative = (codes.REL_X, codes.REL_Y)
    report_size = 1 << 12
    batch = ((codes.EV_REL, codes.REL_X, 1), (codes.EV_REL, codes.REL_Y, -1), SYN) * 2000

    def opened(self):
        self.after(0, self.more)

    def more(self):
        if self.opens:
            if self.backlog < len(self.batch):
                self.play(self.batch)
            self.after(0.0005, self.more)


class Counter(Input):
    """Presses its key three times when it is opened."""

    name: str = "Counter"
    keys = (codes.KEY_A,)

    def opened(self):
        for _ in range(3):
            self.after(0, lambda: self.tap(codes.KEY_A))


class Burst(Lamp):
    """Turns 450 times at once when its LED is lit: more than a socket takes, less than its queue holds."""

    report_size = 120

    def led_changed(self, led, lit):
        self.play(event for number in range(1, 451) for event in ((codes.EV_REL, codes.REL_X, number), SYN))


class Loose(Lamp):
    """Goes away and comes back when its LED is lit; says in `uniq` how many descriptors its host has."""

    def led_changed(self, led, lit):
        self.lit.clear()
        self.after(0, self.blink)

    def blink(self):
        self.unplug()
        self.plug()
        self.uniq = str(len(os.listdir("/proc/self/fd")))

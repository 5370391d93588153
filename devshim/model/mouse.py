"""Mouse: /dev/input/mouseN, and /dev/input/mice, beside the event nodes of pointers (drivers/input/mousedev.c)."""

from __future__ import annotations

import re
import stat
import time

from devshim.model import input_codes as codes
from devshim.model.companion import Companion
from devshim.model.input_description import INPUT_MAJOR
from devshim.model.input_description import MICE as DYNAMIC
from devshim.model.input_sysfs import beside
from devshim.model.mouse_file import EXTRA, LEFT, MIDDLE, RIGHT, SCREEN, SIDE, Motion, MouseFile
from devshim.model.sysfs import in_class, with_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.input_core import InputCore

FIRST_MINOR, MINORS, MIX = 32, 31, 63
MICE = "/dev/input/mice"
TAP = 0.2  # seconds: a touch no longer than this is a click
FRACTIONS = 128  # of a step of a touchpad

#: Which buttons of a device are which of a mouse (mousedev_key_event).
BUTTONS = {
    **dict.fromkeys((codes.BTN_TOUCH, codes.BTN_0, codes.BTN_LEFT), LEFT),
    **dict.fromkeys((codes.BTN_STYLUS, codes.BTN_1, codes.BTN_RIGHT), RIGHT),
    **dict.fromkeys((codes.BTN_2, codes.BTN_FORWARD, codes.BTN_STYLUS2, codes.BTN_MIDDLE), MIDDLE),
    **dict.fromkeys((codes.BTN_3, codes.BTN_BACK, codes.BTN_SIDE), SIDE),
    **dict.fromkeys((codes.BTN_4, codes.BTN_EXTRA), EXTRA),
}


class MouseNode(Companion):
    """What mouseN and mice have in common: files that packets go to, and the buttons that are down."""

    mode: ClassVar[int] = stat.S_IFCHR | 0o660
    source: InputCore

    def __init__(self, source: InputCore) -> None:
        self.files: list[MouseFile] = []
        self.buttons = 0
        super().__init__(source)

    def open(self, flags: int) -> MouseFile:
        """Each open has a protocol and packets of its own."""
        file = MouseFile(self)
        self.files.append(file)
        self.listen()
        return file

    def file_closed(self, file: MouseFile) -> None:
        """One open less."""
        if file in self.files:
            self.files.remove(file)
            self.listen()

    def unplugged(self) -> None:
        """Nobody hears of it any more."""
        self.files.clear()
        self.listen()

    def listen(self) -> None:
        """Hear of the device's events, or no more, as there are files for them."""

    def tell(self, motion: Motion) -> None:
        """Hand to all files what has happened."""
        for file in self.files:
            file.take(motion, self.buttons)
        if self.files:
            self.wake()


class Mice(MouseNode):
    """/dev/input/mice: all mice of a run as one."""

    common: ClassVar[bool] = True

    def __init__(self, mouse: Mouse) -> None:
        self.mice: list[Mouse] = []
        super().__init__(mouse.source)
        self.take(mouse)

    def join(self, other: Companion) -> None:
        """One mouse more."""
        assert isinstance(other, Mice)
        for mouse in other.mice:
            self.take(mouse)

    def take(self, mouse: Mouse) -> None:
        """Tell of a mouse, too."""
        mouse.mix = self
        self.mice.append(mouse)
        mouse.listen()

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """13:63."""
        return INPUT_MAJOR, MIX

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys shows of it."""
        here = "/sys/devices/virtual/input/mice"
        return {**with_number(here, major, minor, node), **in_class(here, "input")}

    def listen(self) -> None:
        """Who opens it opens all mice (mixdev_open_devices)."""
        for mouse in self.mice:
            mouse.listen()


class Mouse(MouseNode):
    """/dev/input/mouseN, and what mice get to hear from one device."""

    def __init__(self, source: InputCore) -> None:
        self.mix: Mice | None = None
        self.motion = Motion()
        self.place = 0, 0
        self.touched: float | None = None
        self.places: list[tuple[int, int]] = []  # where a finger was at each report since it came
        self.finger = 0, 0
        self.rest = 0, 0
        self.is_touchpad = codes.BTN_TOOL_FINGER in source.supported.get(codes.EV_KEY, ())
        super().__init__(source)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """13:32 and on."""
        trailing = re.search(r"mouse(\d+)$", node)
        number = int(trailing[1]) if trailing else 0
        return INPUT_MAJOR, FIRST_MINOR + number if number < MINORS else DYNAMIC + number

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys and udev show of the node."""
        return beside(self.source, node, major, minor)

    def listen(self) -> None:
        """Its own files need it, and those of mice."""
        if self.files or (self.mix is not None and self.mix.files):
            self.source.listen(self)
        else:
            self.source.unlisten(self)

    def unplugged(self) -> None:
        """It is a mouse less for mice, too."""
        mix, self.mix = self.mix, None
        if mix is not None:
            mix.mice.remove(self)
            mix.buttons &= ~self.buttons
        super().unplugged()

    # ---- Events (mousedev_event)

    def report(self, events: Iterable[tuple[int, int, int]]) -> None:
        """Make packets of a report of the device."""
        for type, code, value in events:
            if type == codes.EV_REL:
                self._moved(code, value)
            elif type == codes.EV_KEY and value != 2:
                self._pressed(code, bool(value))
            elif type == codes.EV_ABS and codes.BTN_TRIGGER not in self.source.supported.get(codes.EV_KEY, ()):
                self._placed(code, value)
            elif type == codes.EV_SYN and code == codes.SYN_REPORT:
                self._end()

    def _end(self) -> None:
        if self.touched is not None:
            self.places = [*self.places[-2:], self.finger]
        motion, self.motion = self.motion, Motion()
        self._both(motion)

    def _both(self, motion: Motion) -> None:
        self.tell(motion)
        if self.mix is not None:
            self.mix.tell(motion)

    def _moved(self, axis: int, distance: int) -> None:
        if axis == codes.REL_X:
            self.motion.dx += distance
        elif axis == codes.REL_Y:
            self.motion.dy -= distance
        elif axis == codes.REL_WHEEL:
            self.motion.dz -= distance

    def _pressed(self, key: int, down: bool) -> None:
        if key == codes.BTN_TOUCH and self.is_touchpad:
            self._touched(down)
            return
        self._button(BUTTONS.get(key, 0), down)

    def _button(self, button: int, down: bool) -> None:
        for node in (self, self.mix) if self.mix is not None else (self,):
            node.buttons = node.buttons | button if down else node.buttons & ~button

    def _touched(self, down: bool) -> None:
        """A short touch is a click (mousedev_touchpad_touch)."""
        if down:
            self.touched = time.monotonic() if self.touched is None else self.touched
            return
        if self.touched is not None and time.monotonic() < self.touched + TAP:
            self._button(LEFT, True)
            self._both(Motion())
            self._button(LEFT, False)
        self.touched = None
        self.places.clear()
        self.rest = 0, 0

    def _placed(self, axis: int, value: int) -> None:
        if axis not in (codes.ABS_X, codes.ABS_Y):
            return
        which = 0 if axis == codes.ABS_X else 1
        if self.is_touchpad:
            self._slid(which, value)
            return
        info = self.source.positions.info[axis]
        size = info.maximum - info.minimum or SCREEN[which] or 1
        place = int((max(info.minimum, min(info.maximum, value)) - info.minimum) * SCREEN[which] / size)
        self.place = (place, self.place[1]) if which == 0 else (self.place[0], SCREEN[1] - place)
        self.motion.place = self.place

    def _slid(self, which: int, value: int) -> None:
        """A finger moves over a touchpad; steps are of its width (mousedev_touchpad_event)."""
        self.finger = (value, self.finger[1]) if which == 0 else (self.finger[0], value)
        if self.touched is None or len(self.places) < 2:
            return
        info = self.source.positions.info[codes.ABS_X]
        size = info.maximum - info.minimum or 512
        moved = value - self.places[-2][which]
        fine = int((moved if which == 0 else -moved) * 256 * FRACTIONS / size) + self.rest[which]
        steps = int(fine / FRACTIONS)
        left = fine - steps * FRACTIONS
        self.rest = (left, self.rest[1]) if which == 0 else (self.rest[0], left)
        if which == 0:
            self.motion.dx = steps
        else:
            self.motion.dy = steps

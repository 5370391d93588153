"""Joystick: the node /dev/input/jsN beside the event node of a stick or pad (drivers/input/joydev.c)."""

from __future__ import annotations

import re
import stat
import struct
from ctypes import c_int32

from devshim.model import input_codes as codes
from devshim.model import joystick_abi as abi
from devshim.model.companion import Companion
from devshim.model.input_description import INPUT_MAJOR, JOYSTICKS
from devshim.model.input_sysfs import beside
from devshim.model.joystick_file import JoystickFile, file_class, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.input_core import InputCore

STATIC_MINORS = 16
MOST_BUTTONS = codes.KEY_MAX - codes.BTN_MISC + 1
LIMIT = 32767


def correction(info: object) -> abi.JsCorr:
    """How an axis is scaled to -32767 to 32767 as long as no program says otherwise (joydev_connect).

    info: its struct input_absinfo.
    """
    low, high, flat = info.minimum, info.maximum, info.flat  # type: ignore[attr-defined]
    if low == high:
        return abi.JsCorr(type=abi.JS_CORR_NONE)
    middle, span = int((high + low) / 2), int((high - low) / 2) - 2 * flat
    slope = int((1 << 29) / span) if span else 0
    fuzz: int = info.fuzz  # type: ignore[attr-defined]
    return abi.JsCorr((c_int32 * 8)(middle - flat, middle + flat, slope, slope), fuzz, abi.JS_CORR_BROKEN)


def corrected(value: int, how: abi.JsCorr) -> int:
    """A value on the scale of joysticks (joydev_correct; products are of 32 bits there)."""
    if how.type == abi.JS_CORR_BROKEN:
        low, high, below, above = how.coef[:4]
        if low < value < high:
            value = 0
        elif value > low:
            value = c_int32(above * (value - high)).value >> 14
        else:
            value = c_int32(below * (value - low)).value >> 14
    elif how.type != abi.JS_CORR_NONE:
        return 0
    return max(-LIMIT, min(LIMIT, value))


class Joystick(Companion):
    """Axes and buttons by number, each axis corrected to the same scale, and a start that tells the whole state.

    axes, buttons  their codes by number, as programs may change them; corrections and positions, by axis
    """

    mode: ClassVar[int] = stat.S_IFCHR | 0o664  # 50-udev-default.rules
    source: InputCore

    def __init__(self, source: InputCore) -> None:
        axes = sorted(source.supported.get(codes.EV_ABS, ()))
        keys = sorted(key for key in source.supported.get(codes.EV_KEY, ()) if key >= codes.BTN_MISC)
        keys = [key for key in keys if key >= codes.BTN_JOYSTICK] + [key for key in keys if key < codes.BTN_JOYSTICK]
        self.axes, self.buttons = len(axes), len(keys)
        self.axis_codes = axes + [0] * (codes.ABS_CNT - len(axes))
        self.button_codes = keys + [0] * (MOST_BUTTONS - len(keys))
        self.corrections = [correction(source.positions.info[code]) for code in axes]
        self.positions = [0] * len(axes)
        self.old = abi.JsDataSave()
        self.files: list[JoystickFile] = []
        super().__init__(source)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """13:0 and on."""
        trailing = re.search(r"js(\d+)$", node)
        number = int(trailing[1]) if trailing else 0
        return INPUT_MAJOR, number if number < STATIC_MINORS else JOYSTICKS + number

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys and udev show of the node."""
        return beside(self.source, node, major, minor)

    def open(self, flags: int) -> JoystickFile:
        """Each open begins with the whole state."""
        file = file_class(self.axes)(self)
        if not self.files:
            self.source.listen(self)
            self.look()
        self.files.append(file)
        return file

    def file_closed(self, file: JoystickFile) -> None:
        """One open less."""
        if file in self.files:
            self.files.remove(file)
            if not self.files:
                self.source.unlisten(self)

    def unplugged(self) -> None:
        """Nobody hears of it any more."""
        self.files.clear()
        self.source.unlisten(self)

    # ---- State

    def look(self) -> None:
        """Where the axes stand now."""
        info = self.source.positions.info
        for number, how in enumerate(self.corrections):
            there = info.get(self.axis_codes[number])
            self.positions[number] = corrected(there.value if there is not None else 0, how)

    def is_pressed(self, number: int) -> bool:
        """Whether a button is down."""
        return self.button_codes[number] in self.source.pressed

    def report(self, events: list[tuple[int, int, int]]) -> None:
        """Hand a report of the device to those who have the node open (joydev_event)."""
        for type, code, value in events:
            number, kind = 0, abi.JS_EVENT_BUTTON
            if type == codes.EV_KEY and code >= codes.BTN_MISC and value != 2:
                number = number_of(code, self.button_codes[: self.buttons])
            elif type == codes.EV_ABS and self.axes:
                number, kind = number_of(code, self.axis_codes[: self.axes]), abi.JS_EVENT_AXIS
                value = corrected(value, self.corrections[number])
                if value == self.positions[number]:
                    continue
                self.positions[number] = value
            else:
                continue
            event = abi.EVENT.pack(now(), value, kind, number)
            for file in self.files:
                file.put(event)
        self.wake()

    # ---- What programs set

    def remap_axes(self, data: bytes) -> bool:
        """Give axes other codes; False where one is none (joydev_handle_JSIOCSAXMAP)."""
        data = data[: codes.ABS_CNT]
        if any(code > codes.ABS_MAX for code in data[: self.axes]):
            return False
        self.axis_codes[: len(data)] = data
        return True

    def remap_buttons(self, data: bytes) -> bool:
        """Give buttons other codes; False where one is none (joydev_handle_JSIOCSBTNMAP)."""
        count = min(len(data) // 2, MOST_BUTTONS)
        wanted = struct.unpack_from(f"<{count}H", data)
        if any(not codes.BTN_MISC <= code <= codes.KEY_MAX for code in wanted[: self.buttons]):
            return False
        self.button_codes[:count] = wanted
        return True


def number_of(code: int, known: list[int]) -> int:
    """The number of an axis or button; the driver's tables say 0 for others."""
    return known.index(code) if code in known else 0

"""Absolute axes: limits, noise filter and multi-touch slots, as input core keeps them (drivers/input/input.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from devshim.model.input_abi import InputAbsinfo
from devshim.model.input_codes import ABS_MT_SLOT, ABS_MT_TOOL_Y, ABS_MT_TOUCH_MAJOR, ABS_MT_TRACKING_ID

MT_VALUES = range(ABS_MT_TOUCH_MAJOR, ABS_MT_TOOL_Y + 1)  # what each slot has of its own (input_is_mt_value)


class Axis(NamedTuple):
    """One absolute axis, in its own units; what the members mean is said at struct input_absinfo in linux/input.h.

    Axis(0, 255), Axis(-32768, 32767, fuzz=16, flat=128).  value is where it stands at first.
    """

    minimum: int = 0
    maximum: int = 0
    fuzz: int = 0
    flat: int = 0
    resolution: int = 0
    value: int = 0

    def info(self) -> InputAbsinfo:
        """The same as struct input_absinfo."""
        return InputAbsinfo(self.value, self.minimum, self.maximum, self.fuzz, self.flat, self.resolution)


class Axes:
    """The axes of one device, and where they stand."""

    def __init__(self, axes: Mapping[int, Axis]) -> None:
        self.info = {code: axis.info() for code, axis in axes.items()}
        self.slots: list[dict[int, int]] = []
        self.slot = 0
        if ABS_MT_SLOT in axes:
            free = {ABS_MT_TRACKING_ID: -1}  # input_mt_init_slots()
            self.slots = [dict(free) for _ in range(axes[ABS_MT_SLOT].maximum + 1)]

    def take(self, code: int, value: int) -> tuple[bool, int, int | None]:
        """Whether an event passes, its value after the filter, and the slot to announce before it, if any.

        input_handle_abs_event(): what is as before does not pass; a slot is announced with its first value.
        """
        if code == ABS_MT_SLOT:
            if 0 <= value < len(self.slots):
                self.slot = value
            return False, value, None
        info = self.info[code]
        if code not in MT_VALUES:
            value = defuzz(value, info.value, info.fuzz)
            if value == info.value:
                return False, value, None
            info.value = value
            return True, value, None
        return self._take_touch(code, value, info.fuzz) if self.slots else (True, value, None)

    def _take_touch(self, code: int, value: int, fuzz: int) -> tuple[bool, int, int | None]:
        slot = self.slots[self.slot]
        before = slot.get(code, 0)
        value = defuzz(value, before, fuzz)
        if value == before:
            return False, value, None
        slot[code] = value
        if self.slot == self.info[ABS_MT_SLOT].value:
            return True, value, None
        self.info[ABS_MT_SLOT].value = self.slot
        return True, value, self.slot


def defuzz(value: int, before: int, fuzz: int) -> int:
    """What is left of a change after the noise filter (input_defuzz_abs_event; C divides towards zero)."""
    if fuzz:
        distance = abs(value - before)
        if distance < fuzz // 2:
            return before
        if distance < fuzz:
            return int((before * 3 + value) / 4)
        if distance < fuzz * 2:
            return int((before + value) / 2)
    return value

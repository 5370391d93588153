"""Input core: which events pass, what is kept of them, and which open gets them (drivers/input/input.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from devshim.model.input_abi import BODY, InputKeymapEntry
from devshim.model.input_codes import (
    ABS_MT_SLOT,
    EV_ABS,
    EV_FF,
    EV_KEY,
    EV_LED,
    EV_MSC,
    EV_REL,
    EV_REP,
    EV_SND,
    EV_SW,
    EV_SYN,
    FF_CUSTOM,
    KEY_MAX,
    KEY_RESERVED,
    REP_DELAY,
    REP_PERIOD,
    SYN_REPORT,
)
from devshim.model.input_description import InputDescription
from devshim.model.input_file import CustomInputFile, InputFile, failure
from devshim.model.input_force import Forces
from devshim.model.input_queue import REPORT, Times
from devshim.model.timing import Timer

DELAY, PERIOD = 250, 33  # milliseconds: what hid-input and the software repeat begin with
FULL_REPORT = BODY.pack(EV_SYN, SYN_REPORT, 1)  # the value 1 tells the core's own report from the driver's


class Listener(Protocol):
    """What else the kernel makes of a device's events: a joystick, a mouse."""

    def report(self, events: list[tuple[int, int, int]]) -> None:
        """Take one report: type, code and value of each event, the SYN_REPORT last."""


class InputCore(InputDescription):
    """An input device as the kernel keeps it: state, report under way, opens; and hooks for what programs do."""

    def __init__(self, **parameters: Any) -> None:
        self.pressed: set[int] = set()
        self.lit: set[int] = set()
        self.sounding: set[int] = set()
        self.closed_switches: set[int] = set()
        self.repetition = {REP_DELAY: DELAY, REP_PERIOD: PERIOD}
        self._files: list[InputFile] = []
        self._listeners: list[Listener] = []
        self._grab: InputFile | None = None
        self._report: list[bytes] = []
        self._many = False
        self._repeating: Timer | None = None
        super().__init__(**parameters)

    @cached_property
    def forces(self) -> Forces:
        """The effects that programs have stored."""
        return Forces(self, self.effects, self.all_effects(), self.max_effects)

    # ---- What the program does to it; hooks for subclasses

    def opened(self) -> None:
        """The first program has opened it."""

    def closed(self) -> None:
        """The last program has closed it."""

    def led_changed(self, led: int, lit: bool) -> None:
        """An LED (LED_CAPSL) went on or off; self.lit holds those that are on."""

    def sound_changed(self, sound: int, value: int) -> None:
        """A sound was asked for: SND_BELL and SND_CLICK on and off, SND_TONE in Hz."""

    def repeat_changed(self, delay: int, period: int) -> None:
        """The times of key repetition changed: milliseconds."""

    def ff_upload(self, effect: Any, old: Any) -> None:
        """A program stored an effect (struct ff_effect), in place of an old one or None; OSError refuses it."""

    def ff_erase(self, number: int) -> None:
        """An effect was erased."""

    def ff_play(self, effect: Any, times: int) -> None:
        """An effect is to be played so many times; 0: stopped."""

    def ff_gain(self, gain: int) -> None:
        """The strength of all effects was set, 0 to 0xffff."""

    def ff_autocenter(self, strength: int) -> None:
        """The strength of the return to the middle was set, 0 to 0xffff."""

    # ---- Input core

    def event(self, type: int, code: int, value: int) -> None:
        """Pass one event (input_event): what the device does not have, and what changes nothing, is dropped.

        Programs read it after the next sync(); those that write events come this way as well.
        """
        codes = self.supported.get(type)
        if codes is None or (code not in codes and type != EV_FF):
            return
        if type == EV_KEY:
            if value != 2:  # a repetition is no change
                if (code in self.pressed) == bool(value):
                    return
                self.pressed.symmetric_difference_update((code,))
        elif type == EV_SYN:
            if code == SYN_REPORT:
                if self._report:
                    self._flush(REPORT if not value else BODY.pack(type, code, value))
                return
        elif type == EV_ABS:
            passes, value, slot = self.positions.take(code, value)
            if not passes:
                return
            if slot is not None:
                self._report.append(BODY.pack(EV_ABS, ABS_MT_SLOT, slot))
        elif type == EV_REL:
            if not value:
                return
        elif type != EV_MSC and not PASSED_ON[type](self, code, value):
            return
        self._report.append(BODY.pack(type, code, value))
        if len(self._report) >= self.most_events:
            self._flush(FULL_REPORT)

    def _led(self, code: int, value: int) -> bool:
        if (code in self.lit) == bool(value):
            return False
        self.lit.symmetric_difference_update((code,))
        self.led_changed(code, bool(value))
        return True

    def _sound(self, code: int, value: int) -> bool:
        (self.sounding.add if value else self.sounding.discard)(code)
        self.sound_changed(code, value)
        return True

    def _switch(self, code: int, value: int) -> bool:
        if (code in self.closed_switches) == bool(value):
            return False
        self.closed_switches.symmetric_difference_update((code,))
        return True

    def _repetition(self, code: int, value: int) -> bool:
        if value < 0 or self.repetition[code] == value:
            return False
        self.repetition[code] = value
        self.repeat_changed(self.repetition[REP_DELAY], self.repetition[REP_PERIOD])
        return True

    def _force(self, code: int, value: int) -> bool:
        if value < 0:
            return False
        self.forces.event(code, value)
        return True

    def _flush(self, end: bytes) -> None:
        """Hand the report to those who get it (input_pass_values)."""
        report, self._report = self._report, []
        report.append(end)
        times: Times = {}
        for file in (self._grab,) if self._grab is not None else tuple(self._files):
            file.receive(report, times, self._many)
        if self._listeners and self._grab is None:
            events = [BODY.unpack(body) for body in report]
            for listener in tuple(self._listeners):
                listener.report(events)
        if self.repeat:
            self._repeat_last(report)

    def flush(self) -> None:
        """Send what play() has gathered."""
        for file in tuple(self._files):
            file.flush()

    # ---- Repetition

    def _repeat_last(self, report: list[bytes]) -> None:
        for type, code, value in map(BODY.unpack, report):
            if type == EV_KEY and value != 2:
                if self._repeating is not None:
                    self._repeating.cancel()
                    self._repeating = None
                if value and self._plug is not None and all(self.repetition.values()):
                    self._repeating = self.after(self.repetition[REP_DELAY] / 1000, self._repeat_key, code)

    def _repeat_key(self, code: int) -> None:
        """The key is still down (input_repeat_key)."""
        self._repeating = None
        if code in self.pressed and code in self.supported[EV_KEY]:
            self.event(EV_KEY, code, 2)
            self.event(EV_SYN, SYN_REPORT, 1)
            if self.repetition[REP_PERIOD]:
                self._repeating = self.after(self.repetition[REP_PERIOD] / 1000, self._repeat_key, code)

    # ---- Opens

    @property
    def opens(self) -> int:
        """How many opens there are now; those of a jsN or mouseN count as one."""
        return len(self._files) + len(self._listeners)

    @property
    def backlog(self) -> int:
        """Events that the slowest program has not read; what lies in the kernel for it already is not counted."""
        return max((file.backlog for file in self._files), default=0)

    def open(self, flags: int) -> InputFile:
        """Each open has a queue of its own."""
        file = (CustomInputFile if FF_CUSTOM in self.forces.own else InputFile)(self)
        self._files.append(file)
        if self.opens == 1:
            self.opened()
        return file

    def listen(self, listener: Listener) -> None:
        """Another interface's node is open: hand it each report, but while an open has grabbed the device."""
        if listener not in self._listeners:
            self._listeners.append(listener)
            if self.opens == 1:
                self.opened()

    def unlisten(self, listener: Listener) -> None:
        """It is closed."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            if not self.opens:
                self.closed()

    def file_closed(self, file: InputFile) -> None:
        """An open is closed or revoked: its grab and its effects go."""
        if file not in self._files:
            return
        self.forces.flush(file)
        if self._grab is file:
            self._grab = None
        self._files.remove(file)
        if not self.opens:
            self.closed()

    def grab(self, file: InputFile) -> None:
        """Give one open all events.  Raises OSError(EBUSY) where one has them already."""
        if self._grab is not None:
            raise failure(errno.EBUSY)
        self._grab = file

    def ungrab(self, file: InputFile) -> None:
        """Let go.  Raises OSError(EINVAL) where this open has no grab."""
        if self._grab is not file:
            raise failure(errno.EINVAL)
        self._grab = None

    def remap(self, entry: InputKeymapEntry) -> None:
        """Give a scancode another key (input_set_keycode).  Raises OSError(EINVAL)."""
        if entry.keycode > KEY_MAX:
            raise failure(errno.EINVAL)
        old, new = self.scancodes.change(entry)
        keys = self.supported.setdefault(EV_KEY, set())
        keys.add(new)
        if old not in self.scancodes.entries.values():
            keys.discard(old)
        keys.discard(KEY_RESERVED)
        if old not in keys and old in self.pressed:
            self.pressed.discard(old)
            self._report.append(BODY.pack(EV_KEY, old, 0))
            self._flush(FULL_REPORT)

    def attached(self, plug: Any) -> None:
        """Plugged in, perhaps again: no key is down, and nobody has it open."""
        self.pressed.clear()
        self._report.clear()
        self._repeating = None
        for file in tuple(self._files):
            self.file_closed(file)
        super().attached(plug)


#: What becomes of an event of a type that concerns the hardware, or has a state; whether it passes.
PASSED_ON: dict[int, Callable[[InputCore, int, int], bool]] = {
    EV_LED: InputCore._led,
    EV_SND: InputCore._sound,
    EV_SW: InputCore._switch,
    EV_REP: InputCore._repetition,
    EV_FF: InputCore._force,
}

"""Input: keyboards, mice, pads, touchscreens, knobs and switches at /dev/input/eventN.

What passes, and what is kept, follows input core (input_core.py; Documentation/input/event-codes.rst); what each open
gets follows evdev (input_file.py).
"""

from __future__ import annotations

from devshim.model.input_axes import Axis
from devshim.model.input_codes import EV_ABS, EV_KEY, EV_MSC, EV_REL, EV_SW, EV_SYN, MSC_SCAN, SYN_REPORT
from devshim.model.input_core import InputCore
from devshim.model.input_names import code_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, ClassVar

__all__ = ["Axis", "Input"]


class Report:
    """The block of `with device.report():`; the end of the outermost one is the end of the report."""

    def __init__(self, device: Input) -> None:
        self.device = device
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *error: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.device.sync()


class Input(InputCore):
    """A device that people touch.  A subclass says what it has, and tells of each change:

        class Knob(Input):
            name: str = "Knob"
            keys = [KEY_ENTER]
            relative = [REL_DIAL]

            def turn(self, clicks):
                self.move(REL_DIAL, clicks)

    The numbers are in devshim.input_codes; what can be declared, in InputDescription.  Each of press, release, tap,
    move, axis, switch, scan is a report of its own, ended by a SYN_REPORT; `with self.report():` makes one of several.
    As on real hardware, what changes nothing is not reported, and a program that reads too slowly loses events and gets
    SYN_DROPPED.
    """

    usual_node: ClassVar[str] = "/dev/input/event0"

    def __init__(self, **parameters: Any) -> None:
        self._block = Report(self)
        super().__init__(**parameters)

    # ---- What its hardware does

    def press(self, key: int) -> None:
        """A key or button goes down.  Raises ValueError where the device does not have it, as all of these do."""
        self._tell(EV_KEY, key, 1)

    def release(self, key: int) -> None:
        """A key or button goes up."""
        self._tell(EV_KEY, key, 0)

    def tap(self, key: int) -> None:
        """A key or button goes down and up: two reports."""
        self.press(key)
        self.sync()
        self.release(key)

    def move(self, axis: int, distance: int) -> None:
        """A relative axis (REL_X, REL_WHEEL) moves; 0 is no movement and no event."""
        self._tell(EV_REL, axis, distance)

    def axis(self, axis: int, value: int) -> None:
        """An absolute axis (ABS_X) stands somewhere else; of a multi-touch axis, that of the slot in ABS_MT_SLOT."""
        self._tell(EV_ABS, axis, value)

    def switch(self, switch: int, closed: bool) -> None:
        """A switch (SW_LID) is closed or opened."""
        self._tell(EV_SW, switch, int(closed))

    def scan(self, scancode: int, down: bool) -> None:
        """The key with a scancode goes down or up: MSC_SCAN where the device has it, and the key of the keymap."""
        if scancode not in self.scancodes.entries:
            raise ValueError(f"{type(self).__name__}.keymap has no scancode {scancode:#x}")
        with self.report():
            self.event(EV_MSC, MSC_SCAN, int.from_bytes(scancode.to_bytes(4, "little"), "little", signed=True))
            self.event(EV_KEY, self.scancodes.entries[scancode], int(down))

    def report(self) -> Report:
        """Make one report of all that is told in a `with` block; within another, part of that one."""
        return self._block

    def sync(self) -> None:
        """End the report: programs may read it now."""
        self.event(EV_SYN, SYN_REPORT, 0)

    def play(self, events: Iterable[tuple[int, int, int]]) -> None:
        """Pass many events, each (type, code, value), with the SYN_REPORTs among them: the fast way for many."""
        event, self._many = self.event, True
        try:
            for type, code, value in events:
                event(type, code, value)
        finally:
            self._many = False
            self.flush()

    def _tell(self, type: int, code: int, value: int) -> None:
        if code not in self.supported.get(type, ()):
            raise ValueError(f"{self.__class__.__name__} has no {code_name(type, code)}")
        self.event(type, code, value)
        if not self._block.depth:
            self.sync()

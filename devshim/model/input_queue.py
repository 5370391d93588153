"""What evdev does with the events of one open: time stamps, masks, what an overflow leaves (drivers/input/evdev.c)."""

from __future__ import annotations

import time

from devshim.model.input_abi import BODY, COUNTS, EVENT_SIZE, STAMP
from devshim.model.input_codes import EV_MAX, EV_SYN, SYN_DROPPED, SYN_REPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPORT = BODY.pack(EV_SYN, SYN_REPORT, 0)
REPORTS = REPORT[:4]  # a SYN_REPORT whatever its value: type and code
DROPPED = BODY.pack(EV_SYN, SYN_DROPPED, 0)

Times = dict[int, bytes]  #: the time of one report by clock, as the first half of struct input_event


def stamp(clock: int) -> bytes:
    """The time now by a clock, as struct input_event begins."""
    microseconds = time.clock_gettime_ns(clock) // 1000
    return STAMP.pack(*divmod(microseconds, 1_000_000))


class EventQueue:
    """What evdev keeps for one open; the unread events themselves lie in the stream.

    size      events of the kernel's ring, in which one less has room
    clock     the clock of the program's time stamps
    masks     codes that pass, by type, as bitmaps; a type that is not there passes whole
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.clock = time.CLOCK_REALTIME
        self.masks: dict[int, bytes] = {}
        self._early = b""  # a SYN_DROPPED that the next SYN_REPORT makes readable

    def stamped(self, report: list[bytes], times: Times) -> bytes:
        """The events of one report for this open, from their second halves, SYN_REPORT last (evdev_pass_values)."""
        now = times.get(self.clock)
        if now is None:
            now = times[self.clock] = stamp(self.clock)
        if self.masks:
            report = list(self._passing(report))
            if not report:
                return b""
        early, self._early = self._early, b""
        return early + now + now.join(report)

    def squeezed(self, unread: bytes, events: bytes) -> bytes:
        """What is left when events come to unread ones and have no room.

        The event that fills the ring empties it: SYN_DROPPED and that event are what is left (__pass_event).
        """
        kept = bytearray(unread)
        for at in range(0, len(events), EVENT_SIZE):
            event = events[at : at + EVENT_SIZE]
            kept += event
            if len(kept) // EVENT_SIZE >= self.size:
                kept = bytearray(event[: STAMP.size] + DROPPED + event)
        return bytes(kept)

    def set_clock(self, clock: int, unread: bytes) -> None:
        """Stamp by another clock; what is unread has the old one's times and is dropped (evdev_set_clk_type)."""
        self.clock = clock
        if unread or self._early:
            self._early = stamp(clock) + DROPPED

    @staticmethod
    def without(type: int, unread: bytes) -> bytes:
        """Unread events without those of a type, whose outcome the program was just told (__evdev_flush_queue)."""
        kept, since = bytearray(), 1  # 1: a SYN_REPORT that comes first stays
        for at in range(0, len(unread), EVENT_SIZE):
            event = unread[at : at + EVENT_SIZE]
            reports = event[STAMP.size : STAMP.size + len(REPORTS)] == REPORTS
            if BODY.unpack_from(event, STAMP.size)[0] == type or (reports and not since):
                continue
            kept += event
            since = 0 if reports else since + 1
        return bytes(kept)

    # ---- Masks

    def _passing(self, report: Iterable[bytes]) -> Iterator[bytes]:
        """What the masks let through, without a SYN_REPORT that has nothing before it."""
        empty = not self._early
        for body in report:
            type, code, _ = BODY.unpack(body)
            if self._hidden(type, code) or (empty and type == EV_SYN and code == SYN_REPORT):
                continue
            empty = False
            yield body

    def _hidden(self, type: int, code: int) -> bool:
        """Whether the program does not want an event (__evdev_is_filtered); EV_SYN it always gets."""
        if type == EV_SYN or type > EV_MAX:
            return False
        types = self.masks.get(EV_SYN)
        if types is not None and not has_bit(types, type):
            return True
        mask = self.masks.get(type)
        return mask is not None and code < COUNTS[type] and not has_bit(mask, code)


def has_bit(bits: bytes, bit: int) -> bool:
    """Whether a bitmap has a bit."""
    return bool(bits[bit // 8] >> bit % 8 & 1)

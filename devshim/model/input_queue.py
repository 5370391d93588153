"""The queue of events that one open of an input device has, as evdev keeps it (drivers/input/evdev.c)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from devshim.model.input_abi import BODY, COUNTS, EVENT_SIZE, STAMP
from devshim.model.input_codes import EV_MAX, EV_SYN, SYN_DROPPED, SYN_REPORT

REPORT = BODY.pack(EV_SYN, SYN_REPORT, 0)
REPORTS = REPORT[:4]  # a SYN_REPORT whatever its value: type and code
DROPPED = BODY.pack(EV_SYN, SYN_DROPPED, 0)

Times = dict[int, bytes]  #: the time of one report by clock, as the first half of struct input_event


def stamp(clock: int) -> bytes:
    """The time now by a clock, as struct input_event begins."""
    microseconds = time.clock_gettime_ns(clock) // 1000
    return STAMP.pack(*divmod(microseconds, 1_000_000))


class EventQueue:
    """Events that a program has not read yet, as bytes; whole reports, so that all of `ready` may be read.

    size      events that fit, less one, as in the kernel's ring
    clock     the clock of the program's time stamps
    masks     codes that pass, by type, as bitmaps; a type that is not there passes whole
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.clock = time.CLOCK_REALTIME
        self.masks: dict[int, bytes] = {}
        self.ready = bytearray()
        self._early = b""  # events that a SYN_REPORT has yet to make readable

    def __len__(self) -> int:
        return len(self.ready) // EVENT_SIZE

    def receive(self, report: list[bytes], times: Times) -> None:
        """Take one report: the second halves of its events, SYN_REPORT last (evdev_pass_values)."""
        now = times.get(self.clock)
        if now is None:
            now = times[self.clock] = stamp(self.clock)
        if self.masks:
            report = list(self._passing(report))
            if not report:
                return
        if len(self) + len(self._early) // EVENT_SIZE + len(report) < self.size:
            self.ready += self._early + now + now.join(report)
        else:
            self._receive_too_much(report, now)
        self._early = b""

    def _receive_too_much(self, report: list[bytes], now: bytes) -> None:
        """An event that fills the ring empties it: SYN_DROPPED and that event are what is left (__pass_event)."""
        events = self.ready + self._early
        for body in report:
            events += now + body
            if len(events) // EVENT_SIZE >= self.size:
                events = bytearray(now + DROPPED + now + body)
        self.ready[:] = events

    def take(self, size: int) -> bytes:
        """The oldest events, as many as fit into size bytes; they are gone then."""
        end = size // EVENT_SIZE * EVENT_SIZE
        data = bytes(self.ready[:end])
        del self.ready[:end]
        return data

    # ---- What the program sets

    def set_clock(self, clock: int) -> None:
        """Stamp by another clock; events with the old one's times are dropped (evdev_set_clk_type)."""
        if clock == self.clock:
            return
        self.clock = clock
        if self.ready or self._early:
            self.ready.clear()
            self._early = stamp(clock) + DROPPED

    def forget(self, type: int) -> None:
        """Drop the events of a type, whose outcome the program has just been told (__evdev_flush_queue)."""
        kept, since = bytearray(), 1  # 1: a SYN_REPORT that comes first stays
        for at in range(0, len(self.ready), EVENT_SIZE):
            event = self.ready[at : at + EVENT_SIZE]
            reports = event[STAMP.size : STAMP.size + len(REPORTS)] == REPORTS
            if BODY.unpack_from(event, STAMP.size)[0] == type or (reports and not since):
                continue
            kept += event
            since = 0 if reports else since + 1
        self.ready[:] = kept

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

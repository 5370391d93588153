"""What was recorded of a USB device, transfer by transfer, and which of them may come now.

A program's transfers need not be cut into the same calls again, nor asked for in the same order at different endpoints:

    to the device       bytes of an endpoint, and control transfers that hand bytes in, come in their order there
    a control question  may be asked at any time, and again; it gets what was recorded next, unless something must be
                        sent before that, else what was recorded last
    from an endpoint    data come in their order, once the program has sent all that it had sent before they came
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Iterator

from devshim.model.raw import Cell
from devshim.model.usb_abi import CONTROL, IN
from devshim.trace.event import Event

#: What a program brings about itself: a transfer with such a status tells nothing of the device.
ENDED = tuple(-number for number in (errno.ENOENT, errno.ECONNRESET, errno.ESHUTDOWN, errno.ETIMEDOUT))
SETUP = 8
HEAD = struct.Struct("<iI4xQii")  # of struct usbdevfs_urb, from status to actual_length


class Step:
    """One transfer in its place: where the program must have come for it, and what came of it.

    status  None while nothing is known: it went on until the recording ended, or the program ended it
    """

    def __init__(self, event: Event, control: bool, endpoint: int, sent: bytes) -> None:
        self.event = event
        self.control, self.endpoint, self.sent = control, 0 if control else endpoint, sent
        self.status: int | None = None
        self.received = b""
        self.done = False

    @property
    def goes_in(self) -> bool:
        """Whether its data come from the device."""
        return bool((self.sent[0] if self.control and self.sent else self.endpoint) & IN)

    @property
    def asks(self) -> bool:
        """Whether it is a control transfer that asks for something."""
        return self.control and self.goes_in

    @property
    def commands(self) -> bool:
        """Whether it sends something that what comes later may be due to."""
        return not self.goes_in


class UsbCourse:
    """The steps of a device; stands among the courses of a replay.

    reached  number of the latest event that the program has come to
    """

    reached = 0
    blocker: Event | None = None

    def __init__(self, events: Iterable[Event]) -> None:
        self.steps = list(steps_of(events))
        self.steady = Cell()
        self._last: dict[bytes, Step] = {}
        self._begin = 0  # all steps before are done

    def _to_come(self) -> Iterator[Step]:
        while self._begin < len(self.steps) and self.steps[self._begin].done:
            self._begin += 1
        return (self.steps[at] for at in range(self._begin, len(self.steps)) if not self.steps[at].done)

    def send(self, control: bool, endpoint: int, sent: bytes) -> Step | None:
        """The step of a transfer that hands bytes in, or asks by a control transfer; None for a mismatch."""
        asks = control and bool(sent[0] & IN)
        last = self._last.get(sent) if asks else None
        for step in self._to_come():
            if last is not None and step.commands:
                return last  # what it said then holds until that is done
            if step.control != control or step.endpoint != endpoint or (step.goes_in and not step.control):
                continue
            if step.sent == sent:
                return self._come_to(step)
            if not step.asks and not asks:
                return None
        return last

    def receive(self, endpoint: int) -> Step | None:
        """The next data of an endpoint, if they may come now."""
        for step in self._to_come():
            if step.commands:
                return None
            if not step.control and step.endpoint == endpoint:
                return self._come_to(step)
        return None

    def _come_to(self, step: Step) -> Step:
        step.done = True
        self.reached = max(self.reached, step.event.number)
        if step.asks:
            self._last[step.sent] = step
        elif step.commands:
            self._leave_out(step)
        return step

    def _leave_out(self, command: Step) -> None:
        """The program has passed the questions that were asked before a command."""
        for step in self._to_come():
            if step.event.number > command.event.number:
                return
            if step.asks:
                step.done = True
                self._last[step.sent] = step

    # ---- As a course of the replay

    @property
    def first(self) -> Event | None:
        """Nothing of other nodes waits for a USB device."""
        return None

    def entries(self) -> Iterator[Step]:
        """What is to come."""
        return self._to_come()

    def left(self) -> Iterator[Event]:
        """The transfers that the program has not come to, and that are worth telling of."""
        return (step.event for step in self.steps if not step.done and not (step.asks and step.sent in self._last))


def steps_of(events: Iterable[Event]) -> Iterator[Step]:
    """The transfers of a device's events, in the order in which the program must come to them."""
    found: list[tuple[int, Step]] = []
    open_steps: list[Step] = []
    for place, event in enumerate(events):
        if event.name != "ioctl" or not event.finished:
            continue
        if event.label == "USBDEVFS_SUBMITURB" and event.error is None:
            kind, endpoint, _, size, _, data = parts(event.before, 0)
            step = Step(event, kind == CONTROL, endpoint, handed_in(kind, data, size))
            if step.goes_in and not step.control:
                continue  # what comes of it has its place where that came
            open_steps.append(step)
            found.append((place, step))
        elif event.label in ("USBDEVFS_REAPURB", "USBDEVFS_REAPURBNDELAY") and event.error is None and event.after:
            kind, endpoint, status, size, actual, data = parts(event.after, 1)
            step = Step(event, kind == CONTROL, endpoint, handed_in(kind, data, size))
            if not step.goes_in or step.control:
                step = next((one for one in open_steps if (one.endpoint, one.sent) == (step.endpoint, step.sent)), step)
                if step in open_steps:
                    open_steps.remove(step)
                else:
                    found.append((place, step))
            elif status not in ENDED:
                found.append((place, step))
            if status not in ENDED:
                step.status = status
                step.received = data[SETUP : SETUP + actual] if step.control else data[:actual]
        elif event.label in ("USBDEVFS_CONTROL", "USBDEVFS_BULK") and event.before:
            synchronous = step_of_call(event)
            if synchronous is not None:
                found.append((place, synchronous))
    yield from (step for _, step in found)


def parts(memory: list[bytes | None] | None, first: int) -> tuple[int, int, int, int, int, bytes]:
    """Type, endpoint, status, buffer_length, actual_length and the buffer of an URB, whose segment is the first-th."""
    urb = ((memory[first] if memory and len(memory) > first else None) or b"").ljust(56, b"\0")
    status, _, _, size, actual = HEAD.unpack_from(urb, 4)
    buffer = next((one for one in (memory or [])[first + 1 : first + 3] if one), b"")
    return urb[0], urb[1], status, size, actual, buffer


def handed_in(kind: int, buffer: bytes, size: int) -> bytes:
    """What of a buffer the program hands in: all of it, or of a control transfer that asks, the setup."""
    if kind == CONTROL and buffer[:1] and buffer[0] & IN:
        return buffer[:SETUP]
    return buffer[:size]


def step_of_call(event: Event) -> Step | None:
    """The step of a transfer whose end the call waited for."""
    before, after = event.before or [], event.after or []
    head = before[0] or b""
    sent = (before[1] if len(before) > 1 else None) or b""
    received = (after[2] if len(after) > 2 else None) or b""
    if event.label == "USBDEVFS_CONTROL":
        if len(head) < SETUP:
            return None
        step = Step(event, True, 0, head[:SETUP] + (b"" if head[0] & IN else sent))
    else:
        endpoint = int.from_bytes(head[:4], "little")
        step = Step(event, False, endpoint, b"" if endpoint & IN else sent)
    status = -getattr(errno, event.error, errno.EIO) if event.error is not None else 0
    if status in ENDED:
        return None if step.goes_in else step
    step.status, step.received = status, received[: event.result] if event.error is None else b""
    return step

"""URBs: transfers that a program submits, and reaps when they are over; the answer to that fills what it submitted."""

from __future__ import annotations

import errno
import struct
from collections import deque
from ctypes import c_uint64, sizeof

from devshim.model.device import WAIT
from devshim.model.kept import Fill, Filled, Kept, Memory
from devshim.model.usb_abi import (
    BULK,
    BULK_CONTINUATION,
    CONTROL,
    IN,
    INTERRUPT,
    ISO,
    MOST_PACKETS,
    SHORT_NOT_OK,
    URB_FLAGS,
    IsoPacket,
    Urb,
    fail,
)
from devshim.model.usb_claims import Claiming
from devshim.model.usb_control import Setup
from devshim.model.usb_transfer import Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.usb import UsbDevice

SETUP = 8  # bytes of it, at the start of a control URB's buffer
TRANSFER_OF = {BULK: "bulk", INTERRUPT: "interrupt", ISO: "isochronous"}
CANCELLED = (-errno.ENOENT, -errno.ECONNRESET)


class SubmittedUrb(Transfer):
    """A transfer with the memory that it was submitted by.

    urb        the struct usbdevfs_urb itself, by whose address the program knows it
    buffer     where received bytes go
    frames     where the results of an isochronous transfer's packets go
    continues  the one before it is part of the same whole (USBDEVFS_URB_BULK_CONTINUATION)
    """

    def __init__(self, file: Submitting, urb: Kept, buffer: Kept, frames: Kept, **transfer: Any) -> None:
        super().__init__(**transfer)
        self.file, self.urb, self.buffer, self.frames = file, urb, buffer, frames
        self.continues = bool(self.flags & BULK_CONTINUATION)

    def over(self) -> None:
        """Its file can reap it."""
        self.file.finish(self)

    def fills(self) -> list[Fill]:
        """What reaping it puts into the program's memory: processcompl() of devio.c."""
        errors = sum(1 for _, status in self.each if status)
        found = [
            self.urb.filled(struct.pack("<i", self.status), Urb.status.offset),
            self.urb.filled(struct.pack("<i", self.actual), Urb.actual_length.offset),
            self.urb.filled(struct.pack("<i", errors), Urb.error_count.offset),
        ]
        if self.goes_in and self.received:
            found.append(self.buffer.filled(self.received))
        for index, (actual, status) in enumerate(self.each):
            at = index * sizeof(IsoPacket) + IsoPacket.actual_length.offset
            found.append(self.frames.filled(struct.pack("<Ii", actual, status), at))
        return found


class Submitting(Claiming):
    """The part of an open file that has URBs.

    submitted  those that are not over, in their order
    completed  those that are, and wait to be reaped
    gone       the device has: no more will come
    """

    gone = False

    def __init__(self, device: UsbDevice) -> None:
        super().__init__(device)
        self.submitted: list[SubmittedUrb] = []
        self.completed: deque[SubmittedUrb] = deque()
        self.broken: set[int] = set()  # endpoints where a whole has failed, and no new one has begun

    # ---- Submitting

    def submit_urb(self, urb: Urb, memory: Memory) -> None:
        """Begin a transfer: proc_do_submiturb()."""
        if urb.flags & ~URB_FLAGS or urb.buffer_length < 0:
            raise fail(errno.EINVAL)
        if urb.type not in (CONTROL, BULK, INTERRUPT, ISO):
            raise fail(errno.EINVAL)
        control = urb.type == CONTROL and not urb.endpoint & ~IN
        made = self.of_control(urb, memory) if control else self.of_endpoint(urb, memory)
        if made.kind == BULK:
            if not made.continues:
                self.broken.discard(made.endpoint)
            elif made.endpoint in self.broken:
                raise fail(errno.EREMOTEIO)
        self.submitted.append(made)
        self.device.pipes.add(made)
        self.device.pipes.advance()

    def of_control(self, urb: Urb, memory: Memory) -> SubmittedUrb:
        """A control transfer: the buffer begins with its setup."""
        if urb.buffer_length < SETUP or urb.buffer is None:
            raise fail(errno.EINVAL)
        data = bytes(urb.buffer)
        setup = Setup.of(data[:SETUP])
        if len(data) < SETUP + setup.length:
            raise fail(errno.EINVAL)
        self.need_recipient(setup)
        buffer = memory.behind("buffer", urb.buffer_length)
        return SubmittedUrb(
            self, memory.argument, Kept(buffer.address + SETUP, setup.length), Kept(0, 0), kind=CONTROL, endpoint=0,
            data=b"" if setup.goes_in else data[SETUP : SETUP + setup.length], size=setup.length, flags=urb.flags,
            setup=setup,
        )  # fmt: skip

    def of_endpoint(self, urb: Urb, memory: Memory) -> SubmittedUrb:
        """A transfer at an endpoint.  A bulk one at an interrupt endpoint is one of that."""
        transfer = self.pipe(urb.endpoint).transfer
        kind = INTERRUPT if urb.type == BULK and transfer == "interrupt" else urb.type
        if transfer != TRANSFER_OF.get(kind):
            raise fail(errno.EINVAL)
        packets: tuple[int, ...] = ()
        frames = Kept(0, 0)
        size = urb.buffer_length
        if kind == ISO:
            count = urb.number_of_packets
            if not 0 < count <= MOST_PACKETS:
                raise fail(errno.EINVAL)
            packets = tuple(packet.length for packet in urb.iso_frame_desc)
            frames = memory.behind("iso_frame_desc", count * sizeof(IsoPacket))
            size = sum(packets)
        goes_in = bool(urb.endpoint & IN)
        if not goes_in and size and urb.buffer is None:
            raise fail(errno.EINVAL)
        if goes_in and urb.flags & ~(SHORT_NOT_OK | 0xFE):
            raise fail(errno.EINVAL)
        data = b"" if goes_in or not size else bytes(urb.buffer)[:size]
        if kind == ISO and not goes_in and len(data) < size:
            raise fail(errno.EINVAL)
        return SubmittedUrb(
            self, memory.argument, memory.behind("buffer", size), frames, kind=kind, endpoint=urb.endpoint, data=data,
            size=size, flags=urb.flags, packets=packets,
        )  # fmt: skip

    # ---- Reaping

    def finish(self, urb: SubmittedUrb) -> None:
        """One is over: it can be reaped.  A part of a whole that fails takes with it the rest: cancel_bulk_urbs()."""
        if urb not in self.submitted:
            return
        self.submitted.remove(urb)
        self.completed.append(urb)
        if urb.kind == BULK and urb.status and urb.status not in CANCELLED:
            self.break_off(urb.endpoint)
        if self.device._plug is not None:
            self.device._plug.wake(self)

    def break_off(self, endpoint: int) -> None:
        """End the transfers that continue a whole, up to where the next one begins."""
        self.broken.add(endpoint)
        for one in [one for one in self.submitted if one.endpoint == endpoint and one.kind == BULK]:
            if not one.continues:
                self.broken.discard(endpoint)
                return
            self.device.pipes.end(one, -errno.ECONNRESET)

    def reap_urb(self, waits: bool) -> Any:
        """Tell of the first one that is over: its address, and what became of it."""
        if not self.completed:
            if self.gone:
                raise fail(errno.ENODEV)
            if waits:
                return WAIT
            raise fail(errno.EAGAIN)
        urb = self.completed.popleft()
        return Filled(c_uint64(urb.urb.address), urb.fills())

    def discard_urb(self, address: int) -> None:
        """End one that goes on; EINVAL where none at this address does."""
        found = next((urb for urb in self.submitted if urb.urb.address == address), None)
        if found is None:
            raise fail(errno.EINVAL)
        self.device.pipes.end(found, -errno.ENOENT)

    def discard_all(self, interface: int | None = None, status: int = -errno.ENOENT) -> None:
        """End all, or those of an interface."""
        active = self.device.active
        for urb in list(self.submitted):
            if interface is not None:
                owner = active.interface_of(urb.endpoint) if active is not None else None
                if owner is None or owner.number != interface:
                    continue
            self.device.pipes.end(urb, status)

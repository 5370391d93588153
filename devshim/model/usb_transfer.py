"""Transfers: what a program wants of an endpoint, and how a device's methods carry it out, at once or later."""

from __future__ import annotations

import errno
from collections import deque

from devshim.model.device import WAIT
from devshim.model.usb_abi import BULK, CONTROL, IN, INTERRUPT, ISO, SHORT_NOT_OK, fail
from devshim.model.usb_control import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devshim.model.usb import UsbDevice

#: The methods of a device that carry transfers out: to the program, and from it.
METHODS = {BULK: ("bulk_in", "bulk_out"), INTERRUPT: ("interrupt_in", "interrupt_out")}


class Transfer:
    """One transfer, from when a program wants it until it is over.

    kind      USBDEVFS_URB_TYPE_*
    endpoint  address; 0 of a control transfer
    data      that go to the device
    size      how many may come from there
    packets   lengths of an isochronous transfer's
    status    None until it is over; then 0, or minus an errno
    taken     how many of data the device has taken
    received  what came
    each      of an isochronous transfer: (actual length, status) of each packet so far
    """

    status: int | None = None
    taken = 0
    received = b""

    def __init__(
        self, kind: int, endpoint: int, data: bytes = b"", size: int = 0, flags: int = 0, setup: Setup | None = None,
        packets: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.kind, self.endpoint, self.data, self.size, self.flags = kind, endpoint, data, size, flags
        self.setup = setup
        self.packets = packets
        self.each: list[tuple[int, int]] = []

    @property
    def actual(self) -> int:
        """How many bytes went over the wire, as actual_length has it."""
        return len(self.received) if self.goes_in else self.taken

    @property
    def goes_in(self) -> bool:
        """Whether its data come from the device."""
        return self.setup.goes_in if self.setup is not None else bool(self.endpoint & IN)

    def over(self) -> None:
        """It has a status."""


def attempt(device: UsbDevice, transfer: Transfer) -> bool:
    """Go on with a transfer as far as the device lets it; whether it is over.  Raises what is a bug of the device's."""
    try:
        if transfer.kind != CONTROL and transfer.endpoint in device.halted:
            raise fail(errno.EPIPE)
        if transfer.kind == CONTROL:
            going = control(device, transfer)
        elif transfer.kind == ISO:
            going = isochronous(device, transfer)
        else:
            going = (receive if transfer.endpoint & IN else give)(device, transfer)
        if going:
            return False
        transfer.status = 0
        if transfer.flags & SHORT_NOT_OK and transfer.goes_in and transfer.actual < transfer.size:
            transfer.status = -errno.EREMOTEIO
    except OSError as problem:
        transfer.status = -(problem.errno or errno.EPROTO)
        if problem.errno == errno.EPIPE and transfer.kind != CONTROL:
            device.halted.add(transfer.endpoint)
    return True


def control(device: UsbDevice, transfer: Transfer) -> bool:
    """A control transfer; whether it goes on."""
    setup = transfer.setup
    assert setup is not None
    answer = device.answer_control(setup, transfer.data)
    if answer is WAIT:
        return True
    if setup.request_type & IN:
        name = f"the control handler of {setup.request_type:#04x} {setup.request:#04x}"
        transfer.received = checked(device, name, answer)[: setup.length]
    else:
        transfer.taken = len(transfer.data)
    return False


def receive(device: UsbDevice, transfer: Transfer) -> bool:
    """A bulk or interrupt transfer to the program; whether it goes on.  EOVERFLOW for more than it has room for."""
    name = METHODS[transfer.kind][0]
    data = getattr(device, name)(transfer.endpoint, transfer.size)
    if data is WAIT:
        return True
    transfer.received = checked(device, f"{name}()", data)[: transfer.size]
    if len(data) > transfer.size:
        raise fail(errno.EOVERFLOW)
    return False


def give(device: UsbDevice, transfer: Transfer) -> bool:
    """A bulk or interrupt transfer from the program; whether it goes on."""
    name = METHODS[transfer.kind][1]
    while True:
        rest = transfer.data[transfer.taken :]
        taken = getattr(device, name)(transfer.endpoint, rest)
        if taken is WAIT:
            return True
        if taken is not None and (not isinstance(taken, int) or not 0 <= taken <= len(rest)):
            raise TypeError(
                f"{type(device).__name__}.{name}() returned {taken!r}: it must return None, a number of bytes up to "
                f"{len(rest)}, or WAIT"
            )
        transfer.taken += len(rest) if taken is None else taken
        if transfer.taken == len(transfer.data) or not taken:
            return transfer.taken < len(transfer.data)


def isochronous(device: UsbDevice, transfer: Transfer) -> bool:
    """An isochronous transfer, packet by packet; whether it goes on.  One that fails is no failure of the whole."""
    while len(transfer.each) < len(transfer.packets):
        size, start = transfer.packets[len(transfer.each)], sum(transfer.packets[: len(transfer.each)])
        try:
            if transfer.endpoint & IN:
                data = device.iso_in(transfer.endpoint, size)
                if data is WAIT:
                    return True
                data = checked(device, "iso_in()", data)
                transfer.received = transfer.received.ljust(start, b"\0") + data[:size]
                transfer.each.append((len(data), 0) if len(data) <= size else (size, -errno.EOVERFLOW))
            else:
                if device.iso_out(transfer.endpoint, transfer.data[start : start + size]) is WAIT:
                    return True
                transfer.taken += size
                transfer.each.append((size, 0))
        except OSError as problem:
            transfer.each.append((0, -(problem.errno or errno.EPROTO)))
    return False


def checked(device: UsbDevice, name: str, data: Any) -> bytes:
    """The bytes that a method returned.  Raises TypeError for anything else."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    hint = "; is a return missing?" if data is None else ""
    raise TypeError(f"{type(device).__name__}: {name} returned {data!r}: it must return bytes or WAIT{hint}")


class Pipes:
    """The transfers that wait at a device's endpoints, in their order at each."""

    def __init__(self, device: UsbDevice, complain: Callable[[Exception], None]) -> None:
        self._device = device
        self._complain = complain
        self._queues: dict[int, deque[Transfer]] = {}
        self._busy = self._again = False

    def is_busy(self, endpoint: int) -> bool:
        """Whether transfers wait at an endpoint."""
        return bool(self._queues.get(endpoint))

    def add(self, transfer: Transfer) -> None:
        """One more at the end of its endpoint's."""
        self._queues.setdefault(transfer.endpoint, deque()).append(transfer)

    def end(self, transfer: Transfer, status: int) -> None:
        """Take one that is not over yet out of its order, with a status of ours."""
        queue = self._queues.get(transfer.endpoint)
        if queue is None or transfer not in queue:
            return
        queue.remove(transfer)
        transfer.status = status
        transfer.over()

    def waiting(self, endpoint: int | None = None) -> list[Transfer]:
        """All that wait, or those at one endpoint."""
        queues = self._queues.values() if endpoint is None else [self._queues.get(endpoint, deque())]
        return [transfer for queue in queues for transfer in queue]

    def advance(self) -> None:
        """Go on with all that waits; as often as one of them may have made another possible."""
        self._again = True
        if self._busy:
            return
        self._busy = True
        try:
            while self._again:
                self._again = False
                for queue in list(self._queues.values()):
                    self._advance(queue)
        finally:
            self._busy = False

    def _advance(self, queue: deque[Transfer]) -> None:
        while queue:
            transfer = queue[0]
            try:
                if not attempt(self._device, transfer):
                    return
            except Exception as problem:  # a bug of the device's; the program sees a transfer that failed
                transfer.status = -errno.EPROTO
                self._complain(problem)
            if queue and queue[0] is transfer:  # else the device has had it ended meanwhile
                queue.popleft()
                self._again = True
                transfer.over()

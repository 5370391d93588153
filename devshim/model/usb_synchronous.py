"""USBDEVFS_CONTROL and USBDEVFS_BULK: transfers for whose end the call waits, or for as long as it says."""

from __future__ import annotations

import errno

from devshim.model.device import WAIT
from devshim.model.ioctl import ioctl
from devshim.model.kept import Memory
from devshim.model.usb_abi import (
    BULK,
    CONTROL,
    IN,
    INTERRUPT,
    MOST_CONTROL,
    USBDEVFS_BULK,
    USBDEVFS_CONTROL,
    BulkTransfer,
    ControlTransfer,
    fail,
)
from devshim.model.usb_control import Setup
from devshim.model.usb_transfer import Transfer, attempt
from devshim.model.usb_urb import Submitting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.timing import Timer
    from devshim.model.usb import UsbDevice

LINGER = (
    1.0  # seconds for which a call that timed out is remembered, should it have been interrupted at that very moment
)


class Waiting:
    """A call that waits: it is asked again, with the same argument, whenever something has happened."""

    expired = False

    def __init__(self, transfer: Transfer) -> None:
        self.transfer = transfer
        self.timer: Timer | None = None


class Synchronous(Submitting):
    """The part of an open file that waits for transfers itself."""

    def __init__(self, device: UsbDevice) -> None:
        super().__init__(device)
        self._waiting: dict[tuple[int, ...], Waiting] = {}

    @ioctl(USBDEVFS_CONTROL, access="rw", name="USBDEVFS_CONTROL", keeps=True)
    def control(self, argument: ControlTransfer, memory: Memory) -> Any:
        """A control transfer; returns how many bytes went."""
        setup = Setup(argument.bRequestType, argument.bRequest, argument.wValue, argument.wIndex, argument.wLength)
        if setup.length > MOST_CONTROL:
            raise fail(errno.EINVAL)
        self.need_recipient(setup)
        goes_in = bool(setup.request_type & IN)
        data = argument.data_in if goes_in else argument.data
        if setup.length and data is None:
            raise fail(errno.EFAULT)
        sent = b"" if goes_in or data is None else bytes(data)
        key = memory.argument.address, setup.request_type, setup.request, setup.value, setup.index, setup.length
        transfer = self.carry_out(key, Transfer(CONTROL, 0, sent, setup.length, setup=setup), argument.timeout)
        if transfer is None:
            return WAIT
        if transfer.received:
            data[: len(transfer.received)] = transfer.received
        return transfer.actual

    @ioctl(USBDEVFS_BULK, access="rw", name="USBDEVFS_BULK", keeps=True)
    def bulk(self, argument: BulkTransfer, memory: Memory) -> Any:
        """A bulk or interrupt transfer; returns how many bytes went."""
        kind = INTERRUPT if self.pipe(argument.ep).transfer == "interrupt" else BULK
        goes_in = bool(argument.ep & IN)
        data = argument.data_in if goes_in else argument.data
        if argument.len and data is None:
            raise fail(errno.EFAULT)
        sent = b"" if goes_in or data is None else bytes(data)
        key = memory.argument.address, argument.ep, argument.len
        transfer = self.carry_out(key, Transfer(kind, argument.ep, sent, argument.len), argument.timeout)
        if transfer is None:
            return WAIT
        if transfer.received:
            data[: len(transfer.received)] = transfer.received
        return transfer.actual

    def carry_out(self, key: tuple[int, ...], fresh: Transfer, timeout: int) -> Transfer | None:
        """Go on with a call's transfer; None while it waits.  ETIMEDOUT after so many ms, else the transfer's errno."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = Waiting(fresh)
        elif waiting.transfer.data != fresh.data:  # another call, by a thread that was interrupted in the first one
            self.forget(key)
            waiting = Waiting(fresh)
        transfer = waiting.transfer
        if not self.device.pipes.is_busy(transfer.endpoint) and attempt(self.device, transfer):
            self.forget(key)
            if transfer.endpoint or not transfer.goes_in:
                self.device.pipes.advance()
            if transfer.status:
                raise fail(-transfer.status)
            return transfer
        if waiting.expired:
            self.forget(key)
            raise fail(errno.ETIMEDOUT)
        if key not in self._waiting:
            self._waiting[key] = waiting
            if timeout:
                waiting.timer = self.device.after(timeout / 1000, self.expire, key, waiting)
        return None

    def expire(self, key: tuple[int, ...], waiting: Waiting) -> None:
        """A call has waited for long enough."""
        waiting.expired = True
        waiting.timer = self.device.after(LINGER, self.forget, key, waiting)
        if self.device._plug is not None:
            self.device._plug.wake(self)

    def forget(self, key: tuple[int, ...], waiting: Waiting | None = None) -> None:
        """A call is over."""
        if waiting is None or self._waiting.get(key) is waiting:
            gone = self._waiting.pop(key, None)
            if gone is not None and gone.timer is not None:
                gone.timer.cancel()

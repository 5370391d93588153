"""UsbFile: one open of a USB device's node, and the requests on it, as usbfs answers (drivers/usb/core/devio.c)."""

from __future__ import annotations

import errno
from ctypes import c_int, c_uint, c_uint32, c_uint64

from devshim.model.device import POLLOUT
from devshim.model.ioctl import ioctl
from devshim.model.kept import Memory
from devshim.model.usb_abi import (
    CAP_BULK_SCATTER_GATHER,
    CAP_CONNINFO_EX,
    CAP_DROP_PRIVILEGES,
    CAP_NO_PACKET_SIZE_LIM,
    CAP_ZERO_PACKET,
    POLLWRNORM,
    SPEEDS,
    USBDEVFS_ALLOW_SUSPEND,
    USBDEVFS_CLEAR_HALT,
    USBDEVFS_CONNECTINFO,
    USBDEVFS_CONNINFO_EX,
    USBDEVFS_DISCARDURB,
    USBDEVFS_DISCSIGNAL,
    USBDEVFS_FORBID_SUSPEND,
    USBDEVFS_GET_CAPABILITIES,
    USBDEVFS_GET_SPEED,
    USBDEVFS_REAPURB,
    USBDEVFS_REAPURBNDELAY,
    USBDEVFS_RESET,
    USBDEVFS_RESETEP,
    USBDEVFS_SETCONFIGURATION,
    USBDEVFS_SETINTERFACE,
    USBDEVFS_SUBMITURB,
    USBDEVFS_WAIT_FOR_RESUME,
    ConnectInfo,
    ConnectInfoEx,
    DisconnectSignal,
    SetInterface,
    Urb,
    fail,
)
from devshim.model.usb_synchronous import Synchronous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class UsbFile(Synchronous):
    """One open for reading and writing: what it has claimed, and what it has submitted."""

    #: USBDEVFS_CAP_*: a host controller that takes transfers of any size.
    capabilities: ClassVar[int] = (
        CAP_ZERO_PACKET | CAP_NO_PACKET_SIZE_LIM | CAP_BULK_SCATTER_GATHER | CAP_DROP_PRIVILEGES | CAP_CONNINFO_EX
    )

    #: What is over can be reaped when the device has gone, too.
    after_gone: ClassVar[frozenset[int]] = frozenset({int(USBDEVFS_REAPURB), int(USBDEVFS_REAPURBNDELAY)})

    def device_gone(self) -> None:
        """The device has gone: what goes on is over now."""
        self.gone = True
        self.discard_all(status=-errno.ESHUTDOWN)

    def poll(self) -> int:
        """usbdev_poll: writable when an URB is to be reaped."""
        return POLLOUT | POLLWRNORM if self.completed else 0

    def close(self) -> None:
        """All that it submitted ends, and what it had claimed is free."""
        self.discard_all()
        self.release_all()
        if self in self.device.files:
            self.device.files.remove(self)

    # ---- Later

    @ioctl(USBDEVFS_SUBMITURB, access="w", name="USBDEVFS_SUBMITURB", keeps=True)
    def submit(self, urb: Urb, memory: Memory) -> None:
        """Begin a transfer."""
        self.submit_urb(urb, memory)

    @ioctl(USBDEVFS_REAPURB, access="r", name="USBDEVFS_REAPURB", fills=True)
    def reap(self) -> Any:
        """Wait for a transfer to be over, and tell of it."""
        return self.reap_urb(waits=True)

    @ioctl(USBDEVFS_REAPURBNDELAY, access="r", name="USBDEVFS_REAPURBNDELAY", fills=True)
    def reap_now(self) -> Any:
        """The same; EAGAIN where none is."""
        return self.reap_urb(waits=False)

    @ioctl(USBDEVFS_DISCARDURB, value=c_uint64, name="USBDEVFS_DISCARDURB")
    def discard(self, address: int) -> None:
        """End a transfer that goes on."""
        self.discard_urb(address)

    # ---- Settings

    @ioctl(USBDEVFS_SETINTERFACE, access="w", name="USBDEVFS_SETINTERFACE")
    def set_interface(self, argument: SetInterface) -> None:
        """Choose a setting of an interface."""
        self.need_interface(argument.interface)
        self.discard_all(argument.interface)
        try:
            self.device.choose(argument.interface, argument.altsetting)
        except OSError:
            raise fail(errno.EINVAL) from None

    @ioctl(USBDEVFS_SETCONFIGURATION, access="w", name="USBDEVFS_SETCONFIGURATION")
    def set_configuration(self, value: c_int) -> None:
        """Choose a configuration, -1 or 0: none; EBUSY while somebody has an interface."""
        if self.allowed is not None:
            raise fail(errno.EACCES)
        if any(self.holder(number) is not None for number in list(self.device.claims)):
            raise fail(errno.EBUSY)
        try:
            self.device.configure(0 if value.value in (-1, 0xFFFFFFFF) else value.value)
        except OSError:
            raise fail(errno.EINVAL) from None

    @ioctl(USBDEVFS_RESETEP, access="w", name="USBDEVFS_RESETEP")
    def reset_endpoint(self, endpoint: c_uint) -> None:
        """Let the host forget where an endpoint was; the device is not told."""
        self.need_endpoint(endpoint.value)

    @ioctl(USBDEVFS_CLEAR_HALT, access="w", name="USBDEVFS_CLEAR_HALT")
    def clear_halt(self, endpoint: c_uint) -> None:
        """Let a halted endpoint go on."""
        self.need_endpoint(endpoint.value)
        self.device.halt(endpoint.value, False)

    @ioctl(USBDEVFS_RESET, name="USBDEVFS_RESET")
    def reset(self) -> None:
        """Reset the port: the device is as it was plugged in, in the configuration and settings that it had."""
        if self.allowed is not None and any(owner is not self for owner in self.device.claims.values()):
            raise fail(errno.EACCES)
        for file in self.device.files:
            file.discard_all(status=-errno.EPROTO)
        self.device.halted.clear()
        self.device.remote_wakeup = False
        self.device.was_reset()

    # ---- Who it is

    @ioctl(USBDEVFS_GET_CAPABILITIES, access="r", name="USBDEVFS_GET_CAPABILITIES")
    def get_capabilities(self) -> c_uint32:
        """What usbfs and the bus can do."""
        return c_uint32(self.capabilities)

    @ioctl(USBDEVFS_GET_SPEED, name="USBDEVFS_GET_SPEED")
    def get_speed(self) -> int:
        """enum usb_device_speed."""
        return SPEEDS[self.device.speed][0]

    @ioctl(USBDEVFS_CONNECTINFO, access="r", name="USBDEVFS_CONNECTINFO")
    def connect_info(self) -> ConnectInfo:
        """Its number, and whether it is of low speed."""
        return ConnectInfo(self.device.device_number, self.device.speed == "low")

    @ioctl(USBDEVFS_CONNINFO_EX, access="r", name="USBDEVFS_CONNINFO_EX")
    def connect_info_more(self) -> tuple[int, bytes]:
        """The same with the bus and the port, as much as the program has room for."""
        info = ConnectInfoEx(
            32, self.device.bus_number, self.device.device_number, SPEEDS[self.device.speed][0], 1,
            (self.device.device_number - 1,),
        )  # fmt: skip
        info.size = len(bytes(info))
        return 0, bytes(info)

    @ioctl(USBDEVFS_DISCSIGNAL, access="w", name="USBDEVFS_DISCSIGNAL")
    def disconnect_signal(self, argument: DisconnectSignal) -> None:
        """Taken, but no signal comes: the hang-up is told by poll and by ENODEV."""

    @ioctl(USBDEVFS_FORBID_SUSPEND, name="USBDEVFS_FORBID_SUSPEND")
    def forbid_suspend(self) -> None:
        """It never is."""

    @ioctl(USBDEVFS_ALLOW_SUSPEND, name="USBDEVFS_ALLOW_SUSPEND")
    def allow_suspend(self) -> None:
        """It never is."""

    @ioctl(USBDEVFS_WAIT_FOR_RESUME, name="USBDEVFS_WAIT_FOR_RESUME")
    def wait_for_resume(self) -> None:
        """It is not suspended."""

    def ioctl(self, request: int, argument: Any) -> Any:
        """A request that is none of usbfs."""
        raise fail(errno.ENOTTY)

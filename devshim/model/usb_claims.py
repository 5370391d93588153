"""Which interfaces of a USB device an open file may use: claimed, taken from a driver, given up.  As in devio.c."""

from __future__ import annotations

import errno
from ctypes import c_uint, c_uint32

from devshim.model.ioctl import ioctl
from devshim.model.usb_abi import (
    EXCEPT_DRIVER,
    IF_DRIVER,
    IN,
    USBDEVFS_CLAIMINTERFACE,
    USBDEVFS_CONNECT,
    USBDEVFS_DISCONNECT,
    USBDEVFS_DISCONNECT_CLAIM,
    USBDEVFS_DROP_PRIVILEGES,
    USBDEVFS_GETDRIVER,
    USBDEVFS_IOCTL,
    USBDEVFS_RELEASEINTERFACE,
    DisconnectClaim,
    DriverIoctl,
    GetDriver,
    fail,
)
from devshim.model.usb_control import KIND_MASK, TO_ENDPOINT, TO_INTERFACE, Setup
from devshim.model.usb_layout import Endpoint
from devshim.model.usb_reader import UsbReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.usb import UsbDevice

MOST_INTERFACES = 64  # bits of ps->ifclaimed
VENDOR = 0x40
USBFS = "usbfs"  # the driver of a claimed interface


class Claiming(UsbReader):
    """The part of an open file that has interfaces.

    allowed  interfaces that it may claim, once it has dropped its privileges; None before
    """

    def __init__(self, device: UsbDevice) -> None:
        super().__init__(device)
        self.allowed: int | None = None

    # ---- What requests need

    def need_interface(self, number: int) -> None:
        """checkintf: it has the interface, or gets it now."""
        if self.device.active is None:
            raise fail(errno.EHOSTUNREACH)
        if number >= MOST_INTERFACES:
            raise fail(errno.EINVAL)
        if self.device.claims.get(number) is not self:
            self.claim_interface(number)

    def need_endpoint(self, address: int) -> None:
        """It has, or gets, the interface with an endpoint.  ENOENT where there is none, EINVAL for no address."""
        if address & ~(IN | 0xF):
            raise fail(errno.EINVAL)
        if self.device.active is None:
            raise fail(errno.ESRCH)
        found = self.device.active.interface_of(address)
        if found is None:
            raise fail(errno.ENOENT)
        self.need_interface(found.number)

    def pipe(self, address: int) -> Endpoint:
        """An endpoint of the present settings, of an interface that this has.  ENOENT where there is none."""
        self.need_endpoint(address)
        found = self.device.endpoint(address)
        if found is None:
            raise fail(errno.ENOENT)
        return found

    def need_recipient(self, setup: Setup) -> None:
        """check_ctrlrecip: a control transfer to an interface or endpoint needs the interface, unless a vendor's."""
        recipient, index = setup.request_type & 0x1F, setup.index & 0xFF
        if setup.request_type & KIND_MASK == VENDOR:
            return
        if recipient == TO_ENDPOINT:
            if not index & 0xF:
                return
            known = self.device.active is not None and self.device.active.interface_of(index) is not None
            self.need_endpoint(index if known else index ^ IN)
        elif recipient == TO_INTERFACE:
            self.need_interface(index)

    def claim_interface(self, number: int) -> None:
        """claimintf."""
        if number >= MOST_INTERFACES:
            raise fail(errno.EINVAL)
        owner = self.holder(number)
        if owner is self:
            return
        if self.allowed is not None and not self.allowed >> number & 1:
            raise fail(errno.EACCES)
        if self.device.active is None or not self.device.active.settings(number):
            raise fail(errno.ENOENT)
        if owner is not None:
            raise fail(errno.EBUSY)
        self.device.claims[number] = self  # type: ignore[assignment]

    def holder(self, number: int) -> Any:
        """Who has an interface: a driver by name, a file that is open, None for nobody."""
        owner = self.device.claims.get(number)
        if isinstance(owner, Claiming) and owner is not self and self.device._plug is not None:
            self.device._plug.settle()
            owner = self.device.claims.get(number)
        return owner

    def release_all(self) -> None:
        """The file is closed."""
        self.device.claims = {number: owner for number, owner in self.device.claims.items() if owner is not self}

    def discard_all(self, interface: int | None = None, status: int = -errno.ENOENT) -> None:
        """End all transfers, or those of an interface."""

    # ---- Requests

    @ioctl(USBDEVFS_CLAIMINTERFACE, access="w", name="USBDEVFS_CLAIMINTERFACE")
    def claim(self, number: c_uint) -> None:
        """Have an interface; EBUSY where another file or a driver has it."""
        self.claim_interface(number.value)

    @ioctl(USBDEVFS_RELEASEINTERFACE, access="w", name="USBDEVFS_RELEASEINTERFACE")
    def release(self, number: c_uint) -> None:
        """Give it up; its transfers end."""
        if number.value >= MOST_INTERFACES:
            raise fail(errno.EINVAL)
        if self.device.active is None or not self.device.active.settings(number.value):
            raise fail(errno.ENOENT)
        if self.device.claims.get(number.value) is not self:
            raise fail(errno.EINVAL)
        self.discard_all(number.value)
        del self.device.claims[number.value]

    @ioctl(USBDEVFS_GETDRIVER, access="rw", name="USBDEVFS_GETDRIVER")
    def get_driver(self, argument: GetDriver) -> None:
        """The driver of an interface; ENODATA where none has it."""
        if argument.interface >= MOST_INTERFACES:
            raise fail(errno.EINVAL)
        owner = self.holder(argument.interface)
        if owner is None:
            raise fail(errno.ENODATA)
        argument.driver = (owner if isinstance(owner, str) else USBFS).encode()

    @ioctl(USBDEVFS_IOCTL, access="rw", name="USBDEVFS_IOCTL")
    def driver_ioctl(self, argument: DriverIoctl) -> int:
        """Take an interface from its driver, or give it back; drivers themselves answer nothing here."""
        if self.allowed is not None:
            raise fail(errno.EACCES)
        if self.device.active is None:
            raise fail(errno.EHOSTUNREACH)
        number, code = argument.ifno, argument.ioctl_code & 0xFFFFFFFF
        settings = self.device.active.settings(number)
        if not settings:
            raise fail(errno.EINVAL)
        owner = self.holder(number)
        if code == USBDEVFS_DISCONNECT:
            if owner is None:
                raise fail(errno.ENODATA)
            self.take_from(number, owner)
            return 0
        if code == USBDEVFS_CONNECT:
            if owner is not None:
                raise fail(errno.EBUSY)
            if settings[0].driver:
                self.device.claims[number] = settings[0].driver
            return int(bool(settings[0].driver))
        raise fail(errno.ENODATA if owner is None else errno.ENOTTY)

    def take_from(self, number: int, owner: Any) -> None:
        """Let its driver lose an interface."""
        if not isinstance(owner, str):
            owner.discard_all(number)
        del self.device.claims[number]

    @ioctl(USBDEVFS_DISCONNECT_CLAIM, access="w", name="USBDEVFS_DISCONNECT_CLAIM")
    def disconnect_and_claim(self, argument: DisconnectClaim) -> None:
        """Both in one; EBUSY where the driver is not, or is, the one that was named."""
        number = argument.interface
        if self.device.active is None or not self.device.active.settings(number):
            raise fail(errno.EINVAL)
        owner = self.holder(number)
        if owner is not None:
            if self.allowed is not None:
                raise fail(errno.EACCES)
            same = argument.driver == (owner if isinstance(owner, str) else USBFS).encode()
            if (argument.flags & IF_DRIVER and not same) or (argument.flags & EXCEPT_DRIVER and same):
                raise fail(errno.EBUSY)
            self.take_from(number, owner)
        self.claim_interface(number)

    @ioctl(USBDEVFS_DROP_PRIVILEGES, access="w", name="USBDEVFS_DROP_PRIVILEGES")
    def drop_privileges(self, mask: c_uint32) -> None:
        """From now on only these interfaces, and nothing that others would feel."""
        self.allowed = mask.value if self.allowed is None else self.allowed & mask.value

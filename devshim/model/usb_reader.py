"""UsbReader: a USB device's node opened for reading alone, which shows descriptors (drivers/usb/core/devio.c)."""

from __future__ import annotations

import errno
import os

from devshim.model.device import File
from devshim.model.usb_abi import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from devshim.model.usb import UsbDevice


class UsbReader(File):
    """A node of a USB device opened for reading: its descriptors, as a file."""

    #: usbdev_poll() says so when the device has gone; libusb takes nothing else for that.
    gone_error: ClassVar[bool] = True

    def __init__(self, device: UsbDevice) -> None:
        self.device = device
        self.position = 0

    def content(self) -> bytes:
        """The descriptor of the device, and of its configurations with all that is in them."""
        return self.device.device_descriptor() + b"".join(self.device.configuration_descriptors())

    def read(self, size: int) -> bytes:
        """Go on reading them."""
        data = self.content()[self.position : self.position + size]
        self.position += len(data)
        return data

    def pread(self, size: int, offset: int) -> bytes:
        """Read them from somewhere."""
        return self.content()[offset : offset + size]

    def seek(self, offset: int, whence: int) -> int:
        """no_seek_end_llseek: from the start or from here, never from the end."""
        position = {os.SEEK_SET: 0, os.SEEK_CUR: self.position}.get(whence, -1)
        if position < 0 or position + offset < 0:
            raise fail(errno.EINVAL)
        self.position = position + offset
        return self.position

    def poll(self) -> int:
        """Nothing ever completes here."""
        return 0

    def ioctl(self, request: int, argument: Any) -> Any:
        """Requests are for those who may write."""
        raise fail(errno.EPERM)

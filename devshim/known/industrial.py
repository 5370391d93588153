"""Industrial I/O: linux/iio/buffer.h, linux/iio/events.h."""

from __future__ import annotations

from devshim.known.record import NewFile, known

DESCRIPTIONS = [
    known("IIO_GET_EVENT_FD_IOCTL", 0x80046990, NewFile),
    known("IIO_BUFFER_GET_FD_IOCTL", 0xC0046991, NewFile),
]

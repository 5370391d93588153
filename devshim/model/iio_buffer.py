"""The buffer of an IIO device: which channels are in it, whether it is on, and the samples that wait in it.

As drivers/iio/industrialio-buffer.c and kfifo_buf.c have it: files below scan_elements/ and buffer/, which are below
buffer0/ too, reads of whole samples, and new samples dropped where there is no room.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque

from devshim.model.attribute import Attribute
from devshim.model.device import POLLIN, WAIT, File
from devshim.model.iio_scan import TIMESTAMP, numbered, packed, places
from devshim.model.setting import number_in, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from devshim.model.iio import Iio
    from devshim.model.iio_scan import Scan

LENGTH = 2
"""Samples that a buffer has room for until a program says otherwise (iio_kfifo_allocate)."""
TRUTHS = {"1": True, "y": True, "Y": True, "on": True, "0": False, "n": False, "N": False, "off": False}


def truth(data: bytes) -> bool:
    """What kstrtobool makes of it.  Raises ValueError."""
    text = text_of(data)
    if text not in TRUTHS:
        raise ValueError(f"{text!r} is neither true nor false")
    return TRUTHS[text]


class Buffer:
    """The one buffer of a device; its elements are those that the class names in `scan`."""

    def __init__(self, device: Iio, elements: tuple[Scan, ...]) -> None:
        self.device = device
        self.elements = numbered(elements)
        self.wanted: set[str] = set()
        self.length, self.watermark = LENGTH, 1
        self.enabled = False
        self.lost = 0
        """Samples for which there was no room."""
        self._samples: deque[bytes] = deque()

    # ---- Samples

    @property
    def chosen(self) -> tuple[Scan, ...]:
        """The elements of a sample."""
        return tuple(element for element in self.elements if element.name in self.wanted)

    @property
    def size(self) -> int:
        """Bytes of a sample."""
        return places(self.chosen)[1] if self.wanted else 0

    def add(self, values: Mapping[str, Any]) -> bool:
        """Put in a sample; what values does not have is read from the device.  False where it was not taken."""
        if not self.enabled:
            return False
        if len(self._samples) >= self.length:
            self.lost += 1
            return False
        self._samples.append(packed(self.chosen, [self._value(element.name, values) for element in self.chosen]))
        if len(self._samples) >= min(self.watermark, self.length):
            self.device.wake()
        return True

    def _value(self, name: str, values: Mapping[str, Any]) -> Any:
        if name in values:
            return values[name]
        if name == TIMESTAMP:
            return time.time_ns()
        return self.device.sample(name)

    def is_ready(self, wanted: int) -> bool:
        """Whether a reader gets what it waits for; from a buffer that was turned off, whatever is left in it."""
        return len(self._samples) >= (wanted if self.enabled else min(wanted, 1))

    def take(self, size: int) -> bytes:
        """The samples that wait, as many as fit."""
        count = min(size // self.size, len(self._samples)) if self.size else 0
        return b"".join(self._samples.popleft() for _ in range(count))

    # ---- What programs set

    def refuse_while_enabled(self) -> None:
        """Raise OSError(EBUSY) where the buffer is on."""
        if self.enabled:
            raise OSError(errno.EBUSY, "the buffer is enabled")

    def choose(self, name: str, data: bytes) -> None:
        """Put a channel into the samples, or not."""
        wanted = truth(data)
        self.refuse_while_enabled()
        (self.wanted.add if wanted else self.wanted.discard)(name)

    def set_length(self, data: bytes) -> None:
        """Make room for so many samples."""
        length = number_in(text_of(data))
        if length == self.length:
            return
        self.refuse_while_enabled()
        self.length = max(length, LENGTH)  # iio_set_length_kfifo knows none shorter
        self.watermark = min(self.watermark, length)

    def set_watermark(self, data: bytes) -> None:
        """Let readers and pollers wait for so many; EINVAL for none, or more than there is room for."""
        watermark = number_in(text_of(data))
        if not 0 < watermark <= self.length:
            raise ValueError(f"watermark {watermark}: 1 to {self.length}")
        self.refuse_while_enabled()
        self.watermark = watermark

    def enable(self, data: bytes) -> None:
        """Turn it on or off; EINVAL where no channel was chosen (iio_verify_update)."""
        wanted = truth(data)
        if wanted == self.enabled:
            return
        if wanted and not self.wanted:
            raise ValueError("no channel is enabled below scan_elements")
        if wanted:
            self.device.check_trigger()
            self._samples.clear()
        self.enabled = wanted
        self.device.wake()
        self.device.buffer_changed()

    def files(self) -> dict[str, Attribute | bytes]:
        """All files of it, by their names below the device's directory."""
        scan: dict[str, Attribute | bytes] = {}
        for element in self.elements:
            name = element.name
            scan[f"{name}_en"] = Attribute(
                lambda name=name: name in self.wanted,  # type: ignore[misc]
                lambda data, name=name: self.choose(name, data),  # type: ignore[misc]
            )
            scan[f"{name}_index"] = f"{element.index}\n".encode()
            scan[f"{name}_type"] = f"{element.type}\n".encode()
        own: dict[str, Attribute | bytes] = {
            "enable": Attribute(lambda: self.enabled, self.enable),
            "length": Attribute(lambda: self.length, self.set_length),
            "watermark": Attribute(lambda: self.watermark, self.set_watermark),
            "data_available": Attribute(lambda: len(self._samples)),
            "direction": b"in\n",
        }
        return {
            **{f"scan_elements/{name}": file for name, file in scan.items()},
            **{f"buffer/{name}": file for name, file in own.items()},
            **{f"buffer0/{name}": file for name, file in (scan | own).items()},
        }


class BufferFile(File):
    """An open /dev/iio:deviceN, of which there is one at a time."""

    def __init__(self, device: Iio, buffer: Buffer) -> None:
        self.device = device
        self.buffer = buffer

    def read(self, size: int) -> Any:
        """Whole samples, as soon as watermark of them (or as many as fit) have come (iio_buffer_read)."""
        buffer = self.buffer
        if not buffer.size:
            return b""
        if size < buffer.size:
            raise OSError(errno.EINVAL, f"{size} bytes; a sample has {buffer.size}")
        wanted = 1 if self.flags & os.O_NONBLOCK else max(1, min(size // buffer.size, buffer.watermark))
        return buffer.take(size) if buffer.is_ready(wanted) else WAIT

    def poll(self) -> int:
        """Readable from watermark samples on, and never writable."""
        return POLLIN if self.buffer.is_ready(self.buffer.watermark) else 0

    def ioctl(self, request: int, argument: object) -> None:
        """No driver below a kfifo knows any: ENODEV, as iio_ioctl says."""
        raise OSError(errno.ENODEV, f"nothing answers ioctl {request:#010x}")

    def close(self) -> None:
        """The next program may open it."""
        self.device.opened = False

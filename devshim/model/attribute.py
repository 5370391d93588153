"""Attribute: a file of /sys that is computed when it is read and acts when it is written (sysfs of the kernel)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from typing import Any

from devshim.model.device import File, Link

#: What surroundings() returns: files and links around a node, by absolute path.
Picture = Mapping[str, "bytes | Link | Attribute"]

#: An attribute's buffer (sysfs(5)): what is shown has to be shorter, and one write takes no more.
PAGE = 4096


class Attribute:
    """A file of /sys, in what surroundings() returns: `Attribute(lambda: self.level, self.set_level)`.

    show   returns the content: text (a newline is added where none ends it), a number, or bytes as they are
    store  is given what one write wrote, in bytes; returns None (all of it) or the number of bytes taken
    mode   permission bits; by default what show and store allow

    Either may raise OSError.  A ValueError of store is EINVAL, an OverflowError ERANGE, as of the kernel's kstrtoint.
    """

    def __init__(
        self,
        show: Callable[[], Any] | None = None,
        store: Callable[[bytes], Any] | None = None,
        mode: int | None = None,
    ) -> None:
        self.show = show
        self.store = store
        self.mode = mode if mode is not None else (0o444 if show else 0) | (0o200 if store else 0)

    def content(self) -> bytes:
        """What a read shows now.  Raises OSError(EIO) where nothing does; ValueError for more than a page."""
        if self.show is None:
            raise OSError(errno.EIO, "nothing shows this attribute")
        content = shown(self.show())
        if len(content) >= PAGE:
            raise ValueError(f"an attribute shows less than {PAGE} bytes, this one {len(content)}")
        return content

    def take(self, data: bytes) -> int:
        """One write; returns the bytes taken.  Raises OSError."""
        if self.store is None:
            raise OSError(errno.EIO, "nothing stores this attribute")
        try:
            taken = self.store(data)
        except OverflowError as problem:
            raise OSError(errno.ERANGE, str(problem)) from problem
        except ValueError as problem:
            raise OSError(errno.EINVAL, str(problem)) from problem
        return len(data) if taken is None else taken

    def open(self, flags: int) -> AttributeFile:
        """Return the file for one open.  Raises OSError(EACCES) where the mode lets nobody do that, root neither."""
        access = flags & os.O_ACCMODE
        if (access != os.O_WRONLY and not self.mode & 0o444) or (access != os.O_RDONLY and not self.mode & 0o222):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return AttributeFile(self)


def shown(value: Any) -> bytes:
    """What a show returned, as the program reads it.  Raises TypeError for what is no content."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bool, int)):
        value = str(int(value))
    if not isinstance(value, str):
        raise TypeError(f"an attribute's show returned {value!r}: it must return text, a number or bytes")
    return value.encode() if value.endswith("\n") else f"{value}\n".encode()


class AttributeFile(File):
    """One open attribute: what it shows is kept from the first read on, until somebody reads from the start again."""

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute
        self.position = 0
        self._content = b""
        self._read_to = 0  # where a read goes on in the content that is kept

    def read(self, size: int) -> bytes:
        """Read on at the file's position."""
        data = self.pread(size, self.position)
        self.position += len(data)
        return data

    def pread(self, size: int, offset: int) -> bytes:
        """Read at an offset (seq_read_iter in fs/seq_file.c)."""
        if offset == 0 or offset != self._read_to:
            self._content = self.attribute.content()
        data = self._content[offset : offset + size]
        self._read_to = offset + len(data)
        return data

    def write(self, data: bytes) -> int:
        """Store; each write is one value, wherever the position is (kernfs_fop_write_iter)."""
        taken = self.attribute.take(data[:PAGE]) if data else 0
        self.position += taken
        return taken

    def pwrite(self, data: bytes, offset: int) -> int:
        """The same: sysfs does not heed offsets of writes."""
        return self.attribute.take(data[:PAGE]) if data else 0

    def seek(self, offset: int, whence: int) -> int:
        """Move the position; the end is that of a page (generic_file_llseek)."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: PAGE}.get(whence)
        if start is None or start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.position = start + offset
        return self.position

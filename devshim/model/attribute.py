"""Attribute: a file of /sys that is computed when it is read and acts when it is written (sysfs of the kernel)."""

from __future__ import annotations

import errno
import os

from devshim.model.device import File, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    #: What surroundings() returns: files and links around a node, by absolute path.
    Picture = Mapping[str, bytes | Link | "Attribute"]

#: An attribute's buffer (sysfs(5)): what is shown has to be shorter, and one write takes no more.
PAGE = 4096


class Attribute:
    """A file of /sys, in what surroundings() returns: `Attribute(lambda: self.level, self.set_level)`.

    show   returns the content: text (a newline is added where none ends it), a number, or bytes as they are
    store  is given what one write wrote, in bytes; returns None (all of it) or the number of bytes taken
    mode   permission bits; by default what show and store allow

    Either may raise OSError.  A ValueError of store is EINVAL, an OverflowError ERANGE, as of the kernel's kstrtoint.
    """

    #: What stat(2) says of it: every attribute of sysfs has a page, whatever it shows.
    size = PAGE

    def __init__(
        self,
        show: Callable[[], Any] | None = None,
        store: Callable[[bytes], Any] | None = None,
        mode: int | None = None,
    ) -> None:
        self.show = show
        self.store = store
        self.mode = mode if mode is not None else (0o444 if show else 0) | (0o200 if store else 0)
        self._listeners: list[Callable[[], None]] = []

    def notify(self) -> None:
        """Wake programs that poll(2) for POLLPRI: it shows something else now (sysfs_notify of the kernel)."""
        for listener in list(self._listeners):
            listener()

    def hear(self, listener: Callable[[], None]) -> None:
        """Have notify() call it, once for each time, until unhear()."""
        self._listeners.append(listener)

    def unhear(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

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
        self.check_access(flags)
        return AttributeFile(self)

    def check_access(self, flags: int) -> None:
        """Raise OSError(EACCES) where the mode lets nobody open it so."""
        access = flags & os.O_ACCMODE
        if (access != os.O_WRONLY and not self.mode & 0o444) or (access != os.O_RDONLY and not self.mode & 0o222):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


class BinaryAttribute(Attribute):
    """A file of bytes with a size of its own, such as an EEPROM's contents: offsets count, and it is not kept.

    read   is given an offset and a size, and returns bytes; fewer end the file there
    write  is given bytes and an offset; returns None (all of them) or the number taken
    size   how many bytes it has; 0: as many as read gives, and writes may be anywhere

    Reads beyond the size end, writes there fail with EFBIG (sysfs_kf_bin_read and sysfs_kf_bin_write).
    """

    def __init__(
        self,
        read: Callable[[int, int], bytes] | None = None,
        write: Callable[[bytes, int], Any] | None = None,
        size: int = 0,
        mode: int | None = None,
    ) -> None:
        super().__init__(None, None, mode if mode is not None else (0o444 if read else 0) | (0o200 if write else 0))
        self.size = size
        self.read = read
        self.write = write

    def open(self, flags: int) -> BinaryAttributeFile:
        """Return the file for one open.  Raises OSError(EACCES) as an attribute's does."""
        self.check_access(flags)
        return BinaryAttributeFile(self)


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
        self.looked = False  # the last read has looked at what is shown now
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
            self.looked = True
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
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.attribute.size}.get(whence)
        if start is None or start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.position = start + offset
        return self.position


class BinaryAttributeFile(AttributeFile):
    """One open binary attribute: each read and write goes to the device, at its offset."""

    attribute: BinaryAttribute

    def pread(self, size: int, offset: int) -> bytes:
        """Read at an offset.  Raises OSError(EIO) where nothing reads."""
        attribute = self.attribute
        self.looked = True
        if attribute.size:
            size = max(0, min(size, attribute.size - offset))
        if not size:
            return b""
        if attribute.read is None:
            raise OSError(errno.EIO, "nothing reads this attribute")
        return bytes(attribute.read(offset, min(size, PAGE)))[:size]

    def write(self, data: bytes) -> int:
        """Write on at the file's position."""
        taken = self.pwrite(data, self.position)
        self.position += taken
        return taken

    def pwrite(self, data: bytes, offset: int) -> int:
        """Write at an offset.  Raises OSError: EFBIG beyond the size, EIO where nothing writes."""
        attribute = self.attribute
        if attribute.size and offset >= attribute.size:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        data = data[: min(PAGE, attribute.size - offset if attribute.size else PAGE)]
        if not data:
            return 0
        if attribute.write is None:
            raise OSError(errno.EIO, "nothing writes this attribute")
        taken = attribute.write(data, offset)
        return len(data) if taken is None else int(taken)

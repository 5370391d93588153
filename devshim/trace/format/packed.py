"""Files packed by zstd, read as far as they go: one that is cut off, as a killed recorder leaves it, ends there."""

from __future__ import annotations

import io
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

PIECE = 1 << 16


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a file.

    cut_off  whether the end of the packed stream is missing

    Reading raises the module's ZstdError where the file is damaged.
    """

    def __init__(self, file: BinaryIO, zstd: ModuleType) -> None:
        self.cut_off = False
        self._file = file
        self._zstd = zstd
        self._decompressor: Any = zstd.ZstdDecompressor()
        self._rest = b""
        self._began = False
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """As the file itself; back is from the start again."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an absolute position."""
        if whence == io.SEEK_CUR and not offset:
            return self._at
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only absolute positions")
        if offset < self._at:
            self._file.seek(0)
            self.__init__(self._file, self._zstd)  # type: ignore[misc]
        while self._at < offset and self.read(min(offset - self._at, PIECE)):
            pass
        return self._at

    def tell(self) -> int:
        """The position in the unpacked bytes."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one step of unpacking does; 0 is the end."""
        view = memoryview(buffer).cast("B")
        while True:
            if self._decompressor.eof:
                self._rest = self._decompressor.unused_data
                self._decompressor = self._zstd.ZstdDecompressor()
                self._began = False
            if not self._rest and (self._decompressor.needs_input or not self._began):
                self._rest = self._file.read(PIECE)
                if not self._rest:
                    self.cut_off = self._began
                    return 0
            piece, self._rest = self._rest, b""
            self._began = True
            data = self._decompressor.decompress(piece, len(view))
            if data:
                view[: len(data)] = data
                self._at += len(data)
                return len(data)

    def close(self) -> None:
        """Close the file, too."""
        self._file.close()
        super().close()

"""Trace files as streams of bytes, packed by zstd where their name says so, and - for stdin and stdout."""

from __future__ import annotations

import io
import os
import sys
from types import ModuleType

from devshim.trace.format.lines import TraceError
from devshim.trace.format.packed import Unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

PACKED = ".zst"
BUFFER = 1 << 18


def zstd(path: str) -> ModuleType:
    """The module that packs.  Raises TraceError where this Python has none."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise TraceError(
            f"{path}: zstd is not installed; pip install backports.zstd, or unpack it first: zstd -d {path}"
        ) from None
    return zstd


def open_to_read(path: str) -> BinaryIO:
    """A trace's bytes, unpacked; "-" is stdin.  Raises TraceError, also where it cannot be opened."""
    try:
        if path == "-":
            return io.BufferedReader(io.FileIO(os.dup(0)), BUFFER)
        file = open(path, "rb", buffering=BUFFER)  # noqa: SIM115
    except OSError as problem:
        raise TraceError(f"{path}: {problem.strerror}") from None
    if not path.endswith(PACKED):
        return file
    try:
        return io.BufferedReader(Unpacked(file, zstd(path)), BUFFER)
    except TraceError:
        file.close()
        raise


def packing_errors(path: str) -> tuple[type[Exception], ...]:
    """What reading a packed file raises where it is damaged."""
    return (zstd(path).ZstdError,) if path.endswith(PACKED) else ()


def cut_off(file: BinaryIO) -> bool:
    """Whether a packed file has turned out to lack its end."""
    return getattr(getattr(file, "raw", None), "cut_off", False)


class Packer:
    """Bytes to packed bytes, block by block, so that what was written until a kill can be unpacked."""

    def __init__(self, path: str) -> None:
        module = zstd(path)
        self._module = module
        self._compressor: Any = module.ZstdCompressor()

    def pack(self, data: bytes) -> bytes:
        """The packed form of whole lines."""
        return bytes(self._compressor.compress(data, self._module.ZstdCompressor.FLUSH_BLOCK))

    def end(self) -> bytes:
        """What closes the packed stream."""
        return bytes(self._compressor.flush(self._module.ZstdCompressor.FLUSH_FRAME))

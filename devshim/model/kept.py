"""Kept memory: what one call of a program named, and the answer to a later one fills, as with USBDEVFS_SUBMITURB."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Kept:
    """Some bytes of the program's memory.  What an answer fills is the memory of the process that gets it.

    address  where they lie there; of use to answer with it, as USBDEVFS_REAPURB does, and to nobody else
    length   how many they are
    """

    def __init__(self, address: int, length: int) -> None:
        self.address = address
        self.length = length

    def filled(self, data: bytes, offset: int = 0) -> Fill:
        """What Filled() takes to put data there.  Raises ValueError for bytes beyond the end."""
        if not 0 <= offset <= self.length - len(data):
            raise ValueError(f"{len(data)} bytes at {offset} of {self.length} that the program named")
        return self.address + offset, bytes(data)


Fill = tuple[int, bytes]  #: where in the program, and what


class Memory:
    """What a call named, the argument and what that points to: an @ioctl(..., keeps=True) method's last argument."""

    def __init__(self, argument: Kept, behind: Callable[[str], int]) -> None:
        self.argument = argument
        self._behind = behind

    def behind(self, pointer: str, length: int) -> Kept:
        """So many bytes behind a pointer member of the argument, one made by pointer() or trailing().

        Raises OSError(EFAULT) where it is NULL, KeyError where the argument has no such pointer.
        """
        return self.at(self._behind(pointer), length)

    def at(self, address: int, length: int) -> Kept:
        """So many bytes where a member says that holds a plain address.  OSError(EFAULT) where it is NULL."""
        if not address and length:
            raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
        return Kept(address, length)


class Filled:
    """What an @ioctl(..., fills=True) method may return: what it returns otherwise, and what is filled with it."""

    def __init__(self, returned: Any, fills: Iterable[Fill]) -> None:
        self.returned = returned
        self.fills = list(fills)

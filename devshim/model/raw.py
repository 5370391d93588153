"""RawFile: a file whose ioctls come as the memory behind their argument, for devices that know requests as data."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from devshim.model.device import File


class Cell:
    """Says how long an answer may be given again without asking: until `good` is False."""

    __slots__ = ("good",)

    def __init__(self) -> None:
        self.good = True


class RawAnswer:
    """What answers an ioctl.

    result    what the call returns
    after     memory that goes back, in the order of the call's segments; None: all, or one, stays as it is
    new_file  a file whose descriptor goes back, else None; at offset place of the argument, or as the result (None)
    steady    while it is good, the same call gets the same answer; None: only this one
    """

    __slots__ = ("after", "new_file", "place", "result", "steady")

    def __init__(
        self,
        result: int = 0,
        after: Sequence[bytes | None] | None = None,
        new_file: File | None = None,
        place: int | None = None,
        steady: Cell | None = None,
    ) -> None:
        self.result = result
        self.after = after
        self.new_file = new_file
        self.place = place
        self.steady = steady


class Elsewhere:
    """Another file answers this call, with its own handlers."""

    __slots__ = ("file",)

    def __init__(self, file: File) -> None:
        self.file = file


class Again:
    """The request's description has changed: the argument is collected anew, and the call asked again."""

    def __repr__(self) -> str:
        return "AGAIN"


AGAIN = Again()


class RawFile:
    """What a file has beside File's methods, to be carried by host/raw.py."""

    def raw_ioctl(self, request: int, argument: int, memory: list[bytes | None] | None) -> Any:
        """Answer one ioctl: with a RawAnswer, an Elsewhere, AGAIN, WAIT, REAL, or an OSError.

        argument  as the program passed it
        memory    behind it, as far as the request is described: segment by segment, None for NULL; None: a value
        """

    def waiting(self, call: str, how: int) -> int | None:
        """A call ("read", "write", "ioctl", "poll") found nothing, and is about to wait in the kernel.

        how  0: for this file alone; 1: other things may end it, too; 2: such a wait is over
        Of a terminal that has just hung up: the errno with which the read fails; 0 for the end of file.
        """

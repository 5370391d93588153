"""What the program did that no model answered, told at the end of a run with what to paste."""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from devshim.model.ioctl import Description, Descriptions

MACROS = {"": "IO", "r": "IOR", "w": "IOW", "rw": "IOWR"}
# By these programs find out whether a file is a terminal; that a device is none is nothing to be modelled.
# TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETA, TIOCGPGRP, TIOCGWINSZ, TCGETS2 (asm-generic/ioctls.h).
PROBES = frozenset((0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x540F, 0x5413, 0x802C542A))
MOST = 20  # nodes named; a program that looks for 256 partitions need not fill the screen
MOST_KEPT = 1000  # of either kind; a program that asks for ever new ones need not fill the memory


class Unmodelled:
    """Collects, each once, ioctls without a handler and nodes that nobody plugged."""

    def __init__(self, descriptions: Descriptions | None = None) -> None:
        self._descriptions = descriptions
        self._ioctls: dict[tuple[str, int], None] = {}
        self._nodes: dict[str, int] = {}

    def ioctl(self, node: str, request: int) -> None:
        """A plugged device has no handler for a request."""
        if request not in PROBES and len(self._ioctls) < MOST_KEPT:
            self._ioctls[node, request] = None

    def node(self, path: str, error: int) -> None:
        """The program opened a real node (error 0), or failed to."""
        if len(self._nodes) < MOST_KEPT:
            self._nodes.setdefault(path if path.isprintable() else ascii(path)[1:-1], error)

    def messages(self, plugged: Iterable[str] = ()) -> list[str]:
        """One message for each, ready to print.

        A missing node whose name is that of a plugged one but for punctuation is left out: clients try several
        spellings, as i2c-tools try /dev/i2c/1 before /dev/i2c-1.
        """
        said = [stub(node, request, self._described(request), known(node, request)) for node, request in self._ioctls]
        there = {letters(node) for node in plugged}
        missed = self._nodes.items()
        named = [(path, error) for path, error in missed if error != errno.ENOENT or letters(path) not in there]
        for path, error in named[:MOST]:
            why = "the real one was opened" if error == 0 else errno.errorcode.get(error, str(error))
            said.append(f"{path}: not plugged ({why}); to model it: -d {path}=MODEL")
        if len(named) > MOST:
            said.append(f"and {len(named) - MOST} more nodes that were not plugged")
        return said

    def _described(self, request: int) -> Description | None:
        return self._descriptions.find(request) if self._descriptions is not None else None


def letters(path: str) -> str:
    """A path's letters and digits."""
    return "".join(filter(str.isalnum, path))


def known(node: str, request: int) -> Description | None:
    """What the kernel's headers call a request of such a node."""
    from devshim.known import find_for

    return find_for(node).find(request)


def stub(node: str, request: int, described: Description | None, known: Description | None = None) -> str:
    """The handler that is missing; by its name and structure where a description knows them, else as it is known."""
    from ctypes import sizeof

    from devshim.model.request import direction_of, size_of, type_and_number

    access, size = direction_of(request), size_of(request)
    hidden = known.access if described is None and known is not None and known.ctype is not None and not access else ""
    letter, number = type_and_number(request)
    shown = repr(letter) if isinstance(letter, str) else f"{letter:#x}"
    words = {"": "no argument, or one by value", "r": "read", "w": "write", "rw": "read and write"}[access or hidden]
    size_text = f", {size} bytes" if access else ""
    named = described or known
    name = f"{named.label} " if named is not None else ""
    kind = {1: "c_uint8", 2: "c_uint16", 4: "c_uint32", 8: "c_uint64"}.get(size, f"c_uint8 * {size}")
    if described is not None and described.ctype is not None:
        kind = getattr(described.ctype, "__name__", kind)
    if hidden and known is not None and known.ctype is not None:
        handler = f'@ioctl({request:#06x}, c_uint8 * {sizeof(known.ctype)}, access="{hidden}")'
    elif isinstance(letter, int) and not access:
        handler = f"@ioctl({request:#06x}, value=c_long)"
    else:
        handler = f"@ioctl({MACROS[access]}({shown}, {number}" + (f", {kind}))" if access else "), value=c_long)")
    method = named.label.lower() if named is not None else f"request_{number}"
    arguments = "self" if (access or hidden) == "r" else "self, argument"
    return (
        f"unknown ioctl {name}{request:#010x} on {node} ({words}, {shown}, {number}{size_text}); add:\n"
        f"{handler}\ndef {method}({arguments}): ..."
    )

"""Sorts out what a handler returned: a result, bytes that are copied out, a new file, WAIT or REAL."""

from __future__ import annotations

import ctypes

from devshim.model.device import REAL, WAIT, File
from devshim.model.ioctl import Handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def settle(file: File, handler: Handler, returned: Any) -> tuple[Any, bytes | None, File | None]:
    """Sort out what a method returned: the result (WAIT and REAL too), what is copied out, a new file.

    A result of None means that it follows from what is copied out.  Raises TypeError, named after the method, for
    anything that the description does not allow.
    """
    if handler.access != "r":
        if returned is None:
            return 0, None, None
        if type(returned) is int and is_result(returned):
            return returned, None, None
    if returned is WAIT or returned is REAL:
        return returned, None, None
    if isinstance(returned, tuple) and len(returned) == 2 and "r" in handler.access:
        first, second = returned
        out = None if second is None else copied_out(file, handler, second)
        if isinstance(first, File):
            return 0, out, first
        if is_result(first):
            return first, out, None
        raise wrong(file, handler, returned)
    if isinstance(returned, File):
        return 0, None, returned
    if is_result(returned) and handler.access != "r":
        return returned, None, None
    if "r" in handler.access:
        return None if handler.sized else 0, copied_out(file, handler, returned), None
    raise wrong(file, handler, returned)


def is_result(value: Any) -> bool:
    """Whether a value can be what ioctl(2) returns on success."""
    return isinstance(value, int) and 0 <= value < 1 << 31


def copied_out(file: File, handler: Handler, value: Any) -> bytes:
    """The bytes of a returned argument.  Raises TypeError where it is not of the declared type."""
    kind = handler.ctype
    assert kind is not None
    if handler.sized:
        if isinstance(value, (bytes, bytearray, memoryview, ctypes.Array, kind)):
            return bytes(value)
    elif isinstance(value, kind):
        if ctypes.sizeof(value) == ctypes.sizeof(kind):
            return bytes(value)
    elif issubclass(kind, ctypes.Array) and isinstance(value, (bytes, bytearray)) and len(value) == ctypes.sizeof(kind):
        return bytes(value)
    raise wrong(file, handler, value)


def wrong(file: File, handler: Handler, returned: Any) -> TypeError:
    """What to say about a returned value, with the way out."""
    kind = handler.ctype.__name__ if handler.ctype is not None else ""
    wanted = f"bytes for sized({kind})" if handler.sized else kind
    if isinstance(returned, int) and returned < 0:
        hint = "to fail, raise OSError(errno)"
    elif returned is None:
        hint = f"it must return {wanted}; is a return missing?"
    elif isinstance(returned, int) and handler.access == "r":
        hint = f"it must return {wanted}, or a pair (result, {wanted})"
    else:
        allowed = ["None", "an int", *([wanted] if "r" in handler.access else []), "a File", "WAIT or REAL"]
        hint = f"it may return {', '.join(allowed)}"
    return TypeError(f"{type(file).__name__}.{handler.name} ({handler.label}) returned {returned!r}: {hint}")

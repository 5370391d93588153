"""Descriptions of ioctls in traces: JSON and back, so that a trace decodes and replays where nobody knows the device.

What a description says of memory is in trace/memory.py, what people see of it in trace/decoding.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devshim.model.argument import BadDescription, Sized
from devshim.model.description import Description, Descriptions, check_value, check_ways
from devshim.model.request import DIRECTIONS, EXACT, Request
from devshim.trace.decoding import decode, plain
from devshim.trace.layout import MOST_SIZE, Reader, only, scalar_name, to_json, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["decode", "descriptions_of", "from_object", "plain", "to_object"]


def to_object(description: Description) -> dict[str, Any]:
    """A description as the object of an `ioctl` line; members that have their default are left out."""
    shown: dict[str, Any] = {"request": f"{description.number:#010x}", "name": description.label}
    if len(description.numbers) > 1:
        shown["run"] = len(description.numbers)
    if description.access:
        shown["access"] = description.access
    if description.ctype is not None:
        shown["argument"] = to_json(description.ctype)
    if description.sized:
        shown["sized"] = True
    if description.value is not None:
        shown["value"] = scalar_name(description.value)
    if description.new_file:
        shown["new"] = True
    if description.asks is not None:
        shown["asks"] = description.asks
    if description.follows:
        shown["follows"] = True
    return shown


def from_object(shown: Mapping[str, Any]) -> Description:
    """The description of an `ioctl` line's object; nothing in it is executed, and what it takes is bounded.

    Raises ValueError for whatever to_object() could not have written.
    """
    only(shown, "request", "name", "run", "access", "argument", "sized", "value", "new", "asks", "follows")
    name = shown.get("name", "")
    if not isinstance(name, str) or len(name) > 200 or not name.isprintable():
        raise ValueError(f"name {name!r:.60}: at most 200 printable characters")
    number, run = number_of(shown.get("request")), whole(shown.get("run", 1), "run", 256)
    access = shown.get("access", "")
    if (
        not isinstance(access, str)
        or access not in DIRECTIONS
        or not all(isinstance(shown.get(flag, False), bool) for flag in ("sized", "new", "follows"))
    ):
        raise ValueError('access is "r", "w" or "rw"; sized, new and follows are true or false')
    try:
        kind = Reader().ctype(shown["argument"]) if "argument" in shown else None
        value = Reader().ctype(shown["value"]) if "value" in shown else None
        if value is not None:
            check_value(value, name)
        if (kind is not None) != bool(access) or (kind is not None and value is not None):
            raise ValueError("an argument has an access, and a value has none")
        numbers = range(number & 0xFF, (number & 0xFF) + run)
        if not run or numbers[-1] > 0xFF:
            raise ValueError(f"a run of {run} requests from {number:#x}")
        argument = Sized(kind) if shown.get("sized") and kind is not None else kind
        description = Description(
            Request(number, access, argument, name, numbers),
            argument,
            access,
            value,
            name or f"{number:#010x}",
            shown.get("new", False),
            whole(shown["asks"], "asks", MOST_SIZE) if "asks" in shown else None,
            shown.get("follows", False),
        )
        check_ways(description, name)
    except (BadDescription, OverflowError, RecursionError) as problem:
        raise ValueError(str(problem)) from None
    return description


def number_of(text: Any) -> int:
    """A request's number, "0x...".  Raises ValueError."""
    if not isinstance(text, str) or not text.startswith("0x") or not 2 < len(text) <= 10:
        raise ValueError(f'request {text!r:.40}: it is written "0x" and at most 8 digits')
    number = int(text[2:], 16)
    if not 0 <= number <= EXACT:
        raise ValueError(f"request {text!r}")
    return number


def descriptions_of(objects: Iterable[Mapping[str, Any]]) -> Descriptions:
    """The descriptions of a header's `ioctls`.  Raises ValueError."""
    return Descriptions(from_object(one) for one in objects)

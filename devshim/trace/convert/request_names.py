"""The number of a request that strace shows by name: TCGETS, EVIOCGNAME(256), _IOC(_IOC_READ, 0x45, 0x6, 0x100)."""

from __future__ import annotations

import re

from devshim.model.description import Descriptions
from devshim.model.request import DIRECTION_SHIFT, EXACT, SIZE_SHIFT

IOC = re.compile(r"_IOC\(([^,]*), ([^,]*), ([^,]*), ([^,)]*)\)")
CALLED = re.compile(r"(\w+)\(([^)]*)\)")
WAYS = {"_IOC_NONE": 0, "0": 0, "_IOC_WRITE": 1, "_IOC_READ": 2, "_IOC_READ|_IOC_WRITE": 3, "_IOC_WRITE|_IOC_READ": 3}
#: Event types by which EVIOCGBIT is asked.
TYPES = {
    "EV_SYN": 0, "0": 0, "EV_KEY": 1, "EV_REL": 2, "EV_ABS": 3, "EV_MSC": 4, "EV_SW": 5, "EV_LED": 0x11, "EV_SND": 0x12,
    "EV_REP": 0x14, "EV_FF": 0x15, "EV_PWR": 0x16, "EV_FF_STATUS": 0x17,
}  # fmt: skip


def request_of(text: str, known: Descriptions) -> int | None:
    """A request's number; None for a name that nobody knows."""
    if number := re.match(r"0x[0-9a-fA-F]+|\d+", text):
        return int(number[0], 0) & EXACT
    for name in re.sub(r" ?/\*.*?\*/", "", text).split(" or "):
        found = one_of(name.strip(), known)
        if found is not None:
            return found
    return None


def one_of(name: str, known: Descriptions) -> int | None:
    """The number of one name."""
    if parts := IOC.fullmatch(name):
        way = WAYS.get(parts[1].replace(" ", ""))
        if way is None:
            return None
        letter, nr, size = (int(part, 0) for part in parts.groups()[1:])
        return way << DIRECTION_SHIFT | size << SIZE_SHIFT | letter << 8 | nr
    called = CALLED.fullmatch(name)
    label = called[1] if called else name
    description = next((one for one in known.all if one.label == label), None)
    if description is None:
        return None
    if called is None:
        return description.number
    words = [word.strip() for word in called[2].split(",")]
    return sized(description.number, words, description.first is not None, description.sized)


def sized(number: int, words: list[str], runs: bool, has_size: bool) -> int | None:
    """The number of a request that is one of a run, or has its size in its number."""
    try:
        if runs:
            first = words.pop(0)
            number += TYPES[first] if first in TYPES else int(first, 0)
        if has_size and words:
            number |= int(words[0], 0) << SIZE_SHIFT
    except (ValueError, KeyError, IndexError):
        return None
    return number

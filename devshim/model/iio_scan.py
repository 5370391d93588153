"""Scan elements: the channels that an IIO device puts into its buffer, and how a sample of them lies in memory."""

from __future__ import annotations

import re

TYPE = re.compile(r"(be|le):([su])(\d+)/(\d+)(?:X(\d+))?>>(\d+)")


class Layout:
    """What `le:s12/16>>4` means (Documentation/driver-api/iio/buffers.rst).

    big      whether the first byte is the highest
    storage  bits that one value takes
    """

    __slots__ = ("big", "bits", "repeat", "shift", "signed", "storage")

    def __init__(self, big: bool, signed: bool, bits: int, storage: int, repeat: int, shift: int) -> None:
        self.big = big
        self.signed = signed
        self.bits = bits
        self.storage = storage
        self.repeat = repeat
        self.shift = shift

    @property
    def size(self) -> int:
        """Bytes of all that a sample has of it."""
        return self.storage // 8 * self.repeat

    def pack(self, value: int) -> bytes:
        """One value, its sign in all bits to the left of it.  Raises ValueError where it does not fit."""
        low, high = (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (0, (1 << self.bits) - 1)
        if not low <= value <= high:
            raise ValueError(f"{value} is not from {low} to {high}, what {self.bits} bits hold")
        raw = value << self.shift & (1 << self.storage) - 1
        return raw.to_bytes(self.storage // 8, "big" if self.big else "little")


def layout_of(text: str) -> Layout:
    """Read a type.  Raises ValueError for what is none."""
    match = TYPE.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is no type of a scan element; write one such as "le:s12/16>>4"')
    order, sign, bits, storage, repeat, shift = match.groups()
    found = Layout(order == "be", sign == "s", int(bits), int(storage), int(repeat or 1), int(shift))
    if (
        found.storage not in (8, 16, 32, 64)
        or found.bits + found.shift > found.storage
        or not found.bits * found.repeat
    ):
        raise ValueError(f"{text!r}: {found.bits} bits, {found.shift} to the left, do not lie in {found.storage}")
    return found


class Scan:
    """A channel in the buffer: `Scan("in_voltage0", "le:u10/16>>0")`.

    name   the channel's, as in the names of its files; its value is that of the file or attribute NAME_raw
    type   what the file NAME_type says
    index  where it stands in a sample; by default behind the one before

    Raises ValueError for a type that is none.
    """

    __slots__ = ("index", "layout", "name", "type")

    def __init__(self, name: str, type: str, index: int = -1) -> None:
        self.name = name
        self.type = type
        self.index = index
        self.layout = layout_of(type)


#: The time of a sample, in nanoseconds, which the kernel adds to the channels (IIO_CHAN_SOFT_TIMESTAMP).
TIMESTAMP = "in_timestamp"


def numbered(elements: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """The same elements in their order in a sample.  Raises ValueError where two have one place."""
    found: dict[int, Scan] = {}
    for element in elements:
        index = element.index if element.index >= 0 else max(found, default=-1) + 1
        if index in found:
            raise ValueError(f"{element.name} and {found[index].name} both have index {index}")
        found[index] = Scan(element.name, element.type, index)
    return tuple(found[index] for index in sorted(found))


def places(elements: tuple[Scan, ...]) -> tuple[list[int], int]:
    """Where each element begins in a sample, and the bytes of all: each is aligned to its own size, and the whole to
    the largest (iio_compute_scan_bytes)."""
    at, largest, offsets = 0, 1, []
    for element in elements:
        size = element.layout.size
        at = -(-at // size) * size
        offsets.append(at)
        at += size
        largest = max(largest, size)
    return offsets, -(-at // largest) * largest


def packed(elements: tuple[Scan, ...], values: list[int | list[int]]) -> bytes:
    """One sample.  Raises ValueError for a value that does not fit."""
    offsets, total = places(elements)
    sample = bytearray(total)
    for element, offset, value in zip(elements, offsets, values, strict=True):
        several = value if isinstance(value, list) else [value]
        try:
            data = b"".join(element.layout.pack(int(one)) for one in several)
        except ValueError as problem:
            raise ValueError(f"{element.name}: {problem}") from None
        if len(data) != element.layout.size:
            raise ValueError(f"{element.name}: {len(several)} values; there are {element.layout.repeat}")
        sample[offset : offset + len(data)] = data
    return bytes(sample)

"""What a HID report descriptor says of the reports' numbers and lengths (HID 1.11, section 6.2.2)."""

from __future__ import annotations

from devshim.model.hidraw_abi import MOST_DESCRIPTOR, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT_SIZE, REPORT_ID, REPORT_COUNT, PUSH, POP = 0x74, 0x84, 0x94, 0xA4, 0xB4
MAIN = {kind.value: kind for kind in Report}
LONG_ITEM = 0xFE
SIZES = (0, 1, 2, 4)


class Reports:
    """The reports of a device: bits without the number, by kind and number; number 0 is the one without a number."""

    def __init__(self) -> None:
        self.bits: dict[tuple[Report, int], int] = {}
        self.numbered = False

    def has(self, kind: Report, number: int) -> bool:
        """Whether there is such a report."""
        return (kind, number) in self.bits

    def length(self, kind: Report, number: int) -> int:
        """The bytes of a report, without its number."""
        return (self.bits[kind, number] + 7) // 8

    def numbers(self, kind: Report) -> list[int]:
        """The numbers of all reports of a kind."""
        return sorted(number for each, number in self.bits if each is kind)


def items(descriptor: bytes) -> Iterator[tuple[int, int]]:
    """The tag (with its type, without its size) and the value of each short item.  Raises ValueError for a cut one."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == LONG_ITEM:
            size, head = (descriptor[at + 1], 3) if at + 1 < len(descriptor) else (0, 3)
        else:
            size, head = SIZES[prefix & 3], 1
        if at + head + size > len(descriptor):
            raise ValueError(
                f"report_descriptor: the item at byte {at} ({prefix:#04x}) needs more bytes than there are"
            )
        if prefix != LONG_ITEM:
            yield prefix & 0xFC, int.from_bytes(descriptor[at + 1 : at + 1 + size], "little")
        at += head + size


def reports(descriptor: bytes) -> Reports:
    """The reports that a descriptor declares.  Raises ValueError for a descriptor that the kernel would refuse."""
    if not 0 < len(descriptor) <= MOST_DESCRIPTOR:
        raise ValueError(f"report_descriptor: it has {len(descriptor)} bytes; there are 1 to {MOST_DESCRIPTOR}")
    found = Reports()
    state = {REPORT_SIZE: 0, REPORT_COUNT: 0, REPORT_ID: 0}
    kept: list[dict[int, int]] = []
    for tag, value in items(descriptor):
        if tag in state:
            state[tag] = value
            found.numbered |= tag == REPORT_ID
        elif tag == PUSH:
            kept.append(dict(state))
        elif tag == POP and kept:
            state = kept.pop()
        elif tag in MAIN:
            key = MAIN[tag], state[REPORT_ID]
            found.bits[key] = found.bits.get(key, 0) + state[REPORT_SIZE] * state[REPORT_COUNT]
    return found

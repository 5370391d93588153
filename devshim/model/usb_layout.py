"""What a USB device declares of itself, and the descriptors that this makes.  USB 2.0, 9.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from devshim.model.usb_abi import IN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Kind = tuple[int, int, int]

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT, BOS = 1, 2, 3, 4, 5, 15
TRANSFERS = {"control": 0, "isochronous": 1, "bulk": 2, "interrupt": 3}  # bmAttributes of an endpoint
ENGLISH = 0x0409  # the one language


@dataclass(frozen=True)
class Endpoint:
    """An endpoint by its address (0x81: number 1, to the program).

    transfer  "bulk", "interrupt" or "isochronous"
    packet    wMaxPacketSize
    interval  bInterval
    extra     descriptors that follow its own
    """

    address: int
    transfer: str = "bulk"
    packet: int = 64
    interval: int = 0
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not self.address & 0xF or self.address & ~0x8F or self.transfer not in ("bulk", "interrupt", "isochronous"):
            raise ValueError(
                f"Endpoint({self.address:#04x}, {self.transfer!r}): an address is 0x01 to 0x0f, or 0x81 to 0x8f to the "
                f'program; a transfer is "bulk", "interrupt" or "isochronous"'
            )

    def descriptor(self) -> bytes:
        """Its descriptor, and what follows it."""
        size = 7, ENDPOINT, self.address, TRANSFERS[self.transfer]
        return struct.pack("<BBBBHB", *size, self.packet, self.interval) + self.extra


@dataclass(frozen=True)
class Interface:
    """An interface, in one of its settings.

    kind       class, subclass and protocol; 0xFF is the vendor's own
    number     which one it is, from 0
    alternate  which setting; each is an Interface of its own with the same number
    name       its text, if it has one
    extra      descriptors between its own and its endpoints', as classes have them
    driver     of the kernel, that has it until a program takes it away; "" for none
    """

    kind: Kind = (0xFF, 0, 0)
    endpoints: Sequence[Endpoint] = ()
    number: int = 0
    alternate: int = 0
    name: str = ""
    extra: bytes = b""
    driver: str = ""

    def descriptor(self, texts: Texts) -> bytes:
        """Its descriptor, and what follows it."""
        head = 9, INTERFACE, self.number, self.alternate, len(self.endpoints), *self.kind, texts.index(self.name)
        return struct.pack("<9B", *head) + self.extra + b"".join(one.descriptor() for one in self.endpoints)


@dataclass(frozen=True)
class Configuration:
    """One of the configurations of a device, of which most have one."""

    interfaces: Sequence[Interface]
    value: int = 1
    name: str = ""
    attributes: int = 0x80
    milliamperes: int = 100
    extra: bytes = b""

    def descriptor(self, texts: Texts) -> bytes:
        """Its descriptor, and those of all that is in it."""
        inside = self.extra + b"".join(one.descriptor(texts) for one in self.interfaces)
        count = len({one.number for one in self.interfaces})
        total, power = 9 + len(inside), self.milliamperes // 2
        head = 9, CONFIGURATION, total, count, self.value, texts.index(self.name), self.attributes, power
        return struct.pack("<BBHBBBBB", *head) + inside

    def settings(self, number: int) -> list[Interface]:
        """The settings of an interface; none where there is no such."""
        return [one for one in self.interfaces if one.number == number]

    def interface_of(self, address: int) -> Interface | None:
        """The first interface with an endpoint, in whichever setting."""
        return next((one for one in self.interfaces for each in one.endpoints if each.address == address), None)


@dataclass
class Texts:
    """Texts by the index that descriptors name them with, each text once; 0 is none."""

    known: dict[str, int] = field(default_factory=dict)
    fixed: dict[int, str] = field(default_factory=dict)

    def index(self, text: str) -> int:
        """The index of a text, a new one if need be."""
        if not text:
            return 0
        if text not in self.known:
            taken = {*self.known.values(), *self.fixed}
            self.known[text] = next(number for number in range(1, 256) if number not in taken)
        return self.known[text]

    def descriptor(self, index: int) -> bytes | None:
        """The descriptor of the text with an index; that of 0 says which languages there are; None for none."""
        if index == 0:
            return struct.pack("<BBH", 4, STRING, ENGLISH)
        text = self.fixed.get(index) or next((text for text, at in self.known.items() if at == index), None)
        if text is None:
            return None
        data = text.encode("utf-16-le")[:252]
        return bytes((2 + len(data), STRING)) + data


def check_layout(name: str, configurations: Iterable[Configuration]) -> None:
    """Raise ValueError for two settings of one number, or two endpoints of one address in one setting of all."""
    for one in configurations:
        settings = [(each.number, each.alternate) for each in one.interfaces]
        for each in settings:
            if settings.count(each) > 1:
                raise ValueError(f"{name}: two interfaces have number={each[0]}, alternate={each[1]}")
        first = [point.address for each in one.interfaces if not each.alternate for point in each.endpoints]
        for address in first:
            if first.count(address) > 1:
                way = "in" if address & IN else "out"
                raise ValueError(f"{name}: two endpoints have the address {address:#04x} ({way} {address & 0xF})")

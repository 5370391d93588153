"""Memory that earlier calls named: shown to the handlers that keep it, and filled by the answers of those that may."""

from __future__ import annotations

from devshim.host.general import General, Outcome
from devshim.host.segments import KEPT, SEGMENTS, parse
from devshim.model.kept import Fill, Filled, Kept, Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.device import File


class Keeping(General):
    """The general way, and beside it the argument's own address, or bytes for addresses that came earlier."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the method with what it is to keep, and let its answer fill what it says."""
        handler = self.handler
        received = self.receive(request, data)
        arguments = self.arguments(request, received)
        if handler.keeps:
            arguments = (*arguments, self.memory(argument, data))
        returned = getattr(file, self.name)(*arguments)
        if not isinstance(returned, Filled):
            return self.answer(file, received, data, returned)
        if not handler.fills:
            raise TypeError(f"{type(file).__name__}.{self.name} returned Filled: say fills=True in its @ioctl")
        result, out, new, place = self.answer(file, received, data, returned.returned)
        return result, with_fills(data if out is None else out, returned.fills), new, place

    def memory(self, argument: int, data: bytes) -> Memory:
        """What a call named, of which data is the argument as it travelled."""
        whole = parse(data)[0]
        pointers = {step.place.path: step.place for step in self.handler.steps if step.parent == 0}

        def behind(pointer: str) -> int:
            place = pointers[pointer]
            at = whole.at + place.offset
            return int.from_bytes(data[at : at + place.width], "little") if place.width else argument + place.offset

        return Memory(Kept(argument, whole.length), behind)


def with_fills(out: bytes, fills: list[Fill]) -> bytes:
    """An answer with bytes for kept memory behind it, each of them 8-aligned: struct kept of shim/wire.h."""
    if not fills:
        return out
    count, _ = SEGMENTS.unpack_from(out)
    parts = [SEGMENTS.pack(count, len(out) + -len(out) % 8), out[SEGMENTS.size :], bytes(-len(out) % 8)]
    at = len(out) + -len(out) % 8
    for number, (address, data) in enumerate(fills, 1):
        padded = data + bytes(-len(data) % 8)
        at += KEPT.size + len(padded)
        parts.append(KEPT.pack(address, len(data), at if number < len(fills) else 0) + padded)
    return b"".join(parts)


def fills_of(out: bytes) -> list[bytes]:
    """The bytes that an answer has for kept memory, in their order."""
    found: list[bytes] = []
    _, at = SEGMENTS.unpack_from(out) if len(out) >= SEGMENTS.size else (0, 0)
    while at:
        _, length, following = KEPT.unpack_from(out, at)
        found.append(bytes(out[at + KEPT.size : at + KEPT.size + length]))
        at = following
    return found

"""A program that does a trace's calls, its queries again and again, and prints all that it gets: repeating.py TRACE."""

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

from devshim.model.description import Description
from devshim.trace.event import Event, Segment
from devshim.trace.player import Player
from devshim.trace.replay.matching import Kind, kind_of

TIMES = 4


class Repeating(Player):
    """Plays a trace; what may be asked again is, in turn with what was asked before it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._once, self._ioctl = self._ioctl, self._repeat
        self._event: Event | None = None
        self._rooms: list[Any] = []
        self._before: Any = None

    def _do_ioctl(self, event: Event) -> None:
        self._event, self._rooms = event, []
        super()._do_ioctl(event)

    def _lay_out(self, event: Event, description: Description | None, memory: Sequence[Segment]) -> list[Any]:
        self._rooms = super()._lay_out(event, description, memory)
        return self._rooms

    def _repeat(self, fd: int, request: int, argument: int | None) -> int:
        event, rooms = self._event, [room for room in self._rooms if room is not None]
        assert event is not None
        asked = [room.raw for room in rooms]
        result, error = int(self._once(fd, request, argument)), ctypes.get_errno()
        given = [room.raw for room in rooms]
        if kind_of(event) in (Kind.QUERY, Kind.EXCHANGE) and not event.new_file and not event.incomplete:
            others = [self._before] if self._before and self._before[0] in self._fds.values() else []
            mine = fd, request, argument, rooms, asked
            for call in [one for _ in range(TIMES) for one in [mine, *others]]:
                self._print(call)
            self._before = mine
        for room, content in zip(rooms, given, strict=True):
            room.raw = content
        ctypes.set_errno(error)
        return result

    def _print(self, call: Any) -> None:
        fd, request, argument, rooms, asked = call
        for room, content in zip(rooms, asked, strict=True):
            room.raw = content
        result = self._once(fd, request, argument)
        error = ctypes.get_errno() if result < 0 else 0
        shown = [without_words(room.raw, [ctypes.addressof(one) for one in rooms]).hex() for room in rooms]
        print(f"{request:#010x} = {result} {error} {' '.join(shown)}")


def without_words(memory: bytes, addresses: list[int]) -> bytes:
    """Memory without addresses in it, which differ from run to run."""
    for address in addresses:
        memory = memory.replace(address.to_bytes(8, "little"), bytes(8))
    return memory


if __name__ == "__main__":
    Repeating(sys.argv[1]).play()

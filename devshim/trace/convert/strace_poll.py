"""What programs wait for, as strace shows poll, select and epoll: descriptor, asked, ready, time-out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devshim.trace.convert.strace_files import Descriptor
from devshim.trace.convert.strace_line import BadLine, Call
from devshim.trace.convert.strace_values import descriptor, flags, items, members, number, seconds
from devshim.trace.flags import POLL_BITS

EPOLL_BITS = {name.replace("POLL", "EPOLL", 1): bits for name, bits in POLL_BITS.items()}
EPOLL_BITS |= {"EPOLLET": 0, "EPOLLONESHOT": 0, "EPOLLEXCLUSIVE": 0, "EPOLLWAKEUP": 0}
POLLIN, POLLPRI, POLLOUT = 0x1, 0x2, 0x4
EVENT_BITS = 0xFFFF

#: The descriptor's text, what was asked, what was ready, seconds (None: for ever).
Waited = tuple[str, int, int, float | None]


def polled(call: Call) -> Iterator[Waited]:
    """poll, ppoll."""
    timeout: float | None
    if call.name == "ppoll":
        timeout = seconds(call.arguments[2], "tv_nsec")
    else:
        given = number(call.arguments[2]) if not call.arguments[2].startswith("INFTIM") else -1
        timeout = None if given < 0 else given / 1000
    ready: dict[int, int] = {}
    if shown := re.search(r"\((\[\{.*\}\])", call.shown, re.DOTALL):
        for item in items(shown[1]):
            found = members(item)
            ready[number(found["fd"])] = flags(found.get("revents", "0"), POLL_BITS)
    for item in items(call.arguments[0]) if call.arguments[0].startswith("[") else ():
        found = members(item)
        if "fd" not in found or found["fd"].startswith("-"):
            continue
        yield found["fd"], flags(found.get("events", "0"), POLL_BITS), ready.get(descriptor(found["fd"])[0], 0), timeout


def selected(call: Call) -> Iterator[Waited]:
    """select, pselect6."""
    timeout = seconds(call.arguments[4], "tv_nsec" if call.name == "pselect6" else "tv_usec")
    asked: dict[str, int] = {}
    for text, bit in zip(call.arguments[1:4], (POLLIN, POLLOUT, POLLPRI), strict=True):
        for fd in words(text):
            asked[fd] = asked.get(fd, 0) | bit
    ready: dict[int, int] = {}
    for name, bit in (("in", POLLIN), ("out", POLLOUT), ("exc", POLLPRI)):
        if shown := re.search(rf"\b{name} (\[[^\]]*\])", call.shown):
            for fd in words(shown[1]):
                at = descriptor(fd)[0]
                ready[at] = ready.get(at, 0) | bit
    for fd, bits in asked.items():
        yield fd, bits, ready.get(descriptor(fd)[0], 0), timeout


def words(text: str) -> list[str]:
    """The descriptors of [3</dev/x> 4]."""
    if not text.startswith("["):
        return []
    return re.findall(r"\d+(?:<[^>]*>)?", text)


class Epolls:
    """Which descriptors an epoll instance watches."""

    def __init__(self) -> None:
        self._watched: dict[tuple[int, int], dict[str, tuple[str, int]]] = {}

    def changed(self, call: Call, table: dict[int, Descriptor]) -> None:
        """epoll_ctl."""
        if call.result != 0:
            return
        key = (id(table), descriptor(call.arguments[0])[0])
        watched = self._watched.setdefault(key, {})
        fd = call.arguments[2]
        for data in [data for data, (one, _) in watched.items() if descriptor(one)[0] == descriptor(fd)[0]]:
            del watched[data]
        if "DEL" not in call.arguments[1] and call.arguments[3].startswith("{"):
            found = members(call.arguments[3])
            watched[data_of(found)] = (fd, flags(found.get("events", "0"), EPOLL_BITS) & EVENT_BITS)

    def waited(self, call: Call, table: dict[int, Descriptor]) -> Iterator[Waited]:
        """epoll_wait and its kin."""
        watched = self._watched.get((id(table), descriptor(call.arguments[0])[0]), {})
        if call.name == "epoll_pwait2":
            timeout = seconds(call.arguments[3], "tv_nsec")
        else:
            given = number(call.arguments[3])
            timeout = None if given < 0 else given / 1000
        ready: dict[str, int] = {}
        for item in items(call.arguments[1]) if call.arguments[1].startswith("[") else ():
            found = members(item)
            ready[data_of(found)] = flags(found.get("events", "0"), EPOLL_BITS) & EVENT_BITS
        for data, (fd, bits) in watched.items():
            yield fd, bits, ready.get(data, 0), timeout


def data_of(found: dict[str, str]) -> str:
    """What a program gave with a descriptor, by which epoll_wait tells it."""
    shown = found.get("data", "")
    inner = re.search(r"u64=(\w+)", shown)
    if not inner and not shown:
        raise BadLine("what epoll watches is not shown")
    return inner[1] if inner else shown

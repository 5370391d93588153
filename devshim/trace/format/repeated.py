"""Events that a trace says again and again, with other times: read once, then known by their bytes.

Programs poll.  Where they do, this makes reading twice as fast; where nothing repeats, it notices, and steps aside.
"""

from __future__ import annotations

import re
from itertools import count

from devshim.trace.event import Event

TIME = b', "time": '
SECONDS = rb"((?:0|[1-9][0-9]{0,8})\.[0-9]{6})"
TIMES = re.compile(TIME + SECONDS + b', "took": ' + SECONDS + rb"\}\n")

MOST_KEPT = 4096
LONGEST = 512
PATIENCE = 512  # lines, after which one in eight must have been known
PAUSE = 64 * PATIENCE  # lines that are not looked at where fewer were


class Repeated:
    """The lines of one pass that were met, without their times.

    What is kept was read strictly as a whole line; a later line that differs only in the digits of its time and took,
    which are the last members, is as sound.

    starts  number of events from which on it is worth while to look
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, dict[str, object]] = {}
        self._alike = count(1)
        self._looked = self._known = 0
        self.starts = 0

    def find(self, line: bytes) -> Event | None:
        """The event of a line; None where it is a new one."""
        self._looked += 1
        if len(line) > LONGEST:
            return None
        cut = line.rfind(TIME)
        kept = self._kept.get(line[:cut] if cut >= 0 else line)
        if kept is None:
            return None
        event = Event.__new__(Event)
        event.__dict__ = found = kept.copy()
        if cut >= 0:  # else it is a stable trace, which tells no times
            times = TIMES.fullmatch(line, cut)
            if times is None:
                return None
            found["times"] = times.groups()
        self._known += 1
        return event

    def keep(self, line: bytes, event: Event, number: int) -> None:
        """Keep the event of a line that find() did not know, if it is of the kind; number: how many came before it."""
        cut = line.rfind(TIME)
        if len(line) <= LONGEST and (cut < 0 or TIMES.fullmatch(line, cut)):
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            event.alike = next(self._alike)
            self._kept[line[:cut] if cut >= 0 else line] = kept = event.__dict__.copy()
            if cut >= 0:
                kept.pop("time", None)
                kept.pop("took", None)
        if self._looked >= PATIENCE:
            if 8 * self._known < self._looked:
                self.starts = number + PAUSE
            self._looked = self._known = 0

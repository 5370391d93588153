"""Real nodes that programs look for or open: told of where nobody plugged them, refused, or recorded from then on."""

from __future__ import annotations

import errno
import os

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host.answering import failed
from devshim.host.unmodelled import letters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.host import Host


class RealNodes:
    """Answers what programs' processes tell of them, and ask about them."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def noted(self, name: str, note: int) -> Any:
        """A node that the program opened (0), missed (errno), or is about to open (NOTE_MAY, NOTE_RECORD)."""
        host = self._host
        if note == wire.NOTE_RECORD:
            return self._record(name)
        if note != wire.NOTE_MAY:
            host.unmodelled.node(name, note)
            return 0
        refusal = host.guard.refusal(name) if host.guard is not None else None
        if refusal is None:
            return 0
        error, rule = refusal
        if error == errno.ENOENT and not os.path.lexists(name) and self._spells_plugged(name):
            return failed(error)
        where = host.where()
        at = f" at {where}" if where else ""
        way_out = f'devshim.plug("{name}", MODEL)' if where else f"-d {name}=MODEL"
        host.failures.append(f"{name}: refused{at}")
        host.message(f"{name}: refused{at} with {errno.errorcode[error]} ({rule}); to model it: {way_out}")
        return failed(error)

    def _spells_plugged(self, name: str) -> bool:
        """Whether a name is a plugged one's but for punctuation: clients try several spellings of one node."""
        return letters(name) in {letters(plug.node) for plug in self._host.plugs()}

    def _record(self, name: str) -> int:
        """One is about to be opened that is not recorded: record it; returns its index, or 0."""
        if self._host.recorded is None:
            return 0
        try:
            return self._host.recorded.add_hardware(name)
        except (OSError, DevshimError) as problem:
            self._host.message(f"{name} is not recorded: {problem}")
            return 0

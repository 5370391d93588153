"""What a replay adds to its trace (--on-miss record): calls that the real device has answered, behind all others."""

from __future__ import annotations

import json
import os
import shutil

from devshim.trace.event import Event
from devshim.trace.format.files import PACKED, Packer, open_to_read
from devshim.trace.format.lines import event_text
from devshim.trace.format.reader import Trace

END = b'{"end"'
LAST = 1 << 20


class Additions:
    """Appends to a trace as calls are made, so that whoever kills us loses nothing.

    before  how many events it had
    count   how many were added

    Where it stood, the last line goes: end() writes it anew.  Raises TraceError, OSError.
    """

    def __init__(self, path: str) -> None:
        trace = Trace(path)
        self.before = sum(1 for _ in trace)
        self.count = 0
        self._path = path
        self._most = max(trace.files, default=0)
        self._packer = Packer(path) if path.endswith(PACKED) else None
        self._file = os.open(self._packed(self._packer) if self._packer is not None else self._shortened(), FLAGS)

    def _shortened(self) -> str:
        """The trace without its last line."""
        with open(self._path, "r+b") as file:
            file.seek(0, os.SEEK_END)
            begin = max(0, file.tell() - LAST)
            file.seek(begin)
            held = file.read()
            whole = held[: held.rfind(b"\n") + 1]
            last = whole.rfind(b"\n", 0, len(whole) - 1) + 1
            file.truncate(begin + (last if whole[last:].startswith(END) else len(whole)))
        return self._path

    def _packed(self, packer: Packer) -> str:
        """The same of a packed one, which is packed anew: readers of the old file keep that."""
        new = f"{self._path}.new{PACKED}"
        with open_to_read(self._path) as old, open(new, "wb") as file:
            shutil.copymode(self._path, new)
            while (line := old.readline()).endswith(b"\n"):
                if not line.startswith(END):
                    file.write(packer.pack(line))
        os.rename(new, self._path)
        return self._path

    def add(self, event: Event) -> None:
        """Append one; a negative file is the so-manieth that the trace does not have."""
        for name in ("file", "new_file"):
            if getattr(event, name) < 0:
                setattr(event, name, self._most - getattr(event, name))
        self._write(event_text(event))
        self.count += 1

    def _write(self, line: str) -> None:
        data = f"{line}\n".encode()
        rest = memoryview(self._packer.pack(data) if self._packer is not None else data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def end(self) -> None:
        """Write the last line."""
        self._write(json.dumps({"end": "finished", "events": self.before + self.count}))
        if self._packer is not None:
            os.write(self._file, self._packer.end())
        os.close(self._file)


FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC

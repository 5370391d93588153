"""Which traces a test means, and whether they are replayed or recorded."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from devshim.errors import SpecError
from devshim.trace.catalogue import FOLDER, SUFFIXES, with_suffixes

if TYPE_CHECKING:
    from devshim.session.session import Session
    from devshim.trace.record_asked import RecordAsked

CATALOGUE = Path(FOLDER)
EXAMPLE = "--devshim-record=once records it from the real device"


class Traces:
    """The traces of one test.

    test  its file
    root  the directory of the whole suite
    name  its name with parameters, as pytest has it
    mode  that of --devshim-record; "new" is what "once" is: the plugin runs a test again, with "all", whose trace does
          not match any more
    real  what --devshim-real says
    """

    def __init__(self, test: Path, root: Path, name: str, mode: str = "none", real: Mapping[str, str] | None = None):
        self.test = test
        self.root = root
        self.name = name
        self._mode = mode
        self._real = real or {}
        self._replays: dict[Path, list[str]] = {}
        self._targets: dict[Path, list[str]] = {}  # what is recorded, and of which nodes
        self._nodes: dict[str, str] = {}  # with the real ones behind them
        self.recorded: list[str] = []

    # ---- Where they are

    def own_path(self) -> Path:
        """Where a trace lies that was given no name: beside the test, by its module and its own name."""
        name = re.sub(r"[^\w.\-]+", "-", self.name).strip("-")
        return self.test.parent / "traces" / self.test.stem / f"{name}.trace"

    def places(self, name: str | None) -> Iterator[Path]:
        """Every path at which a trace is looked for, the nearest first."""
        if name is None:
            yield from with_suffixes(self.own_path())
            return
        for folder in dict.fromkeys((self.test.parent / "traces", self.root / "traces", CATALOGUE)):
            yield from with_suffixes(folder / name)

    def found(self, name: str | None) -> Path | None:
        """The trace's file, if there is one."""
        return next((place for place in self.places(name) if place.is_file()), None)

    # ---- What becomes of them

    def take(self, node: str, name: str | None = None) -> None:
        """Take in one mark: its trace is to be replayed, or recorded where the mode says so.

        Raises SpecError where it is not there, or cannot be recorded.
        """
        found = self.found(name)
        if found is not None and self._mode != "all":
            self._replays.setdefault(found, []).append(node)
        elif self._mode != "none":
            self._take_recording(node, name, found)
        else:
            places = ", ".join(str(place) for place in self.places(name) if place.suffix == SUFFIXES[0])
            raise SpecError(f"no trace {name or 'of this test'} for {node}; looked for {places}; {EXAMPLE}")

    def _take_recording(self, node: str, name: str | None, found: Path | None) -> None:
        target = self.own_path() if name is None else next(with_suffixes(self.test.parent / "traces" / name))
        if found is not None and CATALOGUE not in found.parents:
            target = found
        real = self._real.get(node, node)
        if not os.path.exists(real):
            way = f"--devshim-real {node}=NODE says where it is" if real == node else "is it plugged in?"
            raise SpecError(f"{real} is not there, so {node} cannot be recorded; {way}")
        self._targets.setdefault(target, []).append(node)
        self._nodes[node] = real

    @property
    def _unfinished(self) -> Path:
        first = next(iter(self._targets))
        return first.with_name(f".unfinished-{first.name}")

    def recording(self) -> RecordAsked | None:
        """What a session has to record, if anything."""
        if not self._targets:
            return None
        from devshim import spec
        from devshim.trace.record_asked import RecordAsked

        asked = RecordAsked()
        for target in self._targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        asked.trace, asked.nodes, asked.program = str(self._unfinished), list(self._nodes.values()), [self.name]
        asked.names = {real: spec.check_node(node, node) for node, real in self._nodes.items() if real != node}
        asked.with_models = False
        return asked

    def plug(self, session: Session) -> None:
        """Plug what is replayed, or begin to record.  Raises SpecError, TraceError."""
        from devshim.session.replays import replayed

        if self._targets:
            session.open()
        for path, nodes in self._replays.items():
            for node, device in replayed(str(path), nodes):
                session.plug(node, device)

    def end(self, passed: bool) -> None:
        """Keep what was recorded if the test has passed, as `recorded` tells then; else what was there before stays."""
        if not self._targets:
            return
        with contextlib.suppress(FileNotFoundError):  # nothing came
            if passed and len(self._targets) == 1:
                self._unfinished.replace(*self._targets)
                self.recorded = [str(path) for path in self._targets]
                return
            try:
                if passed:
                    self._keep_parts()
            finally:
                self._unfinished.unlink()

    def _keep_parts(self) -> None:
        """All was recorded as one: write each trace, of its own nodes."""
        from devshim.trace.cutting import keep_nodes

        for target, nodes in self._targets.items():
            part = target.with_name(f".part-{target.name}")
            keep_nodes(str(self._unfinished), str(part), nodes)
            part.replace(target)
            self.recorded.append(str(target))


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """What --devshim-real says: NODE=REALNODE."""
    return {node: real for node, _, real in (text.partition("=") for text in texts)}

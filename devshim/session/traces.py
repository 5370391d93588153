"""Which trace a test means, and the replay of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devshim.errors import SpecError

if TYPE_CHECKING:
    from devshim.session.session import Session

CATALOGUE = Path(__file__).parents[1] / "traces"
SUFFIXES = (".trace", ".trace.zst")


class Traces:
    """Finds the traces of one test.

    test is its file, root the directory of the whole suite, name its name with parameters, as pytest has it.
    """

    def __init__(self, test: Path, root: Path, name: str) -> None:
        self.test = test
        self.root = root
        self.name = name

    def own_path(self) -> Path:
        """Where a trace lies that was given no name: beside the test, by its module and its own name."""
        return (
            self.test.parent / "traces" / self.test.stem / (re.sub(r"[^\w.\-]+", "-", self.name).strip("-") + ".trace")
        )

    def places(self, name: str | None) -> Iterator[Path]:
        """Every path at which a trace is looked for, the nearest first."""
        if name is None:
            yield from with_suffixes(self.own_path().with_suffix(""))
            return
        for folder in dict.fromkeys((self.test.parent / "traces", self.root / "traces", CATALOGUE)):
            yield from with_suffixes(folder / name)

    def find(self, name: str | None) -> Path:
        """The trace's file.  Raises SpecError where there is none, with the places that were looked at."""
        places = list(self.places(name))
        for place in places:
            if place.is_file():
                return place
        shown = ", ".join(str(place) for place in places if place.suffix == ".trace")
        raise SpecError(f"no trace {name or self.name}; looked for {shown}")

    def plug(self, session: Session, node: str, name: str | None = None) -> None:
        """Plug what a trace has recorded of a node.  Raises SpecError where it is not there, or not in it."""
        session.plug_trace(node, self.find(name))


def with_suffixes(path: Path) -> Iterator[Path]:
    """A path as it is where it has a suffix of traces, else with each of them."""
    if path.name.endswith(SUFFIXES):
        yield path
        return
    for suffix in SUFFIXES:
        yield path.with_name(path.name + suffix)

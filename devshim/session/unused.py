"""Which traces of a suite no test names any more: what pytest has collected against what lies in the folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from devshim.session.traces import Traces
from devshim.trace.catalogue import SUFFIXES, with_suffixes

Marks = Iterable[tuple[str, str | None]]
"""Node and name of each mark of a test."""


class Collected:
    """What a run of pytest has collected.

    root     the directory of the whole suite
    covered  the directories and files that were collected as a whole: only of these can be told that nobody names a
             trace
    """

    def __init__(self, root: Path, covered: Iterable[Path]) -> None:
        self.root = root
        self.covered = list(covered)
        self._named: set[Path] = set()
        self._tests: set[Path] = set()

    def add(self, test: Path, name: str, marks: Marks) -> None:
        """A test, by its file and its name with parameters."""
        self._tests.add(test)
        traces = Traces(test, self.root, name)
        for _, named in marks:
            folder = test.parent / "traces"
            places = with_suffixes(traces.own_path()) if named is None else with_suffixes(folder / named)
            found = traces.found(named)
            self._named.update(places)
            self._named.update([found] if found is not None else ())

    def unused(self) -> list[Path]:
        """The traces that no test names, in order."""
        folders = {test.parent for test in self._tests} | {self.root}
        found = {path for folder in folders for path in self._judged(folder)}
        return sorted(found - self._named)

    def _judged(self, folder: Path) -> Iterable[Path]:
        """The traces of one directory of tests of which it can be told."""
        traces = folder / "traces"
        whole = any(folder == one or one in folder.parents for one in self.covered if one.is_dir())
        if whole:
            yield from those_in(traces)
        for path in sorted(traces.iterdir()) if traces.is_dir() else ():
            test = folder / f"{path.name}.py"
            if path.is_dir() and (test in self.covered or (whole and (test in self._tests or not test.exists()))):
                yield from those_in(path)


def those_in(folder: Path) -> Iterable[Path]:
    """The traces that lie directly in a folder."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.name.endswith(SUFFIXES) and path.name[0] != ".")


def lines(kept: Mapping[str, Mapping[str, str]], root: Path, most: int = 20) -> list[str]:
    """What is told of traces at the end of a run, from what tests and the collection have said: by kind, by path."""
    text: list[str] = []
    used = kept.get("used", {})
    for kind, say in (
        ("recorded", "{path}: recorded"),
        ("left", "{what}"),
        ("unused", "{path}: no test names it any more; remove it, or give its test the mark"),
    ):
        found = {path: what for path, what in kept.get(kind, {}).items() if kind != "unused" or path not in used}
        for path, what in list(found.items())[:most]:
            text.append(say.format(path=shown(path, root), what=what.replace(path, shown(path, root))))
        if len(found) > most:
            text.append(f"and {len(found) - most} more")
    return text


def shown(path: str, root: Path) -> str:
    """A path as the user knows it."""
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path

"""Traces by name: those that devshim carries in its folder traces/, and the ways in which a name may end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "traces"
SUFFIXES = (".trace", ".trace.zst")


def with_suffixes(path: Path) -> Iterator[Path]:
    """The files that a path without a suffix, or with one, may mean: the plain one first."""
    plain = path.with_name(path.name.removesuffix(".zst").removesuffix(SUFFIXES[0]))
    for suffix in SUFFIXES:
        yield plain.with_name(plain.name + suffix)


def find(trace: str) -> str:
    """The path of a trace, which may be the name of one in the catalogue; unchanged where there is none."""
    if os.path.exists(trace) or "/" in trace:
        return trace
    return next((str(path) for path in with_suffixes(FOLDER / trace) if path.is_file()), trace)

"""Traces by name: those that devshim carries in its folder traces/, and the ways in which a name may end."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "traces")
SUFFIXES = (".trace", ".trace.zst")


def endings(name: str) -> list[str]:
    """The names of files that a name without a suffix, or with one, may mean: the plain one first."""
    plain = name.removesuffix(".zst").removesuffix(SUFFIXES[0])
    return [plain + suffix for suffix in SUFFIXES]


def with_suffixes(path: Path) -> Iterator[Path]:
    """The same of a path."""
    return (path.with_name(name) for name in endings(path.name))


def find(trace: str) -> str:
    """The path of a trace, which may be the name of one in the catalogue; unchanged where there is none."""
    if os.path.exists(trace) or "/" in trace:
        return trace
    paths = (os.path.join(FOLDER, name) for name in endings(trace))
    return next((path for path in paths if os.path.isfile(path)), trace)

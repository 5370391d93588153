"""Descriptions of ioctls that stand without a model: --describe FILE.py or FILE.h, and describe: in devshim.yml.

A header's _IO macros are read as they stand; in a Python file every module-level Request and Description counts, and
every @ioctl handler of a Device.  They give names to requests that no model answers, and tell what a recorded one
carries.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable
from pathlib import Path

from devshim.errors import SpecError
from devshim.model.argument import BadDescription
from devshim.model.ctext import CTextError, header
from devshim.model.device import File
from devshim.model.ioctl import Description, Descriptions, Request, describe
from devshim.modelclass import guarded


def load(paths: Iterable[str]) -> Descriptions:
    """All requests that the files describe; of two descriptions of one request the later file's counts.

    Raises SpecError in one line for a file that is missing, cannot be read, or describes nothing.
    """
    found: list[Description] = []
    for path in paths:
        try:
            described = from_header(path) if path.endswith(".h") else from_python(path)
        except OSError as problem:
            raise SpecError(f"--describe {path}: {(problem.strerror or str(problem)).lower()}") from None
        except BadDescription as problem:
            raise SpecError(f"--describe {path}: {problem}") from None
        if not described:
            raise SpecError(
                f"--describe {path}: it describes no ioctl; it needs _IO macros, or IO() ... IOWR() in Python"
            )
        found += described
    return Descriptions(found)


def from_header(path: str) -> list[Description]:
    """The requests of a C header."""
    try:
        names = header(path)
    except CTextError as problem:
        raise SpecError(f"--describe {problem}") from None
    return [described(request, name) for name, request in names.requests.items()]


def from_python(path: str) -> list[Description]:
    """The requests of a Python file."""
    if not path.endswith(".py"):
        raise SpecError(f"--describe {path}: it must be a .py or a .h file")
    Path(path).stat()  # run_path() would name the importer, not the file
    try:
        names = guarded(path, Path(path), lambda: runpy.run_path(path))
    except SpecError as problem:
        raise SpecError(f"--describe {problem}") from problem
    found: list[Description] = []
    for name, value in names.items():
        if isinstance(value, Request):
            found.append(described(value, value.name or name))
        elif isinstance(value, Description):
            found.append(value)
        elif isinstance(value, type) and issubclass(value, File):
            found += dict.fromkeys(value.ioctls.values())
    return found


def described(request: Request, name: str) -> Description:
    """A request's description.  Where it only reads but has pointers, its number lies: the program hands them in."""
    try:
        return describe(request, name=name)
    except BadDescription:
        return describe(request, name=name, access="rw")

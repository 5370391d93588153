"""Descriptions of ioctls that stand without a model: --describe FILE.py or FILE.h, and describe: in devshim.yml.

A header's _IO macros are read as they stand; in a Python file every module-level Request counts, and every @ioctl
handler of a Device.  They give names to requests that no model answers.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from devshim.errors import SpecError
from devshim.model.ctext import CTextError, header
from devshim.model.device import File
from devshim.model.ioctl import Handler, Request
from devshim.modelclass import guarded

Descriptions = dict[int, Request]


def load(paths: list[str]) -> Descriptions:
    """All requests that the files describe, by number, each with its C name.

    Raises SpecError in one line for a file that is missing, cannot be read, or describes nothing.
    """
    found: Descriptions = {}
    for path in paths:
        try:
            described = from_header(path) if path.endswith(".h") else from_python(path)
        except OSError as problem:
            raise SpecError(f"--describe {path}: {(problem.strerror or str(problem)).lower()}") from None
        if not described:
            raise SpecError(
                f"--describe {path}: it describes no ioctl; it needs _IO macros, or IO() ... IOWR() in Python"
            )
        found.update(described)
    return found


def from_header(path: str) -> Descriptions:
    """The requests of a C header."""
    try:
        names = header(path)
    except CTextError as problem:
        raise SpecError(f"--describe {problem}") from None
    return {int(request): request.named(name) for name, request in names.requests.items()}


def from_python(path: str) -> Descriptions:
    """The requests of a Python file."""
    if not path.endswith(".py"):
        raise SpecError(f"--describe {path}: it must be a .py or a .h file")
    Path(path).stat()  # run_path() would name the importer, not the file
    try:
        names = guarded(path, Path(path), lambda: runpy.run_path(path))
    except SpecError as problem:
        raise SpecError(f"--describe {problem}") from problem
    found: Descriptions = {}
    for name, value in names.items():
        if isinstance(value, Request):
            found[int(value)] = value.named(value.name or name)
        elif isinstance(value, type) and issubclass(value, File):
            found.update(handlers_of(value))
    return found


def handlers_of(cls: type[File]) -> Descriptions:
    """The requests of a class's handlers."""
    return {
        handler.number: Request(handler.number, handler.access, handler.ctype, handler.label)
        for handler in cls.ioctls.values()
        if isinstance(handler, Handler)
    }

"""Devices in YAML: reads the file, checks it, and makes the class, with file:line:column in every message."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from devshim import catalogue, schema, yamltext
from devshim.model.scripted import ScriptError
from devshim.yamltext import Document

KINDS = ("serial", "i2c")


def load_class(file: Path) -> type[Any]:
    """The device class that a YAML file describes; the same one for the same, unchanged file.

    Raises ConfigError, with file:line:column, where it describes none.
    """
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading it says what is wrong
    return loaded(file, changed)


@cache
def loaded(file: Path, changed: int) -> type[Any]:
    """The class of one state of a file."""
    document = yamltext.load(file)
    kind = kind_of(document)
    schema.check(document, f"device-{kind}")
    name = catalogue.class_name(file.stem)
    try:
        cls = make(kind, name, document.data)
    except ScriptError as problem:
        raise document.error(problem.path, str(problem), problem.key) from problem
    cls._file = str(file)  # what `devshim devices` looks for remarks in
    return cls


def kind_of(document: Document) -> str:
    """What kind of device a document is about."""
    if not isinstance(document.data, dict):
        raise document.error((), f"a device is a mapping that begins with version: 1 and device: {' or '.join(KINDS)}")
    kind = document.data.get("device")
    if kind is None:
        raise document.error((), f'"device" is missing; write device: {" or ".join(KINDS)}')
    if kind not in KINDS:
        from difflib import get_close_matches

        near = get_close_matches(str(kind), KINDS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise document.error(("device",), f'"device" is {schema.shown(kind)}, but must be {" or ".join(KINDS)}{hint}')
    return str(kind)


def make(kind: str, name: str, data: dict[str, Any]) -> type[Any]:
    """The class; each kind's own file is imported only when it is needed."""
    if kind == "i2c":
        from devshim.model.scripted_chip import chip_class

        return chip_class(name, data)
    from devshim.model.scripted import serial_class

    return serial_class(name, data)

"""The catalogue of devices: which names there are, and the file or entry point behind each.

Our own stand in the folder devshim/devices; other packages add theirs with an entry point in the group
`devshim.devices`, whose value is a device class ("acme_devices.motor:Motor").
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FOLDER = Path(__file__).parent / "devices"
GROUP = "devshim.devices"
SUFFIXES = (".py", ".yml")


def names() -> list[str]:
    """The names in our own folder, sorted."""
    return sorted(file.stem for file in FOLDER.iterdir() if file.suffix in SUFFIXES and not file.stem.startswith("_"))


def file_of(name: str) -> Path | None:
    """The file behind a name of our own, or None."""
    if name.startswith("_"):
        return None
    return next((FOLDER / (name + suffix) for suffix in SUFFIXES if (FOLDER / (name + suffix)).is_file()), None)


def module_name(file: Path) -> str | None:
    """What a file of the catalogue is imported as, so that each class exists once; None for any other file."""
    resolved = file.resolve()
    return f"devshim.devices.{file.stem}" if resolved.parent == FOLDER.resolve() else None


def entry_points() -> dict[str, EntryPoint]:
    """What other packages add, by name; looked up only when asked, as it reads every installed package's metadata."""
    from importlib import metadata

    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def classes() -> dict[str, Path]:
    """The classes of the folder by name, with their files; read from the text, so that nothing is imported."""
    found: dict[str, Path] = {}
    for name in names():
        file = file_of(name)
        assert file is not None
        if file.suffix == ".py":
            found.update(dict.fromkeys(re.findall(r"^class (\w+)", file.read_text("utf-8"), re.MULTILINE), file))
        else:
            found[class_name(name)] = file
    return found


def class_name(name: str) -> str:
    """The class that a YAML device's file stands for: bench_supply is BenchSupply."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", name) if part) or "Device"


def attribute(name: str) -> Any:
    """What `from devshim.devices import name` gives.  Raises AttributeError for a name that no file defines."""
    file = None if name.startswith("_") else classes().get(name)
    if file is None:
        known = ", ".join(sorted(classes()))
        raise AttributeError(f"module 'devshim.devices' has no attribute {name!r}; it has: {known}")
    if file.suffix == ".py":
        return getattr(importlib.import_module(f"devshim.devices.{file.stem}"), name)
    from devshim import yamldevice

    return yamldevice.load_class(file)

"""The catalogue of devices: which names there are, and the file or entry point behind each.

Our own stand in the folder devshim/devices; other packages add theirs with an entry point in the group
`devshim.devices`, whose value is a device class ("acme_devices.motor:Motor").
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from typing import Any

FOLDER = os.path.join(os.path.dirname(__file__), "devices")
GROUP = "devshim.devices"
SUFFIXES = (".py", ".yml")


def names() -> list[str]:
    """The names in our own folder, sorted."""
    files = [os.path.splitext(name) for name in os.listdir(FOLDER)]
    return sorted(stem for stem, suffix in files if suffix in SUFFIXES and not stem.startswith("_"))


def file_of(name: str) -> str | None:
    """The file behind a name of our own, or None."""
    if name.startswith("_"):
        return None
    files = [os.path.join(FOLDER, name + suffix) for suffix in SUFFIXES]
    return next((file for file in files if os.path.isfile(file)), None)


def module_name(file: str) -> str | None:
    """What a file of the catalogue is imported as, so that each class exists once; None for any other file."""
    folder, name = os.path.split(os.path.realpath(file))
    return f"devshim.devices.{os.path.splitext(name)[0]}" if folder == os.path.realpath(FOLDER) else None


def entry_points() -> dict[str, EntryPoint]:
    """What other packages add, by name; looked up only when asked, as it reads every installed package's metadata."""
    from importlib import metadata

    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def classes() -> dict[str, str]:
    """The classes of the folder by name, with their files; read from the text, so that nothing is imported."""
    import re

    found: dict[str, str] = {}
    for name in names():
        file = file_of(name)
        assert file is not None
        if file.endswith(".py"):
            with open(file, encoding="utf-8") as text:
                found.update(dict.fromkeys(re.findall(r"^class (\w+)", text.read(), re.MULTILINE), file))
        else:
            found[class_name(name)] = file
    return found


def class_name(name: str) -> str:
    """The class that a YAML device's file stands for: bench_supply is BenchSupply."""
    words = "".join(letter if letter.isalnum() else " " for letter in name).split()
    return "".join(word[0].upper() + word[1:] for word in words) or "Device"


def attribute(name: str) -> Any:
    """What `from devshim.devices import name` gives.  Raises AttributeError for a name that no file defines."""
    file = None if name.startswith("_") else classes().get(name)
    if file is None:
        known = ", ".join(sorted(classes()))
        raise AttributeError(f"module 'devshim.devices' has no attribute {name!r}; it has: {known}")
    if file.endswith(".py"):
        from importlib import import_module

        return getattr(import_module(f"devshim.devices.{os.path.splitext(os.path.basename(file))[0]}"), name)
    from pathlib import Path

    from devshim import yamldevice

    return yamldevice.load_class(Path(file))

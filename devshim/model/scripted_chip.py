"""A chip made of data instead of Python: a register map in a YAML file becomes a class derived from I2cChip."""

from __future__ import annotations

from devshim.model.i2c_chip import I2cChip
from devshim.model.registers import Block, Register
from devshim.model.scripted import Path, ScriptError, check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def chip_class(name: str, data: Mapping[str, Any]) -> type[I2cChip]:
    """The class that a checked `device: i2c` document describes.

    data is what devshim/schemas/device-i2c.json allows.  Raises ScriptError for what a schema cannot see: a
    reset value or bits that do not fit, a name that is taken, two cells at one address.
    """
    namespace: dict[str, Any] = {
        "__doc__": data.get("description") or f"{name}, a chip described in YAML.",
        "__annotations__": {"address": int},
        "address": data["address"],
        "ten_bit": data["address"] > 0x7F,
    }
    namespace.update({key: data[key] for key in ("byteorder", "addressing") if key in data})
    for at, entry in enumerate(data.get("registers") or []):
        add_register(namespace, entry, ("registers", at))
    for at, entry in enumerate(data.get("blocks") or []):
        add(namespace, entry["name"], block(entry, ("blocks", at)), ("blocks", at, "name"))
    try:
        return type(name, (I2cChip,), namespace)
    except (TypeError, ValueError) as problem:
        raise ScriptError(("registers",), str(problem)) from problem


def add_register(namespace: dict[str, Any], entry: Mapping[str, Any], path: Path) -> None:
    """Add a register and its bits."""
    options = {key: entry[key] for key in ("size", "reset", "access", "writable", "byteorder") if key in entry}
    try:
        register = Register(entry["at"], **options)
    except ValueError as problem:
        raise ScriptError((*path, "reset"), str(problem)) from problem
    add(namespace, entry["name"], register, (*path, "name"))
    for name, where in (entry.get("bits") or {}).items():
        try:
            bits = register.bit(where) if isinstance(where, int) else register.bits(*where)
        except ValueError as problem:
            raise ScriptError((*path, "bits", name), str(problem)) from problem
        add(namespace, name, bits, (*path, "bits", name))


def block(entry: Mapping[str, Any], path: Path) -> Block:
    """A run of cells without names."""
    reset = bytes.fromhex(entry.get("reset", ""))
    length = entry.get("length", len(reset))
    if not length:
        raise ScriptError(path, 'a block needs "length" or "reset"')
    if len(reset) > length:
        raise ScriptError((*path, "reset"), f"{len(reset)} bytes do not fit into a block of {length}")
    options = {key: entry[key] for key in ("access", "fill") if key in entry}
    return Block(entry["at"], length, reset, **options)


def add(namespace: dict[str, Any], name: str, cell: Any, path: Path) -> None:
    """Put a cell into the class to be, unless its name is taken."""
    check_name(I2cChip, name, path, key="bits" in path)
    if name in namespace:
        raise ScriptError(path, f'"{name}" is the name of an earlier register, block or bit')
    namespace[name] = cell

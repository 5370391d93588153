"""Parameters: the annotated class attributes of a device, set by keyword and converted to their type."""

from __future__ import annotations

import enum
import sys
import types
import typing
from typing import Any, NamedTuple


class BadParameter(TypeError):
    """An unknown parameter, or a value that does not convert to the parameter's type."""


class Parameter(NamedTuple):
    """One parameter: its name, its type as annotated, and its default."""

    name: str
    type: Any
    default: Any

    @property
    def type_name(self) -> str:
        """The type as a person writes it."""
        return getattr(self.type, "__name__", None) or str(self.type)

    def convert(self, value: Any) -> Any:
        """Return value as this parameter's type; text is read as a person writes it (0x48, true, 2.5)."""
        return convert(value, self.type)


def collect_parameters(cls: type) -> dict[str, Parameter]:
    """All parameters of a device class by name: annotated, public, with a default, not ClassVar."""
    found: dict[str, Parameter] = {}
    for klass in reversed(cls.__mro__):
        for name, annotation in vars(klass).get("__annotations__", {}).items():
            resolved = resolve(annotation, klass)
            if name.startswith("_") or typing.get_origin(resolved) is typing.ClassVar or resolved is typing.ClassVar:
                continue
            if hasattr(cls, name):
                found[name] = Parameter(name, resolved, getattr(cls, name))
        for name, value in vars(klass).items():
            if name in found and name not in vars(klass).get("__annotations__", {}):
                found[name] = Parameter(name, found[name].type, value)
    return {name: parameter for name, parameter in found.items() if name != "flags"}


def resolve(annotation: Any, klass: type) -> Any:
    """An annotation as a type, also where `from __future__ import annotations` left its text."""
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(klass.__module__)
    try:
        return eval(annotation, {**vars(typing), **vars(module)} if module else vars(typing), dict(vars(klass)))
    except (NameError, AttributeError, TypeError, SyntaxError):
        # An annotation for the type checker alone (TYPE_CHECKING imports): its text cannot convert anything.
        return typing.ClassVar if annotation.startswith("ClassVar") else Any


def copy_default(device: Any) -> None:
    """Give an instance its own copy of each mutable default of its class."""
    for klass in reversed(type(device).__mro__):
        for name, value in vars(klass).items():
            if name.startswith("__") or not isinstance(value, (list, dict, set, bytearray)):
                continue
            if name not in ("ioctls", "parameters"):
                from copy import deepcopy

                setattr(device, name, deepcopy(value))


def set_parameters(device: Any, values: dict[str, Any]) -> None:
    """Set parameters on a device; BadParameter names what is unknown or does not convert."""
    known = type(device).parameters
    for name, value in values.items():
        parameter = known.get(name)
        if parameter is None:
            raise BadParameter(unknown(type(device).__name__, name, known))
        try:
            converted = parameter.convert(value)
        except (ValueError, TypeError) as problem:
            raise BadParameter(
                f"{type(device).__name__}: {name}={value!r} is not {parameter.type_name}: {problem}"
            ) from None
        setattr(device, name, converted)


def unknown(owner: str, name: str, known: dict[str, Parameter]) -> str:
    """The message for a parameter that does not exist, with the nearest one that does."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; it has: {', '.join(known) or 'none'}"
    return f'{owner} has no parameter "{name}"{hint}'


def convert(value: Any, kind: Any) -> Any:
    """Return value as kind.  Raises ValueError or TypeError where it is not."""
    origin = typing.get_origin(kind)
    if kind is Any or kind is object:
        return value
    if origin in (typing.Union, types.UnionType):
        return convert_union(value, typing.get_args(kind))
    if origin is typing.Literal:
        choices = typing.get_args(kind)
        for choice in choices:
            if value == choice or str(choice) == value:
                return choice
        raise ValueError(f"choose from {', '.join(map(str, choices))}")
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value] if isinstance(value, str) and value in kind.__members__ else kind(value)
    if kind is bool:
        return convert_bool(value)
    if kind is int:
        return convert_int(value)
    if kind is float:
        if isinstance(value, bool):
            raise ValueError("expected a number")
        return convert_float(value)
    if kind is bytes and isinstance(value, str):
        return value.encode()
    if kind is str and not isinstance(value, str):
        return str(value)
    return value


def convert_union(value: Any, kinds: tuple[Any, ...]) -> Any:
    """The first of several types that the value converts to; None only from None or "none"."""
    if types.NoneType in kinds and (value is None or value == "none"):
        return None
    problem: Exception = ValueError("fits none of the types")
    for kind in kinds:
        if kind is types.NoneType:
            continue
        try:
            return convert(value, kind)
        except (ValueError, TypeError) as error:
            problem = error
    raise problem


def convert_bool(value: Any) -> bool:
    """true and false, yes and no, on and off, 1 and 0."""
    if isinstance(value, str):
        word = value.lower()
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
        raise ValueError("expected true or false")
    return bool(value)


def convert_float(value: Any) -> float:
    """A number; text as Python's float() reads it."""
    try:
        return float(value)
    except ValueError:
        raise ValueError("expected a number, such as 10 or 2.5") from None


def convert_int(value: Any) -> int:
    """A whole number; text may be 0x48, 0b101 or 0o17."""
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            raise ValueError("expected a whole number, such as 10 or 0x48") from None
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("expected a whole number")
    return int(value)

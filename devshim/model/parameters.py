"""Parameters: the annotated class attributes of a device, set by keyword and converted to their type."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PLAIN = {"int": int, "float": float, "str": str, "bool": bool, "bytes": bytes}
"""What most parameters are annotated with; typing is imported for others only."""

OF_FILES = ("flags", "real")
"""Annotated in File, which says of each open what they are."""

NOT_A_PARAMETER = object()
"""What a ClassVar is annotated with."""


class BadParameter(TypeError):
    """An unknown parameter, or a value that does not convert to the parameter's type."""


class Parameter:
    """One parameter: its name, its type as annotated, and its default."""

    __slots__ = ("default", "name", "type")

    def __init__(self, name: str, type: Any, default: Any) -> None:
        self.name = name
        self.type = type
        self.default = default

    def with_default(self, default: Any) -> Parameter:
        """The same parameter with another default."""
        return Parameter(self.name, self.type, default)

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
        annotations = annotations_of(klass)
        for name, annotation in annotations.items():
            if name.startswith("_") or name in OF_FILES or not hasattr(cls, name):
                continue
            resolved = resolve(annotation, klass)
            if resolved is not NOT_A_PARAMETER:
                found[name] = Parameter(name, resolved, getattr(cls, name))
        for name, value in vars(klass).items():
            if name in found and name not in annotations:
                found[name] = found[name].with_default(value)
    return found


def annotations_of(klass: type) -> Mapping[str, Any]:
    """A class's own annotations; from CPython 3.14 on they are made when somebody first asks for them (PEP 649)."""
    found: Mapping[str, Any] = vars(klass).get("__annotations__", {})
    if sys.version_info >= (3, 14) and "__annotations__" not in vars(klass):
        try:
            found = klass.__annotations__
        except Exception:  # one stands for the type checker alone: as text, as `from __future__` leaves them
            import annotationlib

            found = annotationlib.get_annotations(klass, format=annotationlib.Format.STRING)
    return found


def resolve(annotation: Any, klass: type) -> Any:
    """An annotation as a type, also where `from __future__ import annotations` left its text.

    NOT_A_PARAMETER for a ClassVar; Any for what cannot convert anything.
    """
    if isinstance(annotation, str):
        if annotation.startswith("ClassVar"):
            return NOT_A_PARAMETER
        module = vars(sys.modules[klass.__module__]) if klass.__module__ in sys.modules else {}
        try:
            annotation = evaluated(annotation, module, vars(klass))
        except (NameError, AttributeError, TypeError, SyntaxError):
            from typing import Any

            return Any  # an annotation for the type checker alone (TYPE_CHECKING imports)
    typing = sys.modules.get("typing")  # whoever has annotated with something of it has imported it
    if typing is not None and typing.ClassVar in (annotation, typing.get_origin(annotation)):
        return NOT_A_PARAMETER
    return annotation


def evaluated(annotation: str, module: Mapping[str, Any], namespace: Mapping[str, Any]) -> Any:
    """What an annotation's text stands for.  Raises what evaluating it does."""
    if annotation in PLAIN and annotation not in module:
        return PLAIN[annotation]
    try:
        return eval(annotation, dict(module), dict(namespace))
    except NameError:
        import typing

        return eval(annotation, {**vars(typing), **module}, dict(namespace))


def copy_default(device: Any) -> None:
    """Give an instance its own copy of each mutable default of its class."""
    for klass in reversed(type(device).__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, (list, dict, set, bytearray)) and not name.startswith("__"):
                if name in ("ioctls", "parameters"):
                    continue
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
    if kind in (str, bytes, object):
        return value
    return convert_otherwise(value, kind)


def convert_otherwise(value: Any, kind: Any) -> Any:
    """The same for what is no plain type."""
    import enum
    import types
    import typing

    origin = typing.get_origin(kind)
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
    return value


def convert_union(value: Any, kinds: tuple[Any, ...]) -> Any:
    """The first of several types that the value converts to; None only from None or "none"."""
    if type(None) in kinds and (value is None or value == "none"):
        return None
    problem: Exception = ValueError("fits none of the types")
    for kind in kinds:
        if kind is type(None):
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

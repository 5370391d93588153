"""Names in a device class: what it declares must not hide what the base class does."""

from __future__ import annotations

FUNCTION = type(lambda: None)
"""types.FunctionType, without the module."""


class NameTaken(TypeError):
    """A declaration has the name of a method of the base class."""


def check_names(cls: type) -> None:
    """Raise NameTaken where a descriptor of cls hides a plain method of a base class.

    Methods may override methods; Register, Line, parameters and state may not, because calls that the host
    makes by that name would end in them.
    """
    for name, value in vars(cls).items():
        if name.startswith("__") or isinstance(value, (FUNCTION, classmethod, staticmethod)):
            continue
        for base in cls.__mro__[1:]:
            if isinstance(vars(base).get(name), FUNCTION):
                kind = type(value).__name__
                raise NameTaken(
                    f"{cls.__name__}.{name}: this {kind} would hide {base.__name__}.{name}(); choose another name"
                )

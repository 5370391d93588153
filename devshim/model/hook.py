"""@hook: a Python function in the place of one that the program calls in a shared library.

    @hook("libm.so.6", "cos", c_double, [c_double])
    def cos(x, original):
        return -original(x)

Parameters are described by ctypes types, by array() for a pointer to several elements, and by reference() for a pointer
to one value that is only read.  A last parameter named `original` gets the library's own function.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__devshim_hooks__"
ORIGINAL = "original"
NO_DEFAULT = object()


class array:
    """A pointer to elements of a ctypes type: the function gets a memoryview of the program's own memory, or None.

    length: how many elements; a number, the name of another parameter of the function, or a function of such parameters
    (`lambda ldc, n: ldc * n`).  Nothing is copied: what is written there the program sees.
    """

    def __init__(self, element: Any, length: int | str | Callable[..., int]) -> None:
        self.element = element
        self.length = length
        self.format = getattr(element, "_type_", None)
        if not isinstance(self.format, str) or self.format in "PzZO":
            raise TypeError(f"array({element!r}): the element must be a number's type, such as c_double")
        #: The parameters that the length is made of, by name.
        self.needs: tuple[str, ...] = ()
        if isinstance(length, str):
            self.needs = (length,)
        elif callable(length):
            import inspect

            self.needs = tuple(inspect.signature(length).parameters)

    def count(self, known: Callable[[str], Any]) -> int:
        """The number of elements; known gives a parameter's value by its name."""
        if isinstance(self.length, int):
            return self.length
        values = [known(name) for name in self.needs]
        count = values[0] if isinstance(self.length, str) else self.length(*values)
        return max(int(count), 0)

    def view(self, address: int | None, known: Callable[[str], Any]) -> Any:
        """The memory at an address, as a memoryview; None for NULL."""
        if not address:
            return None
        memory: Any = memoryview((self.element * self.count(known)).from_address(address))
        return memory.cast("B").cast(self.format)


class reference:
    """A pointer to one value that the function only reads, as Fortran passes numbers: it gets the value, or None."""

    def __init__(self, element: Any) -> None:
        self.element = element

    def value(self, address: int | None) -> Any:
        """What is at an address."""
        return self.element.from_address(address).value if address else None


class Hook(NamedTuple):
    """What stands in for which function.

    library     its name for the loader, such as "libm.so.6"
    result      the ctypes type of what it returns, or None
    parameters  ctypes types, array and reference
    names       of the Python function's parameters, in the same order
    original    whether it wants the library's own function
    default     what the program gets where the Python function fails; NO_DEFAULT: what the library's own returns
    """

    library: str
    symbol: str
    result: Any
    parameters: tuple[Any, ...]
    function: Callable[..., Any]
    names: tuple[str, ...]
    original: bool
    default: Any

    @property
    def where(self) -> str:
        """The declaration, for messages."""
        return f"@hook({self.library!r}, {self.symbol!r})"


def hook(
    library: str, symbol: str, result: Any, parameters: Sequence[Any], *, default: Any = NO_DEFAULT
) -> Callable[[Function], Function]:
    """Have a Python function called where the program calls `symbol` of a shared library.

    Where the function raises, that is told once and the library's own function answers, or `default` does.
    Raises TypeError where the function's parameters are not those described.
    """

    def mark(function: Function) -> Function:
        import inspect

        names = tuple(inspect.signature(function).parameters)
        original = names[len(parameters) :] == (ORIGINAL,)
        if len(names) != len(parameters) + original:
            described = f"{len(parameters)} described, and perhaps `{ORIGINAL}`"
            raise TypeError(f"@hook({library!r}, {symbol!r}): {function.__name__} must take the {described}")
        for name in [name for one in parameters if isinstance(one, array) for name in one.needs]:
            if name not in names[: len(parameters)]:
                raise TypeError(
                    f"@hook({library!r}, {symbol!r}): an array's length needs {name}, which is no parameter"
                )
        made = Hook(library, symbol, result, tuple(parameters), function, names, original, default)
        setattr(function, MARK, (made, *getattr(function, MARK, ())))
        return function

    return mark


def ctype(parameter: Any) -> Any:
    """How the C side passes a described parameter."""
    return ctypes.c_void_p if isinstance(parameter, (array, reference)) else parameter


def hooks_of(values: list[Any]) -> list[Hook]:
    """What functions with this mark stand in for, in order."""
    return [made for value in values for made in getattr(value, MARK, ())]

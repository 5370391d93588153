"""@attribute and Setting: what a device class declares as files of its directory in /sys."""

from __future__ import annotations

import re

from devshim.model.attribute import Attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    Method = TypeVar("Method", bound=Callable[..., Any])

NUMBER = re.compile(r"[+-]?[0-9]+")


def number_in(text: str) -> int:
    """The whole number that a program wrote, as the kernel's kstrtol reads it.  Raises ValueError for anything else."""
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


class Shown:
    """A file that a method computes; made by @attribute.  On an instance it is the method's value, as of a property."""

    def __init__(self, method: Callable[[Any], Any], file: str | None = None, mode: int | None = None) -> None:
        self.method = method
        self.file = file or method.__name__
        self.mode = mode
        self.writer = ""
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        raise AttributeError(f"{type(instance).__name__}.{self.file} is computed; set what it is computed from")

    def written(self, method: Method) -> Method:
        """Call the decorated method with what a program has written, as text without blanks around it."""
        self.writer = method.__name__
        return method

    def of(self, instance: Any) -> Attribute:
        """A file of one device; methods are looked up there, so that a derived class may override them."""
        name = next(name for name, value in all_of(type(instance)).items() if value is self)
        store = None if not self.writer else lambda data: getattr(instance, self.writer)(text_of(data))
        return Attribute(lambda: getattr(instance, name), store, self.mode)


if TYPE_CHECKING:

    @overload
    def attribute(method: Callable[[Any], Any], /) -> Shown: ...
    @overload
    def attribute(file: str | None = None, *, mode: int | None = None) -> Callable[[Callable[[Any], Any]], Shown]: ...


def attribute(
    file: Callable[[Any], Any] | str | None = None, *, mode: int | None = None
) -> Shown | Callable[[Callable[[Any], Any]], Shown]:
    """Make a method the content of a file in the device's directory in /sys, named as the method or as file says.

        @attribute                      def fan1_input(self): return self.rpm
        @attribute("pwm1_enable")       def control(self): return self.mode
        @control.written                def set_control(self, text): self.mode = int(text)

    It returns text, a number or bytes.  What `written` decorates is given the text that one write brought; a ValueError
    there is EINVAL.  mode: permission bits, by default what it can do.
    """
    if callable(file):
        return Shown(file)
    name = file
    return lambda method: Shown(method, name, mode)


class Setting:
    """A file that a program may write and read back: `temp1_max = Setting(80000, high=125000)`.

    On an instance it is its value.  Of a number, what does not lie between low and high is EINVAL, or with clamp=True
    becomes the nearest that does; of a text, what is none of choices.
    """

    def __init__(
        self,
        value: int | str,
        low: int | None = None,
        high: int | None = None,
        *,
        clamp: bool = False,
        choices: tuple[str, ...] = (),
        file: str | None = None,
    ) -> None:
        self.value = value
        self.low, self.high, self.clamp = low, high, clamp
        self.choices = choices
        self.file = file or ""
        self.name = ""
        self.writer = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.file = self.file or name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else vars(instance).get(self.name, self.value)

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self.name] = value

    def written(self, method: Method) -> Method:
        """Call the decorated method when a program has written another value."""
        self.writer = method.__name__
        return method

    def read(self, text: str) -> int | str:
        """The value that a program means by a text.  Raises ValueError."""
        if isinstance(self.value, str):
            if self.choices and text not in self.choices:
                raise ValueError(f"{text!r} is none of {', '.join(self.choices)}")
            return text
        number = number_in(text)
        low = number if self.low is None else self.low
        nearest = max(low, number if self.high is None else min(number, self.high))
        if nearest != number and not self.clamp:
            raise ValueError(f"{number} is not from {self.low} to {self.high}")
        return nearest

    def of(self, instance: Any) -> Attribute:
        """A file of one device."""

        def store(data: bytes) -> None:
            vars(instance)[self.name] = self.read(text_of(data))
            if self.writer:
                getattr(instance, self.writer)()

        return Attribute(lambda: getattr(instance, self.name), store)


def text_of(data: bytes) -> str:
    """What was written, without the newline of echo.  Raises ValueError for what is no text."""
    return data.decode().strip("\0 \t\n")


def all_of(cls: type) -> dict[str, Shown | Setting]:
    """The files that a class declares, by attribute; a derived class's win over its bases'."""
    found: dict[str, Shown | Setting] = {}
    for klass in reversed(cls.__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, (Shown, Setting)):
                found[name] = value
            else:
                found.pop(name, None)
    return found


def attributes_of(device: Any) -> dict[str, Attribute]:
    """The files of a device's directory in /sys, by name; the same ones each time."""
    made: dict[str, Attribute] = vars(device).setdefault("_attributes", {})
    for declared in all_of(type(device)).values():
        if declared.file not in made:
            made[declared.file] = declared.of(device)
    return made


def notify(device: Any, file: str) -> None:
    """Wake programs that poll one of these files.  Raises KeyError with the names that there are."""
    made = attributes_of(device)
    if file not in made:
        raise KeyError(f"{type(device).__name__} has no file {file!r}; it has {', '.join(made) or 'none'}")
    made[file].notify()

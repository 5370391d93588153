"""Register, Bits and Block: the addressed cells of a chip, declared as its datasheet's table shows them.

All three are descriptors: `sensor.config` is the register's number, `sensor.shutdown` one of its bits, and
values lie on the instance, so that two chips of a class share nothing.  How a bus reaches the cells is the
business of registermap.py.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, Self, TypeVar, overload

    Method = TypeVar("Method", bound=Callable[..., Any])
    ByteOrder = Literal["big", "little"]

#: Under this name a method carries the (event, cell) pairs that it was decorated with.
EVENTS = "_devshim_register_events"


class Cell:
    """What Register and Block have in common: an address, an access, and events.

    `@cell.written` and `@cell.read` decorate methods that are called after the program, never the test, has
    written or read the cell.  Such a method may take what the program wrote: (self, value) for a register,
    (self, offset, data) for a block, or (self) alone.
    """

    name = ""
    owner_name = ""
    method: Callable[[Any], Any] | None = None

    def __init__(self, address: int, access: str, unmodelled: bool) -> None:
        if access not in ("r", "w", "rw"):
            raise ValueError(f'access={access!r}: choose from "r", "w", "rw" (as the program sees it)')
        self.address = address
        self.access = access
        self.unmodelled = unmodelled

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.owner_name = owner.__name__

    def __call__(self, method: Callable[[Any], Any]) -> Self:
        """Make this cell computed, as @property does: the method returns its value at each read."""
        self.method = method
        self.__doc__ = method.__doc__
        return self

    def written(self, method: Method) -> Method:
        """Call the decorated method after the program has written this cell."""
        return mark(method, "written", self)

    def read(self, method: Method) -> Method:
        """Call the decorated method after the program has read this cell."""
        return mark(method, "read", self)

    def refuse_setting(self) -> AttributeError:
        """The error for a test that sets a computed cell."""
        return AttributeError(f"{self.owner_name}.{self.name} is computed; set what it is computed from")


def mark(method: Method, event: str, cell: Cell) -> Method:
    """Note on a method that it is called at an event of a cell; the class collects these when it is made."""
    vars(method).setdefault(EVENTS, []).append((event, cell))
    return method


class Register(Cell):
    """One register: a number of `size` bytes at an address.

    reset: its value at power-on.  access: "r", "w" or "rw", as the program sees it; a test may always read and
    set it.  writable: the bits that the program can change (default: all).  byteorder: default the chip's.
    unmodelled: declared, but without effect; the first use by a program is noted on stderr.
    """

    def __init__(
        self,
        address: int,
        size: int = 1,
        reset: int = 0,
        access: str = "rw",
        *,
        writable: int | None = None,
        byteorder: ByteOrder | None = None,
        unmodelled: bool = False,
    ) -> None:
        super().__init__(address, access, unmodelled)
        self.size = size
        self.reset = self.checked(reset)
        self.writable = self.highest if writable is None else self.checked(writable)
        self.byteorder = byteorder

    @property
    def highest(self) -> int:
        """The largest value that fits."""
        return (1 << 8 * self.size) - 1

    def checked(self, value: Any) -> int:
        """Return value as an int; TypeError where it is none, ValueError where it does not fit into the register."""
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise TypeError(f"register {self.name or hex(self.address)}: {value!r} is no number") from None
        if not 0 <= number <= self.highest:
            where = self.name or hex(self.address)
            raise ValueError(f"register {where}: {value!r} does not fit into {self.size} bytes")
        return number

    def bit(self, number: int, *, unmodelled: bool = False) -> Bit:
        """Return one bit as an attribute that is true or false; 0 is the lowest."""
        return Bit(self, number, number, unmodelled)

    def bits(self, high: int, low: int, *, unmodelled: bool = False) -> Bits:
        """Return the bits from high down to low, both included, as an attribute that is a number."""
        return Bits(self, high, low, unmodelled)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> int: ...

    def __get__(self, instance: object | None, owner: type) -> Self | int:
        if instance is None:
            return self
        if self.method is not None:
            return self.checked(self.method(instance))
        value: int = vars(instance).get(self.name, self.reset)
        return value

    def __set__(self, instance: object, value: int) -> None:
        if self.method is not None:
            raise self.refuse_setting()
        vars(instance)[self.name] = self.checked(value)

    def __delete__(self, instance: object) -> None:
        """Put the reset value back."""
        vars(instance).pop(self.name, None)


class Bits:
    """A named run of bits of a register; as an attribute, a number."""

    name = ""

    def __init__(self, register: Register, high: int, low: int, unmodelled: bool) -> None:
        if not 8 * register.size > high >= low >= 0:
            where = f"bits {high} to {low} of register {register.address:#04x}"
            raise ValueError(f"{where}: it has bits {8 * register.size - 1} to 0")
        self.register = register
        self.low = low
        self.ones = (1 << high - low + 1) - 1
        self.unmodelled = unmodelled

    @property
    def mask(self) -> int:
        """These bits, where they stand in the register."""
        return self.ones << self.low

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> int: ...

    def __get__(self, instance: object | None, owner: type) -> Self | int:
        if instance is None:
            return self
        return self.register.__get__(instance, owner) >> self.low & self.ones

    def __set__(self, instance: object, value: int) -> None:
        number = int(value)
        if not 0 <= number <= self.ones:
            raise ValueError(f"{self.name}={value!r} does not fit into {self.ones.bit_length()} bits")
        others = self.register.__get__(instance, type(instance)) & ~self.mask
        self.register.__set__(instance, others | number << self.low)


class Bit(Bits):
    """One bit of a register; as an attribute, true or false."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> bool: ...

    def __get__(self, instance: object | None, owner: type) -> Self | bool:
        if instance is None:
            return self
        return bool(super().__get__(instance, owner))


class Block(Cell):
    """A run of cells without names, such as a calibration table or an EEPROM's array; as an attribute, a bytearray.

    length: in bytes, or the name of the parameter that holds it; default the length of reset, or of what a computed
    block returns.  reset: its first bytes at power-on; the rest is `fill`.  access, unmodelled: as for a Register.
    """

    def __init__(
        self,
        address: int,
        length: int | str | None = None,
        reset: bytes = b"",
        access: str = "rw",
        *,
        fill: int = 0x00,
        unmodelled: bool = False,
    ) -> None:
        super().__init__(address, access, unmodelled)
        self.length = len(reset) if length is None else length
        self.reset = bytes(reset)
        self.fill = fill

    def length_of(self, instance: object) -> int:
        """The length in bytes on this chip."""
        return int(getattr(instance, self.length)) if isinstance(self.length, str) else self.length

    def filled(self, instance: object, data: bytes) -> bytearray:
        """Return data brought to the block's length; ValueError where it is longer."""
        length = self.length_of(instance)
        if len(data) > length:
            raise ValueError(f"block {self.name or hex(self.address)}: {len(data)} bytes do not fit into {length}")
        return bytearray(data).ljust(length, bytes([self.fill]))

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> bytearray: ...

    def __get__(self, instance: object | None, owner: type) -> Self | bytearray:
        if instance is None:
            return self
        if self.method is not None:
            data = self.method(instance)
            return bytearray(data) if self.length == 0 else self.filled(instance, data)
        cells: bytearray | None = vars(instance).get(self.name)
        if cells is None:
            cells = vars(instance)[self.name] = self.filled(instance, self.reset)
        return cells

    def __set__(self, instance: object, value: bytes) -> None:
        if self.method is not None:
            raise self.refuse_setting()
        vars(instance)[self.name] = self.filled(instance, value)

    def __delete__(self, instance: object) -> None:
        """Put the reset value back."""
        vars(instance).pop(self.name, None)

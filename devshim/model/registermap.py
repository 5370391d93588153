"""RegisterFile: how a bus reaches the cells that a class declares: a pointer, and bytes from there onwards.

It knows nothing of I2C or SPI; a chip class brings the bytes that a transfer carries.
"""

from __future__ import annotations

from types import FunctionType

from devshim.model.naming import NameTaken
from devshim.model.registers import EVENTS, Bits, Block, Cell, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar, Literal

    from devshim.model.registers import ByteOrder

TAKES_ANY = 0x04
"""In the flags of a function's code: it has a *parameter (CO_VARARGS of the module inspect)."""


class RegisterMap:
    """The cells of one class: which cell answers at which address, and who is told."""

    def __init__(self, cls: type[RegisterFile]) -> None:
        self.cells: dict[str, Cell] = {}
        self.bits: dict[str, Bits] = {}
        self.handlers: dict[tuple[str, str], list[str]] = {}
        for klass in reversed(cls.__mro__):
            for name, value in vars(klass).items():
                self.cells.pop(name, None)
                self.bits.pop(name, None)
                if isinstance(value, Cell):
                    self.cells[name] = value
                elif isinstance(value, Bits):
                    self.bits[name] = value
                for event, cell in getattr(value, EVENTS, ()):
                    names = self.handlers.setdefault((event, cell.name), [])
                    if name not in names:
                        names.append(name)
        self.blocks = [cell for cell in self.cells.values() if isinstance(cell, Block)]
        self.registers = {access: self.places(cls, access) for access in ("r", "w")}

    def places(self, cls: type[RegisterFile], access: str) -> dict[int, tuple[Register, int]]:
        """Each address that a register answers for reads ("r") or writes ("w"): the register, and the byte in it."""
        found: dict[int, tuple[Register, int]] = {}
        for cell in self.cells.values():
            if not isinstance(cell, Register) or access not in cell.access:
                continue
            for offset in range(cell.size if cls.addressing == "auto-increment" else 1):
                other, _ = found.setdefault(cell.address + offset, (cell, offset))
                if other is not cell:
                    raise TypeError(
                        f"{cls.__name__}: {other.name} and {cell.name} both answer at {cell.address + offset:#04x}; "
                        f'give one of them access="r" and the other access="w", or another address'
                    )
        return found

    def find(self, chip: RegisterFile, address: int, access: str) -> tuple[Cell, int] | None:
        """The cell that answers a read or write at an address, and the byte in it; None where there is none."""
        found = self.registers[access].get(address)
        if found is not None:
            return found
        for block in self.blocks:
            offset = address - block.address
            inside = offset == 0 if chip.addressing == "pointer" else 0 <= offset < block.length_of(chip)
            if access in block.access and inside:
                return block, offset
        return None


class RegisterFile:
    """A set of cells with a pointer to the one that is next.

    addressing    "pointer": the pointer selects one register, which a transfer reads or writes; it stays.
                  "auto-increment": each byte has an address, and the pointer moves on behind each byte.
    byteorder     of registers with several bytes on the wire: "big" is the high byte first
    address_size  bytes of the address on the wire, high byte first
    address_mask  the bits of the address that the chip looks at
    span          addresses after which auto-increment begins again at 0 (0: as many as the address has)
    page_size     bytes after which a written burst wraps to the beginning of its page (0: no pages); a power of two
    undeclared    what reads give where no cell is declared
    """

    addressing: ClassVar[Literal["pointer", "auto-increment"]] = "pointer"
    byteorder: ClassVar[ByteOrder] = "big"
    address_size = 1
    address_mask = ~0
    span = 0
    page_size = 0
    undeclared: ClassVar[int] = 0xFF

    register_map: ClassVar[RegisterMap]
    pointer = 0
    _noted: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.addressing not in ("pointer", "auto-increment"):
            raise TypeError(f'{cls.__name__}.addressing={cls.addressing!r}: choose from "pointer", "auto-increment"')
        refuse_hidden_state(cls)
        cls.register_map = RegisterMap(cls)

    def reset_registers(self) -> None:
        """Give every cell its reset value, as power-on does."""
        for name, cell in self.register_map.cells.items():
            if cell.method is None:
                delattr(self, name)
        self.pointer = 0

    def point(self, data: bytes) -> bytes:
        """Set the pointer from the address at the beginning of a transfer; return the bytes that follow it."""
        if len(data) >= self.address_size:
            self.pointer = int.from_bytes(data[: self.address_size], "big") & self.address_mask
        return data[self.address_size :]

    def read_cells(self, size: int) -> bytes:
        """Return size bytes from the pointer onwards; tell whoever asked for @cell.read."""
        if self.addressing == "pointer":
            return self.read_selected(size)
        data = bytearray()
        while len(data) < size:
            run = self.read_run(size - len(data))
            data += run
            self.pointer = (self.pointer + len(run)) % self.addresses
        return bytes(data)

    def write_cells(self, data: bytes) -> None:
        """Write bytes from the pointer onwards, where cells allow it; tell whoever asked for @cell.written."""
        if self.addressing == "pointer":
            if data:
                self.write_run(data)
            return
        while data:
            address = self.pointer
            taken = self.write_run(data[: self.room_in_page(address)])
            data = data[taken:]
            self.pointer = self.after_written(address, taken)

    def beyond(self, data: bytes, size: int) -> bytes:
        """Return what a program gets that reads on behind the selected register's own bytes: the same again.

        Only for addressing = "pointer".  Override where the datasheet says otherwise.
        """
        return (data * (size // len(data) + 1))[:size] if data else bytes([self.undeclared]) * size

    @property
    def addresses(self) -> int:
        """How many addresses there are, after which the pointer begins at 0 again."""
        return self.span or 1 << 8 * self.address_size

    def read_selected(self, size: int) -> bytes:
        found = self.register_map.find(self, self.pointer, "r")
        if found is None:
            self.note_undeclared("read", self.pointer)
            return bytes([self.undeclared]) * size
        cell, _ = found
        data = self.bytes_of(cell)
        answer = data[:size] if size <= len(data) else data + self.beyond(data, size - len(data))
        self.tell("read", cell)
        return answer

    def read_run(self, size: int) -> bytes:
        """Bytes from the pointer to the end of the cell there, at most size: a register is looked at once."""
        found = self.register_map.find(self, self.pointer, "r")
        if found is None:
            self.note_undeclared("read", self.pointer)
            return bytes([self.undeclared])
        cell, offset = found
        data = self.bytes_of(cell)[offset : offset + size]
        self.tell("read", cell)
        return data or bytes([self.undeclared])

    def write_run(self, data: bytes) -> int:
        """Write bytes to the cell at the pointer, as far as they belong to it; return how many did."""
        found = self.register_map.find(self, self.pointer, "w")
        if found is None:
            if self.register_map.find(self, self.pointer, "r") is None:
                self.note_undeclared("wrote", self.pointer)
            return 1
        cell, offset = found
        if isinstance(cell, Block):
            return self.write_block(cell, offset, data)
        assert isinstance(cell, Register)
        return self.write_register(cell, offset, data)

    def write_register(self, register: Register, offset: int, data: bytes) -> int:
        order = register.byteorder or self.byteorder
        before = 0 if register.method is not None else getattr(self, register.name)
        cells = bytearray(before.to_bytes(register.size, order))
        taken = min(len(data), register.size - offset)
        cells[offset : offset + taken] = data[:taken]
        value = int.from_bytes(cells, order)
        if register.method is None:
            after = before & ~register.writable | value & register.writable
            self.note_unmodelled_bits(register, before ^ after)
            setattr(self, register.name, after)
        self.tell("written", register, value)
        return taken

    def write_block(self, block: Block, offset: int, data: bytes) -> int:
        taken = min(len(data), block.length_of(self) - offset)
        if block.method is None:
            getattr(self, block.name)[offset : offset + taken] = data[:taken]
        self.tell("written", block, offset, data[:taken])
        return max(taken, 1)

    def room_in_page(self, address: int) -> int | None:
        """Bytes from an address to the end of its page; None where there are no pages."""
        return self.page_size - address % self.page_size if self.page_size else None

    def after_written(self, address: int, taken: int) -> int:
        """The pointer after bytes were written: within its page, where there are pages."""
        if self.page_size and (address + taken) % self.page_size == 0:
            return address - address % self.page_size
        return (address + taken) % self.addresses

    def bytes_of(self, cell: Cell) -> bytes:
        """A cell's value as it goes over the wire."""
        if isinstance(cell, Register):
            value: int = getattr(self, cell.name)
            return value.to_bytes(cell.size, cell.byteorder or self.byteorder)
        return bytes(getattr(self, cell.name))

    def tell(self, event: str, cell: Cell, *details: object) -> None:
        """Call the methods that were decorated with this event of this cell."""
        if cell.unmodelled:
            self.note(cell.name, f"the program used {cell.name}, which is declared but not modelled")
        for name in self.register_map.handlers.get((event, cell.name), ()):
            method = getattr(self, name)
            method(*details[: wanted(method)])

    def note_undeclared(self, what: str, address: int) -> None:
        text = f"the program {what} {address:#04x}, where no Register or Block is declared; more such are not named"
        self.note("undeclared", text)

    def note_unmodelled_bits(self, register: Register, changed: int) -> None:
        for name, bits in self.register_map.bits.items():
            if bits.unmodelled and bits.register is register and changed & bits.mask:
                self.note(name, f"the program changed {name}, which is declared but not modelled")

    def note(self, key: str, text: str) -> None:
        """Say something about this chip on stderr, once for each key."""
        if key in self._noted:
            return
        self._noted |= {key}
        import logging  # a program that meets no gap in a model does not wait for this import

        logging.getLogger("devshim").warning("devshim: %s: %s", type(self).__name__, text)


def wanted(method: Any) -> int | None:
    """How many positional arguments a bound method takes; None: any number."""
    function = getattr(method, "__func__", None)
    if type(function) is FunctionType and not {"__wrapped__", "__signature__"} & vars(function).keys():
        return None if function.__code__.co_flags & TAKES_ANY else function.__code__.co_argcount - 1
    import inspect  # of anything else only it can tell; importing it takes longer than importing this chip

    kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)


def declared(cls: type) -> Iterator[tuple[str, Cell | Bits]]:
    """The cells and bits that a class itself declares."""
    for name, value in vars(cls).items():
        if isinstance(value, (Cell, Bits)):
            yield name, value


def refuse_hidden_state(cls: type) -> None:
    """Raise NameTaken where a cell has the name of something else in a base class, such as `pointer` or `address`."""
    for name, value in declared(cls):
        for base in cls.__mro__[1:]:
            if name in vars(base) and not isinstance(vars(base)[name], (Cell, Bits)):
                what = f"{cls.__name__}.{name}: this {type(value).__name__}"
                raise NameTaken(f"{what} would hide {base.__name__}.{name}; choose another name")

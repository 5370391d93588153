"""What passes between a chip select's falling and rising edge: instructions with what follows them, or registers.

A chip shifts out while it shifts in, so an answer to a byte can begin with the next one at the earliest.
"""

from __future__ import annotations

from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from devshim.model.spi import SpiChip


class Instruction:
    """A method that carries out an instruction of a chip; made by @instruction.

    As an attribute of an instance it is the plain method.
    """

    def __init__(
        self, method: Callable[..., Any], codes: tuple[int, ...], address: int, dummy: int, data: bool
    ) -> None:
        self.method = method
        self.name = method.__name__
        self.codes = codes
        self.address = address
        self.dummy = dummy
        self.data = data
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method.__get__(instance, owner)


def instruction(
    *codes: int, address: int = 0, dummy: int = 0, data: bool = False
) -> Callable[[Callable[..., Any]], Instruction]:
    """Make a method carry out the instructions that begin with these bytes.

        @instruction(0x9F)                          def jedec_id(self): return b"\\xef\\x40\\x18"
        @instruction(0x0B, address=3, dummy=1)      def fast_read(self, address): yield self.memory[address:]
        @instruction(0x02, address=3, data=True)    def page_program(self, address, data): ...

    address  bytes of an address that follow, high byte first; the method gets it as a number
    dummy    bytes that follow and mean nothing
    data     the method is called when the chip select rises, with all bytes that came behind; without it, it is
             called as soon as the address and the dummy bytes are there, and returns what is shifted out: bytes, an
             iterable of bytes (taken one by one as the program clocks them), or None

    Raises ValueError for a code that is no byte.
    """
    if not codes or not all(isinstance(code, int) and 0 <= code <= 0xFF for code in codes):
        raise ValueError(f"@instruction{codes!r}: an instruction's code is one byte, such as 0x9F")
    return lambda method: Instruction(method, codes, address, dummy, data)


def collect_instructions(cls: type) -> dict[int, Instruction]:
    """All instructions of a chip class by their codes; TypeError for two of one code in one class."""
    found: dict[int, Instruction] = {}
    for klass in reversed(cls.__mro__):
        fresh: dict[int, Instruction] = {}
        for name, value in vars(klass).items():
            found = {code: one for code, one in found.items() if one.name != name or not hides(value)}
            for code in value.codes if isinstance(value, Instruction) else ():
                if code in fresh:
                    raise TypeError(f"{klass.__name__}: {fresh[code].name} and {name} both have the code {code:#04x}")
                fresh[code] = value
        found.update(fresh)
    return found


def hides(value: Any) -> bool:
    """Whether a derived class's value takes an inherited instruction's place: a plain method only overrides it."""
    return isinstance(value, Instruction) or not callable(value)


class Frame:
    """One chip select: the bytes that came, and what is being shifted out."""

    def __init__(self, chip: SpiChip) -> None:
        self.chip = chip
        self.head = bytearray()
        self.wanted = 1  # bytes of the head, as far as known
        self.answer: Iterator[Any] = iter(())
        self.ready: memoryview = memoryview(b"")
        self.data = bytearray()
        self.at_end: Callable[[bytes], object] | None = None
        self.registers = False
        self.instruction: Instruction | None = None

    def exchange(self, out: bytes) -> bytes:
        """Take bytes; return as many, which the chip shifts out meanwhile."""
        taken = 0
        while len(self.head) < self.wanted and taken < len(out):
            piece = out[taken : taken + self.wanted - len(self.head)]
            self.head += piece
            taken += len(piece)
            if len(self.head) == self.wanted:
                self.headed()
        idle = bytes([self.chip.idle]) * taken
        return idle + self.follow(out[taken:]) if taken < len(out) else idle

    def headed(self) -> None:
        """The bytes that were waited for are there: more is needed, or it is known what to do."""
        chip = self.chip
        if self.instruction is None:
            self.instruction = chip.instructions.get(self.head[0])
            if self.instruction is not None:
                self.wanted += self.instruction.address + self.instruction.dummy
            elif chip.register_map.cells:
                self.wanted = chip.address_size
            else:
                chip.note_unknown_instruction(self.head[0])
        if len(self.head) == self.wanted:
            self.begin()

    def begin(self) -> None:
        """Carry out an instruction, or find the register."""
        chip, found = self.chip, self.instruction
        if found is None:
            if chip.register_map.cells:
                self.begin_registers()
            return
        if not chip.accepts(self.head[0]):
            return
        address = int.from_bytes(self.head[1 : 1 + found.address], "big")
        arguments = (address,) if found.address else ()
        method = getattr(chip, found.name)
        if found.data:
            self.at_end = lambda data: method(*arguments, data)
        else:
            self.answer = shifted_out(chip, found.name, method(*arguments))

    def begin_registers(self) -> None:
        """The address of a register is there, with the bit that says whether it is read."""
        chip = self.chip
        first = self.head[0]
        self.registers = bool(first & chip.read_flag) if chip.read_flag else not first & chip.write_flag
        chip.point(bytes(self.head))
        if not self.registers:
            self.at_end = chip.write_cells

    def follow(self, out: bytes) -> bytes:
        """Bytes behind the head."""
        if self.at_end is not None:
            self.data += out
            return bytes([self.chip.idle]) * len(out)
        if self.registers:
            return self.chip.read_cells(len(out))
        answer = bytearray()
        while len(answer) < len(out):
            if not self.ready:
                more = next(self.answer, None)
                if more is None:
                    break
                self.ready = memoryview(more)
                continue
            piece = self.ready[: len(out) - len(answer)]
            answer += piece
            self.ready = self.ready[len(piece) :]
        return bytes(answer).ljust(len(out), bytes([self.chip.idle]))

    def end(self) -> None:
        """The chip select rises: what came is carried out."""
        if self.at_end is not None:
            self.at_end(bytes(self.data))


def shifted_out(chip: SpiChip, name: str, answer: Any) -> Iterator[Any]:
    """What an instruction returned, as pieces to shift out.  Raises TypeError for what is none."""
    if answer is None:
        return iter(())
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return iter((answer,))
    if isinstance(answer, Iterable) and not isinstance(answer, str):
        return iter(answer)
    raise TypeError(
        f"{type(chip).__name__}.{name}() returned {answer!r}: it must return bytes, an iterable of them, or None"
    )

"""SpiChip: what the author of an SPI chip subclasses; plugged at /dev/spidevB.C, it is all that is behind the node."""

from __future__ import annotations

from devshim.model.device import Device, Link, Plug
from devshim.model.registermap import RegisterFile
from devshim.model.spi_abi import (
    CLOCK_MODE,
    CPHA,
    CPOL,
    CS_HIGH,
    LOOP,
    LSB_FIRST,
    MAJOR,
    NO_CS,
    RX_DUAL,
    RX_QUAD,
    THREE_WIRE,
    TX_DUAL,
    TX_QUAD,
    Transfer,
)
from devshim.model.spi_file import SpidevFile
from devshim.model.spi_frame import Frame, Instruction, collect_instructions, instruction
from devshim.model.spi_sysfs import surroundings
from devshim.model.spi_words import from_wire, to_wire
from devshim.model.timing import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = ["SpiChip", "Transfer", "instruction"]


class SpiChip(RegisterFile, Device):
    """A chip on an SPI bus, at the node of its chip select.

    A chip with instructions declares them with @instruction; one with registers declares Register and Block, and a
    frame begins with the address of one; any other overrides transfer().

    max_speed_hz   the clock that the board gives it, and the fastest that it is good for
    bufsiz         bytes that one message may have in each direction (spidev's module parameter)
    """

    usual_node: ClassVar[str] = "/dev/spidev0.0"

    max_speed_hz: int = 10_000_000
    bufsiz: int = 4096

    #: The clock modes that the chip understands; the first one is how the program finds the bus.
    modes: ClassVar[tuple[int, ...]] = (0, 3)
    #: The chip is selected while its select line is high.
    cs_high: ClassVar[bool] = False
    #: Bits per word that the controller offers.
    words: ClassVar[tuple[int, ...]] = (8, 16, 32)
    #: What else the controller can do: the bits of SPI_IOC_WR_MODE32 that it knows.
    mode_bits: ClassVar[int] = (
        CPOL | CPHA | CS_HIGH | LSB_FIRST | THREE_WIRE | LOOP | NO_CS | TX_DUAL | TX_QUAD | RX_DUAL | RX_QUAD
    )
    #: What the program reads where the chip does not drive its line.
    idle: ClassVar[int] = 0xFF
    #: Registers: the bit of the first byte that says "read"; 0: the write_flag says that it is a write.
    read_flag: ClassVar[int] = 0x80
    write_flag: ClassVar[int] = 0
    address_mask: int = 0x7F

    major: ClassVar[int | None] = MAJOR
    instructions: ClassVar[dict[int, Instruction]] = {}

    #: What the program has set: SPI_MODE32, bits per word, and the clock of transfers that name none.
    spi_mode = 0
    bits_per_word = 8
    speed_hz = 0
    #: The transfer that transfer() is asked about, for chips that look at its speed or its data lines.
    clocked = Transfer(None, 0)

    opens = 0
    is_selected = False
    _frame: Frame | None = None
    _busy: Timer | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.instructions = collect_instructions(cls)

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.spi_mode = self.modes[0] | (CS_HIGH if self.cs_high else 0)
        self.bits_per_word = self.words[0]
        self.speed_hz = self.max_speed_hz

    # ---- For chips to override

    def selected(self) -> None:
        """The chip select has become active: a frame begins."""

    def transfer(self, out: bytes) -> bytes:
        """Take bytes that the program clocks out; return as many that the chip clocks out meanwhile.

        The high byte of a word comes first, whatever its place in memory.  What is missing in the answer is `idle`.
        By default the bytes go to the chip's instructions and registers.
        """
        assert self._frame is not None
        return self._frame.exchange(out)

    def deselected(self) -> None:
        """The chip select has become inactive: the frame is over."""

    def accepts(self, code: int) -> bool:
        """Whether the chip carries out an instruction now; a flash that is busy heeds few."""
        return True

    # ---- Time

    def busy_for(self, seconds: float) -> None:
        """Be `busy` for so long, as a flash is while it writes; has no effect while not plugged."""
        if self._plug is None or seconds <= 0:
            return
        if self._busy is not None:
            self._busy.cancel()
        self._busy = self.after(seconds, self.ready)

    @property
    def busy(self) -> bool:
        """Whether busy_for() is not over."""
        return self._busy is not None

    def ready(self) -> None:
        """The busy time is over."""
        if self._busy is not None:
            self._busy.cancel()
            self._busy = None

    def attached(self, plug: Plug) -> None:
        """Called by the host; a busy time that was cut off by unplugging is over."""
        self.ready()
        super().attached(plug)

    # ---- The wire

    def message(self, transfers: list[Transfer]) -> list[bytes]:
        """Carry out transfers under one chip select, as cs_change says; return what the program received in each."""
        received = []
        keep = bool(transfers) and transfers[-1].cs_change and not self.spi_mode & NO_CS
        try:
            self.select()
            for number, transfer in enumerate(transfers, 1):
                received.append(self.clock(transfer))
                if transfer.cs_change and number < len(transfers) and not self.spi_mode & NO_CS:
                    self.deselect()
                    self.select()
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                self.deselect()
        return received

    def select(self) -> None:
        """The chip select becomes active, unless it is."""
        if not self.is_selected:
            self.is_selected = True
            self._frame = Frame(self)
            if self.hears():
                self.selected()

    def deselect(self) -> None:
        """The chip select becomes inactive, unless it is."""
        if self.is_selected:
            self.is_selected = False
            frame, self._frame = self._frame, None
            if self.hears():
                if frame is not None:
                    frame.end()
                self.deselected()

    def hears(self) -> bool:
        """Whether the program has set the bus as this chip needs it; says so on stderr where not."""
        clock = self.spi_mode & CLOCK_MODE
        if clock not in self.modes:
            known = " and ".join(map(str, self.modes))
            self.note(
                "mode", f"the program clocks in SPI mode {clock}, this chip understands {known}: it hears nothing"
            )
            return False
        if bool(self.spi_mode & CS_HIGH) != self.cs_high and not self.spi_mode & NO_CS:
            wanted = "high" if self.cs_high else "low"
            self.note("select", f"this chip is selected while the line is {wanted}, the program does the opposite")
            return False
        return True

    def clock(self, transfer: Transfer) -> bytes:
        """Clock one transfer; return what came in, as it lies in memory."""
        if transfer.out is None and not transfer.wants:
            return b""
        bits, lsb_first = transfer.bits_per_word or self.bits_per_word, bool(self.spi_mode & LSB_FIRST)
        out = bytes(transfer.length) if transfer.out is None else transfer.out
        if self.spi_mode & LOOP:
            return out
        if not self.hears():
            return bytes([self.idle]) * transfer.length
        if transfer.speed_hz > self.max_speed_hz:
            text = f"the program clocks at {transfer.speed_hz} Hz, this chip is good for {self.max_speed_hz}"
            self.note("speed", text)
        self.clocked = transfer
        answer = self.transfer(to_wire(out, bits, lsb_first))
        return from_wire(self.checked(answer, transfer.length), bits, lsb_first)

    def checked(self, answer: Any, length: int) -> bytes:
        """What transfer() returned, brought to its length."""
        if not isinstance(answer, (bytes, bytearray, memoryview)):
            raise TypeError(f"{type(self).__name__}.transfer() returned {answer!r}: it must return bytes")
        if len(answer) > length:
            raise ValueError(f"{type(self).__name__}.transfer() returned {len(answer)} bytes for {length}")
        return bytes(answer).ljust(length, bytes([self.idle]))

    def note_unknown_instruction(self, code: int) -> None:
        """Say once for each code that the program sent an instruction that is not modelled."""
        self.note(f"instruction {code}", f"the program sent instruction {code:#04x}, which is not modelled")

    # ---- The node

    def open(self, flags: int) -> SpidevFile:
        """Return a file for each open; they share what was set, as the kernel's do."""
        self.opens += 1
        return SpidevFile(self)

    def surroundings(self, node: str, major: int, minor: int) -> dict[str, bytes | Link]:
        """What /sys shows of a spidev."""
        return surroundings(node, major, minor, type(self).__name__.lower(), self.bufsiz)

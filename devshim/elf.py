"""Reads of an ELF file what tells how it is loaded: machine, loader, libraries, symbols.  Format: elf(5)."""

from __future__ import annotations

import mmap
import struct

ET_EXEC, ET_DYN = 2, 3
PT_DYNAMIC, PT_INTERP, PT_NOTE = 2, 3, 4
SHT_SYMTAB, SHT_DYNSYM = 2, 11
DT_NEEDED, DT_STRTAB, DT_FLAGS_1 = 1, 5, 0x6FFFFFFB
DF_1_PIE = 0x08000000

MACHINES = {3: "i386", 8: "MIPS", 20: "PowerPC", 21: "PowerPC 64", 22: "S/390", 40: "ARM", 62: "x86-64",
            183: "AArch64", 243: "RISC-V", 258: "LoongArch"}  # fmt: skip


class NotElf(ValueError):
    """The file is no ELF file, or a damaged one."""


class Segment:
    """A program header, as far as it matters here."""

    __slots__ = ("address", "offset", "size", "type")

    def __init__(self, type: int, offset: int, address: int, size: int) -> None:
        self.type = type
        self.offset = offset
        self.address = address
        self.size = size


class Section:
    """A section header, as far as it matters here."""

    __slots__ = ("link", "name", "offset", "size", "type")

    def __init__(self, name: str, type: int, offset: int, size: int, link: int) -> None:
        self.name = name
        self.type = type
        self.offset = offset
        self.size = size
        self.link = link


class Elf:
    """One ELF file's headers.

    interpreter           the dynamic loader that the kernel starts it with; None: it is static, or a library
    dynamic               it has a dynamic section
    position_independent  it is an executable and can be loaded anywhere
    needed                libraries that it asks for
    notes                 owner and type of each note
    imports, exports      dynamic symbols that it takes from others, and gives to them
    symbols               names in its full symbol table; empty where it was stripped
    """

    def __init__(self, bits: int, machine: int, type: int) -> None:
        self.bits = bits
        self.machine = machine
        self.type = type
        self.interpreter: str | None = None
        self.dynamic = False
        self.position_independent = False
        self.needed: list[str] = []
        self.sections: list[str] = []
        self.notes: set[tuple[str, int]] = set()
        self.imports: set[str] = set()
        self.exports: set[str] = set()
        self.symbols: set[str] = set()

    @property
    def machine_name(self) -> str:
        """The machine in words, such as "x86-64"; with the word size where that is not the machine's usual one."""
        name = MACHINES.get(self.machine, f"machine {self.machine}")
        return f"{name}, {self.bits}-bit"

    @classmethod
    def read(cls, path: str) -> Elf:
        """Read a file's headers.  Raises NotElf, or OSError where it cannot be read."""
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                raise NotElf(f"{path}: no ELF file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                try:
                    return Reader(content).elf()
                except (struct.error, IndexError, ValueError, OverflowError) as error:  # an offset beyond any file
                    raise NotElf(f"{path}: a damaged ELF file ({error})") from error


class Reader:
    """Walks the headers; word size and byte order are the file's."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        if content[4] not in (1, 2) or content[5] not in (1, 2):
            raise ValueError("neither 32 nor 64 bits, or of no byte order")
        self.wide = content[4] == 2
        self.order = "<" if content[5] == 1 else ">"
        self.segments = self.read_segments()
        self.sections = self.read_sections()

    def elf(self) -> Elf:
        """Put together what the headers say."""
        type_, machine = self.unpack("HH", 16)
        elf = Elf(64 if self.wide else 32, machine, type_)
        for segment in self.segments:
            if segment.type == PT_INTERP:
                elf.interpreter = self.text(segment.offset)
            elif segment.type == PT_DYNAMIC:
                elf.dynamic = True
                self.read_dynamic(elf, segment)
            elif segment.type == PT_NOTE:
                elf.notes |= self.notes(segment)
        elf.position_independent |= type_ == ET_DYN and elf.interpreter is not None
        elf.sections = [section.name for section in self.sections]
        self.read_symbols(elf)
        return elf

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        """Integers at an offset, packed as struct's letters say."""
        return struct.unpack_from(self.order + layout, self.content, at)

    def text(self, at: int) -> str:
        """The NUL-ended text at an offset."""
        end = self.content.find(b"\0", at)
        if at < 0 or end < 0:
            raise ValueError(f"no text at {at}")
        return self.content[at:end].decode(errors="replace")

    def read_segments(self) -> list[Segment]:
        """All program headers."""
        table, (size, count) = (self.unpack("Q", 32), self.unpack("HH", 54)) if self.wide else (
            self.unpack("I", 28), self.unpack("HH", 42))  # fmt: skip
        found = []
        for at in range(table[0], table[0] + size * count, size or 1):
            if self.wide:
                kind, _, offset, address, _, length = self.unpack("IIQQQQ", at)
            else:
                kind, offset, address, _, length = self.unpack("IIIII", at)
            found.append(Segment(kind, offset, address, length))
        return found

    def read_sections(self) -> list[Section]:
        """All section headers; none where they were stripped, too."""
        table, (size, count, names) = (self.unpack("Q", 40), self.unpack("HHH", 58)) if self.wide else (
            self.unpack("I", 32), self.unpack("HHH", 46))  # fmt: skip
        if not table[0] or not count:
            return []
        layout = "IIQQQQI" if self.wide else "IIIIIII"
        raw = [self.unpack(layout, table[0] + size * number) for number in range(count)]
        strings = raw[names][4]
        return [Section(self.text(strings + name), kind, offset, length, link)
                for name, kind, _, _, offset, length, link in raw]  # fmt: skip

    def read_dynamic(self, elf: Elf, segment: Segment) -> None:
        """Take libraries and flags from the dynamic section."""
        layout, size = ("qQ", 16) if self.wide else ("iI", 8)
        entries = []
        for at in range(segment.offset, segment.offset + segment.size, size):
            tag, value = self.unpack(layout, at)
            if tag == 0:
                break
            entries.append((tag, value))
        values = dict(entries)
        elf.position_independent = bool(values.get(DT_FLAGS_1, 0) & DF_1_PIE)
        if DT_STRTAB in values:
            strings = self.offset(values[DT_STRTAB])
            elf.needed = [self.text(strings + value) for tag, value in entries if tag == DT_NEEDED]

    def offset(self, address: int) -> int:
        """Where in the file lies what is loaded to this address."""
        for segment in self.segments:
            if segment.type == 1 and segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        raise ValueError(f"address {address:#x} is in no segment")

    def notes(self, segment: Segment) -> set[tuple[str, int]]:
        """Owner and type of the notes in a segment."""
        found = set()
        at, end = segment.offset, segment.offset + segment.size
        while at + 12 <= end:
            owner, length, kind = self.unpack("III", at)
            found.add((self.content[at + 12 : at + 12 + owner].rstrip(b"\0").decode(errors="replace"), kind))
            at += 12 + (owner + 3 & ~3) + (length + 3 & ~3)
        return found

    def read_symbols(self, elf: Elf) -> None:
        """Take the names of both symbol tables."""
        for section in self.sections:
            if section.type in (SHT_SYMTAB, SHT_DYNSYM):
                strings = self.sections[section.link].offset
                for name, index in self.symbol_entries(section):
                    text = self.text(strings + name)
                    if section.type == SHT_SYMTAB:
                        elf.symbols.add(text)
                    else:
                        (elf.exports if index else elf.imports).add(text)

    def symbol_entries(self, section: Section) -> list[tuple[int, int]]:
        """Of each named symbol: where its name is, and the section that defines it (0: none, it is imported)."""
        table = self.content[section.offset : section.offset + section.size]
        layout = struct.Struct(self.order + ("IBBHQQ" if self.wide else "IIIBBH"))
        place = 3 if self.wide else 5
        whole = len(table) // layout.size * layout.size
        return [(entry[0], entry[place]) for entry in layout.iter_unpack(table[:whole]) if entry[0]]

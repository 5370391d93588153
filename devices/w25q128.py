"""Winbond W25Q128JV serial NOR flash, 16 MiB.  Datasheet: W25Q128JV, revision F."""

import mmap
from collections.abc import Iterator
from pathlib import Path

from devshim import SpiChip, instruction

SIZE, PAGE = 1 << 24, 256
BUSY, WEL, TB, SEC, SRP, CMP = 0x01, 0x02, 0x20, 0x40, 0x80, 0x40  # in status register 1, and CMP in 2
WRITABLE = (0xFC, 0x7A, 0xE4)                                      # of status registers 1 to 3


class W25q128(SpiChip):
    """Pages of 256 bytes are programmed (bits go from 1 to 0), sectors and blocks are erased (to 1)."""

    file: str = ""                  # keeps the contents between runs; without one they begin as 0xff
    unique_id: int = 0xD1632C561B0E4A29
    write_protect: bool = False     # the /WP pin is low
    time_scale: float = 1.0         # of busy times; 0: never busy
    max_speed_hz: int = 50_000_000  # for 03h; others may go up to 133 MHz

    kept = (0x00, 0x02, 0x60)       # status registers at power-up: QE is on for good in type IQ, drivers at 25 %
    asleep = reset_enabled = volatile = False

    def setup(self) -> None:
        self.memory = self.opened() if self.file else bytearray(b"\xff") * SIZE
        self.status = list(self.kept)

    def opened(self) -> mmap.mmap:
        """The file, as long as the chip is large."""
        path = Path(self.file)
        if not path.exists():
            path.write_bytes(b"\xff" * SIZE)
        if path.stat().st_size != SIZE:
            raise ValueError(f"file={self.file}: it has {path.stat().st_size} bytes, the chip {SIZE}")
        with path.open("r+b") as file:
            return mmap.mmap(file.fileno(), SIZE)

    def accepts(self, code: int) -> bool:
        """Busy, it only tells its status; in power-down, it only wakes up."""
        armed, self.reset_enabled = self.reset_enabled, code == 0x66
        if self.asleep:
            return code == 0xAB
        if code == 0x99:
            return armed
        return not self.busy or code in (0x05, 0x35, 0x15, 0x66)

    # ---- Identity and power

    @instruction(0x9F)
    def jedec_id(self) -> bytes:
        return b"\xef\x40\x18"

    @instruction(0x90, address=3)
    def manufacturer_and_device(self, address: int) -> bytes:
        return b"\x17\xef" if address & 1 else b"\xef\x17"

    @instruction(0x4B, dummy=4)
    def read_unique_id(self) -> bytes:
        return self.unique_id.to_bytes(8, "big")

    @instruction(0xAB)
    def release(self) -> bytes:
        self.asleep = False
        return b"\xff\xff\xff\x17"  # three dummy bytes, and the device ID

    @instruction(0xB9)
    def power_down(self) -> None:
        self.asleep = True

    @instruction(0x66)
    def enable_reset(self) -> None:
        """Told apart by accepts(): the next instruction has to be 99h."""

    @instruction(0x99)
    def reset(self) -> None:
        self.ready()
        self.status = list(self.kept)

    # ---- Status, write enable, busy times

    def read_status(self, number: int) -> Iterator[bytes]:
        """Over and over, as it is at each byte: so programs wait for BUSY to go."""
        while True:
            yield bytes([self.status[number] | (BUSY if self.busy and number == 0 else 0)])

    @instruction(0x05)
    def read_status1(self) -> Iterator[bytes]:
        return self.read_status(0)

    @instruction(0x35)
    def read_status2(self) -> Iterator[bytes]:
        return self.read_status(1)

    @instruction(0x15)
    def read_status3(self) -> Iterator[bytes]:
        return self.read_status(2)

    @instruction(0x06)
    def write_enable(self) -> None:
        self.status[0] |= WEL

    @instruction(0x04)
    def write_disable(self) -> None:
        self.status[0] &= ~WEL

    @instruction(0x50)
    def volatile_write_enable(self) -> None:
        self.volatile = True

    @instruction(0x01, data=True)
    def write_status1(self, data: bytes) -> None:
        self.write_status(0, data[:2])

    @instruction(0x31, data=True)
    def write_status2(self, data: bytes) -> None:
        self.write_status(1, data[:1])

    @instruction(0x11, data=True)
    def write_status3(self, data: bytes) -> None:
        self.write_status(2, data[:1])

    def write_status(self, first: int, data: bytes) -> None:
        """For good after 06h, until the next power-up after 50h; not at all with SRP set and /WP low."""
        volatile, self.volatile = self.volatile, False
        locked = self.write_protect and self.status[0] & SRP
        if locked or not data or not (volatile or self.status[0] & WEL):
            return
        for number, value in enumerate(data, first):
            self.status[number] = self.status[number] & ~WRITABLE[number] | value & WRITABLE[number]
        if not volatile:
            self.kept = tuple(value & ~WEL if number == 0 else value for number, value in enumerate(self.status))
            self.occupied(0.010)

    def occupied(self, seconds: float) -> None:
        """Something that needed 06h begins; when it is over, writing is disabled again."""
        if self.node and self.time_scale:
            self.busy_for(seconds * self.time_scale)
        else:
            self.ready()

    def ready(self) -> None:
        super().ready()
        self.write_disable()

    # ---- The array

    @instruction(0x03, address=3)
    def read_data(self, address: int) -> Iterator[memoryview]:
        """As far as the program clocks, beginning anew at the end."""
        yield memoryview(self.memory)[address:]
        while True:
            yield memoryview(self.memory)

    @instruction(0x0B, 0x3B, 0x6B, address=3, dummy=1)
    def fast_read(self, address: int) -> Iterator[memoryview]:
        return self.read_data(address)

    @instruction(0x02, 0x32, address=3, data=True)
    def page_program(self, address: int, data: bytes) -> None:
        """The last 256 bytes count, and wrap within the page."""
        if not data or not self.writing(address, PAGE):
            return
        page, offset = address - address % PAGE, address % PAGE
        for number, byte in enumerate(data[-PAGE:], max(0, len(data) - PAGE)):
            self.memory[page + (offset + number) % PAGE] &= byte
        self.occupied(0.0007)

    @instruction(0x20, address=3)
    def erase_sector(self, address: int) -> None:
        self.erase(address, 4096, 0.045)

    @instruction(0x52, address=3)
    def erase_half_block(self, address: int) -> None:
        self.erase(address, 32768, 0.120)

    @instruction(0xD8, address=3)
    def erase_block(self, address: int) -> None:
        self.erase(address, 65536, 0.150)

    @instruction(0xC7, 0x60)
    def erase_chip(self) -> None:
        self.erase(0, SIZE, 40.0)

    def erase(self, address: int, size: int, seconds: float) -> None:
        start = address - address % size
        if self.writing(start, size):
            self.memory[start : start + size] = b"\xff" * size
            self.occupied(seconds)

    def writing(self, address: int, size: int) -> bool:
        """Whether 06h came before, and no byte of the range is protected."""
        start = address - address % size
        inside = self.protected()
        free = start + size <= inside.start or start >= inside.stop or not inside
        if self.status[1] & CMP:  # what was protected is free, and the other way round
            free = bool(inside) and inside.start <= start and start + size <= inside.stop
        return bool(self.status[0] & WEL) and free

    def protected(self) -> range:
        """What the block protect bits choose, from the top or the bottom (table 7.1.9)."""
        level = self.status[0] >> 2 & 7
        if level == 7:
            return range(SIZE)
        if level == 0:
            return range(0)
        small, large = min(4096 << level - 1, 32768), SIZE >> 7 - level
        size = small if self.status[0] & SEC else large
        return range(size) if self.status[0] & TB else range(SIZE - size, SIZE)

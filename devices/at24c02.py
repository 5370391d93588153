"""Atmel AT24C02 EEPROM, and its larger kin by `size`.  Datasheets: Atmel-8700 (AT24C02C), Atmel-8568 (AT24C256C)."""

import errno
import os
from pathlib import Path

from devshim import BinaryAttribute, Block, I2cChip, Link


class At24c02(I2cChip):
    """256 bytes that outlive power, at 0x50 to 0x57 (A2 to A0 pins).

    Larger ones differ in what a program sends: from 4096 bytes on, the address has two bytes.
    """

    address: int = 0x50
    size: int = 256                 # bytes: a power of two from 128 (24C01) to 65536 (24C512)
    page_size: int = 0              # bytes; 0: what chips of that size have
    write_time: float = 0.005       # seconds without acknowledge after a write
    write_protect: bool = False     # the WP pin
    file: str = ""                  # keeps the contents between runs; without one they begin as 0xff

    addressing = "auto-increment"
    memory = Block(0, length="size", fill=0xFF)

    bank = 0                        # 24C04 to 24C16: the address bits that come with the device address
    changed = False

    def setup(self) -> None:
        if self.size not in (1 << bits for bits in range(7, 17)):
            raise ValueError(f"size={self.size}: there are such EEPROMs of 128, 256, 512, ... 65536 bytes")
        self.span = self.size
        self.address_size = 1 if self.size <= 2048 else 2
        self.address_mask = self.size - 1
        pages = ((256, 8), (2048, 16), (8192, 32), (32768, 64), (65536, 128))
        self.page_size = self.page_size or next(page for size, page in pages if self.size <= size)
        if self.file and Path(self.file).exists():
            self.memory = Path(self.file).read_bytes()

    def driver_surroundings(self, here: str) -> dict[str, BinaryAttribute | Link | bytes]:
        """With busy=True the kernel's at24 has it: the files eeprom and nvmem (drivers/misc/eeprom/at24.c)."""
        name = f"{os.path.basename(here)}0"
        content = BinaryAttribute(self.read_by_driver, self.write_by_driver, self.size, 0o600)
        return {
            f"{here}/eeprom": content,
            f"{here}/{name}/nvmem": content,
            f"{here}/{name}/type": b"EEPROM\n",
            f"{here}/{name}/uevent": b"",
            f"{here}/{name}/subsystem": Link("../" * (here.count("/") - 1) + "../bus/nvmem"),
            f"/sys/bus/nvmem/devices/{name}": Link(f"../../..{here.removeprefix('/sys')}/{name}"),
        }

    def read_by_driver(self, offset: int, size: int) -> bytes:
        return bytes(self.memory[offset : offset + size])

    def write_by_driver(self, data: bytes, offset: int) -> None:
        if self.write_protect:
            raise OSError(errno.ETIMEDOUT, "no byte of it is acknowledged")
        self.memory[offset : offset + len(data)] = data
        self.changed = True
        self.stopped()

    def addresses_used(self) -> range:
        banks = self.size // 256 if self.address_size == 1 else 1
        return range(self.address, self.address + max(banks, 1))

    def started(self, address: int, reading: bool) -> bool:
        self.bank = address - self.address
        return super().started(address, reading)

    def point(self, data: bytes) -> bytes:
        rest = super().point(data)
        self.pointer |= self.bank << 8
        return b"" if self.write_protect else rest

    @memory.written
    def note_change(self) -> None:
        self.changed = True

    def stopped(self) -> None:
        """STOP begins the write cycle, in which the chip does not answer (acknowledge polling)."""
        if not self.changed:
            return
        self.changed = False
        self.busy_for(self.write_time)
        if self.file:
            Path(self.file).write_bytes(self.memory)

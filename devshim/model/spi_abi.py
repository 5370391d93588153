"""Numbers and layouts of <linux/spi/spi.h> and <linux/spi/spidev.h>, and one transfer as models see it."""

from __future__ import annotations

import os
from ctypes import Structure, c_uint8, c_uint16, c_uint32
from typing import NamedTuple

from devshim.model.ioctl import IOR, IOW, pointer, sized

MAGIC = "k"  # SPI_IOC_MAGIC
MAJOR = 153  # SPIDEV_MAJOR

CPHA, CPOL, CS_HIGH, LSB_FIRST = 0x01, 0x02, 0x04, 0x08
THREE_WIRE, LOOP, NO_CS, READY = 0x10, 0x20, 0x40, 0x80
TX_DUAL, TX_QUAD, RX_DUAL, RX_QUAD = 0x100, 0x200, 0x400, 0x800
TX_OCTAL, RX_OCTAL, RX_CPHA_FLIP = 0x2000, 0x4000, 0x10000

#: The clock's polarity and phase: modes 0 to 3.
CLOCK_MODE = CPOL | CPHA
#: More than one data line.
TX_LINES, RX_LINES = TX_DUAL | TX_QUAD | TX_OCTAL, RX_DUAL | RX_QUAD | RX_OCTAL
#: What SPI_IOC_WR_MODE32 may set (SPI_MODE_MASK of spidev.c).
USER_MODE = (
    CLOCK_MODE | CS_HIGH | LSB_FIRST | THREE_WIRE | LOOP | NO_CS | READY | TX_LINES | RX_LINES | RX_CPHA_FLIP
)  # fmt: skip

MOST_INT = 2**31 - 1


class SpiIocTransfer(Structure):
    """struct spi_ioc_transfer."""

    _fields_ = [
        ("tx_buf", pointer(c_uint8, length="len", access="w", optional=True, width=8)),
        ("rx_buf", pointer(c_uint8, length="len", access="r", optional=True, width=8)),
        ("len", c_uint32),
        ("speed_hz", c_uint32),
        ("delay_usecs", c_uint16),
        ("bits_per_word", c_uint8),
        ("cs_change", c_uint8),
        ("tx_nbits", c_uint8),
        ("rx_nbits", c_uint8),
        ("word_delay_usecs", c_uint8),
        ("pad", c_uint8),
    ]


SPI_IOC_MESSAGE = IOW(MAGIC, 0, sized(SpiIocTransfer))
SPI_IOC_RD_MODE, SPI_IOC_WR_MODE = IOR(MAGIC, 1, c_uint8), IOW(MAGIC, 1, c_uint8)
SPI_IOC_RD_LSB_FIRST, SPI_IOC_WR_LSB_FIRST = IOR(MAGIC, 2, c_uint8), IOW(MAGIC, 2, c_uint8)
SPI_IOC_RD_BITS_PER_WORD, SPI_IOC_WR_BITS_PER_WORD = IOR(MAGIC, 3, c_uint8), IOW(MAGIC, 3, c_uint8)
SPI_IOC_RD_MAX_SPEED_HZ, SPI_IOC_WR_MAX_SPEED_HZ = IOR(MAGIC, 4, c_uint32), IOW(MAGIC, 4, c_uint32)
SPI_IOC_RD_MODE32, SPI_IOC_WR_MODE32 = IOR(MAGIC, 5, c_uint32), IOW(MAGIC, 5, c_uint32)


class Transfer(NamedTuple):
    """One transfer of a message: what the program sends, whether it receives, and how the wire is set for it.

    out               bytes that the program sends; None: it sends nothing, and the line stays low
    length            bytes to clock, as they lie in memory
    wants             whether the program receives
    speed_hz          of the clock
    bits_per_word     1 to 32
    delay_usecs       pause after it; word_delay_usecs: after each word
    cs_change         the chip select goes up and down again after it; after a message's last one, it stays down
    tx_nbits          data lines out: 1, 2 or 4; rx_nbits: in; 0 is 1
    """

    out: bytes | None
    length: int
    wants: bool = True
    speed_hz: int = 0
    bits_per_word: int = 0
    delay_usecs: int = 0
    word_delay_usecs: int = 0
    cs_change: bool = False
    tx_nbits: int = 0
    rx_nbits: int = 0


def fail(number: int, why: str = "") -> OSError:
    """An OSError with a text, for raising."""
    return OSError(number, why or os.strerror(number))

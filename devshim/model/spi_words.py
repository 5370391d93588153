"""How SPI words lie in memory and how they go over the wire.

In memory a word has 1, 2 or 4 bytes in the machine's order (struct spi_transfer in the kernel's spi.h); a chip gets
and gives each word with its high byte first, in as few bytes, and what has fewer bits stands on the right.
"""

from __future__ import annotations

import sys
from array import array
from typing import Literal

Order = Literal["little", "big"]

#: Each byte with its bits in the other order.
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
CODES = {2: "H", 4: "I"}


def word_size(bits: int) -> int:
    """The bytes of a word of so many bits: 1, 2 or 4."""
    return 1 if bits <= 8 else 2 if bits <= 16 else 4


def to_wire(data: bytes, bits: int, lsb_first: bool = False) -> bytes:
    """Words as a chip gets them; with lsb_first the program sends the lowest bit first, and the chip takes it as the
    highest."""
    return convert(data, bits, lsb_first, sys.byteorder, "big")


def from_wire(data: bytes, bits: int, lsb_first: bool = False) -> bytes:
    """What a chip gave, as words in memory: the way back of to_wire()."""
    return convert(data, bits, lsb_first, "big", sys.byteorder)


def convert(data: bytes, bits: int, lsb_first: bool, given: Order, wanted: Order) -> bytes:
    """Words of so many bits from one byte order to another, with their bits in the other order where asked for."""
    size = word_size(bits)
    if bits < 8 * size:
        return b"".join(
            narrowed(int.from_bytes(data[at : at + size], given), bits, lsb_first).to_bytes(size, wanted)
            for at in range(0, len(data), size)
        )
    if lsb_first:
        data = data.translate(REVERSED)
    # To reverse the bits of a word is to reverse its bytes as well.
    if size == 1 or lsb_first == (given != wanted):
        return data
    words = array(CODES[size], data)
    words.byteswap()
    return words.tobytes()


def narrowed(word: int, bits: int, lsb_first: bool) -> int:
    """The bits of a word that are clocked."""
    word &= (1 << bits) - 1
    return int(f"{word:0{bits}b}"[::-1], 2) if lsb_first else word

"""SpidevFile: one open of a spidev node, and the system calls on it, as the kernel's spidev.c answers them."""

from __future__ import annotations

import errno
from ctypes import c_uint8, c_uint32

from devshim.model.device import File
from devshim.model.ioctl import ioctl
from devshim.model.spi_abi import (
    LSB_FIRST,
    MOST_INT,
    RX_DUAL,
    RX_LINES,
    RX_QUAD,
    SPI_IOC_MESSAGE,
    SPI_IOC_RD_BITS_PER_WORD,
    SPI_IOC_RD_LSB_FIRST,
    SPI_IOC_RD_MAX_SPEED_HZ,
    SPI_IOC_RD_MODE,
    SPI_IOC_RD_MODE32,
    SPI_IOC_WR_BITS_PER_WORD,
    SPI_IOC_WR_LSB_FIRST,
    SPI_IOC_WR_MAX_SPEED_HZ,
    SPI_IOC_WR_MODE,
    SPI_IOC_WR_MODE32,
    THREE_WIRE,
    TX_DUAL,
    TX_LINES,
    TX_QUAD,
    USER_MODE,
    SpiIocTransfer,
    Transfer,
    fail,
)
from devshim.model.spi_words import word_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from devshim.model.spi import SpiChip

ALIGNED = 8  # ARCH_DMA_MINALIGN: what a transfer takes of spidev's buffers


class SpidevFile(File):
    """One open of a chip's node.  What its ioctls set belongs to the chip, as in the kernel."""

    def __init__(self, chip: SpiChip) -> None:
        self.device = chip

    def close(self) -> None:
        """The clock of the board description comes back with the last close (spidev_release)."""
        self.device.opens -= 1
        if not self.device.opens:
            self.device.speed_hz = self.device.max_speed_hz

    # ---- Half duplex

    def read(self, size: int) -> bytes:
        """spidev_read: one message that only receives; EMSGSIZE above bufsiz."""
        return self.carry([Transfer(None, self.within(size), speed_hz=self.device.speed_hz)])[0]

    def write(self, data: bytes) -> None:
        """spidev_write: one message that only sends; EMSGSIZE above bufsiz."""
        self.carry([Transfer(bytes(data), self.within(len(data)), wants=False, speed_hz=self.device.speed_hz)])

    def within(self, size: int) -> int:
        """A size that fits into spidev's buffer, or EMSGSIZE."""
        if size > self.device.bufsiz:
            raise fail(errno.EMSGSIZE, f"{size} bytes; bufsiz is {self.device.bufsiz}")
        return size

    def pread(self, size: int, offset: int) -> Any:
        """A stream has no positions."""
        raise fail(errno.ESPIPE)

    def pwrite(self, data: bytes, offset: int) -> Any:
        """A stream has no positions."""
        raise fail(errno.ESPIPE)

    # ---- Messages

    @ioctl(SPI_IOC_MESSAGE, name="SPI_IOC_MESSAGE")
    def message(self, given: Any) -> int:
        """Full duplex: several transfers under one chip select; returns the bytes of all (spidev_message)."""
        if not given:
            return 0
        self.check_size(given)
        transfers = [transfer_of(one, self.device.speed_hz) for one in given]
        for one, received in zip(given, self.carry(transfers), strict=True):
            if one.rx_buf is not None and received:
                one.rx_buf[:] = received
        return sum(transfer.length for transfer in transfers)

    def check_size(self, given: Iterable[SpiIocTransfer]) -> None:
        """EMSGSIZE where the transfers do not fit into spidev's buffers, or their sum not into an int."""
        total = sent = received = 0
        for one in given:
            room = (one.len + ALIGNED - 1) // ALIGNED * ALIGNED
            total += one.len
            received += room if one.rx_buf is not None else 0
            sent += room if one.tx_buf is not None else 0
            if total > MOST_INT or max(sent, received) > self.device.bufsiz:
                raise fail(errno.EMSGSIZE, f"{max(sent, received)} bytes; bufsiz is {self.device.bufsiz}")

    def carry(self, transfers: list[Transfer]) -> list[bytes]:
        """Check transfers as the SPI core does, then let the chip answer; EINVAL for what cannot be."""
        for transfer in transfers:
            self.check(transfer)
        return self.device.message(transfers)

    def check(self, transfer: Transfer) -> None:
        """__spi_validate of the SPI core."""
        chip, mode = self.device, self.device.spi_mode
        if mode & THREE_WIRE and transfer.wants and transfer.out is not None:
            raise fail(errno.EINVAL, "one wire carries data one way at a time (SPI_3WIRE)")
        bits = transfer.bits_per_word or chip.bits_per_word
        self.check_bits(bits)
        if transfer.length % word_size(bits):
            raise fail(errno.EINVAL, f"{transfer.length} bytes are no whole words of {bits} bits")
        if transfer.out is not None and not lines_fit(transfer.tx_nbits, mode, TX_DUAL, TX_QUAD):
            raise fail(errno.EINVAL, f"tx_nbits={transfer.tx_nbits} in mode {mode:#x}")
        if transfer.wants and not lines_fit(transfer.rx_nbits, mode, RX_DUAL, RX_QUAD):
            raise fail(errno.EINVAL, f"rx_nbits={transfer.rx_nbits} in mode {mode:#x}")

    def check_bits(self, bits: int) -> None:
        """EINVAL for words that the controller does not have."""
        if bits not in self.device.words:
            known = ", ".join(map(str, self.device.words))
            raise fail(errno.EINVAL, f"{bits} bits per word; the controller has {known}")

    # ---- Settings

    @ioctl(SPI_IOC_RD_MODE, name="SPI_IOC_RD_MODE", query=True)
    def get_mode(self) -> c_uint8:
        """The low byte of the mode."""
        return c_uint8(self.device.spi_mode)

    @ioctl(SPI_IOC_RD_MODE32, name="SPI_IOC_RD_MODE32", query=True)
    def get_mode32(self) -> c_uint32:
        """The whole mode."""
        return c_uint32(self.device.spi_mode)

    @ioctl(SPI_IOC_WR_MODE, name="SPI_IOC_WR_MODE")
    def set_mode(self, mode: c_uint8) -> None:
        """Set the low byte of the mode; the others become 0."""
        self.set_up(mode.value)

    @ioctl(SPI_IOC_WR_MODE32, name="SPI_IOC_WR_MODE32")
    def set_mode32(self, mode: c_uint32) -> None:
        """Set the whole mode."""
        if mode.value & ~USER_MODE:
            raise fail(errno.EINVAL)
        self.set_up(mode.value)

    @ioctl(SPI_IOC_RD_LSB_FIRST, name="SPI_IOC_RD_LSB_FIRST", query=True)
    def get_lsb_first(self) -> c_uint8:
        """1 where the lowest bit goes first."""
        return c_uint8(bool(self.device.spi_mode & LSB_FIRST))

    @ioctl(SPI_IOC_WR_LSB_FIRST, name="SPI_IOC_WR_LSB_FIRST")
    def set_lsb_first(self, on: c_uint8) -> None:
        """Let the lowest bit go first, or the highest."""
        mode = self.device.spi_mode & ~LSB_FIRST
        self.set_up(mode | LSB_FIRST if on.value else mode)

    @ioctl(SPI_IOC_RD_BITS_PER_WORD, name="SPI_IOC_RD_BITS_PER_WORD", query=True)
    def get_bits_per_word(self) -> c_uint8:
        """Bits per word of transfers that name none."""
        return c_uint8(self.device.bits_per_word)

    @ioctl(SPI_IOC_WR_BITS_PER_WORD, name="SPI_IOC_WR_BITS_PER_WORD")
    def set_bits_per_word(self, bits: c_uint8) -> None:
        """Set them; 0 is 8.  EINVAL for words that the controller does not have."""
        if bits.value:
            self.check_bits(bits.value)
        self.device.bits_per_word = bits.value or 8

    @ioctl(SPI_IOC_RD_MAX_SPEED_HZ, name="SPI_IOC_RD_MAX_SPEED_HZ", query=True)
    def get_speed(self) -> c_uint32:
        """The clock of transfers that name none."""
        return c_uint32(self.device.speed_hz)

    @ioctl(SPI_IOC_WR_MAX_SPEED_HZ, name="SPI_IOC_WR_MAX_SPEED_HZ")
    def set_speed(self, speed: c_uint32) -> None:
        """Set it, until the last close; EINVAL for 0."""
        if not speed.value:
            raise fail(errno.EINVAL)
        self.device.speed_hz = speed.value

    def set_up(self, mode: int) -> None:
        """spi_setup of the SPI core: EINVAL for what contradicts itself or the controller lacks.

        More data lines than the controller has are no error: they are not used.
        """
        for lines in (mode & (TX_DUAL | TX_QUAD), mode & (RX_DUAL | RX_QUAD)):
            if lines.bit_count() > 1:
                raise fail(errno.EINVAL, "both two and four data lines")
        if mode & THREE_WIRE and mode & (TX_LINES | RX_LINES):
            raise fail(errno.EINVAL, "SPI_3WIRE has one data line")
        lacking = mode & ~self.device.mode_bits
        if lacking & ~(TX_LINES | RX_LINES):
            raise fail(errno.EINVAL, f"the controller has no mode bits {lacking:#x}")
        self.device.spi_mode = mode & ~lacking


def lines_fit(count: int, mode: int, dual: int, quad: int) -> bool:
    """Whether a transfer's number of data lines is one that the mode allows; 0 is one line."""
    return count in (0, 1) or (count == 2 and bool(mode & (dual | quad))) or (count == 4 and bool(mode & quad))


def transfer_of(given: SpiIocTransfer, speed_hz: int) -> Transfer:
    """A transfer as models see it."""
    return Transfer(
        None if given.tx_buf is None else bytes(given.tx_buf),
        given.len,
        given.rx_buf is not None,
        given.speed_hz or speed_hz,
        given.bits_per_word,
        given.delay_usecs,
        given.word_delay_usecs,
        bool(given.cs_change),
        given.tx_nbits,
        given.rx_nbits,
    )

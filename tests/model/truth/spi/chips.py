"""The chips behind the transcripts of this folder: a loopback at spidev0.0, a W25Q128 at spidev0.1."""

from devshim import SpiChip
from devshim.devices import W25q128


class Loopback(SpiChip):
    """MISO wired to MOSI, on a controller with words of 8 and 16 bits."""

    words = (8, 16)

    def transfer(self, out):
        return out


class Flash(W25q128):
    """The flash on the same controller."""

    words = (8, 16)

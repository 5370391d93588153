"""SPI buses: linux/spi/spidev.h."""

from __future__ import annotations

from devshim.model import spi_abi as abi
from devshim.model.description import describe

DESCRIPTIONS = [
    describe(getattr(abi, name), name=name)
    for name in (
        "SPI_IOC_MESSAGE",
        *(
            f"SPI_IOC_{way}_{what}"
            for way in ("RD", "WR")
            for what in ("MODE", "LSB_FIRST", "BITS_PER_WORD", "MAX_SPEED_HZ", "MODE32")
        ),
    )
]

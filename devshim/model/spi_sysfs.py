"""What /sys shows around a spidev node: the device, its chip select on the SPI bus, and the links to them."""

from __future__ import annotations

import re

from devshim.model.device import Link

NODE = re.compile(r"/dev/spidev(\d+)\.(\d+)")


def surroundings(node: str, major: int, minor: int, name: str, bufsiz: int) -> dict[str, bytes | Link]:
    """Files and links around /dev/spidevB.C, as spidev and the SPI core make them; none for a node of another name.

    name is what the board description calls the chip (the spi: module alias).
    """
    match = NODE.fullmatch(node)
    if match is None:
        return {}
    bus, device = match[1], f"spidev{match[1]}.{match[2]}"
    slave = f"spi{match[1]}.{match[2]}"
    above = f"/sys/devices/platform/devshim-spi.{bus}/spi_master/spi{bus}/{slave}"
    here = f"{above}/spidev/{device}"
    return {
        f"{above}/uevent": f"DRIVER=spidev\nMODALIAS=spi:{name}\n".encode(),
        f"{above}/modalias": f"spi:{name}\n".encode(),
        f"{above}/driver": Link("../../../../../../bus/spi/drivers/spidev"),
        f"{above}/subsystem": Link("../../../../../../bus/spi"),
        f"{here}/uevent": f"MAJOR={major}\nMINOR={minor}\nDEVNAME={device}\n".encode(),
        f"{here}/dev": f"{major}:{minor}\n".encode(),
        f"{here}/device": Link(f"../../../{slave}"),
        f"{here}/subsystem": Link("../../../../../../../../class/spidev"),
        f"/sys/bus/spi/devices/{slave}": Link(f"../../..{above.removeprefix('/sys')}"),
        f"/sys/class/spidev/{device}": Link(f"../..{here.removeprefix('/sys')}"),
        f"/sys/dev/char/{major}:{minor}": Link(f"../..{here.removeprefix('/sys')}"),
        "/sys/module/spidev/parameters/bufsiz": f"{bufsiz}\n".encode(),
    }

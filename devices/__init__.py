"""The catalogue: one product a file, found by its name (`-d /dev/ttyUSB0=gps`) or by its class.

    from devshim.devices import Gps

A wheel carries this folder as the package devshim.devices; in a checkout the link devshim/devices leads here.
Nothing is imported before it is asked for.
"""

from __future__ import annotations

from devshim import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> Any:
    """A class of the catalogue, by its name."""
    return catalogue.attribute(name)


def __dir__() -> list[str]:
    return sorted(catalogue.classes())

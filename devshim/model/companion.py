"""Companion: a node that the kernel makes of its own accord beside a device's own, such as /dev/input/js0."""

from __future__ import annotations

from devshim.model.device import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Companion(Device):
    """What answers at such a node; it comes and goes with the device that it is made of, its `source`."""

    #: One node for all devices of a run, or of a bus, which stays once it is there: /dev/input/mice.
    common: ClassVar[bool] = False

    def __init__(self, source: Any) -> None:
        self.source = source
        super().__init__()

    def join(self, other: Companion) -> None:
        """Stand for another device, too: the companion that would have been at this common node is not plugged."""

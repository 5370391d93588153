"""The numbers of device nodes, st_rdev: the drivers' own, or such as no real kernel gives."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.device import Device

FIRST_OWN_MAJOR = 512  # 240-254 and 384-511 are taken by real kernels' dynamic numbers


class DeviceNumbers:
    """Which are taken in a run."""

    def __init__(self) -> None:
        self._majors: dict[type[Device], int] = {}
        self._minors: dict[int, set[int]] = {}

    def take(self, node: str, device: Device) -> int:
        """One for a device at a node; 0 for what has no node of its own."""
        if device.carrier == "none":
            return 0
        major, minor = device.numbers(node)
        if major is None:
            major = self._majors.setdefault(type(device), FIRST_OWN_MAJOR + len(self._majors))
        taken = self._minors.setdefault(major, set())
        if minor is None:
            digits = node[len(node.rstrip("0123456789")) :]
            minor = int(digits) if digits else 0
            while minor in taken:
                minor += 1
        taken.add(minor)
        return os.makedev(major, minor)

    def give_back(self, rdev: int) -> None:
        """Another device may have it."""
        self._minors.get(os.major(rdev), set()).discard(os.minor(rdev))

"""Hides the real machine's devices, so that what a program finds does not depend on where it runs."""

from __future__ import annotations

import os

from devshim.host import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.host import Host

#: What every program may count on below /dev (hier(7), udev's static nodes), and is no device of the machine.
PASSED = (
    "console", "core", "fd", "full", "hugepages", "log", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr",
    "stdin", "stdout", "tty", "urandom", "zero",
)  # fmt: skip

#: Buses and directories of processors, which libraries count.
SYSTEM_BUSES = frozenset(("cpu", "node"))
SYSTEM = ("system",)


def hide_real(host: Host) -> None:
    """Let only what is plugged be seen of devices in /dev, /sys and udev's database; before anything is plugged."""
    picture = host.picture
    picture.uevents.relay = False
    picture.hides_real = True
    picture.defer()
    host.registry.head.flags |= wire.REGISTRY_SHADOWS
    picture.mask("/dev", [name for name in PASSED if os.path.lexists(f"/dev/{name}")])
    for name in entries("/sys/class"):
        picture.mask(f"/sys/class/{name}")
    for name in entries("/sys/bus"):
        if name not in SYSTEM_BUSES:
            picture.mask(f"/sys/bus/{name}/devices")
    for directory in ("/sys/block", "/sys/dev/char", "/sys/dev/block", "/run/udev/data", "/proc/bus/input"):
        if os.path.isdir(directory):
            picture.mask(directory)
    picture.mask("/sys/devices", [name for name in SYSTEM if os.path.isdir(f"/sys/devices/{name}")])


def entries(directory: str) -> list[str]:
    """The real directories in a directory; none where that is not there."""
    try:
        with os.scandir(directory) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []

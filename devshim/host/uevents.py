"""Uevents: tells the programs that monitor devices what comes, goes and changes, as the kernel and udev do.

A monitor's descriptor is a datagram socket, since nobody but root may send on the kernel's; the shim lets it look like
a netlink socket (shim/wrap_netlink.c).  What the program binds it to arrives here over the same pair.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import socket
import stat
import struct
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host import wire
from devshim.host.uevent_text import kernel_message, pairs, record_name, record_properties, udev_message

if TYPE_CHECKING:
    from devshim.host.host import Host

NETLINK_KOBJECT_UEVENT = 15
KERNEL, UDEV = 1, 2  # multicast groups
BIND = struct.Struct("<8sI")  # what the shim sends of a bind: a mark, and the groups
MARK = b"dsgroups"
LONGEST = 8192  # bytes of a message
MOST_QUEUED = 10000
MONITORS_BEFORE_LOOKING = 16
LOOKS = 3  # at the list of all sockets; one in twenty of them misses a socket where others come and go all the time
ACTIONS = ("add", "remove", "change", "move", "online", "offline", "bind", "unbind")
STORED = {action.encode(): action for action in ACTIONS}


class Monitor:
    """One program's socket: the host's end of it, and the groups that it is bound to."""

    def __init__(self, end: socket.socket, inode: tuple[int, int]) -> None:
        self.end = end
        self.inode = inode
        self.groups = 0
        self.queue: deque[bytes] = deque()

    def settle(self) -> None:
        """Hear what the program has bound it to."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                data = self.end.recv(64, socket.MSG_DONTWAIT)
                if len(data) == BIND.size and data.startswith(MARK):
                    self.groups = BIND.unpack(data)[1]

    def send(self, data: bytes) -> bool:
        """Send a message, or let it wait for room; False where nobody is at the other end any more."""
        if self.queue:
            if len(self.queue) < MOST_QUEUED:
                self.queue.append(data)
            return True
        try:
            self.end.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            self.queue.append(data)
        except OSError:
            return False
        return True


class KernelDevice(NamedTuple):
    """A directory of /sys that the kernel announces.

    path        its path below /sys
    subsystem   the name of its bus or class; "" where it has none
    properties  what its uevent file says
    record      udev's properties and links of it
    driver      whether a driver is bound to it
    """

    path: str
    subsystem: str
    properties: dict[str, str]
    record: dict[str, str]
    driver: bool


class Uevents:
    """The monitors of one run, and what they are told."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.relay = True
        self._monitors: list[Monitor] = []
        self._numbers = itertools.count(1)
        self._real: socket.socket | None = None
        self._index = 0
        self._look_at = MONITORS_BEFORE_LOOKING

    # ---- Devices

    @property
    def monitored(self) -> bool:
        """Whether anybody may be told."""
        return bool(self._monitors)

    def device(self, uevent: str, around: Mapping[str, Any]) -> KernelDevice:
        """The device of a directory with this uevent file, out of what surroundings() returned (picture.Texts)."""
        directory = uevent.removesuffix("/uevent")
        subsystem, content = around.get(f"{directory}/subsystem"), around[uevent]
        name = os.path.basename(subsystem) if isinstance(subsystem, str) else ""
        properties = pairs(content) if isinstance(content, bytes) else {}
        record = around.get(f"/run/udev/data/{record_name(name, directory, properties)}")
        return KernelDevice(
            directory.removeprefix("/sys"), name, properties,
            record_properties(record) if isinstance(record, bytes) else {}, f"{directory}/driver" in around,
        )  # fmt: skip

    def stored(self, uevent: str, around: Mapping[str, Any], data: bytes) -> None:
        """Announce what was written to a uevent file, such as "change" (kobject_synth_uevent).

        Raises ValueError for what is no action.
        """
        action = STORED.get(data.split()[0] if data.split() else b"")
        if action is None:
            raise ValueError(f"{data!r} is no action of a uevent")
        self.send(self.device(uevent, around), action, {"SYNTH_UUID": "0"})

    def send(self, device: KernelDevice, action: str, more: Mapping[str, str] | None = None) -> None:
        """Tell all monitors of a device, the kernel's message first."""
        if not self._monitors or not device.subsystem:
            return
        number = str(next(self._numbers))
        properties = {"ACTION": action, "DEVPATH": device.path, "SUBSYSTEM": device.subsystem}
        properties |= {**(more or {}), **device.properties, "SEQNUM": number}
        self._tell(KERNEL, kernel_message(properties))
        self._tell(UDEV, udev_message(properties | device.record))

    # ---- Monitors

    def monitor(self) -> int:
        """A descriptor for a program that asks for a netlink socket of uevents; the caller closes it."""
        if len(self._monitors) >= self._look_at:
            self._forget_dead()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        status = os.fstat(theirs.fileno())
        monitor = Monitor(ours, (status.st_dev, status.st_ino))
        self._monitors.append(monitor)
        self._listen()
        if not self._index:
            self._index = self.host.registry.add_device(
                "/proc/net/netlink", wire.DEVICE_MONITOR, stat.S_IFSOCK | 0o777, 0, b""
            )
        self.host.registry.add_carrier(*monitor.inode, 0, self._index, 0, os.O_RDWR)
        return theirs.detach()

    def _tell(self, group: int, message: bytes) -> None:
        for monitor in list(self._monitors):
            monitor.settle()
            if monitor.groups & group:
                if not monitor.send(message):
                    self._forget(monitor)
                elif monitor.queue:
                    self.host.loop.watch(monitor.end.fileno(), select.EPOLLOUT, partial(self._flush, monitor))

    def _flush(self, monitor: Monitor, events: int) -> None:
        waiting, monitor.queue = monitor.queue, deque()
        while waiting:
            message = waiting.popleft()
            if not monitor.send(message):
                self._forget(monitor)
                return
            if monitor.queue:
                monitor.queue.extend(waiting)
                return
        self.host.loop.unwatch(monitor.end.fileno())

    def _forget(self, monitor: Monitor) -> None:
        self._monitors.remove(monitor)
        self.host.loop.unwatch(monitor.end.fileno())
        self.host.registry.remove_carrier(*monitor.inode)
        monitor.end.close()

    def _forget_dead(self) -> None:
        """Nothing tells that a datagram socket's other end was closed, but the list of all sockets.

        The kernel lists them in pieces, and where one is closed meanwhile it may pass over the one behind it.
        """
        dead = list(self._monitors)
        for _ in range(LOOKS):
            living = sockets()
            dead = [monitor for monitor in dead if str(monitor.inode[1]) not in living]
        for monitor in dead:
            self._forget(monitor)
        self._look_at = max(MONITORS_BEFORE_LOOKING, 2 * len(self._monitors))

    # ---- The real kernel's

    def _listen(self) -> None:
        """Pass on what the real kernel and udev say, from the first monitor on; where that is not allowed, nothing."""
        if self._real is not None or not self.relay:
            return
        try:
            real = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)
        except OSError:
            self.relay = False
            return
        if real.family != socket.AF_NETLINK:
            real.close()
            return
        try:
            real.bind((0, KERNEL | UDEV))
        except OSError:
            real.close()
            self.relay = False
            return
        self._real = real
        self.host.loop.watch(real.fileno(), select.EPOLLIN, lambda events: self._pass_on(real))

    def _pass_on(self, real: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    message, (_, group) = real.recvfrom(LONGEST)
                except OSError as problem:
                    if isinstance(problem, BlockingIOError):
                        raise
                    continue  # ENOBUFS: some were lost
                self._tell(group, message)

    def close(self) -> None:
        """Give back all descriptors."""
        for monitor in self._monitors:
            monitor.end.close()
        self._monitors.clear()
        if self._real is not None:
            self._real.close()
            self._real = None


def sockets() -> set[str]:
    """The inodes of the local sockets that the kernel lists (unix(7)); what names of sockets hold may break a line."""
    with open("/proc/net/unix", errors="replace") as table:
        return {fields[6] for line in table if len(fields := line.split()) > 6}

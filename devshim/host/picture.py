"""What is around a device: its node, files and links laid out in the tree, entered into the registry, announced."""

from __future__ import annotations

import os
import stat

from devshim.errors import SpecError
from devshim.host import wire
from devshim.model.device import Link, Shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from devshim.host.attributes import AttributePlug
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug
    from devshim.host.tree import Entry
    from devshim.host.uevents import KernelDevice, Uevents
    from devshim.model.attribute import Attribute
    from devshim.model.attribute import Picture as Surroundings

UDEV = "/run/udev/control"  # libudev asks for it before it believes in udev's events
NOBODYS = "/sys/uevent"  # a path at which nothing lies


DEFERRED = ("/sys/", "/run/")  # the shim asks for what is below these when a program first looks there


def is_deferred(path: str) -> bool:
    """Whether a path need be there only once somebody looks."""
    return path.startswith(DEFERRED)


def is_uevent(path: str) -> bool:
    """Whether a path is the uevent file of a kernel's device."""
    return path.endswith("/uevent") and path.startswith("/sys/")


Texts = dict[str, "bytes | str | None"]
"""What surroundings() returned, in values that the garbage collector never has to look at, for there are many: a link
is a plain text, an Attribute is None here."""


class Picture:
    """Shows devices and hides them again; of what several of them share, such as a USB device, the first and the last.

    attributes: the files of /sys that the host answers for, by path.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tree = host.tree
        self.registry = host.registry
        self.attributes: dict[str, AttributePlug] = {}
        self._uevents: Uevents | None = None
        self._indices: dict[tuple[str, int], int] = {}
        self._around: dict[DevicePlug, Texts] = {}  # of what is plugged now
        self._computed: dict[DevicePlug, dict[str, Attribute]] = {}  # the Attributes in it
        self._shared: set[str] = set()  # paths of files that are Shared
        self._pending: dict[DevicePlug, Texts] = {}  # of them, those that are not laid out yet
        self._claims: dict[str, int] = {}  # how many of them have a kernel's device, by its uevent file
        self._leaving: list[AttributePlug] = []  # gone, and still open somewhere
        self._with_udev = False
        self._with_proc = False
        self.hides_real = False

    @property
    def uevents(self) -> Uevents:
        """Who monitors devices, and what they are told."""
        if self._uevents is None:
            from devshim.host.uevents import Uevents

            self._uevents = Uevents(self.host)
        return self._uevents

    def show(self, plug: DevicePlug) -> list[KernelDevice]:
        """Lay out all that belongs to a device; return what there is to announce.

        Raises SpecError where something is in the way.
        """
        if os.path.lexists(plug.node) and self.tree.is_seen(plug.node):
            self.registry.head.flags |= wire.REGISTRY_SHADOWS
        if plug.has_node:
            self.tree.check(plug.node)
            self._give_up_link(plug.node)
        self._show_udev()
        plug.surroundings = []
        around = self._look_around(plug)
        self._add(plug, {path: content for path, content in around.items() if not is_deferred(path)})
        if len(plug.surroundings) < len(around):
            self._pending[plug] = around
        self.defer()
        if plug.has_node:
            self._add_node(plug)
        return self._claim(around)

    def defer(self) -> None:
        """Let programs ask before they look at what is not laid out yet."""
        if self._pending or not self._with_proc:
            self.registry.defer((*DEFERRED, "/proc/"))

    def settle(self) -> None:
        """Lay out all that was left for when somebody looks."""
        pending, self._pending = self._pending, {}
        self.tree.look_at_umask()
        for plug, around in pending.items():
            try:
                self._add(plug, around, set(plug.surroundings))
            except SpecError as problem:
                self.host.message(f"{problem}; what /sys shows of {plug.node} is not whole")
        self._tell_of_drivers()
        self.registry.settled()

    def hide(self, plug: DevicePlug) -> list[KernelDevice]:
        """Take away what show() laid out, unless another device still has it; return what there is to announce."""
        if plug.has_node:
            status = os.stat(self.tree.placeholder(plug.node))
            self.registry.remove_carrier(status.st_dev, status.st_ino)
            self._remove(plug.node)
        self._pending.pop(plug, None)
        self._take_away(plug, list(reversed(plug.surroundings)))
        removed = self._disclaim(self._around.pop(plug, {}))
        self._computed.pop(plug, None)
        if plug.has_node and os.path.lexists(plug.node) and self.tree.is_seen(plug.node):
            self.registry.add_node(plug.node, wire.NODE_HIDDEN)  # something real is there: gone is gone all the same
        return removed

    def refresh(self, plug: DevicePlug) -> None:
        """A plugged device says that its surroundings are others now: show what is new, hide what is not there now."""
        self.settle()
        before = self._around[plug]
        around = self._look_around(plug)
        self._take_away(plug, [path for path in plug.surroundings if path not in around])
        self._add(plug, around, set(plug.surroundings))
        added, removed = self._claim(around), self._disclaim(before)
        kept = {device.path for device in added} & {device.path for device in removed}
        self.announce([device for device in removed if device.path not in kept], "remove")
        self.announce([device for device in added if device.path not in kept], "add")

    def mask(self, directory: str, passed: Iterable[str] = ()) -> None:
        """Let nothing that really is in a directory be seen, but for these names; before anything is plugged."""
        self._enter(self.tree.mask(directory, tuple(passed)))

    def lead(self, path: str, to: str) -> None:
        """Let a path lead to what is really somewhere else, for the whole run."""
        self._enter(self.tree.add_link(path, to))

    def announce(self, devices: Iterable[KernelDevice], action: str) -> None:
        """Tell the monitors that devices have come ("add"), gone ("remove") or changed."""
        for device in devices:
            if action == "remove" and device.driver:
                self.uevents.send(device, "unbind")
            self.uevents.send(device, action)
            if action == "add" and device.driver:
                self.uevents.send(device, "bind")

    def close(self) -> None:
        """Give back all descriptors."""
        if self._uevents is not None:
            self._uevents.close()
        for attribute in (*self.attributes.values(), *self._leaving):
            for file in attribute.files:
                os.close(file.end)
            attribute.files.clear()

    def announce_own(self, plug: DevicePlug, action: str, more: Mapping[str, str]) -> None:
        """Tell the monitors of a device itself: the directory that has its number, else the last one of its own."""
        around = self._around[plug]
        owned = [self.uevents.device(path, around) for path in around if is_uevent(path)]
        number = {"MAJOR": str(os.major(plug.rdev)), "MINOR": str(os.minor(plug.rdev))}
        numbered = [device for device in owned if plug.rdev and number.items() <= device.properties.items()]
        for device in (numbered or [device for device in owned if device.subsystem])[-1:]:
            self.uevents.send(device, action, more)

    # ---- The parts

    def _look_around(self, plug: DevicePlug) -> Texts:
        """Ask a device for its surroundings, and keep them."""
        around: Surroundings = plug.device.surroundings(plug.node, os.major(plug.rdev), os.minor(plug.rdev))
        texts: Texts = {}
        computed = {}
        for path, content in around.items():
            if isinstance(content, Link):
                texts[path] = str(content)
            elif not isinstance(content, bytes):
                texts[path] = None
                computed[path] = content
            else:
                if isinstance(content, Shared):
                    self._shared.add(path)
                texts[path] = bytes(content)
        self._around[plug] = texts
        self._computed[plug] = computed
        return texts

    def _claim(self, around: Texts) -> list[KernelDevice]:
        """Somebody has these devices; return those that nobody had, in the order in which they come."""
        added = []
        for path in filter(is_uevent, around):
            self._claims[path] = self._claims.get(path, 0) + 1
            if self._claims[path] == 1:
                added.append(path)
        return self._told(added, around)

    def _disclaim(self, around: Texts) -> list[KernelDevice]:
        """Somebody has them no more; return those that nobody has now, in the order in which they go."""
        gone = []
        for path in filter(is_uevent, around):
            self._claims[path] -= 1
            if not self._claims[path]:
                del self._claims[path]
                gone.append(path)
        return self._told(gone, around)[::-1]

    def _told(self, uevents: list[str], around: Texts) -> list[KernelDevice]:
        """The devices that have a subsystem, by their paths; none where nobody monitors them."""
        if self._uevents is None or not self._uevents.monitored:
            return []
        devices = [self.uevents.device(path, around) for path in uevents]
        return sorted((device for device in devices if device.subsystem), key=lambda device: device.path)

    def _add(self, plug: DevicePlug, around: Texts, there: Collection[str] = ()) -> None:
        """Lay out what is not there."""
        for path, content in around.items():
            if path in there:
                continue
            if isinstance(content, str):
                if path.startswith("/dev/") and self.host.plug_at(path) is not None:
                    continue  # as udev, which replaces no node by a link
                self._enter(self.tree.add_link(path, content))
            elif content is None:
                self._add_attribute(plug, path, self._computed[plug][path], None)
            elif is_uevent(path):
                self._add_attribute(plug, path, self._uevent_file(path, plug), content)
            else:
                self._enter(self.tree.add_file(path, Shared(content) if path in self._shared else content))
            plug.surroundings.append(path)

    def _uevent_file(self, path: str, plug: DevicePlug) -> Attribute:
        """The uevent file of a device: what is written into it is announced."""
        from devshim.model.attribute import Attribute

        uevents, around = self.uevents, self._around[plug]
        return Attribute(None, lambda data: uevents.stored(path, around, data), 0o644)

    def _take_away(self, plug: DevicePlug, paths: list[str]) -> None:
        """Remove what no other device still has."""
        gone = set(paths)
        plug.surroundings = [path for path in plug.surroundings if path not in gone]
        for path in paths:
            self._remove(path)

    def _give_up_link(self, node: str) -> None:
        """Where other devices' links have a node's name, the node has it from now on."""
        if os.path.islink(self.tree.placeholder(node)):
            for other in self._around:
                if node in other.surroundings:
                    self._take_away(other, [node])

    def _add_node(self, plug: DevicePlug) -> None:
        device = plug.device
        index = plug.entry(type(device))
        # Before the placeholder is there: a program that looks for the node again and again would open that instead.
        self.registry.add_node(plug.node, wire.NODE_DEVICE, index)
        self._enter(self.tree.add_device(plug.node, stat.S_IMODE(device.mode), os.getuid(), os.getgid()), index)
        status = os.stat(self.tree.placeholder(plug.node))
        self.registry.add_carrier(status.st_dev, status.st_ino, 0, index, 0, os.O_PATH)

    def _add_attribute(self, plug: DevicePlug, path: str, attribute: Attribute, content: bytes | None) -> None:
        index = self._index("" if content is not None else path, attribute)
        self._enter(self.tree.add_attribute(path, attribute.mode, content, attribute.size), index)
        if self.tree.is_new(path):
            from devshim.host.attributes import AttributePlug

            self.attributes[path] = AttributePlug(self.host, path, plug.device, attribute, index)

    def _index(self, path: str, attribute: Attribute) -> int:
        """The registry's entry for an attribute; those that always show the same share one, for their writers."""
        index = self._indices.get((path, attribute.mode))
        if index is None:
            flags = wire.DEVICE_READ | wire.DEVICE_WRITE | wire.DEVICE_SEEK | (0 if path else wire.DEVICE_PLAIN)
            index = self.registry.add_device(path or NOBODYS, flags, stat.S_IFREG | attribute.mode, 0, b"")
            self._indices[path, attribute.mode] = index
        return index

    def _tell_of_drivers(self) -> None:
        """Lay out the files of /proc that list them: from now on the host answers these."""
        if self._with_proc:
            return
        self._with_proc = True
        from devshim.host.attributes import AttributePlug
        from devshim.host.procfiles import proc_files
        from devshim.model.device import Device

        nobodys = Device()
        for path, attribute in proc_files(self.host).items():
            index = self._index(path, attribute)
            self._enter(self.tree.add_attribute(path, attribute.mode, None, attribute.size), index)
            self.attributes[path] = AttributePlug(self.host, path, nobodys, attribute, index)

    def _remove(self, path: str) -> list[str]:
        gone = self.tree.remove(path)
        for name in gone:
            self.registry.remove_node(name)
            attribute = self.attributes.pop(name, None)
            if attribute is not None:
                attribute.detach()
                self._leaving = [one for one in (*self._leaving, attribute) if one.files]
        return gone

    def _enter(self, entries: list[Entry], index: int = 0) -> None:
        for path, kind in entries:
            directory = kind == wire.NODE_TREE and self.tree.is_directory(path)
            self.registry.add_node(path, kind, index if kind == wire.NODE_DEVICE else 0, directory)

    def _show_udev(self) -> None:
        """Let libudev believe that udev runs: the run has its events and its database."""
        if not self._with_udev:
            self._with_udev = True
            self._enter(self.tree.add_directory("/dev"))
            if not (os.path.exists(UDEV) and self.tree.is_seen(UDEV)):
                self._enter(self.tree.add_file(UDEV, b""))

"""The host of one run: its devices, files, messages, and what failed.

Everything here is called with the lock held: from the channel's thread (calls), from the loop's (opens, timers,
serial data), or from a test's own.
"""

from __future__ import annotations

import errno
import os

from devshim.errors import SpecError
from devshim.host import wire
from devshim.host._channel import Channel, let_stand
from devshim.host.answering import Answering, GoneFile
from devshim.host.aside import aside
from devshim.host.blame import Blame
from devshim.host.bootstrap import Bootstrap
from devshim.host.callers import Callers
from devshim.host.closes import Closes
from devshim.host.devicenumbers import DeviceNumbers
from devshim.host.guard import Guard
from devshim.host.lock import lock
from devshim.host.log import Log
from devshim.host.loop import Loop
from devshim.host.picture import Picture
from devshim.host.plugs import DevicePlug, plug_class
from devshim.host.promises import Promises
from devshim.host.realnodes import RealNodes
from devshim.host.registry import Registry
from devshim.host.threads import HostThread
from devshim.host.tree import Tree, canonical
from devshim.host.unmodelled import Unmodelled
from devshim.host.waits import WaitPoints
from devshim.host.watchdog import Watchdog
from devshim.model.device import Device, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from devshim.host.noted import Noted, Observer
    from devshim.host.observed import ObservedFile, Observers
    from devshim.host.openings import Openings
    from devshim.host.recorded import RecordedNodes
    from devshim.host.watched import Watched
    from devshim.model.ioctl import Descriptions
    from devshim.model.opening import Opening


class Host:
    """Serves the devices of one run in the directory `run`.

    root: the process from which targets must descend; None lets in whoever knows the directory.  descriptions: names
    for ioctls that no model answers, by number.
    """

    def __init__(
        self,
        run: str,
        root: int | None,
        log: Log,
        guard: Guard | None = None,
        descriptions: Descriptions | None = None,
    ) -> None:
        self.lock = lock
        self.log = log
        self.guard = guard
        self.failures: list[str] = []
        self._lack_told = False
        self.blame = Blame(log)
        self.used = False
        self.unmodelled = Unmodelled(descriptions)
        self.registry = Registry(os.path.join(run, "registry"))
        self.tree = Tree(os.path.join(run, "tree"))
        for path, kind in self.tree.own_entries():
            self.registry.add_node(path, kind)
        self.loop = Loop(self.lock, self.callback_failed)
        self.closes = Closes(self.loop)
        self.waits = WaitPoints()
        self.files: list[Answering | ObservedFile | GoneFile | None] = [None]
        self.numbers: list[int] = []
        self.promises = Promises()
        self._plugs: dict[str, DevicePlug] = {}
        self._device_numbers = DeviceNumbers()
        self.picture = Picture(self)
        self.bootstrap = Bootstrap(self, run, root)
        self.channel = Channel(self.bootstrap.bell, self.lock, self.files, self.noted)
        self.channel.settle(self.loop.descriptor, self.closes.descriptor, self._take_in_closes)
        self.callers = Callers()
        self.observers: Observers | None = None
        self.kept: Noted | None = None
        self.recorded: RecordedNodes | None = None
        self.stands = False  # whether the shim may give answers again by itself
        self.openings: Openings | None = None
        self.watched: Watched | None = None
        self.real_nodes = RealNodes(self)
        self.where: Callable[[], str] = str  # who asks for a node that is refused, as far as that is known
        if log.verbose:
            from devshim.host.logged import Lines

            self.observe(Lines(log))
        self._thread: HostThread | None = None
        self._watchdog = Watchdog(self.lock.turn, self.message)
        if guard is not None:
            self.registry.head.flags |= wire.REGISTRY_GUARD

    def observe(self, observer: Observer) -> None:
        """Tell somebody of every call, under the lock; before the first device is plugged."""
        if self.observers is None:
            from devshim.host.noted import Noted

            self._note_in(Noted(1))
        assert self.observers is not None
        self.observers.noted.eager.append(observer)

    def keep(self, noted: Noted) -> None:
        """Note every call there, for the devices' own `calls`, too; before the first device is plugged."""
        self.kept = noted
        self._note_in(noted)

    def _note_in(self, noted: Noted) -> None:
        from devshim.host.observed import Observers

        if self.observers is not None:
            noted.eager += self.observers.noted.eager
        self.observers = Observers(self.callers, self.channel.caller, noted)

    def record(self, nodes: RecordedNodes, all_nodes: bool) -> None:
        """Have devices recorded; before the first one is plugged.  all_nodes: also real nodes that programs open."""
        self.recorded = nodes
        self.registry.head.flags |= wire.REGISTRY_RECORDS | (wire.REGISTRY_RECORDS_ALL if all_nodes else 0)

    def let_answers_stand(self) -> None:
        """Let programs' processes give answers again by themselves, where nobody wants to see every call."""
        self.stands = self.observers is None and self.recorded is None
        if self.stands:
            let_stand(self.registry.head.memory.bytes)

    def ask_about(self, openings: Sequence[Opening]) -> None:
        """Let functions of a model file answer where programs open paths of theirs."""
        if not openings:
            return
        from devshim.host.openings import Openings

        self.openings = self.openings or Openings(self)
        self.openings.add(openings)

    # ---- Life

    def start(self) -> None:
        """Begin to answer: calls in a thread of their own; the caller then runs self.loop.run()."""
        self.registry.publish()
        self.bootstrap.start()
        self._thread = HostThread(self.channel.serve)
        self._thread.start()
        self._watchdog.start()

    @property
    def calls_thread(self) -> int | None:
        """The identity of the thread that answers other processes' calls, while there is one."""
        return self._thread.ident if self._thread is not None else None

    def stop(self) -> None:
        """Answer no more; targets find their devices unplugged."""
        self.channel.stop()
        if self._thread is not None:
            self._thread.join()
            self._watchdog.stop()
        with self.lock:
            self.closes.settle()
            self.bootstrap.close()
            if self.stands:
                let_stand(None)

    def release(self) -> None:
        """Give back every descriptor and mapping; after stop(), and after loop.run() has returned."""
        with self.lock:
            for plug in list(self._plugs.values()):  # what goes may plug something, or forget it
                try:
                    self.unplug(plug)
                except Exception as exception:
                    self.failed(plug.device, "unplugged", exception)
            if self.openings is not None:
                self.openings.withdraw_all()
            self._give_back()
            self.registry.close()

    def abandon(self) -> None:
        """In a forked child: give back the descriptors, without a word to those at their other ends.

        The loop goes first: what is unwatched in an epoll would be so for the parent, too.
        """
        self.loop.close()
        for plug in self._plugs.values():
            plug.abandon()
        self._give_back()

    def _give_back(self) -> None:
        for plug in self._with_files():
            for file in plug.files:
                os.close(file.end)
            plug.files.clear()
        self.promises.release()
        self.waits.release()
        self.picture.close()
        self.bootstrap.release()
        self.closes.release()
        if not self.loop.closed:
            self.loop.close()

    # ---- Devices

    @aside
    def plug(self, node: str, device: Device) -> DevicePlug:
        """Attach a device to a node.  Raises SpecError where there is one already."""
        node = canonical(node)
        if device.carrier == "whole":
            return self._plug_whole(node, device)
        before = self._plugs.get(node)
        if before is not None and before.gives_way:
            self.unplug_one(before)
        if before is not None and before.plugged:
            raise SpecError(f"{node}: two devices at one node ({type(before.device).__name__} is there)")
        if before is not None:
            self._forget(before)
        plug = plug_class(device)(self, node, device, self._device_numbers.take(node, device))
        self._plugs[node] = plug
        added = self.picture.show(plug)
        plug.attach()
        self.picture.announce(added, "add")
        plug.accompany()
        if device.carrier == "none" and self.recorded is not None and self.recorded.with_models:
            self.recorded.add_files(node, device)
        return plug

    def _plug_whole(self, node: str, device: Device) -> DevicePlug:
        from devshim.host.whole import WholePlug
        from devshim.model.composite import Composite

        assert isinstance(device, Composite)
        whole = WholePlug(self, node, device)
        whole.attach()
        return whole

    @aside
    def unplug(self, plug: DevicePlug) -> None:
        """Take a device away while it may be in use, and with it all that is one with it."""
        self.unplug_one(plug.all_of_it())

    def unplug_one(self, plug: DevicePlug) -> None:
        """Take away what is at one node."""
        if not plug.plugged:
            return
        while plug.companions:
            self.unplug_one(plug.companions.pop())
        removed = self.picture.hide(plug)
        plug.detach()
        self.retry_opens(plug)
        self.picture.announce(removed, "remove")
        self.log.line(f"{plug.node} unplugged")

    @aside
    def replug(self, plug: DevicePlug) -> None:
        """Bring an unplugged device back, and with it all that is one with it."""
        self.replug_one(plug.all_of_it())

    def replug_one(self, plug: DevicePlug) -> None:
        """Bring back what was at one node."""
        if plug.plugged:
            return
        if plug.device.carrier != "whole" and self._plugs.get(plug.node) is not plug:
            raise SpecError(f"{plug.node}: another device was plugged there meanwhile")
        added = self.picture.show(plug)
        plug.attach()
        self.picture.announce(added, "add")
        plug.accompany()
        self.log.line(f"{plug.node} plugged again")

    def plug_at(self, path: str) -> DevicePlug | None:
        """The plugged device at a node."""
        plug = self._plugs.get(path) or self.picture.attributes.get(path)
        return plug if plug is not None and plug.plugged else None

    def plugs(self) -> list[DevicePlug]:
        """All devices that are plugged now."""
        return [plug for plug in self._plugs.values() if plug.plugged]

    def carriers(self) -> dict[tuple[int, int], str]:
        """The nodes of the files that programs hold, by st_dev and st_ino of their descriptors."""
        return {identity: plug.node for plug in self._with_files() for identity in plug.identities()}

    def _with_files(self) -> list[DevicePlug]:
        return [*self._plugs.values(), *(self.openings.plugs if self.openings is not None else ())]

    def _forget(self, plug: DevicePlug) -> None:
        """An unplugged device never comes back to its node: let its number and its entries be used again."""
        self._device_numbers.give_back(plug.rdev)
        del self._plugs[plug.node]
        plug.forget()

    # ---- Files

    def free_number(self) -> int:
        """A file number that no open file has; used again late, so that a stale one does not hit at once."""
        if len(self.numbers) > 1024:
            return self.numbers.pop(0)
        self.files.append(None)
        return len(self.files) - 1

    def add_file(self, file: Answering) -> None:
        """Let calls with the file's number come to it."""
        self.files[file.number] = file
        if self.observers is not None:
            from devshim.host.observed import ObservedFile

            self.files[file.number] = ObservedFile(self.observers, file)

    def lose_file(self, number: int, answers: GoneFile | None = None) -> None:
        """The device has gone under a file: its calls fail from now on, or are answered by what is given."""
        there = self.files[number]
        if isinstance(there, (Answering, GoneFile)) or there is None:
            self.files[number] = answers or GoneFile()
        else:
            there.inner = answers or GoneFile()

    def free_file(self, number: int) -> None:
        """A file has gone: its number is another's soon, and what was noted of its calls no longer holds it."""
        there = self.files[number]
        if there is not None and not isinstance(there, (Answering, GoneFile)):
            there.inner = GoneFile()
        self.files[number] = None
        self.numbers.append(number)

    def observed(self, number: int) -> ObservedFile | None:
        """What stands before a file where calls are observed."""
        there = self.files[number]
        return None if isinstance(there, (Answering, GoneFile)) else there

    def promise(self, plug: DevicePlug, file: File) -> int:
        """Carry a file that an ioctl made; returns the ticket with which the program fetches its descriptor."""
        fd, number, _ = plug.carry(file, file.flags, named=False)
        observed = self.observed(number)
        if self.observers is not None and observed is not None:
            self.observers.promised = observed.number = self.observers.next_file()
            observed.opener = self.observers.caller()
        return self.promise_descriptor(fd)

    def promise_descriptor(self, fd: int) -> int:
        """Hand over a descriptor as it is; returns the ticket with which the program whose call it is fetches it."""
        return self.promises.make(fd, self.channel.caller()[0])

    def lacks(self, problem: Exception) -> None:
        """A carrier could not be made; what is lacking is said once: the program has limits of its own."""
        error = problem.errno if isinstance(problem, OSError) else None
        text = {
            errno.EMFILE: "the host has no descriptor left; allow more (ulimit -n)",
            errno.ENFILE: "the host has no descriptor left; the system's limit is reached (fs.file-max)",
            errno.ENOSPC: "the file system of the run's directory is full; make room there, or set TMPDIR to another",
        }.get(error or 0)
        if text and not self._lack_told:
            self._lack_told = True
            self.log.message(text)

    def retry_opens(self, plug: DevicePlug) -> None:
        """Opens that wait may succeed now."""
        self.bootstrap.retry(plug)

    def settle_ends(self) -> None:
        """Notice all closes and deaths that have happened."""
        self.closes.settle()
        self.bootstrap.settle()

    def _take_in_closes(self) -> None:
        """Files were closed soon after an open; in the thread of calls."""
        try:
            self.closes.settle()
        except (Exception, SystemExit) as exception:
            self.callback_failed(self._take_in_closes, exception)

    def settle_closes(self) -> None:
        """Notice all closes that have happened, those of terminals too."""
        self.closes.settle()
        for plug in self.plugs():
            plug.settle_close()

    def process_died(self, pid: int) -> None:
        """A process died: it may have taken tokens that were meant for others, and its locks are free."""
        for plug in self._with_files():
            plug.records.died(pid)
            for file in list(plug.files):  # a model that is asked may open, or unplug
                file.refresh()

    # ---- What the user hears

    def message(self, text: str) -> None:
        """One line on stderr."""
        self.log.message(text)

    def failed(self, device: Device, call: str, exception: BaseException, outcome: str = "") -> None:
        """A model raised what is no OSError: a failure of the run; its traceback is shown the first time.

        outcome: what the program gets of it, if anything.
        """
        where = f"{type(device).__name__} at {device.node}" if device.node else type(device).__name__
        self.failures.append(self.blame.failed(where, call, exception, outcome))

    def callback_failed(self, callback: Callable[..., object], exception: BaseException) -> None:
        """Something of the host's own or a model's raised in the loop."""
        self.failures.append(f"{type(exception).__name__}: {exception}")
        import traceback

        self.log.message("a callback failed\n" + "".join(traceback.format_exception(exception)).rstrip())

    def unknown_ioctl(self, plug: DevicePlug, request: int) -> None:
        """An ioctl that the model has no handler for."""
        self.unmodelled.ioctl(plug.node, request)

    def noted(self, process: int, path: bytes, note: int) -> Any:
        """What a program tells, or asks, before or after it opens a path: NOTE_... of shim/wire.h, or an errno."""
        if note == wire.NOTE_OPENING:
            return self.openings.answer(path) if self.openings is not None else (0, 0, wire.ANSWER_REAL, 0, None, 0)
        if note == wire.NOTE_LOOK:
            self.bootstrap.look()
            return 0
        if note == wire.NOTE_WATCH:
            self.watch()
            return 0
        return self.real_nodes.noted(os.fsdecode(path), note)

    def watch(self) -> None:
        """Somebody is about to watch opens and closes of nodes."""
        if self.watched is None:
            from devshim.host.watched import Watched

            self.watched = Watched(self)

    def opened(self, plug: DevicePlug, flags: int, number: int, error: int, caller: tuple[int, int]) -> None:
        """An open was answered: with a file of this number (0: none), or an errno, to (process, thread)."""
        self.used = self.used or not error
        if self.observers is not None:
            self.observers.opened(plug, flags, self.observed(number) if number else None, error, caller)

    def closed(self, plug: DevicePlug, number: int) -> None:
        """A file's last descriptor has gone; its number is still its own."""
        if self.watched is not None:
            self.watched.drop(number)
        file = self.observed(number)
        if self.observers is not None and file is not None:
            self.observers.closed(plug, file)

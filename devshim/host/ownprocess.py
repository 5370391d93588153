"""Own-process calls: the process that holds the host sees its plugged nodes, too, without having been started for that.

attach() loads the shim into the running process and puts its wrappers where libraries are bound to libc's functions;
from then on open("/dev/acme0"), fcntl.ioctl, os.listdir("/dev"), C extensions and threads of theirs meet the devices.
A call is answered in the thread that makes it.  What the host and its models call themselves is real.  detach() puts
everything back.  Programs started meanwhile, and fork children, are ordinary targets of the host.
"""

from __future__ import annotations

import _thread
import atexit
import errno
import os

from devshim.errors import REBUILD, DevshimError, ShimNotBuilt
from devshim.host import _channel, wire
from devshim.model.device import WAIT
from devshim.target import SHIM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.host import Host

#: descriptor, errno, file number, registry index, device flags; None: ask over the socket, for it is not due yet
Handed = tuple[int, int, int, int, int] | None

LOOP, CALLS = 0, 1  # the host's two threads
_attached: OwnProcess | None = None


def attach(run_directory: str, host: Host, patch: bool = True) -> None:
    """Let this process's own calls reach a host that runs in it; after host.start(), its loop in a thread of its own.

    patch: whether loaded libraries have to be rewritten; not where the shim was preloaded.
    Raises DevshimError where this process belongs to a run already, or is attached to another host.
    """
    global _attached
    if _attached is not None:
        raise DevshimError("this process has its devices from another host already; end that session first")
    own = OwnProcess(host)
    preload = os.environ.get("LD_PRELOAD") or SHIM
    for listener in (host.bootstrap.listener, host.bootstrap.quiet):
        _channel.raised(listener)  # known, so that a fork child does not keep it
    _channel.attach(host.channel, own.descriptor, shim_entry(), os.fsencode(run_directory), preload, patch)
    _attached = own
    if host.calls_thread is not None:
        _channel.host_thread(CALLS, host.calls_thread)
    host.loop.soon(lambda: _channel.host_thread(LOOP, _thread.get_ident()))
    if host.loop.thread is not None:  # it may be about to serve what comes with that; else it does that first of all
        _channel.host_thread(LOOP, host.loop.thread)


def shim_entry() -> int:
    """The address of the shim's devshim_direct(), in the shim that is loaded already or a fresh one.

    It stays loaded for good, because somebody may keep the address of one of its functions.  Raises ShimNotBuilt.
    """
    try:
        return _channel.shim_entry(os.fsencode(SHIM))
    except OSError as problem:
        raise ShimNotBuilt(f"{problem}: {REBUILD}") from problem


@atexit.register  # once: atexit keeps a place for all that were ever registered
def detach() -> None:
    """Leave the host again; harmless where this process is attached to none."""
    global _attached
    _channel.detach()
    _attached = None


class OwnProcess:
    """Hands descriptors to the process that the host is in, as bootstrap.py does to others."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def descriptor(self, what: int, flags: int, ticket: int, path: bytes, thread: int) -> Handed:
        """Answer a hello (shim/wire.h) of a thread of our own, with the lock held."""
        try:
            if what == wire.HELLO_OPEN:
                return self._open(os.fsdecode(path), flags, thread)
            if what == wire.HELLO_TICKET:
                return self._redeem(ticket)
            if what == wire.HELLO_MONITOR:
                return self.host.picture.uevents.monitor(), 0, 0, 0, 0
            if what == wire.HELLO_PICTURE:
                self.host.picture.settle()
                return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0, 0, 0, 0
        except OSError as problem:  # no descriptor or memory left
            return refused(problem.errno or errno.EIO)
        return refused(errno.EINVAL)

    def _open(self, path: str, flags: int, thread: int) -> Handed:
        host = self.host
        host.closes.settle()
        plug = host.plug_at(path)
        if plug is None:  # below /sys it may not be laid out yet, where another host's program has looked for it
            host.picture.settle()
            plug = host.plug_at(path)
        if plug is None:
            return refused(errno.ENODEV)
        user = os.geteuid()
        if user and not plug.may_open(flags, user, os.getegid(), os.getgroups):
            return refused(errno.EACCES)
        who = os.getpid(), thread
        lowest = os.dup(host.bootstrap.listener)  # the program expects the lowest number; take it first
        try:
            opened = plug.open(flags, who[0])
            if opened is WAIT:
                if not flags & os.O_NONBLOCK:
                    os.close(lowest)
                    return None
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            fd, number, index = opened
            os.dup2(fd, lowest, inheritable=False)
            os.close(fd)
        except OSError as problem:
            os.close(lowest)
            host.opened(plug, flags, 0, problem.errno or errno.EIO, who)
            return refused(problem.errno or errno.EIO)
        except (Exception, SystemExit) as exception:
            os.close(lowest)
            host.failed(plug.device, "open", exception, "the program gets EIO")
            host.opened(plug, flags, 0, errno.EIO, who)
            return refused(errno.EIO)
        host.opened(plug, flags, number, 0, who)
        return lowest, 0, number, index, plug.flags

    def _redeem(self, ticket: int) -> Handed:
        promised = self.host.promises.redeem(ticket)
        return promised if promised is not None else self.host.waits.descriptor(ticket), 0, 0, 0, 0


def refused(error: int) -> Handed:
    """The call fails with this errno."""
    return -1, error, 0, 0, 0

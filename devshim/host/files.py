"""Open files with a carrier of their own: what it shows of readiness, and what becomes of reads and writes.

Plain calls on an OpenFile are answered in C (_quick.c), as they would be here; the rest is asked for here.
"""

from __future__ import annotations

import errno
import os

from devshim.host import wire
from devshim.host._channel import STREAM, carrier, empty, hang_up, send
from devshim.host.answering import Answer, Answering, failed, planned
from devshim.model.device import POLLIN, POLLOUT, REAL, WAIT, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.asker import Asker
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug
    from devshim.host.underneath import Underneath

TOKEN_SIZE = 8
CARRIER_BUFFER = 4608  # the kernel's least: one filler block fills it
FILLER = bytes(4096)


class Opened(Answering):
    """One open file description with a socket pair of its own: the program holds one end, the host the other."""

    def __init__(self, host: Host, plug: DevicePlug, file: File, number: int, pair: tuple[int, int, int, int]) -> None:
        super().__init__(host, plug, file, number)
        self.end, self.theirs, *self.key = pair
        self.gone = False

    def closing(self) -> None:
        """The last descriptor has gone; the end is about to be closed."""

    def wake(self) -> None:
        """The model says that waiting calls may succeed now."""

    def refresh(self) -> None:
        """A process died, perhaps between taking a token out and asking: put one in where one belongs."""

    def write(self, data: bytes, offset: int) -> Any:
        """Answer write(2) and its kin."""
        try:
            taken = self.file.write(data) if offset < 0 else self.file.pwrite(data, offset)
        except (Exception, SystemExit) as exception:
            return self.write_failed(len(data), exception)
        return self.write_answered(data, taken, offset)

    def write_failed(self, size: int, exception: BaseException) -> Answer:
        """The model's write() raised."""
        return self.error(f"write({size} bytes)", exception)

    def write_answered(self, data: bytes, taken: Any, offset: int = -1) -> Any:
        """Make an answer of what the model's write() returned."""
        if taken is None:
            taken = len(data)
        if taken is WAIT:
            return self.nothing_taken()
        if taken is REAL:
            return self.really_write(data, offset)
        if not isinstance(taken, int) or not 0 <= taken <= len(data):
            return self.wrong_type("write()", taken, f"None, a number of bytes up to {len(data)}, WAIT or REAL")
        flags, token = self.changes()
        return taken if not flags else (taken, 0, flags, token, None, wire.NO_PLACE)

    def really_write(self, data: bytes, offset: int) -> Answer:
        """The model leaves a write to what is real."""
        return (0, 0, wire.ANSWER_REAL, 0, None, wire.NO_PLACE)

    def seek(self, offset: int, whence: int) -> Any:
        """Answer lseek(2)."""
        try:
            position = self.file.seek(offset, whence)
        except (Exception, SystemExit) as exception:
            return self.error(f"lseek({offset}, {whence})", exception)
        if not isinstance(position, int) or position < 0:
            return self.wrong_type("seek()", position, "the new position")
        flags, token = self.changes()
        return position if not flags else (position, 0, flags, token, None, wire.NO_PLACE)

    def nothing_taken(self) -> Answer:
        """Not writable until wake()."""
        return self.wait_elsewhere()

    def hang_up(self) -> None:
        """The device was unplugged: readers and pollers see the hang-up, calls get ENODEV."""
        self.gone = True
        self.host.lose_file(self.number)


class OpenFile(Opened):
    """One open file description of a computed device; its carrier carries readiness alone.

    A stream socket, because one token then wakes all who wait to look at it; of packets it would wake one.
    """

    def __init__(
        self, host: Host, plug: DevicePlug, file: File, number: int, nonblock: bool, asker: Asker | None = None
    ) -> None:
        identity = asker.identity if asker is not None else None
        if asker is None or identity is None:
            asker, pair = None, carrier(nonblock, STREAM, 0, CARRIER_BUFFER)
        else:
            pair = asker.become_carrier(identity, CARRIER_BUFFER)
        super().__init__(host, plug, file, number, pair)
        kind = type(self)
        self.reads, self.writes = kind.read is OpenFile.read, kind.write is Opened.write  # those in C may answer
        self.controls = kind.ioctl is Answering.ioctl
        self._polls = type(file).poll is not File.poll
        self._ready = POLLIN | POLLOUT  # what poll() would say, for a file that has none
        self._token = 0
        self._armed = False  # a token lies in the carrier, as far as we know
        self._full = False
        self._perhaps_not_full = False  # who was told to fill it may have died before
        self._waiting = False  # a call was told to wait on the carrier
        self._last_pipe = -1  # tells the last close once the device has gone
        self._underneath: Underneath | None = None
        bits = self.ready()
        if asker is not None:
            self.begin_with(asker, bits)
            return
        if bits & POLLIN:
            self.send_token()
        if not bits & POLLOUT:
            self.fill()

    def begin_with(self, asker: Asker, bits: int) -> None:
        """The same where nothing may come before the answer to the open: it brings the token, and says what to fill."""
        if bits & POLLIN:
            self._token, self._armed = 1, True
            asker.first = self._token.to_bytes(TOKEN_SIZE, "little")
        if not bits & POLLOUT:
            self._full = True
            asker.flags |= wire.ANSWER_FULL

    # ---- Readiness

    def ready(self) -> int:
        """The ready bits now."""
        if not self._polls:
            return self._ready
        bits = self.file.poll()
        if not isinstance(bits, int):
            self.wrong_type("poll()", bits, "ready bits")
            return POLLIN | POLLOUT
        return bits

    def send_token(self) -> None:
        """Make the carrier readable, and wake all who wait on it."""
        self._token += 1
        send(self.end, self._token.to_bytes(TOKEN_SIZE, "little"))  # or it is full of tokens: readable; or closed
        self._armed = True

    def changes(self) -> tuple[int, int]:
        """Compare readiness with what the carrier shows: tokens go out at once, taking them out is the shim's."""
        if self._armed and not self._full and not self._polls and self._ready == POLLIN | POLLOUT:
            return 0, 0
        bits = self._ready if not self._polls else self.ready()
        flags = 0
        if bits & POLLIN:
            if not self._armed:
                self.send_token()
        elif self._armed:
            self._armed = False
            flags |= wire.ANSWER_DRAIN
        if bits & POLLOUT:
            if self._full:
                self.empty()
        elif not self._full or self._perhaps_not_full:
            self._full, self._perhaps_not_full = True, False
            flags |= wire.ANSWER_FULL
        return flags, self._token

    def arm(self) -> None:
        """A token goes out where there is something to read, and none says so."""
        if not self._armed and self.ready() & POLLIN:
            self.send_token()

    def fill(self) -> None:
        """Let the carrier not be writable from the start; later on that is the shim's, when an answer says so."""
        self._full = True
        while send(self.theirs, FILLER):
            pass

    def empty(self) -> None:
        """Make the carrier writable again."""
        self._full = self._perhaps_not_full = False
        empty(self.end)

    def wake(self) -> None:
        """The model says that waiting calls may succeed now."""
        if self.gone:
            return
        self._ready = POLLIN | POLLOUT
        if self._full and self.ready() & POLLOUT:
            self.empty()
        waiting, self._waiting = self._waiting, False
        if waiting or (self.ready() & POLLIN and not self._armed):
            self.send_token()

    def refresh(self) -> None:
        """A process died, perhaps between an answer and what it says about the carrier: do that here."""
        if self.gone:
            return
        bits = self.ready()
        if bits & POLLOUT:
            self.empty()  # it may have filled the carrier after that was emptied
        else:
            self._perhaps_not_full = self._full
        if self._waiting or bits & POLLIN:
            self.send_token()

    # ---- Calls

    def ioctl_answered(self, request: int, argument: int, data: bytes, given: Any, returned: Any) -> Any:
        """Make an answer of what a method returned that _quick.c has called, with what it was given, if anything."""
        handler = self.handler_of(request)
        assert handler is not None
        try:
            outcome = (handler.plan or planned(handler)).outcome(self.file, data, given, returned)
        except (Exception, SystemExit) as exception:
            return self.ioctl_failed(request, exception)
        return self.settle(outcome, request, argument, data)

    def read(self, size: int, offset: int) -> Any:
        """Answer read(2) and its kin; offset is negative where the file's own position counts."""
        try:
            data = self.file.read(size) if offset < 0 else self.file.pread(size, offset)
        except (Exception, SystemExit) as exception:
            return self.read_failed(size, exception)
        return self.read_answered(size, data, offset)

    def read_failed(self, size: int, exception: BaseException) -> Answer:
        """The model's read() raised."""
        return self.error(f"read({size})", exception)

    def read_answered(self, size: int, data: Any, offset: int = -1) -> Any:
        """Make an answer of what the model's read() returned."""
        if type(data) is bytes:
            if len(data) > size:
                return self.wrong_type("read()", data, f"at most the {size} bytes that were asked for")
            flags, token = self.changes()
            return data if not flags else (len(data), 0, flags, token, data, wire.NO_PLACE)
        if data is WAIT:
            return self.nothing_to_read()
        if data is REAL:
            return self.really_read(size, offset)
        if isinstance(data, (bytearray, memoryview)):
            return self.read_other(bytes(data), size)
        return self.wrong_type("read()", data, "bytes, WAIT or REAL")

    def read_other(self, data: bytes, size: int) -> Any:
        """Data that came as something like bytes."""
        if len(data) > size:
            return self.wrong_type("read()", data, f"at most the {size} bytes that were asked for")
        flags, token = self.changes()
        return (len(data), 0, flags, token, data, wire.NO_PLACE)

    def nothing_to_read(self) -> Answer:
        """Not readable until wake(): the shim drains the carrier and waits on it."""
        self._ready &= ~POLLIN
        self._armed = False
        self._waiting = True
        return (-1, 0, wire.ANSWER_WAIT | wire.ANSWER_DRAIN, self._token, None, wire.NO_PLACE)

    def nothing_taken(self) -> Answer:
        """Not writable until wake()."""
        self._ready &= ~POLLOUT
        flags, _ = self.changes()
        return (
            -1, 0, wire.ANSWER_WAIT | wire.ANSWER_TICKET | (flags & wire.ANSWER_FULL),
            self.plug.waits.ticket(), None, wire.NO_PLACE,
        )  # fmt: skip

    # ---- What the model leaves to the real thing

    def underneath(self) -> Underneath:
        """What is real beneath this file."""
        if self._underneath is None:
            from devshim.host.underneath import Underneath

            self._underneath = Underneath(self)
        return self._underneath

    def really_read(self, size: int, offset: int) -> Answer:
        """Read from it."""
        try:
            data = self.underneath().read(size, offset)
        except OSError as problem:
            return failed(problem.errno or errno.EIO)
        if data is None:
            return self.nothing_to_read()
        flags, token = self.changes()
        return (len(data), 0, flags, token, data, wire.NO_PLACE)

    def really_write(self, data: bytes, offset: int) -> Answer:
        """Write to it."""
        try:
            taken = self.underneath().write(data, offset)
        except OSError as problem:
            return failed(problem.errno or errno.EIO)
        return self.nothing_taken() if taken is None else (taken, 0, 0, 0, None, wire.NO_PLACE)

    def really_ioctl(self, request: int, argument: int, data: bytes) -> Answer:
        """Pass an ioctl on to it."""
        try:
            return self.underneath().ioctl(request, argument, data)
        except OSError as problem:
            return failed(problem.errno or errno.EIO)

    def poll(self) -> Any:
        """The shim took a token out that was meant for others, or filled the carrier late: put that right."""
        bits = self.ready()
        if bits & POLLIN:
            self.send_token()
        if bits & POLLOUT:
            self.empty()
        return 0

    def hang_up(self) -> None:
        """The device was unplugged: the carrier hangs up, and its file stays known until the program closes it.

        Whether it has cannot be seen on a socket that was shut down.  So a pipe's end lies in it, which goes with it.
        """
        super().hang_up()
        self.host.closes.forget(self)
        pipe, end = os.pipe2(os.O_CLOEXEC)
        self._token += 1
        alive = hang_up(self.end, self._token.to_bytes(TOKEN_SIZE, "little"), end)
        os.close(end)
        self._last_pipe = pipe
        self.host.loop.watch(pipe, 0, lambda events: self.plug.closed(self))
        if not alive:
            self.plug.closed(self)

    def closing(self) -> None:
        """The last descriptor of a file, perhaps of one whose device has gone, is closed."""
        if self._underneath is not None or self.file.real is not None:
            self.underneath().close()
        if self._last_pipe >= 0:
            self.host.loop.unwatch(self._last_pipe)
            os.close(self._last_pipe)
            self._last_pipe = -1

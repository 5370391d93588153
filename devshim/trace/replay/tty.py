"""A replayed terminal: a pty without a line discipline carries the recorded bytes, all else is answered from the trace.

What was received after an open, a flush, a setting, a modem line's change or a write becomes readable once the program
has done that.  However many bytes a read or write has does not matter.
"""

from __future__ import annotations

import errno
from ctypes import sizeof

from devshim.model.raw import AGAIN, Elsewhere, RawAnswer
from devshim.model.serial import Serial
from devshim.model.termios import ICANON, TCIOFLUSH, Termio, Termios, Termios2, as_termios, changed_by, first_termios
from devshim.trace.event import Event, Node
from devshim.trace.replay.around import surroundings
from devshim.trace.replay.course import Course
from devshim.trace.replay.device import Replayed
from devshim.trace.replay.file import error_of
from devshim.trace.replay.matching import Kind, Same, kind_of
from devshim.trace.replay.patience import Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from devshim.model.description import Description
    from devshim.trace.replay.replay import Replay

#: What the pty's own kernel code answers; all else of the terminal's is in the trace (asm-generic/ioctls.h).
NATIVE = {
    0x540A: "TCXONC", 0x540E: "TIOCSCTTY", 0x540F: "TIOCGPGRP", 0x5410: "TIOCSPGRP", 0x541B: "FIONREAD",
    0x5421: "FIONBIO", 0x5422: "TIOCNOTTY", 0x5429: "TIOCGSID", 0x5450: "FIONCLEX", 0x5451: "FIOCLEX",
    0x5452: "FIOASYNC",
}  # fmt: skip
GETS: dict[int, type[Termios] | type[Termios2] | type[Termio]] = {0x5401: Termios, 0x802C542A: Termios2, 0x5405: Termio}
SETS: dict[int, type[Termios] | type[Termios2] | type[Termio]] = {
    0x5402: Termios, 0x5403: Termios, 0x5404: Termios, 0x5406: Termio, 0x5407: Termio, 0x5408: Termio,
    0x402C542B: Termios2, 0x402C542C: Termios2, 0x402C542D: Termios2,
}  # fmt: skip
FLUSHING = (0x5404, 0x5408, 0x402C542D)
TCSBRK, TCFLSH, TIOCOUTQ, TIOCGEXCL = 0x5409, 0x540B, 0x5411, 0x80045440
#: Bytes that are handed on together; a pty takes some 11 KiB.
AT_ONCE = 1 << 14
#: Calls since a port was opened again after which it is no beginning any more.
MOST_ASKED = 64
#: How a trace was made that has what was read and written, and of a terminal's settings nothing.
BYTES_ALONE = "umockdev"
#: Answered by ourselves: the pty takes all that is written at once.
OWN = (TIOCOUTQ, TIOCGEXCL)


def kind_on_tty(event: Event) -> Kind:
    """What an event on a terminal means for the order of the others."""
    name = event.name
    if name in ("open", "inherit"):
        return Kind.COMMAND if event.error is None else Kind.QUERY
    if name == "ioctl" and (event.request in NATIVE or event.request in OWN or drains(event.request, event.argument)):
        return Kind.PASSIVE
    if name == "lseek" or (event.error in ("EAGAIN", "EINTR") and name != "ioctl"):
        return Kind.PASSIVE  # the pty's own kernel code answers an lseek: ESPIPE
    return kind_of(event)


def drains(request: int, argument: int | None) -> bool:
    """Whether an ioctl is tcdrain()."""
    return request == TCSBRK and bool(argument)


def settings_of(event: Event) -> tuple[Any, ...] | None:
    """The settings that a tcsetattr hands in, whatever its form; None for another call."""
    kind = SETS.get(event.request)
    if event.name != "ioctl" or kind is None or not event.before or len(event.before[0] or b"") < sizeof(kind):
        return None
    new = kind.from_buffer_copy(event.before[0] or b"")
    full = changed_by(first_termios(), new)
    speeds = (full.c_ispeed, full.c_ospeed) if kind is Termios2 else ()
    plain = as_termios(full)
    cc = bytes(plain.c_cc) if kind is not Termio else bytes(plain.c_cc)[:8]
    return (plain.c_iflag, plain.c_oflag, plain.c_cflag, plain.c_lflag, cc, *speeds)


def same_on_tty(same: Same) -> Same:
    """The comparison of calls, for a terminal: settings are equal whether set at once or after draining."""

    def compare(recorded: Event, call: Event) -> bool:
        if same(recorded, call):
            return True
        if recorded.request not in SETS or call.request not in SETS:
            return False
        one, other = settings_of(recorded), settings_of(call)
        flushes = (recorded.request in FLUSHING) == (call.request in FLUSHING)
        return one is not None and one == other and flushes

    return compare


class ReplayTty(Replayed, Serial):
    """All opens of one recorded terminal.

    _began      the recorded open with which it was opened when nobody else had it open
    _commanded  whether the program has changed or written something since
    _asked      what was done since it was opened once more than recorded, if that may be a conversation begun again
    """

    carrier = "raw tty"
    native_ioctls = tuple(NATIVE)

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        super().begin(replay, node)
        rules = replay.rules.comparing(same_on_tty(replay.rules.same))
        feed = replay.source.together[node.path]
        self.course = Course(replay.source, feed, rules, self.requests.see, kind_on_tty)
        replay.add_course(0, self.course, node.path)
        self._rules = rules
        self._set: tuple[Any, ...] | None = None
        self._patience = Patience(self, replay, self.course, self._may_come, self._let_go)
        self._began: Event | None = None
        self._commanded = False
        self._asked: list[Event] | None = None
        self._due = False
        self._hanging_up = False
        self._ended_with = 0

    def own_requests(self) -> Iterable[Description]:
        """A port's own handlers describe its requests."""
        return type(self).ioctls.values()

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, Any]:
        """As recorded."""
        return surroundings(self.recorded_node)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """As recorded, else as Linux gives them to ports of this name."""
        major, minor = self.recorded_node.rdev
        return (major, minor) if major or minor else Serial.numbers(self, node)

    def plugged(self) -> None:
        """The model that stands in for what is missing speaks through the same pty."""
        if self.model is not None and self._plug is not None:
            self.model.attached(self._plug)

    # ---- What the program does

    def open(self, flags: int) -> Any:
        """An open of the program's."""
        self.replay.calls += 1
        call = Event("open", self.path, flags=flags)
        event = self.course.take(call)
        if event is None:
            if self.records:
                self._stands_for(self.replay.added_open(call))
            if self.replay.handed_over or self.model is not None:
                return self
            return self._open_again(call)
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        self._asked = None
        if not self.is_open:
            self._began, self._commanded = event, False
        self._stands_for(event.file)
        self.after(0, self.push)
        return self

    def _open_again(self, call: Event) -> Any:
        """Open it once more than was recorded: beside others, or to go on, or to begin the last conversation again."""
        if self.course.rules.strict or self._began is None:
            raise self.replay.missed(self.course, call)
        self.replay.opened_again(self._began)
        if not self.is_open:
            if self.course.exhausted or not self._commanded:
                self._begin_again(self._from_start(self._began, []))
            else:
                self._asked = []
        self.after(0, self.push)
        return self

    def _from_start(self, began: Event, past: list[Event]) -> Course:
        """What was recorded from an open on, less what the program has done of it since."""
        course = Course(
            self.replay.source, self.replay.source.node_from(began), self._rules, self.requests.see, kind_on_tty
        )
        course.take(began)
        for one in past:
            if one.name == "write":
                course.take_written(one.data)
            else:
                course.take(one)
        return course

    def _begin_again(self, course: Course) -> None:
        """Go on with another course; that before tells what was not used."""
        self.course.steady.good = False
        self.course, self._asked, self._commanded = course, None, False
        self._patience = Patience(self, self.replay, course, self._may_come, self._let_go)

    def _did(self, call: Event) -> bool:
        """Whether a call that is not the next one goes on with a conversation that was begun again, as it now is."""
        if self._asked is None or self._began is None:
            return False
        course = self._from_start(self._began, self._asked)
        taken = course.take_written(call.data)[0] == len(call.data) if call.name == "write" else course.take(call)
        if taken:
            self._begin_again(self._from_start(self._began, self._asked))
        return bool(taken)

    def _note(self, call: Event) -> None:
        """Keep what was done since the port was opened once more."""
        if self._asked is not None:
            self._asked.append(call)
            if len(self._asked) > MOST_ASKED:
                self._asked = None

    def _stands_for(self, number: int) -> None:
        """What the real terminal answers from now on belongs to that file of the trace."""
        if self.records:
            model: Any = self.model
            model.number = number

    def opened(self) -> None:
        """Nobody had it open."""
        self.push()

    def write(self, data: bytes) -> Any:
        """Bytes of the program's: they must be what was recorded."""
        self.replay.calls += 1
        if self.replay.handed_over and self.model is not None:
            return self.model.write(data)
        call = Event("write", self.path, data=data)
        taken, event = self.course.take_written(data)
        if not taken and data and self._did(call):
            taken, event = self.course.take_written(data)
        if event is not None or taken < len(data):
            if event is not None and event.name == "write" and event.error is not None and not taken:
                raise error_of(self.course.take(event) or event)
            if self.model is not None:
                return self.model.write(data[taken:])
            raise self.replay.missed(self.course, call, "" if event is not None else "the trace has no more writes")
        self.replay.came_to_last()
        self._note(call)
        self._commanded = True
        self.push()
        return None

    def raw_ioctl(self, request: int, argument: int, memory: list[bytes | None] | None) -> Any:
        """An ioctl of the program's."""
        self.replay.calls += 1
        if drains(request, argument):
            return RawAnswer()
        if request in OWN:
            return Elsewhere(self)
        if self.requests.unsettled(request):
            self.course.look_for(request)
            if self.requests.settle(request):
                return AGAIN
        if self.replay.handed_over and self.model is not None:
            return self._elsewhere(request, argument, memory)
        call = self.requests.call(self.path, request, argument, memory)
        event = self.course.take(call, here=request in GETS)
        if event is None and request not in GETS and self._did(call):
            event = self.course.take(call)
        if event is None:
            return self._missed(call, argument, memory)
        self._note(call)
        self._commanded = self._commanded or kind_on_tty(event) == Kind.COMMAND
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        self._follow(event, memory)
        steady = self.course.steady if self.course.repeated else None
        answer = RawAnswer(event.result, self.requests.memory_after(event, memory), None, event.place, steady)
        if not self.course.repeated:
            self.push()
        return answer

    def _elsewhere(self, request: int, argument: int, memory: list[bytes | None] | None) -> Any:
        model: Any = self.model
        return model.raw_ioctl(request, argument, memory) if hasattr(model, "raw_ioctl") else Elsewhere(model)

    def _missed(self, call: Event, argument: int, memory: list[bytes | None] | None) -> Any:
        """What is in the trace no more, but is plain: settings read back, or set as they are."""
        request = call.request
        if request in GETS:
            known = self.course.take(call) if not self._set else None
            if known is None:
                return Elsewhere(self)
            return RawAnswer(known.result, self.requests.memory_after(known, memory))
        if self._set is not None and settings_of(call) == self._set and not self.course.rules.strict:
            return RawAnswer()
        if self.model is not None:
            return self._elsewhere(request, argument, memory)
        if self.replay.trace.header.made == BYTES_ALONE and not self.course.rules.strict:
            # What a script has the program read was read after whatever it flushed.
            return RawAnswer() if request == TCFLSH else Elsewhere(self)
        raise self.replay.missed(self.course, call)

    def _follow(self, event: Event, memory: list[bytes | None] | None) -> None:
        """Do to our own settings and queues what the program did."""
        if event.request in GETS and event.after is not None and event.after[0] is not None:
            read = event.after[0].ljust(sizeof(GETS[event.request]), b"\0")
            self.termios = changed_by(self.termios, GETS[event.request].from_buffer_copy(read))
            self._apply_termios()
        elif event.request in SETS and memory is not None and memory[0] is not None:
            self._set = settings_of(event)
            self.termios = changed_by(self.termios, SETS[event.request].from_buffer_copy(memory[0]))
            self._apply_termios()
            if event.request in FLUSHING:
                self._flush(0)
        elif event.request == TCFLSH and (event.argument or 0) <= TCIOFLUSH:
            self._flush(event.argument or 0)

    # ---- What comes

    @property
    def _pty(self) -> Any:
        """The carrier, which knows more than a port's own model may ask (host/rawtty.py)."""
        return self._tty

    def push(self) -> None:
        """Hand the program what it may read now."""
        while self._tty is not None and self.is_open and not self._hanging_up and self._pty.has_room():
            received, last = self._received()
            if received:
                self.send(received)
            if last is None:
                return
            if not last.data and (last.error is not None or not self.times_out):
                self._hang_up_with(last.error)

    def _received(self) -> tuple[bytes, Event | None]:
        """What comes in next, as much as a pty takes at once, and the last event of it; None: nothing more for now."""
        course, pieces, size = self.course, [], 0
        while (found := course.next_data()) is not None:
            index, entry = found
            wait = course.wait(entry)
            if wait > 0:
                self._push_in(wait)
                break
            event = course.take_data(index)
            self.replay.came_to(event)
            pieces.append(event.data)
            size += len(event.data)
            if size >= AT_ONCE or not event.data:
                return b"".join(pieces), event
        return b"".join(pieces), None

    def come(self) -> None:
        """What was held may come now."""
        self.after(0, self.push)

    def _push_in(self, seconds: float) -> None:
        self.replay.will_come_in(seconds)
        if not self._due:
            self._due = True
            self.after(seconds, self._push_due)

    def _push_due(self) -> None:
        self._due = False
        self.push()

    @property
    def times_out(self) -> bool:
        """Whether a read that finds nothing returns 0 (termios(3), VMIN and VTIME)."""
        return not self.termios.c_lflag & ICANON and self.termios.c_cc[6] == 0

    def _hang_up_with(self, error: str | None) -> None:
        self._hanging_up = True
        self._ended_with = getattr(errno, error) if error is not None else 0
        self._hang_up_when_read()

    def _hang_up_when_read(self) -> None:
        """Hang up once the program has read all: what a pty holds at a hang-up is lost."""
        if self._tty is None or not self._hanging_up:
            return
        if self.is_open and self._pty.unread():
            self.after(0.01, self._hang_up_when_read)
            return
        self._hanging_up = False
        plug: Any = self._plug
        plug.hang_up()

    def waiting(self, call: str, how: int) -> int:
        """A read is about to wait: let it, unless nothing can ever come."""
        if not self.is_open:
            return self._ended_with
        self._patience.waiting(how)
        return 0

    def _may_come(self) -> bool:
        """Whether there is something to read, or will be after a while."""
        if self._due or self._hanging_up or self.times_out:
            return True
        self.push()
        return self._tty is None or bool(self._pty.unread()) or self._due or self._hanging_up

    def _let_go(self, since: str) -> None:
        """The program waits for ever: hang up, which ends its read as a mismatch does."""
        if self.model is None:
            self.replay.starved(self.course, Event("read", self.path), since)
            self._hang_up_with("EIO")

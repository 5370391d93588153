"""A course: what is still to come of a recorded file (or of all files of a terminal or disk), and what may come next.

The program does not do just what was recorded, call by call.  It stays on course as long as what it does has a
meaning in the recording:

    a command             comes in its order, among those of its thread
    an exchange           too; it may be done again, with the last answer, as long as nothing was commanded since
    a query               may come at any time; answers change with what was done before, as they were recorded
    data                  may be read once the program has done what it had done before that data came

so that a status is polled as often as one likes, and two threads may swap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from devshim.model.raw import Cell
from devshim.trace.event import Event
from devshim.trace.replay.ahead import WINDOW, Ahead, Entry, Rules
from devshim.trace.replay.matching import COMMAND, EXCHANGE, POLL, QUERY, READ, Kind, end_of, kind_of
from devshim.trace.replay.source import Feed, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.trace.replay.order import Order

#: Seconds by which data comes later than the time-out of a poll that was to miss it.
MARGIN = 0.02


class Course(Ahead):
    """What is to come, in order, with what was answered before.

    steady      is good as long as the last answer may be given again
    last_read   the last event of data that was taken
    order       what holds its data for the sake of other nodes, if anything; node: the one it belongs to
    may_come    with strict rules: whether all that other files have before an event is done
    repeated    whether the last call got an answer again
    reached     number of the latest event that the program has come to
    came        the last event that the program came to, and when: on time.monotonic()
    """

    def __init__(
        self,
        source: Source,
        feed: Feed,
        rules: Rules,
        see: Callable[[Event], object],
        kind: Callable[[Event], Kind] = kind_of,
    ) -> None:
        super().__init__(source, feed, rules, see, kind)
        self._steady: Cell | None = None
        self.last_read: Event | None = None
        self.repeated = False
        self.reached = 0
        self.node = ""
        self.order: Order | None = None
        self.may_come: Callable[[Event], bool] = lambda event: True
        self.came: tuple[Event | None, float] = (None, time.monotonic())
        self._written = 0
        self._ahead: frozenset[tuple[int, int]] = (
            frozenset()
        )  # threads that wrote before others that were to come first
        self._clear = 0  # of the first events to come, how many are no data and can be left out

    @property
    def steady(self) -> Cell:
        """Good until the program comes to something new."""
        if self._steady is None:
            self._steady = Cell()
        return self._steady

    # ---- What the program does

    def take(self, call: Event, here: bool = False) -> Event | None:
        """The recorded event of a call, or the one whose answer may be given again; None for a mismatch.

        here: only what is to come before the program does anything else.
        """
        self.repeated = False
        if self.rules.strict:
            return self._take_first(call)
        if self.rules.loose:
            return self._take_any(call)
        blocked = 0
        pending, same = self._pending, self.rules.same
        for index in range(WINDOW):
            entry = pending[index] if index < len(pending) else self.entry(index)
            if entry is None:
                return None if here else self._repeat(call)
            if entry.kind >= QUERY:
                if same(entry.event, call):
                    return self._accept(index, passed=False)
                if not self.passable(entry):
                    blocked = index
                    break
        else:
            return None if here else self._repeat(call)
        if here:
            return None
        return self._repeat(call) or self._take_beyond(blocked, call)

    def _take_first(self, call: Event) -> Event | None:
        for index, entry in enumerate(self.entries()):
            if entry.kind >= QUERY or (entry.kind == READ and call.name in ("read", "pread")):
                its_turn = self.rules.same(entry.event, call) and self.may_come(entry.event)
                return self._accept(index, passed=False) if its_turn else None
            if entry.kind == READ and not self.passable(entry):
                return None
        return None

    def _take_any(self, call: Event) -> Event | None:
        for index, entry in enumerate(self.entries()):
            if entry.kind >= QUERY and self.rules.same(entry.event, call):
                return self._accept(index, passed=True)
        return self._answers.last(call)

    def _take_beyond(self, blocked: int, call: Event) -> Event | None:
        """Past what must come first: what another thread did, or an answer to what was only asked."""
        before: set[tuple[int, int]] = set()
        for index, entry in enumerate(self.entries()):
            if index < blocked or entry.kind < QUERY:
                continue
            event = entry.event
            if self.rules.same(event, call):
                if entry.kind == QUERY:
                    return event
                if (event.process, event.thread) not in before:
                    return self._accept(index, passed=True)
            if not self.passable(entry):
                before.add((event.process, event.thread))
        return None

    def take_written(self, data: bytes) -> tuple[int, Event | None]:
        """Take bytes written to a stream, however they were cut at the recording.

        Returns how many of them are as recorded, and the event that says otherwise: it has other bytes, or the errno
        that the program gets; None where there is nothing more.
        """
        taken = 0
        while taken < len(data):
            found = self._next_write(data[taken:])
            if found is None:
                return taken, self.first
            index, passed = found
            event = self._pending[index].event
            if event.error is not None:
                return taken, event
            left = event.data[self._written : event.result]
            length = min(len(left), len(data) - taken)
            if left[:length] != data[taken : taken + length]:
                return taken, event
            taken += length
            self._written += length
            if length == len(left):
                self._written = 0
                who = event.process, event.thread
                self._ahead = self._ahead | {who} if passed else self._ahead - {who}
                self._accept(index, passed)
        return taken, None

    def _next_write(self, data: bytes) -> tuple[int, bool] | None:
        """The place of the write that is to come, before all else that its thread must do; one of these bytes if any.

        And whether that passes what others must do.  Which thread opens when does not matter.
        """
        before: set[tuple[int, int]] = set()
        found: tuple[int, bool] | None = None
        passed = False
        for index, entry in enumerate(self.entries()):
            event = entry.event
            who = event.process, event.thread
            if entry.kind >= QUERY and event.name == "write":
                if who not in before or self.rules.loose:
                    if self._written or self.rules.strict or (event.error is None and alike(event.data, data)):
                        return index, passed
                    found = found or (index, passed)
                before.add(who)
                passed = True
            elif not self.passable(entry):
                if self.rules.strict:
                    return None
                if event.name != "open":
                    before.add(who)
                passed = True
        return found

    def _accept(self, index: int, passed: bool) -> Event:
        """Take one of the events to come; what may be left out before it is over, unless others were passed."""
        entry = self._pending.pop(index)
        event, kind = entry.event, entry.kind
        if kind > QUERY and not passed:
            if index:
                self._leave_out(index)
            self._changed()
        elif index < self._clear:
            self._clear -= 1
        self.come_to(event)
        if kind == COMMAND:
            self._answers.epoch += 1
            self._command = None
            if self.order is not None:
                self.order.moved()
        if event.name == "ioctl":
            self._answers.remember(event)
        return event

    def _leave_out(self, count: int) -> None:
        """The program has passed the first events to come; data among them may still be read."""
        kept = []
        for earlier in self._pending[:count]:
            if earlier.kind == READ:
                kept.append(earlier)
            elif earlier.kind > READ:
                self._answers.remember(earlier.event)
        self._pending[:count] = kept

    def come_to(self, event: Event) -> None:
        """The program has come to an event."""
        number = event.number
        self.came = event, time.monotonic()
        if number > self.reached:
            self.reached = number
        if number > self._source.used:
            self._source.used = number
        if self._steady is not None:
            self._steady.good = False
            self._steady = None

    def _repeat(self, call: Event) -> Event | None:
        """The answer to the same call, given again."""
        event = self._answers.holds(call)
        self.repeated = event is not None
        return event

    # ---- What the program gets

    def next_data(self, at_once: bool = True) -> tuple[int, Entry] | None:
        """The data that may be read now, with its place; None where the program must do something before, or for ever.

        at_once: also an EAGAIN, which was all that came to who would not wait.
        """
        if self.rules.strict:
            self._clear = 0
        blocked: set[tuple[int, int]] = set()
        passed = False
        for index in range(self._clear, WINDOW):
            entry = self.entry(index)
            if entry is None:
                return None
            if entry.kind == READ:
                who = entry.event.process, entry.event.thread
                if passed and (who not in self._ahead or who in blocked):
                    continue
                if at_once or entry.event.error != "EAGAIN":
                    return index, entry
            elif self.holds_up(entry):
                if not self._ahead or self.rules.strict:
                    return None
                passed = True
                if entry.event.name != "open":
                    blocked.add((entry.event.process, entry.event.thread))
            elif entry.kind != EXCHANGE and index == self._clear:
                self._clear += 1
        return None

    def take_data(self, index: int) -> Event:
        """Take what next_data() found."""
        event = self._pending.pop(index).event
        if index:
            self._pending[:index] = [entry for entry in self._pending[:index] if entry.kind != POLL]
        self._changed()
        self.last_read = event
        self.come_to(event)
        return event

    def take_at(self, call: Event) -> Event | None:
        """Take the data that was recorded for a pread; None where there is none that may come now."""
        for index, entry in enumerate(self.entries()):
            if entry.kind == READ and self.rules.same(entry.event, call):
                return self.take_data(index)
            if not self.passable(entry):
                break
        last = self.last_read
        return last if last is not None and self.rules.same(last, call) else None

    def wait(self, entry: Entry) -> float:
        """Seconds until data may be had: what was recorded, divided by the speed; at full speed, what polls waited.

        Before that, other nodes may have a say.
        """
        last, came = self.came
        held = self.order.hold(self, entry.event) if self.order is not None else 0.0
        if held > 0:
            return held
        if self.rules.speed:
            end, since = end_of(entry.event), end_of(last) if last is not None else None
            pause = (end - since) / self.rules.speed if end is not None and since is not None else 0.0
        else:
            pause = entry.delay and entry.delay + MARGIN
        return came + pause - time.monotonic() if pause > 0 else 0.0

    def ready(self) -> int:
        """The poll bits that were recorded here, and hold until the program does its next step."""
        if not self._polls:
            return 0
        bits = 0
        for entry in self.entries():
            if entry.kind == POLL:
                bits |= entry.event.ready
            elif entry.kind == READ or not self.passable(entry):
                break
        return bits

    def _changed(self) -> None:
        """Several of the events to come are gone."""
        self._clear = 0
        if self._polls:
            self._polls = sum(entry.kind == POLL for entry in self._pending)

    # ---- At the end

    def left(self) -> Iterator[Event]:
        """The events that the program has not come to, and that are worth telling of."""
        for entry in self._pending:
            if entry.kind >= READ and self._matters(entry):
                yield entry.event
        self._pending.clear()
        for event in self._feed.rest():
            self._append(event)
            while self._pending:
                entry = self._pending.pop()
                if entry.kind >= READ and self._matters(entry):
                    yield entry.event

    def _matters(self, entry: Entry) -> bool:
        if entry.kind == READ:
            return bool(entry.event.data)
        return entry.kind != QUERY or self._answers.last(entry.event) is None


def alike(recorded: bytes, data: bytes) -> bool:
    """Whether two runs of bytes are equal as far as both go."""
    length = min(len(recorded), len(data))
    return recorded[:length] == data[:length]

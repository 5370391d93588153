"""The events of a trace on their way to the courses that replay them: read ahead as far as one of them needs."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator

from devshim.trace.event import Event
from devshim.trace.format.reader import Trace, TraceError

#: Events kept for one feed that nobody takes, and for all together; what is beyond is read again when it is wanted.
MOST_KEPT = 4096
MOST_KEPT_IN_ALL = 65536

#: How many events beyond the last one that the program has come to are looked at: so far may files and threads drift
#: apart.
REACH = 20000

#: Events that are read at a time, and bytes of the file after which that is enough: a program may be waiting.
BATCH = 32
PIECE = 1 << 14

OPENS = ("open", "inherit")


class Feed:
    """The events of one course, in order: those kept, and then a cursor of its own where there were too many.

    over  whether the last one was given
    """

    def __init__(self, source: Source, wants: Callable[[Event], bool]) -> None:
        self.wants = wants
        self._source = source
        self._kept: deque[Event] = deque()
        self._found: Event | None = None
        self._looked_at = 0
        self._behind: Event | None = None
        self._own: Iterator[Event] | None = None
        self.over = False

    def put(self, event: Event) -> None:
        """The source has met an event that belongs here."""
        if self._behind is not None or self._own is not None:
            return
        if len(self._kept) < MOST_KEPT and self._source.kept < MOST_KEPT_IN_ALL:
            self._kept.append(event)
            self._source.kept += 1
        else:
            self._behind = event

    def start(self, event: Event) -> None:
        """Begin with an event that was met before."""
        self._own = self._source.again(event)

    @property
    def count(self) -> int:
        """How many events are kept."""
        return len(self._kept)

    @property
    def kept(self) -> deque[Event]:
        """The next events, as far as they were read."""
        return self._kept

    def next_kept(self, number: int, searched: Callable[[Event], bool]) -> Event | None:
        """The first that is searched for of the events that were read, if it comes before an event elsewhere.

        Each is looked at once, however often one asks, for the same.
        """
        kept, found = self._kept, self._found
        if not kept:
            return None
        if found is not None and kept[0].number > found.number:
            found, self._looked_at = None, 0
        if found is None and kept[-1].number > self._looked_at:
            if not self._looked_at:
                found = next((event for event in kept if searched(event)), None)
            else:
                for event in itertools.takewhile(lambda event: event.number > self._looked_at, reversed(kept)):
                    found = event if searched(event) else found
            self._looked_at = kept[-1].number
        self._found = found
        return found if found is not None and found.number < number else None

    def next(self) -> Event | None:
        """The next event; None where there is none within reach.  Raises TraceError."""
        while True:
            if self._kept:
                self._source.kept -= 1
                return self._kept.popleft()
            if self._behind is not None:
                self._own, self._behind = self._source.again(self._behind), None
            if self._own is not None:
                return self._next_own(self._own)
            if not self._source.more():
                self.over = self._source.ended
                return None

    def _next_own(self, events: Iterator[Event]) -> Event | None:
        source = self._source
        for event in events:
            far = event.number - source.used > source.reach
            if self.wants(event):
                if not far:
                    return event
                self._kept.append(event)
                source.kept += 1
            if far:
                return None
        self.over = True
        return None

    def some(self) -> list[Event]:
        """The next events, as many as are read at a time; none where there is none within reach.  Raises TraceError."""
        event = self.next()
        if event is None:
            return []
        events, kept = [event], self._kept
        for _ in range(min(len(kept), BATCH - 1)):
            events.append(kept.popleft())
        self._source.kept -= len(events) - 1
        return events

    def rest(self) -> Iterator[Event]:
        """The events from here on, as far as the source may still look."""
        while (event := self.next()) is not None:
            yield event


class Source:
    """Reads a trace for all who replay parts of it, and hands each event to the feed that wants it.

    together  nodes whose files have one course: terminals and disks; all other files have one each
    used      number of the latest event that the program has come to
    read      number of the last event that was read
    ended     whether all was read
    damaged   is told of a line that cannot be read; nothing comes after it
    alone     whether all events so far are one thread's
    last      number of the last event that counts: what comes after it was added meanwhile; None: all do
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.together: dict[str, Feed] = {}
        self.opens: dict[str, Feed] = {}
        self.used = 0
        self.kept = 0
        self.reach = REACH
        self.ended = False
        self.damaged: Callable[[str], object] = str
        self.alone = True
        self.last: int | None = None
        self.read = 0
        self._position = 0
        self._events = trace.events()
        self._files: dict[int, Feed] = {}

    def serve(self, node: str, together: bool) -> None:
        """Keep the events of a node; before any is read."""
        if together:
            self.together[node] = Feed(self, lambda event: event.node == node)
        self.opens[node] = Feed(self, lambda event: event.node == node and event.name in OPENS)

    def file(self, number: int) -> Feed:
        """The feed of one recorded file, whose open was met."""
        return self._files[number]

    def from_start(self, opened: Event) -> Feed:
        """Another feed of a recorded file, whose open was met."""
        number = opened.file
        feed = Feed(self, lambda event: event.file == number and event.name not in OPENS)
        feed.start(opened)
        return feed

    def node_from(self, event: Event) -> Feed:
        """A feed of a node's events from one on that was met before."""
        feed = Feed(self, lambda found: found.node == event.node)
        feed.start(event)
        return feed

    def renew(self, opened: Event) -> None:
        """A recorded file was taken for another: whoever opens it next gets it from its start."""
        self.kept -= self._files[opened.file].count
        self._files[opened.file] = self.from_start(opened)

    def files(self) -> list[tuple[int, Feed]]:
        """The recorded files that were met, each with its feed."""
        return list(self._files.items())

    def more(self) -> bool:
        """Read some events further; False at the end, or beyond reach."""
        before, enough = self.read, self._position + PIECE
        most = min(BATCH, self.used + self.reach - before)
        if self.ended or most <= 0:
            return False
        if self.last is not None:
            most = min(most, max(self.last - before, 0))
        try:
            for event in itertools.islice(self._events, most):
                self._put(event)
                self._position = event.position
                if event.position >= enough:
                    return True
        except TraceError as problem:
            self.damaged(str(problem))
        self.ended = self.read < before + (most or 1)
        return self.read > before

    def _put(self, event: Event) -> None:
        """Hand an event to the feeds that want it."""
        self.read = event.number
        if event.process != 1 or event.thread != 1:
            self.alone = False
        node = event.node
        opens, together = self.opens.get(node), self.together.get(node)
        if together is not None:
            together.put(event)
        if opens is None:
            return
        if event.name in OPENS:
            opens.put(event)
            if event.file and together is None:
                self._begin(event.file)
        elif together is None:
            self._files[event.file].put(event)
            if event.new_file:
                self._begin(event.new_file)

    def _begin(self, number: int) -> None:
        self._files[number] = Feed(self, lambda event: event.file == number and event.name not in OPENS)

    def again(self, event: Event) -> Iterator[Event]:
        """The events from one on that was met before."""
        for found in self.trace.events(event.position, event.number, event.line):
            yield found
            if self.last is not None and found.number >= self.last:
                return

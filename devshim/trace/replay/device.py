"""A replayed device whose every call is answered from the trace: whatever is no terminal and no disk."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable, Mapping

from devshim.known.names import is_like
from devshim.model.description import Description
from devshim.model.device import Device, File
from devshim.trace.event import Event, Node
from devshim.trace.replay.around import surroundings
from devshim.trace.replay.course import Course
from devshim.trace.replay.file import ReplayFile, error_of
from devshim.trace.replay.matching import same_on_input
from devshim.trace.replay.opens import Opens
from devshim.trace.replay.requests import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.replay.replay import Replay

#: Bytes of one record, of devices that give whole ones (struct input_event; an hidraw report drops what is not read).
RECORDS = {"/dev/input/event#": 24}
PACKETS = "/dev/hidraw# /dev/net/tun"


class Replayed(Device):
    """What all replayed devices have: their node, and where they are in the trace."""

    if TYPE_CHECKING:
        replay: Replay
        requests: Requests
        path: str
        recorded_node: Node
        model: Device | None

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        self.replay = replay
        self.recorded_node = node
        self.path = node.path
        self.requests = Requests(replay.path, replay.trace.header, self.own_requests())
        self.model = None
        kind = stat.S_IFBLK if node.kind == "block" else stat.S_IFCHR
        self.mode = kind | node.mode  # type: ignore[misc]

    def own_requests(self) -> Iterable[Description]:
        """Requests that are known without the trace."""
        from devshim.known import for_node

        node = self.recorded_node
        return for_node(node.path, node.kind, node.rdev)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """As recorded."""
        major, minor = self.recorded_node.rdev
        return (major, minor) if major or minor else (None, None)

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, Any]:
        """As recorded."""
        return surroundings(self.recorded_node)

    def descriptions(self) -> Iterable[Description]:
        """Requests as far as they are known."""
        return self.requests.descriptions()

    @property
    def records(self) -> bool:
        """Whether what is missing is added to the trace."""
        return getattr(self.model, "records", False)

    def wake_in(self, seconds: float) -> None:
        """Let waiting calls ask again, so long from now."""
        self.replay.will_come_in(seconds)
        self.after(seconds, self.wake)

    def come(self) -> None:
        """What was held may come now."""
        self.after(0, self.wake)

    def open_other(self, flags: int, number: int = 0) -> File | None:
        """Open the model that answers what the trace does not have; None where there is none.

        number: of the recorded file that it stands in for.
        """
        if self.model is None:
            return None
        opened = self.model.open(flags)
        if not isinstance(opened, File):
            return None
        file: File = opened
        if file is not self.model:
            file.flags = flags
        if hasattr(file, "number"):
            file.number = number
        return file


class ReplayDevice(Replayed):
    """Each open is a file of the recording.

    opener  the process that opens it now
    files   those that may still turn out to be others than they were taken for
    alive   how many are open
    """

    carrier = "raw"
    seekable = True

    record = 0
    packets = False
    opener = 0

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        super().begin(replay, node)
        self.record = next((size for names, size in RECORDS.items() if is_like(node.path, names)), 0)
        self.packets = is_like(node.path, PACKETS)
        self.rules = replay.rules.comparing(same_on_input(replay.rules.same)) if self.record else replay.rules
        self.opens = Opens(replay.source.opens[node.path], replay.trace.programs)
        self.files: list[ReplayFile] = []
        self.alive = 0

    def plugged(self) -> None:
        """The model that stands in for what is missing lives at the same node."""
        if self.model is not None and self._plug is not None:
            self.model.attached(self._plug)

    def open(self, flags: int) -> Any:
        """The file that was opened so at the recording."""
        self.replay.calls += 1
        call = Event("open", self.path, flags=flags)
        event = self.opens.take(call, self.replay.rules, self.opener)
        if event is None:
            if self.model is not None:
                return self._open_more(call)
            again = self.opens.again(call, self.replay.rules, alone=not self.alive)
            if again is None:
                raise self.replay.refused(call, self.opens.near())
            return self._open_again(again)
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        return self._opened(ReplayFile(self, self.course_of(event.file, event), event.file, event))

    def _open_again(self, event: Event) -> File:
        """Open once more what was opened before: what was recorded with it comes from its start."""
        if event.error is not None:
            raise error_of(event)
        self.replay.opened_again(event)
        return self._opened(ReplayFile(self, self.course_again(event), event.file, event))

    def _opened(self, file: ReplayFile) -> File:
        self.files = [other for other in self.files if other.past is not None]
        self.files.append(file)
        self.alive += 1
        return file

    def left_alone(self, file: ReplayFile) -> None:
        """Nobody has a file of ours open any more."""
        if file.opened is not None:
            self.alive -= 1

    def course_again(self, opened: Event) -> Course:
        """The course of a file that was opened before, from its start, beside that of the first one."""
        course = self.fresh_course(opened)
        course.come_to(opened)
        self.replay.add_again(opened.file, course)
        return course

    def _open_more(self, call: Event) -> File | None:
        """Open what the trace does not have, and add that to it if asked for."""
        try:
            file: Any = self.open_other(call.flags)
        except OSError as problem:
            if self.records:
                call.error, call.result = errno.errorcode.get(problem.errno or errno.EIO, "EIO"), -1
                self.replay.add(call)
            raise
        if self.records and file is not None:
            file.number = self.replay.added_open(call)
        return file  # type: ignore[no-any-return]

    def file(self, number: int, opened: Event) -> File:
        """A recorded file that an ioctl made."""
        return ReplayFile(self, self.course_of(number, opened), number)

    def course_of(self, number: int, opened: Event) -> Course:
        """What is to come on it."""
        source = self.replay.source
        course = Course(source, source.file(number), self.rules, self.requests.see)
        course.come_to(opened)
        self.replay.add_course(number, course, self.path)
        return course

    def fresh_course(self, opened: Event) -> Course:
        """The same from its start, beside what others have of it."""
        course = Course(self.replay.source, self.replay.source.from_start(opened), self.rules, self.requests.see)
        course.came = (None, 0.0)
        return course

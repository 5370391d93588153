"""The stub of a device that has no base class of its own: an @ioctl handler a request, and what reads gave."""

from __future__ import annotations

from collections.abc import Iterable

from devshim.model.description import Description
from devshim.model.device import Device
from devshim.trace.described import Described
from devshim.trace.event import Event
from devshim.trace.show import escaped
from devshim.trace.stub.c_types import Types
from devshim.trace.stub.i2c import segment_after
from devshim.trace.stub.literals import (
    MOST_ANSWERS,
    answers_literal,
    bytes_literal,
    class_name,
    error_literal,
    identifier,
    listed,
    settled,
    text_literal,
)

LATER = ("EAGAIN", "EINTR")
MOST_READ = 65536  # bytes of what reads gave that are written down


class Classes:
    """The classes of a device and of the files that its ioctls make.

    found  name, base and lines of each, in the order in which they must stand
    needs  what must be imported from devshim
    types  the ctypes that they use
    """

    def __init__(self, described: Described) -> None:
        self.found: list[tuple[str, str, list[str]]] = []
        self.needs: set[str] = set()
        self.types = Types()
        self.described = described
        self._names: list[str] = []

    def device(self, name: str, events: list[Event], settings: list[str]) -> None:
        """Make the class of a device, given its events in order, and attributes that its node asks for."""
        makers = {event.new_file: self.described.name(event) for event in events if event.new_file}
        own: list[Event] = []
        groups: dict[str, list[Event]] = {}
        for event in events:
            (groups.setdefault(makers[event.file], []) if event.file in makers else own).append(event)
        files: dict[str, str] = {}
        for label in groups:
            files[label] = class_name(label, [name, *self._names])
            self._names.append(files[label])
        for label, chosen in reversed(groups.items()):
            self.needs.add("File")
            lines = ["def __init__(self):", "    self.turns = {}  # which answer is next"]
            if read_rows(chosen):
                lines += ["    self.written = self.taken = 0"]
            methods = self._body(chosen, files, "self.device")
            self.found.append((f"_{files[label]}", "File", [*lines, *spaced(methods)]))
        self.needs.add("Device")
        lines = [*settings, "turns = {}  # which answer is next"]
        if read_rows(own):
            lines.append("written = taken = 0  # how many writes there were, and which read is next")
        self.found.append((name, "Device", [*lines, *opens(own), *spaced(self._body(own, files, "self"))]))

    def _body(self, events: list[Event], files: dict[str, str], whose: str) -> list[list[str]]:
        """The methods of one class."""
        methods = []
        reads = read_rows(events)
        if reads:
            methods.append(reader(reads, any(event.name == "read" and ended(event) for event in events[-3:])))
            self.needs |= {"POLLIN", "POLLOUT", "WAIT"}
        if reads or any(event.name in ("write", "pwrite") for event in events):
            methods.append(writer(events, bool(reads), whose))
        requests: dict[int, list[Event]] = {}
        for event in events:
            if event.name == "ioctl" and event.finished:
                requests.setdefault(event.request, []).append(event)
        taken = {*dir(Device), "turns", "written", "taken", "reads", "due", "disk", "position", "in_turn"}
        for chosen in requests.values():
            label = self.described.name(chosen[0])
            name = identifier(label, taken, "ioctl")
            taken.add(name)
            methods.append(self._handler(name, label, chosen, files))
            self.needs.add("ioctl")
        return methods

    def _handler(self, name: str, label: str, events: list[Event], files: dict[str, str]) -> list[str]:
        """One handler: of literals, by what the program handed in."""
        first = events[0]
        description = self.described.find(first)
        memory = any(event.before is not None or event.after is not None for event in events)
        made = next((files.get(self.described.name(event)) for event in events if event.new_file), None)
        if not memory:
            return self._by_value(name, label, events, made)
        if any(len(event.before or ()) > 1 or len(event.after or ()) > 1 for event in events):
            self.types.used.add("c_long")
            return unwritten(name, label, first)
        size = max(len(segment_after(event, 0)) for event in events)
        if not size:
            self.types.used.add("c_long")
            return unwritten(name, label, first)
        access = access_of(description, events)
        ctype = self.types.of(description, first.request, size)
        head = [f'@ioctl({first.request:#010x}, {ctype}, access="{access}", name={text_literal(label)})']
        answers: dict[bytes, list[str]] = {}
        for event in events:
            given = (event.before[0] or b"") if event.before is not None and access != "r" else b""
            answers.setdefault(given, []).append(self._answer(event, access, description, ctype, made))
        if access == "r":
            return [*head, f"def {name}(self):", *given_back(name, next(iter(answers.values())))]
        head.append(f"def {name}(self, argument):")
        if len({tuple(settled(found)) for found in answers.values()}) == 1 and access == "w":
            return [*head, "    # fill in: what this changes", *given_back(name, next(iter(answers.values())))]
        keys = {given: f"bytes({self.types.value(description, ctype, given)})" for given in answers}
        rows = [f"{keys[given]}: {answers_literal(found, 8)}" for given, found in answers.items()]
        return [
            *head,
            f"    answers = {listed(rows[:MOST_ANSWERS], 4, '{', '}')}",
            "    given = bytes(argument)",
            "    if given not in answers:",
            f"        {refuse(label)}",
            f'    return in_turn(self, ("{name}", given), answers[given])',
        ]

    def _answer(self, event: Event, access: str, description: Description | None, ctype: str, made: str | None) -> str:
        """What a handler returns for one event."""
        if event.error is not None:
            return error_literal(event.error)
        if event.new_file and made is not None:
            return f"_{made}()"
        if "r" not in access:
            return str(event.result) if event.result else "None"
        value = self.types.value(description, ctype, segment_after(event, 0))
        return f"({event.result}, {value})" if event.result else value

    def _by_value(self, name: str, label: str, events: list[Event], made: str | None) -> list[str]:
        """A handler of a request without memory."""
        self.types.used.add("c_long")
        head = [
            f"@ioctl({events[0].request:#010x}, value=c_long, name={text_literal(label)})",
            f"def {name}(self, argument):",
        ]
        answers: dict[int, list[str]] = {}
        for event in events:
            if event.error is not None:
                answer = error_literal(event.error)
            elif event.new_file and made is not None:
                answer = f"_{made}()"
            else:
                answer = str(event.result) if event.result else "None"
            answers.setdefault(as_long(event.argument or 0), []).append(answer)
        if len({tuple(settled(found)) for found in answers.values()}) == 1:
            return [*head, *given_back(name, next(iter(answers.values())))]
        rows = [f"{given}: {answers_literal(found, 8)}" for given, found in answers.items()]
        return [
            *head,
            f"    answers = {listed(rows[:MOST_ANSWERS], 4, '{', '}')}",
            "    if argument not in answers:",
            f"        {refuse(label)}",
            f'    return in_turn(self, ("{name}", argument), answers[argument])',
        ]


def as_long(value: int) -> int:
    """An argument as a signed number of 64 bits."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def refuse(label: str) -> str:
    """The line that refuses what was not recorded."""
    return f"raise OSError(errno.EINVAL, {text_literal(f'fill in: the recording has no {label} like this')})"


def unwritten(name: str, label: str, event: Event) -> list[str]:
    """A handler that is left to fill in: its argument holds pointers."""
    return [
        f"# fill in: {escaped(label)}, whose argument holds pointers; describe it with structures() or ctypes,",
        "# as README shows, and answer it here.",
        f"@ioctl({event.request:#010x}, value=c_long, name={text_literal(label)})",
        f"def {name}(self, argument):",
        f"    {refuse(label)}",
    ]


def access_of(description: Description | None, events: list[Event]) -> str:
    """Which way memory goes."""
    if description is not None and description.access:
        return description.access
    gives = any(event.before is not None for event in events)
    gets = any(event.after is not None for event in events)
    return "rw" if gives and gets else "w" if gives else "r"


def given_back(name: str, answers: list[str]) -> list[str]:
    """The lines that give answers in turn."""
    shown = settled(answers)
    if len(shown) > 1:
        return [f'    return in_turn(self, "{name}", {answers_literal(shown, 4)})']
    only = shown[0]
    return [f"    raise {only}"] if only.startswith("OSError(") else [f"    return {only}"]


def spaced(methods: Iterable[list[str]]) -> list[str]:
    """Methods with an empty line before each."""
    return [line for method in methods for line in ("", *method)]


def opens(events: list[Event]) -> list[str]:
    """An open() where one failed."""
    answers = [error_literal(event.error) if event.error else "self" for event in events if event.name == "open"]
    if set(answers) <= {"self"}:
        return []
    return ["", "def open(self, flags):", f'    return in_turn(self, "open", {answers_literal(answers, 4)})']


# ---- Reads and writes ----------------------------------------------------------------------------------


def ended(event: Event) -> bool:
    """Whether a read found the end of the file."""
    return event.error is None and event.finished and not event.data and event.size > 0


def read_rows(events: list[Event]) -> list[str]:
    """What reads gave, each with how many writes had come before."""
    rows, written, size = [], 0, 0
    for event in events:
        if event.name in ("write", "pwrite"):
            written += 1
        elif event.name in ("read", "pread") and event.finished and event.error not in LATER:
            size += len(event.data)
            if size > MOST_READ:
                break
            if event.error is not None:
                rows.append(f"({written}, {error_literal(event.error)})")
            elif event.data:
                rows.append(f"({written}, {bytes_literal(event.data)})")
    return rows


def reader(rows: list[str], at_end: bool) -> list[str]:
    """read() and poll()."""
    return [
        "# What reads give: after how many writes, and what.",
        f"reads = {listed(rows, 4)}",
        "",
        "def due(self):",
        '    """Whether there is something to read."""',
        "    return self.taken < len(self.reads) and self.reads[self.taken][0] <= self.written",
        "",
        "def read(self, size):",
        *(["    if self.taken == len(self.reads):", '        return b""'] if at_end else []),
        "    if not self.due():",
        "        return WAIT  # fill in: what comes next, and self.wake() when it does",
        "    answer = self.reads[self.taken][1]",
        "    self.taken += 1",
        "    if isinstance(answer, OSError):",
        "        raise answer",
        "    return answer[:size]",
        "",
        "def poll(self):",
        "    return POLLIN | POLLOUT if self.due() else POLLOUT",
    ]


def writer(events: list[Event], counted: bool, whose: str) -> list[str]:
    """write()."""
    answers: dict[bytes, list[str]] = {}
    for event in events:
        if event.name in ("write", "pwrite"):
            short = str(event.result) if event.error is None and event.result != len(event.data) else "None"
            answers.setdefault(event.data, []).append(error_literal(event.error) if event.error else short)
    special = {data: found for data, found in answers.items() if set(found) != {"None"}}
    lines = ["def write(self, data):"]
    if special:
        rows = [f"{bytes_literal(data)}: {answers_literal(found, 8)}" for data, found in special.items()]
        lines += [
            f"    answers = {listed(rows[:MOST_ANSWERS], 4, '{', '}')}",
            "    if bytes(data) in answers:",
            '        return in_turn(self, ("write", bytes(data)), answers[bytes(data)])',
        ]
    if counted:
        lines += ["    self.written += 1", f"    {whose}.wake()"]
    return [*lines, "    return None  # fill in: what this changes"]

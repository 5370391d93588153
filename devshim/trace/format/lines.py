"""The lines of a trace as objects: events and their bytes in JSON, and back.  Format: traces/README.md.

Reading is strict: a member that is unknown, missing, of another type or out of bounds raises ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quote

from devshim.errors import DevshimError
from devshim.trace.event import Event, Segment
from devshim.trace.flags import OPEN_FLAGS, POLL_BITS, open_flags, poll_bits, unwords, words
from devshim.trace.format import checks
from devshim.trace.format.calls import CALLS, EXPLAIN, MOVES_BYTES
from devshim.trace.format.checks import Wrong, shortened, text, unsegments
from devshim.trace.format.headers import FORMAT, header_object, header_of, node_object, node_of, put_bytes, take_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.format.calls import Check

__all__ = [
    "CALLS", "FORMAT", "OPEN_FLAGS", "POLL_BITS", "TraceError", "event_object", "event_of", "event_text",
    "header_object", "header_of", "implied_result", "node_object", "node_of", "open_flags", "put_bytes", "segments",
    "take_bytes", "text", "unsegments", "unwords", "words",
]  # fmt: skip


class TraceError(DevshimError):
    """A trace, or a line of one, that cannot be used; the message begins with file:line where they are known."""

    exit_code = 2


# ---- From a line ---------------------------------------------------------------------------------------


class Plan:
    """What is to be done with the values of a line that has these members, in this order: made once for each.

    wholes  members that are whole numbers, with their bounds
    times   members that are seconds
    others  members with the event's attribute and the check that makes it from JSON
    bytes   whether bytes were moved, from which the result may follow
    result  what it is else; None where the line says it
    rare    whether there are members whose values may contradict each other
    """

    __slots__ = ("bytes", "others", "rare", "result", "times", "wholes")

    def __init__(
        self,
        wholes: tuple[tuple[str, int, int], ...],
        times: tuple[str, ...],
        others: tuple[tuple[str, str, Check], ...],
        bytes: bool,
        result: int | None,
        rare: bool,
    ) -> None:
        self.wholes = wholes
        self.times = times
        self.others = others
        self.bytes = bytes
        self.result = result
        self.rare = rare


PLANS: dict[tuple[Any, ...], Plan] = {}
MOST_PLANS = 4096


def event_of(line: dict[str, Any]) -> Event:
    """The event of a line's object, whose dictionary becomes the event's own.

    Its node is known from its file's open, unless it is that.  Raises ValueError, with the reason in words.
    """
    try:
        plan = PLANS[line["call"], *line]
    except (KeyError, TypeError):
        plan = make_plan(line)
    member, value = "", None
    try:
        for member, low, high in plan.wholes:
            value = line[member]
            if value.__class__ is not int or not low <= value <= high:
                checks.whole(value, low, high)
        for member in plan.times:
            value = line[member]
            if value.__class__ is not float or not 0.0 <= value <= checks.LONGEST_TIME:
                line[member] = checks.seconds(value)
        for member, attribute, check in plan.others:
            value = line.pop(member)
            line[attribute] = check(value)
    except (ValueError, TypeError, AttributeError) as problem:
        raise Wrong(f"{line['call']}: {member}: {in_words(member, value, problem)}") from None
    line["name"] = line.pop("call")
    event = Event.__new__(Event)
    event.__dict__ = line
    result = plan.result
    if plan.bytes:
        settle_bytes(event, line, result)
    elif result is not None:
        line["result"] = result
    if plan.rare:
        check_together(event, line, result is None)
    return event


def in_words(member: str, value: Any, problem: Exception) -> Exception:
    """Why a value was refused; asks the check that is slow and explains, where there is one beside the fast one."""
    try:
        if member in EXPLAIN:
            EXPLAIN[member](value)
    except Wrong as better:
        return better
    return problem


def make_plan(line: dict[str, Any]) -> Plan:
    """The plan for lines with the members of this one.  Raises ValueError for members that there are not together."""
    name = line["call"]
    known = CALLS.get(name) if type(name) is str else None
    if known is None:
        raise Wrong(f"call {shortened(name)}: there is no such call in {FORMAT}; they are {', '.join(CALLS)}")
    members, needs = known
    if not needs <= line.keys():
        raise Wrong(f"{name} lacks its member {', '.join(sorted(needs - line.keys()))}")
    strange = next((member for member in line if member not in members), None)
    if strange is not None:
        raise Wrong(f"{name} has no member {shortened(strange)}")
    for one, other in (("text", "hex"), ("result", "error")):
        if one in line and other in line:
            raise Wrong(f"{name}: {one} and {other} stand side by side; a call has one of them")
    if "place" in line and "new" not in line:
        raise Wrong(f"{name}: place without new")
    rows = [(member, *members[member]) for member in line]
    plan = Plan(
        tuple((member, *check) for member, _, check in rows if isinstance(check, tuple)),
        tuple(member for member, _, check in rows if check is checks.seconds),
        tuple(
            (member, attribute, check)
            for member, attribute, check in rows
            if callable(check) and attribute and check is not checks.seconds
        ),
        name in MOVES_BYTES and "error" not in line and "finished" not in line,
        None if "result" in line else -1 if "error" in line else 0,
        "finished" in line or "decoded" in line,
    )
    if len(PLANS) < MOST_PLANS:
        PLANS[name, *line] = plan
    return plan


def settle_bytes(event: Event, found: dict[str, Any], result: int | None) -> None:
    """The result that follows from the bytes of a read or write; refuses one that cannot be."""
    length = len(found["data"]) if "data" in found else 0
    size = found.get("size")
    if size is not None and length > size:
        raise Wrong(f"{event.name}: {length} bytes came of {size} that were asked for")
    if result is not None:
        found["result"] = length
    elif not event.incomplete and ((size is not None and event.result != length) or not 0 <= event.result <= length):
        raise Wrong(f"{event.name}: result {event.result}, but there are {length} bytes")


def check_together(event: Event, found: dict[str, Any], has_result: bool) -> None:
    """Refuse values that contradict each other; drop what is for people."""
    found.pop("decoded", None)
    if not event.finished:
        if event.error is not None or has_result:
            raise Wrong(f"{event.name}: it never returned, and yet it has a result")
        event.result = -1
    elif event.name in MOVES_BYTES and event.error is None:
        settle_bytes(event, found, None if has_result else 0)


def implied_result(event: Event) -> int:
    """What the call returned where its line does not say."""
    if event.error is not None or not event.finished:
        return -1
    return len(event.data) if event.name in MOVES_BYTES else 0


# ---- To a line -----------------------------------------------------------------------------------------


def event_text(event: Event, decoded: Any = None) -> str:
    """An event's line, without its end.  Raises ValueError where the format has no place for it."""
    name = event.name
    parts = [f'{{"call": "{name}"']
    add = parts.append
    if event.file:
        add(f'"file": {event.file}')
    if event.process != 1:
        add(f'"process": {event.process}')
    if event.thread != 1:
        add(f'"thread": {event.thread}')
    try:
        PUT[name](add, event)
    except KeyError:
        raise ValueError(f"{FORMAT} has no call {name!r}") from None
    if event.incomplete:
        add('"incomplete": true')
    if decoded is not None:
        add(f'"decoded": {encode(decoded)}')
    if event.error is not None:
        add(f'"error": {quote(event.error)}')
    elif event.result != implied_result(event):
        add(f'"result": {event.result}')
    if not event.finished:
        add('"finished": false')
    if event.since is not None:
        add(f'"since": {event.since}')
    if event.time is not None:
        add(f'"time": {checks.seconds(event.time):.6f}')
    if event.took is not None:
        add(f'"took": {checks.seconds(event.took):.6f}')
    return ", ".join(parts) + "}"


def event_object(event: Event, decoded: Any = None) -> dict[str, Any]:
    """An event as the object of its line."""
    from json import loads

    found: dict[str, Any] = loads(event_text(event, decoded))
    return found


def encode(value: Any) -> str:
    """JSON of what is not an event.  Raises ValueError for a number that is none."""
    from json import dumps

    return dumps(value, allow_nan=False)


Add = Callable[[str], object]


def put_open(add: Add, event: Event) -> None:
    """open, inherit."""
    add(f'"node": {quote(event.node)}')
    add(f'"flags": "{open_flags(event.flags)}"')
    if event.mode:
        add(f'"mode": "{event.mode:04o}"')


def put_read(add: Add, event: Event) -> None:
    """read, pread."""
    add(f'"size": {event.size}')
    put_write(add, event)


def put_write(add: Add, event: Event) -> None:
    """write, pwrite."""
    if event.offset is not None:
        add(f'"offset": {event.offset}')
    data = event.data
    if data:
        if data.translate(None, checks.PRINTABLE):
            add(f'"hex": "{data.hex()}"')
        else:
            add(f'"text": {quote(data.decode("ascii"))}')


def put_seek(add: Add, event: Event) -> None:
    """lseek."""
    add(f'"offset": {event.offset or 0}')
    add(f'"whence": {quote(event.operation)}')


def put_ioctl(add: Add, event: Event) -> None:
    """ioctl."""
    add(f'"request": "{event.request:#010x}"')
    if event.label is not None:
        add(f'"name": {quote(event.label)}')
    if event.argument is not None:
        add(f'"value": {event.argument}')
    if event.before is not None:
        add(f'"in": {segments_text(event.before)}')
    if event.after is not None:
        add(f'"out": {segments_text(event.after)}')
    if event.new_file:
        add(f'"new": {event.new_file}')
        if event.place is not None:
            add(f'"place": {event.place}')
    if event.pointers:
        add(f'"pointers": {list(event.pointers)}')


def segments_text(memory: list[Segment]) -> str:
    """Memory of an ioctl."""
    shown = ["null" if segment is None else f'"{segment.hex()}"' for segment in memory]
    return shown[0] if len(shown) == 1 and memory[0] is not None else f"[{', '.join(shown)}]"


def segments(memory: list[Segment]) -> Any:
    """Memory of an ioctl in JSON."""
    shown = [None if segment is None else segment.hex() for segment in memory]
    return shown[0] if len(shown) == 1 and shown[0] is not None else shown


def put_poll(add: Add, event: Event) -> None:
    """poll and its kin."""
    add(f'"asked": "{poll_bits(event.asked)}"')
    if event.ready:
        add(f'"ready": "{poll_bits(event.ready)}"')
    if event.timeout is not None:
        add(f'"timeout": {decimal(event.timeout)}')


def put_other(add: Add, event: Event) -> None:
    """Whatever else."""
    if event.size:
        add(f'"size": {event.size}')
    if event.offset is not None:
        add(f'"offset": {event.offset}')
    if event.operation:
        add(f'"operation": {quote(event.operation)}')


def decimal(value: float) -> str:
    """A number of seconds with at most six decimals, never with an exponent."""
    return f"{checks.seconds(value):.6f}".rstrip("0").rstrip(".")


PUT: dict[str, Callable[[Add, Event], None]] = {
    **dict.fromkeys(CALLS, put_other),
    "open": put_open,
    "inherit": put_open,
    "read": put_read,
    "pread": put_read,
    "write": put_write,
    "pwrite": put_write,
    "lseek": put_seek,
    "ioctl": put_ioctl,
    "poll": put_poll,
}

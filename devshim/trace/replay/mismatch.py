"""What a mismatch says: where in the trace, both sides with their first difference, what is near, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devshim.trace.event import Event, Segment
from devshim.trace.show import line

MOST_SHOWN = 5
WAYS = (
    "record again if the program or the device has changed; --loose matches by request and argument alone, "
    "--match FILE.py by a function of yours, --on-miss MODEL lets a model answer what the trace does not have"
)

#: An event in words.
Tell = Callable[[Event], str]


def message(path: str, call: Event, expected: Event | None, near: Sequence[Event], why: str, tell: Tell = line) -> str:
    """The lines that tell of a mismatch; the first one says it all.

    call      what the program did
    expected  the recorded event that it is compared with, None where there is none
    near      what the trace has next
    why       what is wrong in words, "" to have it found out
    """
    place = f"{path}:{expected.line}" if expected is not None else path
    lines = [f"{place}: mismatch: {why or difference(expected, call)}"]
    lines.append(f"  the program: {asked(call, tell)}")
    if expected is not None:
        lines.append(f"  the trace:   {tell(expected)}")
    following = [event for event in near if event is not expected][: MOST_SHOWN - 1]
    if following:
        lines.append("  nearest events of the trace:")
        lines += [f"    {path}:{event.line}: {tell(event)}" for event in following]
    lines.append(f"  {WAYS}")
    return "\n".join(lines)


def asked(call: Event, tell: Tell) -> str:
    """A call before it has an answer."""
    if call.name in ("read", "pread"):
        at = f", {call.offset}" if call.offset is not None else ""
        return f"{call.name}({call.node}{f', {call.size}' if call.size else ''}{at})"
    return tell(call).rpartition(" = ")[0]


def difference(expected: Event | None, call: Event) -> str:
    """The first difference of two calls, in words."""
    if expected is None:
        return f"the trace has nothing more of {call.node}"
    if expected.name != call.name:
        return f"the program does {call.name}, the trace has {expected.name} next"
    if call.name == "ioctl":
        if expected.request != call.request:
            return f"the program asks {name_of(call)}, the trace has {name_of(expected)} next"
        if expected.argument is not None and expected.argument != call.argument:
            return f"{name_of(expected)} with {call.argument}, recorded with {expected.argument}"
        return memory_difference(expected.before, call.before, name_of(expected))
    if call.name in ("write", "pwrite"):
        if expected.offset != call.offset:
            return f"at offset {call.offset}, recorded at {expected.offset}"
        return bytes_difference(expected.data, call.data)
    if call.name in ("read", "pread"):
        return f"{call.size} bytes at {call.offset}, recorded {expected.size} at {expected.offset}"
    if call.name == "open":
        return "other flags than recorded"
    return "other arguments than recorded"


def name_of(event: Event) -> str:
    """A request by its name, else by its number."""
    return event.label or f"{event.request:#010x}"


def bytes_difference(recorded: bytes, given: bytes) -> str:
    """Where two runs of bytes differ first."""
    for at, (one, other) in enumerate(zip(recorded, given, strict=False)):
        if one != other:
            return f"byte {at} is {shown(other)}, recorded {shown(one)}"
    return f"{len(given)} bytes, recorded {len(recorded)}"


def shown(byte: int) -> str:
    """A byte as a number, and as a character where it is one."""
    return f"{byte:#04x} {chr(byte)!r}" if 32 <= byte < 127 else f"{byte:#04x}"


def memory_difference(recorded: list[Segment] | None, given: list[Segment] | None, name: str) -> str:
    """Where the memory behind two arguments differs first."""
    if recorded is None or given is None:
        return f"{name} out of its order"
    if len(recorded) != len(given):
        return f"{name} with {len(given)} pieces of memory, recorded with {len(recorded)}"
    for number, (one, other) in enumerate(zip(recorded, given, strict=True)):
        if one == other:
            continue
        where = "its argument" if number == 0 else f"what its pointer {number} leads to"
        if one is None or other is None:
            return f"{name}: {where} is {'NULL' if other is None else 'there'}, recorded otherwise"
        return f"{name}: in {where}, {bytes_difference(one, other)}"
    return f"{name} out of its order"

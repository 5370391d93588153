"""Memory of a recorded ioctl: from the ring's form (struct segments of shim/wire.h) to a trace's, without addresses."""

from __future__ import annotations

from ctypes import sizeof

from devshim.host.segments import SEGMENT, SEGMENT_NULL, SEGMENT_WRITE, SEGMENTS
from devshim.host.table import RESULT_PLACE
from devshim.model.description import Description
from devshim.trace.event import Event, Segment
from devshim.trace.memory import leads, without_addresses
from devshim.trace.replay.meaning import meaningful, only_written, without_padding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WORD = 8  # bytes; the words that the shim looks at for addresses


def parse(data: bytes) -> list[tuple[bytes, int]]:
    """(bytes, flags) of each segment; none where the data is no segments."""
    if len(data) < SEGMENTS.size:
        return []
    count = SEGMENTS.unpack_from(data)[0]
    if len(data) < SEGMENTS.size + count * SEGMENT.size:
        return []
    found = []
    for index in range(count):
        at, length, flags, *_ = SEGMENT.unpack_from(data, SEGMENTS.size + index * SEGMENT.size)
        if at + length > len(data):
            return []
        found.append((data[at : at + length], flags))
    return found


def given(data: bytes) -> list[Segment]:
    """What the program handed in, segment by segment."""
    return [None if flags & SEGMENT_NULL else content for content, flags in parse(data)]


def memory_before(event: Event, description: Description | None, data: bytes, pointers: int) -> None:
    """Set event.before, and event.pointers where nobody described what looks like an address.

    pointers: a bit for each word of the argument that does.
    """
    memory = given(data)
    if not memory:
        return
    if description is None:
        event.pointers = tuple(WORD * index for index in range(64) if pointers >> index & 1)
        event.before = [blanked(memory[0], event.pointers)]
    else:
        event.before = meaningful(event.request, description, handed_in(description, memory))


def handed_in(description: Description, memory: list[Segment]) -> list[Segment]:
    """Memory as a trace has it; what only comes back, and leads nowhere, is left empty."""
    if not description.steps:
        return memory
    try:
        shown = without_addresses(description, memory)
        for found in leads(description, memory):
            for lead in found:
                if "w" not in lead.place.pointer.access and lead.target:
                    shown[lead.target] = b""
    except ValueError:  # the description has changed under the program, or somebody wrote into the ring
        return memory[:1]
    return shown


def memory_after(
    event: Event,
    description: Description | None,
    before: bytes,
    after: bytes,
    new_file_at: int | None,
    pointers: int = 0,
) -> None:
    """Set event.after: what the call changed.  new_file_at: where a new descriptor's number stands.

    pointers: a bit for each word of an undescribed answer that looks like an address: of what, a trace does not tell.
    """
    written = parse(after)
    handed = given(before)
    if not written or (event.error is not None and not handed):
        return
    memory: list[Any] = [content if flags & SEGMENT_WRITE else None for content, flags in written]
    if description is None:
        memory = [blanked(memory[0], event.pointers, handed[0] if handed else None)]
        if pointers:
            event.pointers = tuple(WORD * index for index in range(64) if pointers >> index & 1)
            memory = [blanked(memory[0], event.pointers)]
    elif description.steps:
        try:
            memory = without_addresses(description, memory if description.follows else handed, memory)
        except ValueError:
            memory = memory[:1]
    else:
        memory = [answered(description, memory[0], event.result)]
    if new_file_at is not None and new_file_at != RESULT_PLACE and memory[0] is not None:
        memory[0] = memory[0][:new_file_at] + bytes(4) + memory[0][new_file_at + 4 :]
    known = event.before or []
    empty = only_written(event.request, description, known)
    changed = [
        None if index < len(known) and not empty[index] and unchanged(known[index], content) else content
        for index, content in enumerate(memory)
    ]
    if any(content is not None for content in changed):
        event.after = changed


def answered(description: Description, content: Segment, result: int) -> Segment:
    """Memory without what the driver left as it was: padding, and what lies beyond the length that it returned."""
    if content is None or description.ctype is None:
        return content
    if description.sized and sizeof(description.ctype) == 1:
        return content[:result] if result > 0 else content
    return without_padding(description, [content])[0]


def unchanged(before: Segment, after: Segment) -> bool:
    """Whether an answer is what was handed in, as far as it goes."""
    return before == after or (before is not None and after is not None and before[: len(after)] == after)


def blanked(content: Segment, places: tuple[int, ...], same_as: Segment = None) -> Segment:
    """Memory without the words at these places; where same_as is given, only where they are as they were there."""
    if content is None or not places:
        return content
    room = bytearray(content)
    for at in places:
        if same_as is None or same_as[at : at + WORD] == content[at : at + WORD]:
            room[at : at + WORD] = bytes(len(room[at : at + WORD]))
    return bytes(room)

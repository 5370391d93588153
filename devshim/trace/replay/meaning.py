"""What of an ioctl's memory means something: padding does not, nor a buffer's bytes where the driver only writes.

Programs leave there whatever was on their stack, and a replay must not mind.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache

from devshim.model.argument import Ctype
from devshim.model.description import Description
from devshim.trace.event import Segment
from devshim.trace.layout import fields

Memory = list[Segment]

I2C_SMBUS, I2C_RDWR = 0x0720, 0x0707
SG_IO = 0x2285
NVME_IOCTL_ADMIN_CMD, NVME_IOCTL_IO_CMD = 0xC0484E41, 0xC0484E43
EVIOCGMTSLOTS = 0x8000450A
SIZE = 0x3FFF << 16
PADDING = "@pad"  # what trace/layout.py calls it in a type made from a trace


def meaningful(request: int, description: Description | None, memory: Memory) -> Memory:
    """Memory of a call's begin with zeros where it means nothing."""
    if description is not None and description.ctype is not None:
        memory = without_padding(description, memory)
        if description.asks is not None and memory:
            memory = [zeros(memory[0], description.asks), *memory[1:]]
    rule = RULES.get(request) or RULES.get(request & ~SIZE)
    return rule(memory) if rule is not None else memory


def all_means(request: int, description: Description | None) -> bool:
    """Whether meaningful() leaves all memory of a request as it is."""
    if request in RULES or request & ~SIZE in RULES:
        return False
    if description is None or description.ctype is None:
        return True
    types = [description.ctype, *(step.place.pointer.element for step in description.steps)]
    return description.asks is None and not any(kind is not None and gaps(kind) for kind in types)  # type: ignore[arg-type]


def only_written(request: int, description: Description | None, memory: Memory) -> list[bool]:
    """Of each segment whether the driver does not look at all of it: what is there then may be anything."""
    found = [False] * len(memory)
    if description is not None and description.asks is not None and found:
        found[0] = True
    rule = RULES.get(request) or RULES.get(request & ~SIZE)
    if rule is None:
        return found
    for index, segment in enumerate(memory):
        if segment:
            full = b"\xff" * len(segment)
            found[index] = found[index] or rule([*memory[:index], full, *memory[index + 1 :]])[index] != full
    return found


# ---- Padding ---------------------------------------------------------------------------------------------


def without_padding(description: Description, memory: Memory) -> Memory:
    """Memory with zeros between the members of its structures."""
    kinds = kinds_of(description, memory)
    return [blanked(segment, kind) for segment, kind in zip(memory, kinds, strict=True)]


def kinds_of(description: Description, memory: Memory) -> list[Ctype | None]:
    """The type of each segment's elements; None where the description does not fit."""
    kinds: list[Ctype | None] = [description.ctype]
    groups = [range(1)]
    for step in description.steps:
        first, parent = len(kinds), description.ctype
        if step.parent:
            parent = description.steps[step.parent - 1].place.pointer.element
        assert parent is not None
        size = ctypes.sizeof(parent) or 1
        count = sum(len(memory[at] or b"") // size for at in groups[step.parent] if at < len(memory))
        kinds += [step.place.pointer.element] * min(count, len(memory) - len(kinds))
        groups.append(range(first, len(kinds)))
    return kinds[: len(memory)] + [None] * (len(memory) - len(kinds))


def blanked(segment: Segment, kind: Ctype | None) -> Segment:
    """A run of structures with zeros in their padding."""
    holes = gaps(kind) if kind is not None else ()  # type: ignore[arg-type]
    if not holes or not segment:
        return segment
    assert kind is not None
    size = ctypes.sizeof(kind)
    room = bytearray(segment)
    for at in range(0, len(room) - size + 1, size):
        for start, end in holes:
            room[at + start : at + end] = bytes(end - start)
    return bytes(room)


@lru_cache(maxsize=1024)
def gaps(kind: Ctype) -> tuple[tuple[int, int], ...]:
    """The bytes of a type that no member has."""
    used = bytearray(ctypes.sizeof(kind))
    cover(kind, used, 0)
    found: list[tuple[int, int]] = []
    for at, byte in enumerate(used):
        if byte:
            continue
        if found and found[-1][1] == at:
            found[-1] = found[-1][0], at + 1
        else:
            found.append((at, at + 1))
    return tuple(found)


def cover(kind: Ctype, used: bytearray, at: int) -> None:
    """Mark the bytes that a type's members have."""
    element = getattr(kind, "_type_", None)
    if issubclass(kind, (ctypes.Structure, ctypes.Union)):
        for member in fields(kind):
            cover(member.ctype, used, at + member.offset)
    elif isinstance(element, type) and hasattr(kind, "_length_"):
        size = ctypes.sizeof(element)
        for index in range(kind._length_):
            cover(element, used, at + index * size)
    else:
        used[at : at + ctypes.sizeof(kind)] = b"\1" * ctypes.sizeof(kind)


# ---- Buffers that are only written ---------------------------------------------------------------------------


def zeros(segment: Segment, keep: int = 0) -> Segment:
    """Nothing but the first bytes."""
    return None if segment is None else segment[:keep] + bytes(len(segment) - keep)


def smbus(memory: Memory) -> Memory:
    """struct i2c_smbus_ioctl_data: a read hands in nothing, but for how long a block may be."""
    head = memory[0]
    if head is None or len(head) < 8 or len(memory) < 2:
        return memory
    transaction = int.from_bytes(head[4:8], "little")
    if transaction == 0:  # quick
        return [head, zeros(memory[1])]
    if head[0] and transaction not in (4, 7):  # neither of the process calls
        return [head, zeros(memory[1], 1 if transaction in (6, 8) else 0)]
    if not head[0] and transaction == 1:  # a byte that is written is the command
        return [head, zeros(memory[1])]
    if transaction in (5, 6, 7, 8) and memory[1]:
        return [head, zeros(memory[1], min(memory[1][0] + 1, len(memory[1])))]
    return memory


def i2c_transfer(memory: Memory) -> Memory:
    """struct i2c_rdwr_ioctl_data: of the buffers, those that are read into mean nothing before, but a length."""
    if len(memory) < 2 or memory[1] is None:
        return memory
    changed, size = list(memory), 16  # struct i2c_msg
    for index in range(len(memory[1]) // size):
        flags = int.from_bytes(memory[1][index * size + 2 : index * size + 4], "little")
        if flags & 1 and index + 2 < len(changed):
            changed[index + 2] = zeros(changed[index + 2], 1 if flags & 0x400 else 0)
    return changed


def scsi(memory: Memory) -> Memory:
    """struct sg_io_hdr: what it says of the answer means nothing before, nor a buffer that is read into."""
    head = memory[0]
    if head is None or len(head) < 88:
        return memory
    changed = list(memory)
    changed[0] = head[:64] + bytes(len(head) - 64)
    if int.from_bytes(head[4:8], "little", signed=True) == -3 and len(changed) > 1:  # SG_DXFER_FROM_DEV
        changed[1] = zeros(changed[1])
    return changed


def nvme(memory: Memory) -> Memory:
    """struct nvme_passthru_cmd: what comes from the controller, by the opcode's lowest bits, means nothing before."""
    head = memory[0]
    if head is None or len(head) < 72:
        return memory
    changed: Memory = [head[:-4] + bytes(4), *memory[1:]]  # result
    if head[0] & 3 == 2:
        changed[1:] = [zeros(one) for one in changed[1:]]
    return changed


RULES: dict[int, Callable[[Memory], Memory]] = {
    I2C_SMBUS: smbus,
    I2C_RDWR: i2c_transfer,
    SG_IO: scsi,
    NVME_IOCTL_ADMIN_CMD: nvme,
    NVME_IOCTL_IO_CMD: nvme,
    EVIOCGMTSLOTS: lambda memory: [zeros(memory[0], 4)],
}

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

Memory = list[Segment]

I2C_SMBUS, I2C_RDWR = 0x0720, 0x0707
SG_IO = 0x2285
EVIOCGMTSLOTS = 0x8000450A
SIZE = 0x3FFF << 16
PADDING = "@pad"  # what trace/layout.py calls it in a type made from a trace


def meaningful(request: int, description: Description | None, memory: Memory) -> Memory:
    """Memory of a call's begin with zeros where it means nothing."""
    if description is not None and description.ctype is not None:
        memory = without_padding(description, memory)
    rule = RULES.get(request) or RULES.get(request & ~SIZE)
    return rule(memory) if rule is not None else memory


# ---- Padding ---------------------------------------------------------------------------------------------


def without_padding(description: Description, memory: Memory) -> Memory:
    """Memory with zeros between the members of its structures."""
    assert description.ctype is not None
    changed = list(memory)
    kinds: list[Ctype] = [description.ctype]
    if len(memory) > 1:
        pointed = [step.place.pointer.element for step in description.steps]
        if any(gaps(kind) for kind in pointed):
            return [blanked(one, kinds[0]) if at == 0 else one for at, one in enumerate(memory)]
    changed[0] = blanked(changed[0], kinds[0])
    return changed


def blanked(segment: Segment, kind: Ctype) -> Segment:
    """A run of structures with zeros in their padding."""
    holes = gaps(kind)
    if not holes or segment is None:
        return segment
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
    fields = getattr(kind, "_fields_", None)
    element = getattr(kind, "_type_", None)
    if fields is not None and issubclass(kind, (ctypes.Structure, ctypes.Union)):
        for base in kind.__mro__:
            for name, *rest in vars(base).get("_fields_", ()):
                if name.startswith(PADDING):
                    continue
                place = getattr(kind, name)
                if len(rest) > 1:  # bits: their whole word
                    used[at + place.offset : at + place.offset + ctypes.sizeof(rest[0])] = b"\1" * ctypes.sizeof(
                        rest[0]
                    )
                else:
                    cover(rest[0], used, at + place.offset)
    elif element is not None and isinstance(element, type) and hasattr(kind, "_length_"):
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


RULES: dict[int, Callable[[Memory], Memory]] = {
    I2C_SMBUS: smbus,
    I2C_RDWR: i2c_transfer,
    SG_IO: scsi,
    EVIOCGMTSLOTS: lambda memory: [zeros(memory[0], 4)],
}

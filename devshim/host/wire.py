"""What the shim and the host say to each other: the twin of shim/wire.h.

tests/host/test_wire.py compiles wire.h and compares every size, offset and constant with these.
"""

from __future__ import annotations

from struct import Struct

WIRE_MAGIC = 0x6D696873
WIRE_VERSION = 5

REGISTRY_SIZE = 16 << 20
MAX_NODES = 65536
MAX_CARRIERS = 65536
MAX_DEVICES = 32768

REGISTRY_SHADOWS, REGISTRY_GUARD, REGISTRY_RECORDS, REGISTRY_RECORDS_ALL, REGISTRY_ASKS = 1, 2, 4, 8, 64
REGISTRY_IN_PROCESS, REGISTRY_PENDING, REGISTRY_OPENINGS, REGISTRY_HOOKS = 32, 128, 256, 512
REGISTRY_URGENT = 1024
NODE_FREE, NODE_DEVICE, NODE_TREE, NODE_MERGED, NODE_HIDDEN, NODE_GONE, NODE_MASKED, NODE_PASSED = range(8)
DEVICE_READ, DEVICE_WRITE, DEVICE_SEEK, DEVICE_TTY, DEVICE_REPORT, DEVICE_STREAM = 1, 2, 4, 8, 16, 32
DEVICE_PLAIN, DEVICE_MONITOR, DEVICE_RECORD, DEVICE_HARDWARE = 64, 128, 256, 512
DEVICE_ASKS = 4096
CARRIER_FREE, CARRIER_GONE = 0, 1
CARRIER_ANONYMOUS, FIRST_ANONYMOUS = 0xFFFFFFFFFFFFFFFF, 16
CARRIER_NAMED = 0x80000000

MAX_PROCESSES = 4096
SLOTS = 128
SLOT_SIZE = 8192
SLOT_HEAD = 256
SLOT_DATA = SLOT_SIZE - SLOT_HEAD
CHANNEL_HEAD = 4096
LARGE_DATA = 4 << 20
CHANNEL_SMALL = CHANNEL_HEAD + SLOTS * SLOT_SIZE
CHANNEL_SIZE = CHANNEL_SMALL + SLOTS * LARGE_DATA
BELL_SIZE = 4096

OP_READ, OP_WRITE, OP_IOCTL, OP_SEEK, OP_POLL, OP_REPORT, OP_NOTE, OP_LOCK, OP_WAITS = range(1, 10)
WAITS_BESIDE, WAITS_OVER = 0x100, 0x200
NOTE_MAY, NOTE_RECORD, NOTE_OPENING, NOTE_LOOK = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
NOTE_WATCH = 0xFFFFFFFB
LOCK_OF_PROCESS, LOCK_OF_FILE, LOCK_TEST = 0x100, 0x200, 0x400
ANSWER_WAIT, ANSWER_REAL, ANSWER_DRAIN, ANSWER_FILE, ANSWER_TICKET, ANSWER_FULL = 1, 2, 4, 8, 16, 32
ANSWER_AGAIN, ANSWER_SEEN, ANSWER_STANDS, ANSWER_CARRIER, ANSWER_CHANNEL = 64, 128, 256, 512, 1024
HELLO_CHANNEL, HELLO_OPEN, HELLO_TICKET, HELLO_MONITOR, HELLO_PICTURE, HELLO_OPENING = 1, 2, 3, 4, 5, 6
HELLO_FOR_PARENT = 1
HELLO_PATH = 4096
NO_PLACE = 0xFFFFFFFF

RING_HEAD, RING_SIZE, RING_LEAST = 4096, 32 << 20, 1 << 20
RECORD_MAGIC = 0x64726F6365726B21
RECORD_BEGIN, RECORD_MORE, RECORD_END, RECORD_PROCESS, RECORD_LOST, RECORD_PAD = range(1, 7)
CALL_OPEN, CALL_INHERIT, CALL_READ, CALL_WRITE, CALL_SEEK, CALL_IOCTL, CALL_POLL, CALL_CLOSE = range(1, 9)
CALL_MMAP, CALL_FLOCK, CALL_FCNTL, CALL_FSYNC, CALL_FDATASYNC, CALL_FTRUNCATE = range(9, 15)
RECORD_INCOMPLETE, RECORD_VALUE, RECORD_OUT = 1, 2, 4
RECORD = Struct("<QI2H2Q5Ii2I3q")
"""struct record: state, length, kind, call, number, time, process, thread, file, device, flags, error, data, new_file,
first, second, third."""

REGISTRY = Struct("<8I5Q512s512s56sQ56s")
"""struct registry: magic, version, ready, flags, host_pid, changes, root_length, declared, nodes_at, carriers_at,
devices_at, text_at, text_used, roots, present, apart, moves, behind."""
NODE = Struct("<3I2HI")
"""struct node: kind, hash, path, length, directory, device."""
DEVICE = Struct("<2IQ4I")
"""struct device: flags, mode, rdev, path, ioctls, record, gone."""
CARRIER = Struct("<3Q4I")
"""struct carrier: inode, dev, born, device, file, access, tag."""
HELLO_REQUEST = Struct("<6IQ2I2Q")
"""struct hello_request: magic, version, what, abi, flags, mode, ticket, length, thread, inode, channel."""
HELLO_ANSWER = Struct("<Ii5I")
"""struct hello_answer: magic, error, flags, file, device, device_flags, tag."""


def fnv1a(text: bytes) -> int:
    """The 32-bit FNV-1a hash by which nodes are found."""
    value = 2166136261
    for byte in text:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value

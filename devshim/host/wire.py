"""What the shim and the host say to each other: the twin of shim/wire.h.

tests/host/test_wire.py compiles wire.h and compares every size, offset and constant with these.
"""

from __future__ import annotations

from ctypes import LittleEndianStructure as Structure
from ctypes import c_char, c_int32, c_uint8, c_uint16, c_uint32, c_uint64
from struct import Struct

WIRE_MAGIC = 0x6D696873
WIRE_VERSION = 3

REGISTRY_SIZE = 16 << 20
MAX_NODES = 65536
MAX_CARRIERS = 65536
MAX_DEVICES = 32768

REGISTRY_SHADOWS, REGISTRY_GUARD, REGISTRY_RECORDS, REGISTRY_RECORDS_ALL, REGISTRY_ASKS = 1, 2, 4, 8, 64
REGISTRY_IN_PROCESS, REGISTRY_PENDING, REGISTRY_OPENINGS, REGISTRY_HOOKS = 32, 128, 256, 512
NODE_FREE, NODE_DEVICE, NODE_TREE, NODE_MERGED, NODE_HIDDEN, NODE_GONE, NODE_MASKED, NODE_PASSED = range(8)
DEVICE_READ, DEVICE_WRITE, DEVICE_SEEK, DEVICE_TTY, DEVICE_REPORT, DEVICE_STREAM = 1, 2, 4, 8, 16, 32
DEVICE_PLAIN, DEVICE_MONITOR, DEVICE_RECORD, DEVICE_HARDWARE = 64, 128, 256, 512
DEVICE_ASKS = 4096
CARRIER_FREE, CARRIER_GONE = 0, 1
CARRIER_ANONYMOUS, FIRST_ANONYMOUS = 0xFFFFFFFFFFFFFFFF, 16

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
NOTE_MAY, NOTE_RECORD, NOTE_OPENING = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
LOCK_OF_PROCESS, LOCK_OF_FILE, LOCK_TEST = 0x100, 0x200, 0x400
ANSWER_WAIT, ANSWER_REAL, ANSWER_DRAIN, ANSWER_FILE, ANSWER_TICKET, ANSWER_FULL = 1, 2, 4, 8, 16, 32
ANSWER_AGAIN, ANSWER_SEEN = 64, 128
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


class Registry(Structure):
    _fields_ = [
        ("magic", c_uint32), ("version", c_uint32), ("ready", c_uint32), ("flags", c_uint32),
        ("host_pid", c_uint32), ("changes", c_uint32), ("root_length", c_uint32), ("declared", c_uint32),
        ("nodes_at", c_uint64), ("carriers_at", c_uint64), ("devices_at", c_uint64), ("text_at", c_uint64),
        ("text_used", c_uint64), ("roots", c_char * 512), ("present", c_uint64 * 64),
    ]  # fmt: skip


class Node(Structure):
    _fields_ = [
        ("kind", c_uint32), ("hash", c_uint32), ("path", c_uint32), ("length", c_uint16), ("directory", c_uint16),
        ("device", c_uint32),
    ]  # fmt: skip


class DeviceEntry(Structure):
    _fields_ = [
        ("flags", c_uint32), ("mode", c_uint32), ("rdev", c_uint64), ("path", c_uint32), ("ioctls", c_uint32),
        ("record", c_uint32), ("gone", c_uint32),
    ]  # fmt: skip


class Carrier(Structure):
    _fields_ = [
        ("inode", c_uint64), ("dev", c_uint64), ("born", c_uint64), ("device", c_uint32), ("file", c_uint32),
        ("access", c_uint32), ("reserved", c_uint32),
    ]  # fmt: skip


class Bell(Structure):
    _fields_ = [
        ("rung", c_uint32), ("sleeping", c_uint32), ("cpu", c_uint32), ("gone", c_uint32), ("pad", c_uint8 * 48),
        ("summary", c_uint64), ("pad2", c_uint8 * 56), ("pending", c_uint64 * (MAX_PROCESSES // 64)),
    ]  # fmt: skip


class Ring(Structure):
    _fields_ = [
        ("magic", c_uint32), ("version", c_uint32), ("size", c_uint64), ("started", c_uint64), ("files", c_uint32),
        ("processes", c_uint32), ("closed", c_uint32), ("lost", c_uint32), ("waits", c_uint32), ("reserved", c_uint32),
        ("pad", c_uint8 * 16), ("head", c_uint64), ("pad2", c_uint8 * 56), ("tail", c_uint64), ("freed", c_uint32),
        ("waiting", c_uint32), ("pad3", c_uint8 * 48), ("filled", c_uint32), ("sleeping", c_uint32),
        ("pad4", c_uint8 * 56),
    ]  # fmt: skip


class HelloRequest(Structure):
    _fields_ = [
        ("magic", c_uint32), ("version", c_uint32), ("what", c_uint32), ("abi", c_uint32), ("flags", c_uint32),
        ("mode", c_uint32), ("ticket", c_uint64), ("length", c_uint32), ("thread", c_uint32),
    ]  # fmt: skip


class HelloAnswer(Structure):
    _fields_ = [
        ("magic", c_uint32), ("error", c_int32), ("flags", c_uint32), ("file", c_uint32), ("device", c_uint32),
        ("device_flags", c_uint32),
    ]  # fmt: skip


def fnv1a(text: bytes) -> int:
    """The 32-bit FNV-1a hash by which nodes are found."""
    value = 2166136261
    for byte in text:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value

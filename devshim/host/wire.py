"""What the shim and the host say to each other: the twin of shim/wire.h.

tests/host/test_wire.py compiles wire.h and compares every size, offset and constant with these.
"""

from __future__ import annotations

from ctypes import LittleEndianStructure as Structure
from ctypes import c_char, c_int32, c_uint8, c_uint16, c_uint32, c_uint64

WIRE_MAGIC = 0x6D696873
WIRE_VERSION = 1

REGISTRY_SIZE = 16 << 20
MAX_NODES = 16384
MAX_CARRIERS = 65536
MAX_DEVICES = 8192

REGISTRY_SHADOWS, REGISTRY_GUARD = 1, 2
NODE_FREE, NODE_DEVICE, NODE_TREE, NODE_MERGED, NODE_HIDDEN, NODE_GONE = range(6)
DEVICE_READ, DEVICE_WRITE, DEVICE_SEEK, DEVICE_TTY, DEVICE_REPORT, DEVICE_STREAM = 1, 2, 4, 8, 16, 32
CARRIER_FREE, CARRIER_GONE = 0, 1

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

OP_READ, OP_WRITE, OP_IOCTL, OP_SEEK, OP_POLL, OP_REPORT, OP_NOTE, OP_LOCK = range(1, 9)
LOCK_OF_PROCESS, LOCK_OF_FILE, LOCK_TEST = 0x100, 0x200, 0x400
ANSWER_WAIT, ANSWER_REAL, ANSWER_DRAIN, ANSWER_FILE, ANSWER_TICKET, ANSWER_FULL = 1, 2, 4, 8, 16, 32
HELLO_CHANNEL, HELLO_OPEN, HELLO_TICKET = 1, 2, 3
HELLO_FOR_PARENT = 1
HELLO_PATH = 4096
NO_PLACE = 0xFFFFFFFF


class Registry(Structure):
    _fields_ = [
        ("magic", c_uint32), ("version", c_uint32), ("ready", c_uint32), ("flags", c_uint32),
        ("host_pid", c_uint32), ("changes", c_uint32), ("root_length", c_uint32), ("reserved", c_uint32),
        ("nodes_at", c_uint64), ("carriers_at", c_uint64), ("devices_at", c_uint64), ("text_at", c_uint64),
        ("text_used", c_uint64), ("roots", c_char * 512),
    ]  # fmt: skip


class Node(Structure):
    _fields_ = [
        ("kind", c_uint32), ("hash", c_uint32), ("path", c_uint32), ("length", c_uint16), ("reserved", c_uint16),
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

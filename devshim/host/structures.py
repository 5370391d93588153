"""Structures of shim/wire.h member by member, for who takes them apart at leisure; the host has those of wire.py.

tests/host/test_wire.py compiles wire.h and compares every size and offset with these.
"""

from __future__ import annotations

from ctypes import LittleEndianStructure as Structure
from ctypes import c_char, c_int32, c_uint8, c_uint16, c_uint32, c_uint64

from devshim.host.wire import MAX_PROCESSES


class Registry(Structure):
    _fields_ = [
        ("magic", c_uint32), ("version", c_uint32), ("ready", c_uint32), ("flags", c_uint32),
        ("host_pid", c_uint32), ("changes", c_uint32), ("root_length", c_uint32), ("declared", c_uint32),
        ("nodes_at", c_uint64), ("carriers_at", c_uint64), ("devices_at", c_uint64), ("text_at", c_uint64),
        ("text_used", c_uint64), ("roots", c_char * 512), ("present", c_uint64 * 64),
        ("apart", c_uint64 * 7), ("moves", c_uint64), ("behind", c_uint64 * 7),
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
        ("access", c_uint32), ("tag", c_uint32),
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
        ("inode", c_uint64), ("channel", c_uint64),
    ]  # fmt: skip


class HelloAnswer(Structure):
    _fields_ = [
        ("magic", c_uint32), ("error", c_int32), ("flags", c_uint32), ("file", c_uint32), ("device", c_uint32),
        ("device_flags", c_uint32), ("tag", c_uint32),
    ]  # fmt: skip

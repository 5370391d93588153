"""The names of C's own types, the kernel's (asm-generic/int-ll64.h, linux/types.h) and <stdint.h>'s, as ctypes."""

from __future__ import annotations

import ctypes

from devshim.model.argument import Ctype

LONG = ctypes.c_long
ULONG = ctypes.c_ulong

#: Words of which C's own type names are made.
WORDS = frozenset(
    ["unsigned", "signed", "char", "short", "int", "long", "float", "double", "_Bool", "void"]
)  # fmt: skip

#: C's own types by their words in alphabetical order.
BASES: dict[str, Ctype] = {
    "char": ctypes.c_char, "char signed": ctypes.c_byte, "char unsigned": ctypes.c_ubyte,
    "short": ctypes.c_short, "int short": ctypes.c_short, "short signed": ctypes.c_short,
    "int short signed": ctypes.c_short, "short unsigned": ctypes.c_ushort, "int short unsigned": ctypes.c_ushort,
    "int": ctypes.c_int, "signed": ctypes.c_int, "int signed": ctypes.c_int,
    "unsigned": ctypes.c_uint, "int unsigned": ctypes.c_uint,
    "long": LONG, "int long": LONG, "long signed": LONG, "int long signed": LONG,
    "long unsigned": ULONG, "int long unsigned": ULONG,
    "long long": ctypes.c_longlong, "int long long": ctypes.c_longlong, "long long signed": ctypes.c_longlong,
    "int long long signed": ctypes.c_longlong,
    "long long unsigned": ctypes.c_ulonglong, "int long long unsigned": ctypes.c_ulonglong,
    "float": ctypes.c_float, "double": ctypes.c_double, "double long": ctypes.c_longdouble,
    "_Bool": ctypes.c_bool, "void": ctypes.c_uint8,
}  # fmt: skip


class timeval(ctypes.Structure):
    """struct timeval of <sys/time.h>, which kernel headers use without declaring it."""

    _fields_ = [("tv_sec", LONG), ("tv_usec", LONG)]


class timespec(ctypes.Structure):
    """struct timespec of <time.h>."""

    _fields_ = [("tv_sec", LONG), ("tv_nsec", LONG)]


TAGS: dict[str, Ctype] = {"timeval": timeval, "timespec": timespec}


def named() -> dict[str, Ctype]:
    """Type names that headers use without declaring them."""
    found: dict[str, Ctype] = {
        "bool": ctypes.c_bool, "size_t": ctypes.c_size_t, "ssize_t": ctypes.c_ssize_t, "off_t": LONG,
        "loff_t": ctypes.c_int64,
        "pid_t": ctypes.c_int, "uid_t": ctypes.c_uint, "gid_t": ctypes.c_uint, "mode_t": ctypes.c_uint,
        "dev_t": ctypes.c_uint64,
        "time_t": LONG, "uintptr_t": ctypes.c_size_t, "intptr_t": ctypes.c_ssize_t, "caddr_t": ctypes.c_size_t,
        "__kernel_size_t": ULONG, "__kernel_ssize_t": LONG, "__kernel_long_t": LONG, "__kernel_ulong_t": ULONG,
        "__kernel_off_t": LONG, "__kernel_loff_t": ctypes.c_int64, "__kernel_time_t": LONG,
        "__kernel_time64_t": ctypes.c_int64,
        "__kernel_pid_t": ctypes.c_int, "__kernel_uid_t": ctypes.c_uint, "__kernel_gid_t": ctypes.c_uint,
        "uchar": ctypes.c_ubyte, "ushort": ctypes.c_ushort, "uint": ctypes.c_uint, "ulong": ULONG,
        "__poll_t": ctypes.c_uint,
        "u_char": ctypes.c_ubyte, "u_short": ctypes.c_ushort, "u_int": ctypes.c_uint, "u_long": ULONG,
        "__aligned_u64": ctypes.c_uint64,
    }  # fmt: skip
    for bits in (8, 16, 32, 64):
        signed, unsigned = getattr(ctypes, f"c_int{bits}"), getattr(ctypes, f"c_uint{bits}")
        for name in (f"__s{bits}", f"s{bits}", f"int{bits}_t", f"__int{bits}_t"):
            found[name] = signed
        for name in (f"__u{bits}", f"u{bits}", f"uint{bits}_t", f"__uint{bits}_t", f"u_int{bits}_t"):
            found[name] = unsigned
        if bits > 8:
            found[f"__le{bits}"] = found[f"le{bits}"] = unsigned.__ctype_le__
            found[f"__be{bits}"] = found[f"be{bits}"] = unsigned.__ctype_be__
    return found


NAMED = named()

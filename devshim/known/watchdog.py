"""Watchdogs: linux/watchdog.h"""

from __future__ import annotations

from devshim.known.record import known, record, value

watchdog_info = record("watchdog_info", options="u32", firmware_version="u32", identity="u8*32")

DESCRIPTIONS = [
    known("WDIOC_GETSUPPORT", 0x80285700, watchdog_info),
    known("WDIOC_GETSTATUS", 0x80045701, "i32"),
    known("WDIOC_GETBOOTSTATUS", 0x80045702, "i32"),
    known("WDIOC_GETTEMP", 0x80045703, "i32"),
    known("WDIOC_SETOPTIONS", 0x80045704, "i32", "w"),
    # Nobody looks at its argument.
    value("WDIOC_KEEPALIVE", 0x80045705),
    known("WDIOC_SETTIMEOUT", 0xC0045706, "i32"),
    known("WDIOC_GETTIMEOUT", 0x80045707, "i32"),
    known("WDIOC_SETPRETIMEOUT", 0xC0045708, "i32"),
    known("WDIOC_GETPRETIMEOUT", 0x80045709, "i32"),
    known("WDIOC_GETTIMELEFT", 0x8004570A, "i32"),
]

"""Parallel ports and the printers on them: linux/ppdev.h, linux/lp.h."""

from __future__ import annotations

from devshim.known.record import family, known, record, value

ppdev_frob_struct = record("ppdev_frob_struct", mask="u8", val="u8")
timeval = record("timeval", tv_sec="i64", tv_usec="i64")

DESCRIPTIONS = [
    *family("w", "i32", PPSETMODE=0x40047080, PPDATADIR=0x40047090, PPNEGOT=0x40047091, PPSETPHASE=0x40047094),
    *family("w", "i32", PPSETFLAGS=0x4004709B),
    *family("r", "i32", PPCLRIRQ=0x80047093, PPGETMODE=0x80047098, PPGETPHASE=0x80047099, PPGETFLAGS=0x8004709A),
    known("PPGETMODES", 0x80047097, "u32"),
    *family("r", "u8", PPRSTATUS=0x80017081, PPRCONTROL=0x80017083, PPRDATA=0x80017085),
    *family("w", "u8", PPWCONTROL=0x40017084, PPWDATA=0x40017086, PPWCTLONIRQ=0x40017092),
    known("PPFCONTROL", 0x4002708E, ppdev_frob_struct),
    known("PPCLAIM", 0x708B),
    known("PPRELEASE", 0x708C),
    known("PPYIELD", 0x708D),
    known("PPEXCL", 0x708F),
    known("PPGETTIME", 0x80107095, timeval),
    known("PPSETTIME", 0x40107096, timeval),
    value("LPCHAR", 0x0601),
    value("LPTIME", 0x0602),
    value("LPABORT", 0x0604),
    value("LPSETIRQ", 0x0605),
    known("LPGETIRQ", 0x0606, "i32", "r"),
    value("LPWAIT", 0x0608),
    value("LPCAREFUL", 0x0609),
    value("LPABORTOPEN", 0x060A),
    known("LPGETSTATUS", 0x060B, "i32", "r"),
    known("LPRESET", 0x060C),
    known("LPGETFLAGS", 0x060E, "i32", "r"),
]

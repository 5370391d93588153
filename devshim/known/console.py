"""Virtual consoles, their keyboards and fonts: linux/kd.h, linux/vt.h, asm-generic/ioctls.h."""

from __future__ import annotations

from devshim.known.record import BYTES, family, known, pointer, record, value

GLYPH = BYTES * 32  # a character of a font that is eight dots wide at most

consolefontdesc = record(
    "consolefontdesc", charcount="u16", charheight="u16", chardata=pointer(GLYPH, length="charcount", access="rw")
)
unipair = record("unipair", unicode="u16", fontpos="u16")
unimapdesc = record("unimapdesc", entry_ct="u16", entries=pointer(unipair, length="entry_ct", access="rw"))
unimapinit = record("unimapinit", advised_hashsize="u16", advised_hashstep="u16", advised_hashlevel="u16")
kbentry = record("kbentry", kb_table="u8", kb_index="u8", kb_value="u16")
kbsentry = record("kbsentry", kb_func="u8", kb_string="char*512")
kbdiacr = record("kbdiacr", diacr="u8", base="u8", result="u8")
kbdiacrs = record("kbdiacrs", kb_cnt="u32", kbdiacr=kbdiacr * 256)
kbdiacruc = record("kbdiacruc", diacr="u32", base="u32", result="u32")
kbdiacrsuc = record("kbdiacrsuc", kb_cnt="u32", kbdiacruc=kbdiacruc * 256)
kbkeycode = record("kbkeycode", scancode="u32", keycode="u32")
kbd_repeat = record("kbd_repeat", delay="i32", period="i32")
console_font_op = record(
    "console_font_op", op="u32", flags="u32", width="u32", height="u32", charcount="u32",
    data=pointer(GLYPH, length="charcount", access="rw", optional=True, when=("op", 0, 1)),
)  # fmt: skip
vt_mode = record("vt_mode", mode="i8", waitv="i8", relsig="i16", acqsig="i16", frsig="i16")
vt_stat = record("vt_stat", v_active="u16", v_signal="u16", v_state="u16")
vt_sizes = record("vt_sizes", v_rows="u16", v_cols="u16", v_scrollsize="u16")
vt_consize = record("vt_consize", v_rows="u16", v_cols="u16", v_vlin="u16", v_clin="u16", v_vcol="u16", v_ccol="u16")
vt_event = record("vt_event", event="u32", oldev="u32", newev="u32", pad="u32*4")
vt_setactivate = record("vt_setactivate", console="u32", mode=vt_mode)

BY_VALUE = {
    "KIOCSOUND": 0x4B2F, "KDMKTONE": 0x4B30, "KDSETLED": 0x4B32, "KDADDIO": 0x4B34, "KDDELIO": 0x4B35,
    "KDSETMODE": 0x4B3A, "KDSKBMODE": 0x4B45, "KDSIGACCEPT": 0x4B4E, "KDSKBMETA": 0x4B63, "KDSKBLED": 0x4B65,
    "VT_RELDISP": 0x5605, "VT_ACTIVATE": 0x5606, "VT_WAITACTIVE": 0x5607, "VT_DISALLOCATE": 0x5608,
    "VT_LOCKSWITCH": 0x560B, "VT_UNLOCKSWITCH": 0x560C,
}  # fmt: skip

DESCRIPTIONS = [
    *(value(name, number) for name, number in BY_VALUE.items()),
    *family("r", "u8", KDGETLED=0x4B31, KDGKBTYPE=0x4B33, KDGKBLED=0x4B64),
    *family("r", "i32", KDGETMODE=0x4B3B, KDGKBMODE=0x4B44, KDGKBMETA=0x4B62, VT_OPENQRY=0x5600),
    known("KDENABIO", 0x4B36),
    known("KDDISABIO", 0x4B37),
    known("KDMAPDISP", 0x4B3C),
    known("KDUNMAPDISP", 0x4B3D),
    known("GIO_SCRNMAP", 0x4B40, "u8*256", "r"),
    known("PIO_SCRNMAP", 0x4B41, "u8*256", "w"),
    known("KDGKBENT", 0x4B46, kbentry, "rw"),
    known("KDSKBENT", 0x4B47, kbentry, "w"),
    known("KDGKBSENT", 0x4B48, kbsentry, "rw", asks="kb_func"),
    known("KDSKBSENT", 0x4B49, kbsentry, "w"),
    known("KDGKBDIACR", 0x4B4A, kbdiacrs, "r"),
    known("KDSKBDIACR", 0x4B4B, kbdiacrs, "w"),
    known("KDGKBDIACRUC", 0x4BFA, kbdiacrsuc, "r"),
    known("KDSKBDIACRUC", 0x4BFB, kbdiacrsuc, "w"),
    known("KDGETKEYCODE", 0x4B4C, kbkeycode, "rw", asks="scancode"),
    known("KDSETKEYCODE", 0x4B4D, kbkeycode, "w"),
    known("KDKBDREP", 0x4B52, kbd_repeat, "rw"),
    known("GIO_FONT", 0x4B60, "u8*8192", "r"),
    known("PIO_FONT", 0x4B61, "u8*8192", "w"),
    known("GIO_UNIMAP", 0x4B66, unimapdesc, "rw"),
    known("PIO_UNIMAP", 0x4B67, unimapdesc, "w"),
    known("PIO_UNIMAPCLR", 0x4B68, unimapinit, "w"),
    known("GIO_UNISCRNMAP", 0x4B69, "u16*256", "r"),
    known("PIO_UNISCRNMAP", 0x4B6A, "u16*256", "w"),
    known("GIO_FONTX", 0x4B6B, consolefontdesc, "rw"),
    known("PIO_FONTX", 0x4B6C, consolefontdesc, "w"),
    known("PIO_FONTRESET", 0x4B6D),
    known("GIO_CMAP", 0x4B70, "u8*48", "r"),
    known("PIO_CMAP", 0x4B71, "u8*48", "w"),
    known("KDFONTOP", 0x4B72, console_font_op, "rw"),
    known("VT_GETMODE", 0x5601, vt_mode, "r"),
    known("VT_SETMODE", 0x5602, vt_mode, "w"),
    known("VT_GETSTATE", 0x5603, vt_stat, "r"),
    known("VT_SENDSIG", 0x5604),
    known("VT_RESIZE", 0x5609, vt_sizes, "w"),
    known("VT_RESIZEX", 0x560A, vt_consize, "w"),
    known("VT_GETHIFONTMASK", 0x560D, "u16", "r"),
    known("VT_WAITEVENT", 0x560E, vt_event, "rw", asks="event"),
    known("VT_SETACTIVATE", 0x560F, vt_setactivate, "w"),
    known("TIOCLINUX", 0x541C, "u8", "rw"),
]

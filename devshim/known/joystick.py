"""Joysticks of the old interface, /dev/input/jsN: linux/joystick.h."""

from __future__ import annotations

from ctypes import c_uint8

from devshim.known.record import known, record, sized
from devshim.model.description import describe
from devshim.model.request import IOR

js_corr = record("js_corr", coef="i32*8", prec="i16", type="u16")

DESCRIPTIONS = [
    known("JSIOCGVERSION", 0x80046A01, "u32"),
    known("JSIOCGAXES", 0x80016A11, "u8"),
    known("JSIOCGBUTTONS", 0x80016A12, "u8"),
    describe(IOR("j", 0x13, sized(c_uint8)), name="JSIOCGNAME"),
    # One for each axis, and how many there are is in another request; programs hand in room for all that there may be.
    known("JSIOCSCORR", 0x40246A21, js_corr * 64),
    known("JSIOCGCORR", 0x80246A22, js_corr * 64),
    known("JSIOCSAXMAP", 0x40406A31, "u8*64"),
    known("JSIOCGAXMAP", 0x80406A32, "u8*64"),
    known("JSIOCSBTNMAP", 0x44006A33, "u16*512"),
    known("JSIOCGBTNMAP", 0x84006A34, "u16*512"),
]

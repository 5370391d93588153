"""Numbers and layouts of <linux/joystick.h>."""

from __future__ import annotations

import struct
from ctypes import Structure, c_int16, c_int32, c_int64, c_uint8, c_uint16, c_uint32

from devshim.model.ioctl import IOR, IOW, sized

JS_VERSION = 0x020100
JS_EVENT_BUTTON, JS_EVENT_AXIS, JS_EVENT_INIT = 0x01, 0x02, 0x80
JS_CORR_NONE, JS_CORR_BROKEN = 0, 1

EVENT = struct.Struct("<IhBB")
"""struct js_event: milliseconds, value, type, number."""
OLD_STATE = struct.Struct("<iii")
"""struct JS_DATA_TYPE: what version 0 reads."""


class JsCorr(Structure):
    """struct js_corr."""

    _fields_ = [("coef", c_int32 * 8), ("prec", c_int16), ("type", c_uint16)]


class JsData(Structure):
    """struct JS_DATA_TYPE."""

    _fields_ = [("buttons", c_int32), ("x", c_int32), ("y", c_int32)]


class JsDataSave(Structure):
    """struct JS_DATA_SAVE_TYPE of 64-bit machines."""

    _fields_ = [
        ("timeout", c_int32),
        ("busy", c_int32),
        ("expire_time", c_int64),
        ("time_limit", c_int64),
        ("save", JsData),
        ("corr", JsData),
    ]


JSIOCGVERSION = IOR("j", 0x01, c_uint32).named("JSIOCGVERSION")
JSIOCGAXES = IOR("j", 0x11, c_uint8).named("JSIOCGAXES")
JSIOCGBUTTONS = IOR("j", 0x12, c_uint8).named("JSIOCGBUTTONS")
JSIOCGNAME = IOR("j", 0x13, sized(c_uint8)).named("JSIOCGNAME")
JSIOCSCORR = IOW("j", 0x21, JsCorr).named("JSIOCSCORR")
JSIOCGCORR = IOR("j", 0x22, JsCorr).named("JSIOCGCORR")
JSIOCSAXMAP = IOW("j", 0x31, sized(c_uint8)).named("JSIOCSAXMAP")
JSIOCGAXMAP = IOR("j", 0x32, sized(c_uint8)).named("JSIOCGAXMAP")
JSIOCSBTNMAP = IOW("j", 0x33, sized(c_uint8)).named("JSIOCSBTNMAP")
JSIOCGBTNMAP = IOR("j", 0x34, sized(c_uint8)).named("JSIOCGBTNMAP")

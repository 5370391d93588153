"""Layouts and requests of <linux/input.h>, and how long the kernel's bitmaps are."""

from __future__ import annotations

import struct
from ctypes import Structure, Union, c_int16, c_int32, c_uint8, c_uint16, c_uint32, c_uint64

from devshim.model import input_codes as codes
from devshim.model.ioctl import IOR, IOW, pointer, sized
from devshim.model.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

EV_VERSION = 0x010001
INPUT_KEYMAP_BY_INDEX = 1
REQUEST_TYPE = "E"

#: struct input_event on 64-bit machines: the time in two halves, then type, code and value.
STAMP = struct.Struct("<qq")
BODY = struct.Struct("<HHi")
EVENT_SIZE = STAMP.size + BODY.size

LONG = 8  # bytes of the unsigned long that bitmaps are made of

#: Bits of the bitmap that EVIOCGBIT(type), and a mask, have for each type; 0 is the bitmap of types.
COUNTS = {
    codes.EV_SYN: codes.EV_CNT,
    codes.EV_KEY: codes.KEY_CNT,
    codes.EV_REL: codes.REL_CNT,
    codes.EV_ABS: codes.ABS_CNT,
    codes.EV_MSC: codes.MSC_CNT,
    codes.EV_SW: codes.SW_CNT,
    codes.EV_LED: codes.LED_CNT,
    codes.EV_SND: codes.SND_CNT,
    codes.EV_FF: codes.FF_CNT,
}


def bitmap(bits: Iterable[int], count: int) -> bytes:
    """A bitmap of count bits, in whole longs as the kernel keeps them, with these bits set."""
    value = 0
    for bit in bits:
        value |= 1 << bit
    return value.to_bytes(-(-count // (8 * LONG)) * LONG, "little")


class InputId(Structure):
    """struct input_id."""

    _fields_ = [("bustype", c_uint16), ("vendor", c_uint16), ("product", c_uint16), ("version", c_uint16)]


class InputAbsinfo(Structure):
    """struct input_absinfo."""

    _fields_ = [
        ("value", c_int32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("fuzz", c_int32),
        ("flat", c_int32),
        ("resolution", c_int32),
    ]


class InputKeymapEntry(Structure):
    """struct input_keymap_entry."""

    _fields_ = [
        ("flags", c_uint8),
        ("len", c_uint8),
        ("index", c_uint16),
        ("keycode", c_uint32),
        ("scancode", c_uint8 * 32),
    ]


class MaskToRead(Structure):
    """struct input_mask of EVIOCGMASK."""

    _fields_ = [
        ("type", c_uint32),
        ("codes_size", c_uint32),
        ("codes_ptr", pointer(c_uint8, length="codes_size", access="r", width=8)),
    ]


class MaskToSet(Structure):
    """struct input_mask of EVIOCSMASK."""

    _fields_ = [
        ("type", c_uint32),
        ("codes_size", c_uint32),
        ("codes_ptr", pointer(c_uint8, length="codes_size", access="w", width=8)),
    ]


# ---- Force feedback


class FfReplay(Structure):
    """struct ff_replay: milliseconds."""

    _fields_ = [("length", c_uint16), ("delay", c_uint16)]


class FfTrigger(Structure):
    """struct ff_trigger."""

    _fields_ = [("button", c_uint16), ("interval", c_uint16)]


class FfEnvelope(Structure):
    """struct ff_envelope."""

    _fields_ = [
        ("attack_length", c_uint16),
        ("attack_level", c_uint16),
        ("fade_length", c_uint16),
        ("fade_level", c_uint16),
    ]


class FfConstantEffect(Structure):
    """struct ff_constant_effect."""

    _fields_ = [("level", c_int16), ("envelope", FfEnvelope)]


class FfRampEffect(Structure):
    """struct ff_ramp_effect."""

    _fields_ = [("start_level", c_int16), ("end_level", c_int16), ("envelope", FfEnvelope)]


class FfConditionEffect(Structure):
    """struct ff_condition_effect."""

    _fields_ = [
        ("right_saturation", c_uint16),
        ("left_saturation", c_uint16),
        ("right_coeff", c_int16),
        ("left_coeff", c_int16),
        ("deadband", c_uint16),
        ("center", c_int16),
    ]


class FfPeriodicEffect(Structure):
    """struct ff_periodic_effect; custom_data stays an address: the kernel's own drivers do not follow it either."""

    _fields_ = [
        ("waveform", c_uint16),
        ("period", c_uint16),
        ("magnitude", c_int16),
        ("offset", c_int16),
        ("phase", c_uint16),
        ("envelope", FfEnvelope),
        ("custom_len", c_uint32),
        ("custom_data", c_uint64),
    ]


class FfRumbleEffect(Structure):
    """struct ff_rumble_effect."""

    _fields_ = [("strong_magnitude", c_uint16), ("weak_magnitude", c_uint16)]


class FfUnion(Union):
    """The union in struct ff_effect."""

    _fields_ = [
        ("constant", FfConstantEffect),
        ("ramp", FfRampEffect),
        ("periodic", FfPeriodicEffect),
        ("condition", FfConditionEffect * 2),
        ("rumble", FfRumbleEffect),
    ]


class FfEffect(Structure):
    """struct ff_effect: what a program uploads."""

    _fields_ = [
        ("type", c_uint16),
        ("id", c_int16),
        ("direction", c_uint16),
        ("trigger", FfTrigger),
        ("replay", FfReplay),
        ("u", FfUnion),
    ]


class FfCustomPeriodicEffect(Structure):
    """struct ff_periodic_effect for a device that plays FF_CUSTOM: custom_data shows the samples."""

    _fields_ = [
        *FfPeriodicEffect._fields_[:-1],
        ("custom_data", pointer(c_int16, length="custom_len", access="w", optional=True, width=8)),
    ]


class FfCustomUnion(Union):
    """The union in struct ff_effect, whose samples are followed."""

    _fields_ = [*FfUnion._fields_[:2], ("periodic", FfCustomPeriodicEffect), *FfUnion._fields_[3:]]


class FfCustomEffect(Structure):
    """struct ff_effect for a device that plays FF_CUSTOM."""

    _fields_ = [*FfEffect._fields_[:-1], ("u", FfCustomUnion)]


# ---- Requests


def sized_request(access: str, nr: int | range, name: str) -> Request:
    """A request whose number says how many bytes the program has room for."""
    make = IOR if access == "r" else IOW
    return make(REQUEST_TYPE, nr, sized(c_uint8)).named(name)


EVIOCGVERSION = IOR(REQUEST_TYPE, 0x01, c_int32).named("EVIOCGVERSION")
EVIOCGID = IOR(REQUEST_TYPE, 0x02, InputId).named("EVIOCGID")
EVIOCGREP = IOR(REQUEST_TYPE, 0x03, c_uint32 * 2).named("EVIOCGREP")
EVIOCSREP = IOW(REQUEST_TYPE, 0x03, c_uint32 * 2).named("EVIOCSREP")
EVIOCGKEYCODE = IOR(REQUEST_TYPE, 0x04, c_uint32 * 2).named("EVIOCGKEYCODE")
EVIOCGKEYCODE_V2 = IOR(REQUEST_TYPE, 0x04, InputKeymapEntry).named("EVIOCGKEYCODE_V2")
EVIOCSKEYCODE = IOW(REQUEST_TYPE, 0x04, c_uint32 * 2).named("EVIOCSKEYCODE")
EVIOCSKEYCODE_V2 = IOW(REQUEST_TYPE, 0x04, InputKeymapEntry).named("EVIOCSKEYCODE_V2")
EVIOCGNAME = sized_request("r", 0x06, "EVIOCGNAME")
EVIOCGPHYS = sized_request("r", 0x07, "EVIOCGPHYS")
EVIOCGUNIQ = sized_request("r", 0x08, "EVIOCGUNIQ")
EVIOCGPROP = sized_request("r", 0x09, "EVIOCGPROP")
EVIOCGMTSLOTS = sized_request("r", 0x0A, "EVIOCGMTSLOTS")
EVIOCGKEY = sized_request("r", 0x18, "EVIOCGKEY")
EVIOCGLED = sized_request("r", 0x19, "EVIOCGLED")
EVIOCGSND = sized_request("r", 0x1A, "EVIOCGSND")
EVIOCGSW = sized_request("r", 0x1B, "EVIOCGSW")
EVIOCGBIT = sized_request("r", range(0x20, 0x40), "EVIOCGBIT")
EVIOCGABS = sized_request("r", range(0x40, 0x80), "EVIOCGABS")
EVIOCSABS = sized_request("w", range(0xC0, 0x100), "EVIOCSABS")
EVIOCSFF = IOW(REQUEST_TYPE, 0x80, FfEffect).named("EVIOCSFF")
EVIOCRMFF = IOW(REQUEST_TYPE, 0x81, c_int32).named("EVIOCRMFF")
EVIOCGEFFECTS = IOR(REQUEST_TYPE, 0x84, c_int32).named("EVIOCGEFFECTS")
EVIOCGRAB = IOW(REQUEST_TYPE, 0x90, c_int32).named("EVIOCGRAB")
EVIOCREVOKE = IOW(REQUEST_TYPE, 0x91, c_int32).named("EVIOCREVOKE")
EVIOCGMASK = IOR(REQUEST_TYPE, 0x92, MaskToRead).named("EVIOCGMASK")
EVIOCSMASK = IOW(REQUEST_TYPE, 0x93, MaskToSet).named("EVIOCSMASK")
EVIOCSCLOCKID = IOW(REQUEST_TYPE, 0xA0, c_int32).named("EVIOCSCLOCKID")

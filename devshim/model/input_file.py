"""One open of an input device: what the program reads, writes and asks (drivers/input/evdev.c)."""

from __future__ import annotations

import errno
import os
import struct
import time
from ctypes import c_int32, c_uint32, c_ulong

from devshim.model import input_abi as abi
from devshim.model import input_codes as codes
from devshim.model.input_axes import MT_VALUES
from devshim.model.input_keymap import legacy_entry
from devshim.model.input_queue import EventQueue, Times
from devshim.model.ioctl import ioctl
from devshim.model.request import SIZE_MASK, size_of
from devshim.model.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.input_core import InputCore

CLOCKS = (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)  # evdev_set_clk_type()
ABSINFO_SIZE = 24
WORD = struct.Struct("<i")


def failure(error: int) -> OSError:
    """An error with the text that people know it by."""
    return OSError(error, os.strerror(error))


class InputFile(Stream):
    """One open: a queue, a clock and masks of its own; the state that it asks about is the device's."""

    record = abi.EVENT_SIZE

    device: InputCore

    def __init__(self, device: InputCore) -> None:
        self.device = device
        self.queue = EventQueue(device.queue_size())
        self.depth = self.queue.size - 1
        self._gathered = bytearray()

    # ---- Events

    def receive(self, report: list[bytes], times: Times, more: bool) -> None:
        """Hand one report to the program; more: another comes at once, so that one send may take both."""
        self._gathered += self.queue.stamped(report, times)
        if not more:
            self.flush()

    def flush(self) -> None:
        """Send what receive() has gathered."""
        events = bytes(self._gathered)
        self._gathered.clear()
        self.send(events)

    def overflowed(self, data: bytes) -> None:
        """The program reads too slowly: what it has not read is lost, and SYN_DROPPED says so."""
        self._put_back(self.queue.squeezed(self.take_back(), data))

    @property
    def backlog(self) -> int:
        """Events that wait here because the program does not read."""
        return self._feed.pending() if self._feed is not None else 0

    def _put_back(self, events: bytes) -> None:
        if self._feed is not None and events:
            self._feed.feed(events)

    def write(self, data: bytes) -> int:
        """Events for the device: LEDs, sounds, effects to play, repeat rates; also any other that it has."""
        if 0 < len(data) < abi.EVENT_SIZE:
            raise failure(errno.EINVAL)
        whole = len(data) // abi.EVENT_SIZE * abi.EVENT_SIZE
        for at in range(abi.STAMP.size, whole, abi.EVENT_SIZE):
            self.device.event(*abi.BODY.unpack_from(data, at))
        return whole

    def close(self) -> None:
        """The grab and the effects of this open end with it."""
        self.device.file_closed(self)

    # ---- What the device is

    @ioctl(abi.EVIOCGVERSION, query=True)
    def version(self) -> c_int32:
        """The protocol's version."""
        return c_int32(abi.EV_VERSION)

    @ioctl(abi.EVIOCGID, query=True)
    def identity(self) -> abi.InputId:
        """Bus, vendor, product, version."""
        device = self.device
        return abi.InputId(device.bus, device.vendor, device.product, device.version)

    @ioctl(abi.EVIOCGNAME, query=True)
    def name(self) -> bytes:
        """The device's name."""
        return text(self.device.name)

    @ioctl(abi.EVIOCGPHYS, query=True)
    def phys(self) -> bytes:
        """Where it is plugged in; ENOENT where nobody knows."""
        return text(self.device.phys)

    @ioctl(abi.EVIOCGUNIQ, query=True)
    def uniq(self) -> bytes:
        """Its serial number; ENOENT where it has none."""
        return text(self.device.uniq)

    @ioctl(abi.EVIOCGPROP, query=True)
    def properties(self) -> bytes:
        """INPUT_PROP_*."""
        return abi.bitmap(self.device.properties, codes.INPUT_PROP_CNT)

    @ioctl(abi.EVIOCGBIT, query=True)
    def capabilities(self, type: int) -> bytes:
        """The codes that it has of a type; of type 0, the types."""
        if type not in abi.COUNTS:
            raise failure(errno.EINVAL)
        supported = self.device.supported
        return abi.bitmap(supported if type == codes.EV_SYN else supported.get(type, ()), abi.COUNTS[type])

    # ---- What it is doing

    @ioctl(abi.EVIOCGKEY)
    def keys(self) -> bytes:
        """The keys that are down."""
        return self._state(codes.EV_KEY, self.device.pressed)

    @ioctl(abi.EVIOCGLED)
    def leds(self) -> bytes:
        """The LEDs that are lit."""
        return self._state(codes.EV_LED, self.device.lit)

    @ioctl(abi.EVIOCGSND)
    def sounds(self) -> bytes:
        """The sounds that are on."""
        return self._state(codes.EV_SND, self.device.sounding)

    @ioctl(abi.EVIOCGSW)
    def switches(self) -> bytes:
        """The switches that are closed."""
        return self._state(codes.EV_SW, self.device.closed_switches)

    def _state(self, type: int, on: set[int]) -> bytes:
        self._put_back(self.queue.without(type, self.take_back()))  # the program knows now what they would tell
        return abi.bitmap(on, abi.COUNTS[type])

    @ioctl(abi.EVIOCGABS, query=True)
    def get_axis(self, code: int) -> tuple[int, bytes]:
        """Where an axis stands, and its limits."""
        info = self.device.positions.info
        if not info:
            raise failure(errno.EINVAL)
        return 0, bytes(info.get(code, abi.InputAbsinfo()))

    @ioctl(abi.EVIOCSABS)
    def set_axis(self, code: int, data: Any) -> None:
        """Calibrate an axis; a short structure leaves its end 0."""
        info = self.device.positions.info
        if not info or code == codes.ABS_MT_SLOT:
            raise failure(errno.EINVAL)
        info[code] = abi.InputAbsinfo.from_buffer_copy(bytes(data[:ABSINFO_SIZE]).ljust(ABSINFO_SIZE, b"\0"))

    @ioctl(abi.EVIOCGMTSLOTS, access="rw")
    def touches(self, data: Any) -> int:
        """One value of each slot of a multi-touch device; the program says which in the first word."""
        slots = self.device.positions.slots
        if not slots or len(data) < WORD.size or (code := WORD.unpack_from(data)[0]) not in MT_VALUES:
            raise failure(errno.EINVAL)
        for index, slot in enumerate(slots[: len(data) // WORD.size - 1], 1):
            WORD.pack_into(data, index * WORD.size, slot.get(code, 0))
        return 0

    # ---- Keys: repeat, and what scancodes mean

    @ioctl(abi.EVIOCGREP)
    def get_repeat(self) -> Any:
        """Milliseconds before the first repetition, and between them."""
        self._need_repeat()
        repeat = self.device.repetition
        return (c_uint32 * 2)(repeat[codes.REP_DELAY], repeat[codes.REP_PERIOD])

    @ioctl(abi.EVIOCSREP)
    def set_repeat(self, times: Any) -> None:
        """Set both."""
        self._need_repeat()
        for code in (codes.REP_DELAY, codes.REP_PERIOD):
            self.device.event(codes.EV_REP, code, c_int32(times[code]).value)

    def _need_repeat(self) -> None:
        if not self.device.repeat:
            raise failure(errno.ENOSYS)

    @ioctl(abi.EVIOCGKEYCODE, access="rw")
    def get_keycode(self, pair: Any) -> None:
        """The key of a scancode."""
        entry = legacy_entry(pair[0])
        self.device.scancodes.describe(entry)
        pair[1] = entry.keycode

    @ioctl(abi.EVIOCGKEYCODE_V2, access="rw")
    def get_keymap_entry(self, entry: abi.InputKeymapEntry) -> None:
        """The key of a scancode, or the entry with an index."""
        self.device.scancodes.describe(entry)

    @ioctl(abi.EVIOCSKEYCODE)
    def set_keycode(self, pair: Any) -> None:
        """Give a scancode another key."""
        self.device.remap(legacy_entry(pair[0], pair[1]))

    @ioctl(abi.EVIOCSKEYCODE_V2)
    def set_keymap_entry(self, entry: abi.InputKeymapEntry) -> None:
        """Give a scancode, or the entry with an index, another key."""
        self.device.remap(entry)

    # ---- Force feedback

    @ioctl(abi.EVIOCSFF, access="rw")
    def upload_effect(self, effect: abi.FfEffect) -> None:
        """Store an effect; its id goes back."""
        self.device.forces.upload(effect, self)

    @ioctl(abi.EVIOCRMFF, value=c_int32)
    def erase_effect(self, number: int) -> None:
        """Forget an effect."""
        self.device.forces.erase(number, self)

    @ioctl(abi.EVIOCGEFFECTS)
    def most_effects(self) -> c_int32:
        """How many effects fit."""
        return c_int32(self.device.forces.most)

    # ---- Who gets what

    @ioctl(abi.EVIOCGRAB, value=c_ulong)
    def grab(self, on: int) -> None:
        """Take all events for this open alone, or let go."""
        if on:
            self.device.grab(self)
        else:
            self.device.ungrab(self)

    @ioctl(abi.EVIOCREVOKE, value=c_ulong)
    def revoke(self, flags: int) -> None:
        """End this open's access for good; its descriptors stay (as a session manager does)."""
        if flags:
            raise failure(errno.EINVAL)
        self.device.file_closed(self)
        self.hang_up()

    @ioctl(abi.EVIOCGMASK, access="rw")
    def get_mask(self, mask: abi.MaskToRead) -> None:
        """Which codes of a type this open gets."""
        room = mask.codes_ptr
        count = abi.COUNTS.get(mask.type, 0)
        bits = self.queue.masks.get(mask.type, bytes([0xFF]) * len(abi.bitmap((), count)))
        size = min(len(room), len(bits))
        room[:] = bits[:size] + bytes(len(room) - size)

    @ioctl(abi.EVIOCSMASK)
    def set_mask(self, mask: abi.MaskToSet) -> None:
        """Set which codes of a type this open gets; unknown types are let be, for later kernels have more."""
        if mask.type not in abi.COUNTS:
            return
        if mask.codes_size % abi.LONG:
            raise failure(errno.EINVAL)
        size = len(abi.bitmap((), abi.COUNTS[mask.type]))
        self.queue.masks[mask.type] = bytes(mask.codes_ptr[:size]).ljust(size, b"\0")

    @ioctl(abi.EVIOCSCLOCKID)
    def set_clock(self, clock: c_int32) -> None:
        """Choose the clock of the time stamps."""
        if clock.value not in CLOCKS:
            raise failure(errno.EINVAL)
        if clock.value != self.queue.clock:
            self.queue.set_clock(clock.value, self.take_back())

    def ioctl(self, request: int, argument: Any) -> Any:
        """Anything else is EINVAL here, not ENOTTY; an effect of another size is a bad address to evdev."""
        is_effect = request & ~SIZE_MASK == abi.EVIOCSFF & ~SIZE_MASK and size_of(request) != size_of(abi.EVIOCSFF)
        raise failure(errno.EFAULT if is_effect else errno.EINVAL)


class CustomInputFile(InputFile):
    """An open of a device that plays FF_CUSTOM: the samples behind custom_data are fetched.

    A program then has to keep custom_len and custom_data 0 (or the whole effect cleared) in all its other effects.
    """

    @ioctl(abi.EVIOCSFF, abi.FfCustomEffect, access="rw")
    def upload_effect(self, effect: abi.FfCustomEffect) -> None:
        """Store an effect; effect.u.periodic.custom_data are its samples."""
        self.device.forces.upload(effect, self)


def text(value: str) -> bytes:
    """A string as it goes to the program, with its NUL; what is empty does not exist."""
    if not value:
        raise failure(errno.ENOENT)
    return value.encode() + b"\0"

"""JoystickFile: one open of /dev/input/jsN, and the system calls on it, as joydev.c answers them."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections import deque
from ctypes import c_int32, c_int64, c_uint8, c_uint32, c_ulong
from functools import lru_cache

from devshim.model import joystick_abi as abi
from devshim.model.device import POLLIN, WAIT, File
from devshim.model.ioctl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.model.joystick import Joystick

BUFFER = 64  # JOYDEV_BUFFER_SIZE


def now() -> int:
    """Milliseconds of the system's clock, as the kernel's jiffies have them."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000 & 0xFFFFFFFF


def invalid() -> OSError:
    """EINVAL, which is all that this driver says of what it does not know."""
    return OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class JoystickFile(File):
    """Reads give events of 8 bytes: first the state of all buttons and axes, then what changes."""

    device: Joystick

    def __init__(self, device: Joystick) -> None:
        self.device = device
        self.told = 0  # how much of the state has been read
        self.events: deque[bytes] = deque()

    # ---- Reading

    def put(self, event: bytes) -> None:
        """Keep an event until it is read; one too many, and the whole state is told anew (joydev_pass_event)."""
        if self.told < self._whole():
            return  # it will be in the state that is being read
        self.events.append(event)
        if len(self.events) == BUFFER:
            self.events.clear()
            self.told = 0

    def _whole(self) -> int:
        return self.device.axes + self.device.buttons

    def _state(self) -> bytes:
        """The next part of the state (joydev_generate_startup_event)."""
        device, number = self.device, self.told
        self.told += 1
        if number < device.buttons:
            return abi.EVENT.pack(now(), device.is_pressed(number), abi.JS_EVENT_BUTTON | abi.JS_EVENT_INIT, number)
        number -= device.buttons
        return abi.EVENT.pack(now(), device.positions[number], abi.JS_EVENT_AXIS | abi.JS_EVENT_INIT, number)

    def read(self, size: int) -> Any:
        """As many events as there are and fit; of just 12 bytes, the state as version 0 had it."""
        if size < abi.EVENT.size:
            raise invalid()
        if size == abi.OLD_STATE.size:
            return self._old_state()
        found = []
        for _ in range(size // abi.EVENT.size):
            if self.told < self._whole():
                found.append(self._state())
            elif self.events:
                found.append(self.events.popleft())
            else:
                break
        return b"".join(found) or WAIT

    def _old_state(self) -> bytes:
        device, scale = self.device, self.device.old.corr
        buttons = sum(device.is_pressed(number) << number for number in range(min(32, device.buttons)))
        x, y = ([*device.positions, 0, 0])[:2]
        self.told = 0
        self.events.clear()
        return abi.OLD_STATE.pack(
            c_int32(buttons).value, int(x / 256) + 128 >> (scale.x & 31), int(y / 256) + 128 >> (scale.y & 31)
        )

    def poll(self) -> int:
        """Readable where there is something to tell; never writable."""
        return POLLIN if self.events or self.told < self._whole() else 0

    def close(self) -> None:
        """It hears no more."""
        self.device.file_closed(self)

    # ---- What it is

    @ioctl(abi.JSIOCGVERSION)
    def version(self) -> c_uint32:
        """The driver's version."""
        return c_uint32(abi.JS_VERSION)

    @ioctl(abi.JSIOCGAXES)
    def axes(self) -> c_uint8:
        """How many axes."""
        return c_uint8(self.device.axes)

    @ioctl(abi.JSIOCGBUTTONS)
    def buttons(self) -> c_uint8:
        """How many buttons."""
        return c_uint8(self.device.buttons)

    @ioctl(abi.JSIOCGNAME)
    def name(self) -> bytes:
        """The device's name with its NUL, as much as fits."""
        return self.device.source.name.encode() + b"\0"

    @ioctl(abi.JSIOCGAXMAP)
    def axis_map(self) -> bytes:
        """The code of each axis."""
        return bytes(self.device.axis_codes)

    @ioctl(abi.JSIOCSAXMAP)
    def set_axis_map(self, data: memoryview) -> None:
        """Give axes other codes."""
        if not self.device.remap_axes(bytes(data)):
            raise invalid()

    @ioctl(abi.JSIOCGBTNMAP)
    def button_map(self) -> bytes:
        """The code of each button, two bytes each."""
        return struct.pack(f"<{len(self.device.button_codes)}H", *self.device.button_codes)

    @ioctl(abi.JSIOCSBTNMAP)
    def set_button_map(self, data: memoryview) -> None:
        """Give buttons other codes."""
        if not self.device.remap_buttons(bytes(data)):
            raise invalid()

    # ---- Version 0

    @ioctl(1, abi.JsData, access="w", name="JS_SET_CAL")
    def set_calibration(self, data: abi.JsData) -> None:
        """By how many bits the axes are shifted."""
        self.device.old.corr = data

    @ioctl(2, abi.JsData, access="r", name="JS_GET_CAL")
    def calibration(self) -> abi.JsData:
        """The same."""
        scale: abi.JsData = self.device.old.corr
        return scale

    @ioctl(3, c_int32, access="w", name="JS_SET_TIMEOUT")
    def set_timeout(self, value: c_int32) -> None:
        """Kept, and of no effect since version 1."""
        self.device.old.timeout = value.value

    @ioctl(4, c_int32, access="r", name="JS_GET_TIMEOUT")
    def timeout(self) -> c_int32:
        """The same."""
        return c_int32(self.device.old.timeout)

    @ioctl(5, c_int64, access="w", name="JS_SET_TIMELIMIT")
    def set_time_limit(self, value: c_int64) -> None:
        """Kept, and of no effect since version 1."""
        self.device.old.time_limit = value.value

    @ioctl(6, c_int64, access="r", name="JS_GET_TIMELIMIT")
    def time_limit(self) -> c_int64:
        """The same."""
        return c_int64(self.device.old.time_limit)

    @ioctl(7, abi.JsDataSave, access="r", name="JS_GET_ALL")
    def everything(self) -> abi.JsDataSave:
        """All of the above."""
        return self.device.old

    @ioctl(8, abi.JsDataSave, access="w", name="JS_SET_ALL")
    def set_everything(self, data: abi.JsDataSave) -> None:
        """Set it."""
        self.device.old = data

    def ioctl(self, request: int, argument: Any) -> Any:
        """Anything else is EINVAL here, not ENOTTY."""
        raise invalid()


@lru_cache(maxsize=64)
def file_class(axes: int) -> type[JoystickFile]:
    """The files of joysticks with so many axes: corrections come for all of them, whatever the request's size says."""
    if not axes:
        return WithoutAxes

    class File(JoystickFile):
        """With what depends on the number of axes."""

        @ioctl(int(abi.JSIOCGCORR), abi.JsCorr * axes, access="r", name="JSIOCGCORR")
        def corrections(self) -> Any:
            """How each axis is scaled."""
            return (abi.JsCorr * axes)(*self.device.corrections)

        @ioctl(int(abi.JSIOCSCORR), abi.JsCorr * axes, access="w", name="JSIOCSCORR")
        def set_corrections(self, wanted: Any) -> None:
            """Scale them otherwise; where they stand now is no event."""
            self.device.corrections = [abi.JsCorr.from_buffer_copy(one) for one in wanted]
            self.device.look()

    File.__name__ = File.__qualname__ = JoystickFile.__name__
    return File


class WithoutAxes(JoystickFile):
    """Of buttons alone: there is nothing to scale, and nothing is copied."""

    @ioctl(int(abi.JSIOCGCORR), value=c_ulong, name="JSIOCGCORR")
    def corrections(self, address: int) -> None:
        """None."""

    @ioctl(int(abi.JSIOCSCORR), value=c_ulong, name="JSIOCSCORR")
    def set_corrections(self, address: int) -> None:
        """None."""

"""Iio: an industrial I/O device, a converter or sensor (Documentation/ABI/testing/sysfs-bus-iio), with its buffer."""

from __future__ import annotations

import errno
import re
import time

from devshim.model.attribute import Attribute
from devshim.model.device import Device
from devshim.model.iio_buffer import Buffer, BufferFile
from devshim.model.iio_scan import TIMESTAMP, Scan
from devshim.model.setting import attributes_of, notify, text_of
from devshim.model.sysfs import on_bus, record, with_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from devshim.model.sysfs import Files
    from devshim.model.timing import Timer

__all__ = ["Iio", "Scan"]

AT_ONCE = 0.01
"""Seconds between two looks at a device that samples faster than that: what came meanwhile comes together."""
RATES = ("sampling_frequency", "in_sampling_frequency", "in_voltage_sampling_frequency", "in_accel_sampling_frequency")


class Iio(Device):
    """A converter or sensor, plugged at /dev/iio:deviceN; programs read and write its files in /sys.

        class Adc(Iio):
            chip = "mcp3008"
            volts: float = 1.5
            scan = (Scan("in_voltage0", "be:u10/16>>0"), Scan("in_timestamp", "le:s64/64>>0"))
            @attribute
            def in_voltage0_raw(self): return round(self.volts / 3.3 * 1023)
            in_voltage_scale = Setting("3.222656250")
            sampling_frequency = Setting("100")

    With `scan` it has a buffer, and a trigger: while a program has the buffer enabled, samples of the channels that it
    chose go into it, sampling_frequency times a second, and whenever the model calls push().
    """

    usual_node: ClassVar[str] = "/dev/iio:device0"

    #: What the file `name` says; by default the class's name.
    chip: ClassVar[str] = ""
    #: The channels that a program may have in the buffer; none: there is no buffer.
    scan: ClassVar[tuple[Scan, ...]] = ()

    def __init__(self, **parameters: Any) -> None:
        self.opened = False
        self.buffer = Buffer(self, self.scan)
        self.trigger = self.own_trigger = ""
        self._timer: Timer | None = None
        self._sampled = 0.0  # when the newest sample was taken, in nanoseconds
        super().__init__(**parameters)

    # ---- For authors to call and to override

    def push(self, **values: int | list[int]) -> bool:
        """Put a sample into the buffer; what is not given is read from the device.  False where it was not taken.

        Nothing happens while no program has the buffer enabled.  Raises ValueError for what does not fit.
        """
        return self.buffer.add(values)

    def sample(self, name: str) -> Any:
        """The value of a channel in the next sample; by default what the attribute NAME_raw gives."""
        return int(getattr(self, f"{name}_raw"))

    def sampling_rate(self) -> float:
        """Samples a second while the buffer is enabled; 0: only what is pushed."""
        found = next((getattr(self, name) for name in RATES if hasattr(self, name)), 0)
        return float(found)

    def notify(self, file: str) -> None:
        """Wake programs that poll a declared file for POLLPRI: it shows something else now (sysfs_notify)."""
        notify(self, file)

    # ---- The buffer's part

    def check_trigger(self) -> None:
        """Raise OSError(EINVAL) where nothing triggers samples (iio_triggered_buffer_postenable)."""
        if not self.trigger:
            raise OSError(errno.EINVAL, "the device has no current trigger")

    def buffer_changed(self) -> None:
        """The buffer was turned on or off."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._sampled = float(time.time_ns())
        self._sample_later()

    def _sample_later(self) -> None:
        rate = self.sampling_rate()
        if not self.buffer.enabled or rate <= 0:
            return
        count = max(1, min(int(rate * AT_ONCE), self.buffer.length // 2))
        self._timer = self.after(count / rate, self._sample, count, 1_000_000_000 / rate)

    def _sample(self, count: int, apart: float) -> None:
        for _ in range(count):
            self._sampled += apart  # as its clock has it, whenever the host came to it
            self.push(**{TIMESTAMP: round(self._sampled)})
        self._timer = None
        self._sample_later()

    def unplugged(self) -> None:
        """What was set up is forgotten with the device."""
        self.opened = False
        self._timer = None
        self.buffer = Buffer(self, self.scan)

    # ---- The node, and what is around it

    def open(self, flags: int) -> Any:
        """One program at a time (iio_chrdev_open)."""
        if not self.scan:
            return self
        if self.opened:
            raise OSError(errno.EBUSY, "the device is open already")
        self.opened = True
        return BufferFile(self, self.buffer)

    def read(self, size: int) -> bytes:
        """There is no buffer."""
        raise OSError(errno.EBUSY, "no buffer is enabled")

    def surroundings(self, node: str, major: int, minor: int) -> Files:
        """The directory on the iio bus, with what the class declares.  Raises ValueError for another node."""
        match = re.fullmatch(r"/dev/(iio:device(\d+))", node)
        if match is None:
            raise ValueError(f"{node}: a {type(self).__name__} is plugged at /dev/iio:deviceN")
        here = f"/sys/devices/platform/devshim-iio/{match[1]}"
        name = self.chip or type(self).__name__.lower()
        files: dict[str, Any] = {"name": f"{name}\n".encode(), **attributes_of(self)}
        found: Files = {}
        if self.scan:
            files |= self.buffer.files()
            files["trigger/current_trigger"] = Attribute(self.show_trigger, self.set_trigger)
            if any(element.name == TIMESTAMP for element in self.scan):
                files["current_timestamp_clock"] = b"realtime\n\0"  # with its end, as the kernel has it
            found = self.trigger_files(f"{here.rpartition('/')[0]}/trigger{match[2]}", f"{name}-dev{match[2]}")
        return {
            **{f"{here}/{name}": content for name, content in files.items()},
            **on_bus(here, "iio"),
            **with_number(here, major, minor, match[1], {"DEVTYPE": "iio_device"}),
            **found,
            f"/run/udev/data/c{major}:{minor}": record(),
        }

    def trigger_files(self, here: str, name: str) -> Files:
        """The device's own trigger, which it has from the start, as drivers set it."""
        self.own_trigger = self.trigger = name
        return {
            f"{here}/name": f"{name}\n".encode(),
            f"{here}/uevent": b"DEVTYPE=iio_trigger\n",
            **on_bus(here, "iio"),
        }

    def show_trigger(self) -> bytes:
        """Its name; not even a newline where there is none."""
        return f"{self.trigger}\n".encode() if self.trigger else b""

    def set_trigger(self, data: bytes) -> None:
        """Choose the device's own trigger, or none; EBUSY while the buffer is enabled (industrialio-trigger.c)."""
        name = text_of(data)
        self.buffer.refuse_while_enabled()
        if name not in ("", self.own_trigger):
            raise ValueError(f"there is no trigger {name!r} for this device; its own is {self.own_trigger!r}")
        self.trigger = name

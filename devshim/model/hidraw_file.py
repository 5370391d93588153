"""HidrawFile: one open of a hidraw node, and the system calls on it, as hidraw.c and usbhid in the kernel answer."""

from __future__ import annotations

import errno
from ctypes import c_int

from devshim.model.hidraw_abi import (
    HIDIOCGFEATURE,
    HIDIOCGINPUT,
    HIDIOCGOUTPUT,
    HIDIOCGRAWINFO,
    HIDIOCGRAWNAME,
    HIDIOCGRAWPHYS,
    HIDIOCGRAWUNIQ,
    HIDIOCGRDESC,
    HIDIOCGRDESCSIZE,
    HIDIOCSFEATURE,
    HIDIOCSINPUT,
    HIDIOCSOUTPUT,
    LEAST_REPORT,
    MOST_DESCRIPTOR,
    MOST_REPORT,
    QUEUE,
    HidrawDevinfo,
    HidrawReportDescriptor,
    Report,
    fail,
)
from devshim.model.ioctl import direction_of, ioctl, type_and_number
from devshim.model.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from devshim.model.hidraw import Hidraw


class HidrawFile(Stream):
    """One open of a HID device: reads are input reports, one at a time; a short read drops the rest of one."""

    packets: ClassVar[bool] = True
    depth: int | None = QUEUE
    gone_errno: ClassVar[int] = errno.EIO

    def __init__(self, device: Hidraw) -> None:
        self.device = device

    def send(self, data: bytes) -> bool:
        """One report, which the device has checked; False where it had no room."""
        feed = self._feed
        if feed is None or feed.feed_packet(data):
            return True
        self.overflowed(data)
        return False

    def close(self) -> None:
        """No more reports for this one."""
        if self in self.device.files:
            self.device.files.remove(self)

    def seek(self, offset: int, whence: int) -> int:
        """noop_llseek: success, and nothing moves."""
        return 0

    def write(self, data: bytes) -> int:
        """An output report behind its number; 0 where reports have none, and then it does not go over the wire."""
        self.check(len(data))
        self.device.written(bytes(data[1:] if data[0] == 0 else data))
        return len(data)

    def check(self, size: int) -> None:
        """EINVAL for what is too short or too long for a report with its number."""
        if not LEAST_REPORT <= size <= MOST_REPORT:
            raise fail(errno.EINVAL, f"{size} bytes; a report with its number has {LEAST_REPORT} to {MOST_REPORT}")

    # ---- Who it is

    @ioctl(HIDIOCGRDESCSIZE, name="HIDIOCGRDESCSIZE", query=True)
    def descriptor_size(self) -> c_int:
        """Bytes of the report descriptor."""
        return c_int(len(self.device.report_descriptor))

    @ioctl(HIDIOCGRDESC, access="rw", name="HIDIOCGRDESC")
    def descriptor(self, argument: HidrawReportDescriptor) -> None:
        """The report descriptor, as much of it as the program asked for; EINVAL for 4096 and more."""
        if argument.size > MOST_DESCRIPTOR - 1:
            raise fail(errno.EINVAL)
        data = self.device.report_descriptor[: argument.size]
        argument.value[: len(data)] = data

    @ioctl(HIDIOCGRAWINFO, name="HIDIOCGRAWINFO", query=True)
    def info(self) -> HidrawDevinfo:
        """Bus, vendor and product."""
        return HidrawDevinfo(self.device.bus, self.device.vendor_id, self.device.product_id)

    @ioctl(HIDIOCGRAWNAME, name="HIDIOCGRAWNAME", query=True)
    def raw_name(self) -> bytes:
        """The name with its NUL, as much as fits; the result is how much that was."""
        return self.device.name.encode() + b"\0"

    @ioctl(HIDIOCGRAWPHYS, name="HIDIOCGRAWPHYS")
    def raw_phys(self) -> bytes:
        """Where it is plugged, in the same manner."""
        return self.device.physical_path().encode() + b"\0"

    @ioctl(HIDIOCGRAWUNIQ, name="HIDIOCGRAWUNIQ", query=True)
    def raw_uniq(self) -> bytes:
        """Its serial number, in the same manner."""
        return self.device.serial.encode() + b"\0"

    # ---- Reports by request; the first byte is the report's number

    @ioctl(HIDIOCSFEATURE, name="HIDIOCSFEATURE")
    def set_feature(self, report: memoryview) -> int:
        """Set a feature report."""
        return self.set_report(Report.FEATURE, report)

    @ioctl(HIDIOCGFEATURE, name="HIDIOCGFEATURE")
    def get_feature(self, report: memoryview) -> int:
        """Get one."""
        return self.get_report(Report.FEATURE, report)

    @ioctl(HIDIOCSINPUT, name="HIDIOCSINPUT")
    def set_input(self, report: memoryview) -> int:
        """Set an input report, which few devices let happen."""
        return self.set_report(Report.INPUT, report)

    @ioctl(HIDIOCGINPUT, name="HIDIOCGINPUT")
    def get_input(self, report: memoryview) -> int:
        """Get one, past the queue of those that were sent."""
        return self.get_report(Report.INPUT, report)

    @ioctl(HIDIOCSOUTPUT, name="HIDIOCSOUTPUT")
    def set_output(self, report: memoryview) -> int:
        """Set an output report by request, not as write() does."""
        return self.set_report(Report.OUTPUT, report)

    @ioctl(HIDIOCGOUTPUT, name="HIDIOCGOUTPUT")
    def get_output(self, report: memoryview) -> int:
        """Get one."""
        return self.get_report(Report.OUTPUT, report)

    def set_report(self, kind: Report, report: memoryview) -> int:
        """hidraw_send_report: returns the bytes, with the number."""
        self.check(len(report))
        self.device.set_report(kind, report[0], bytes(report[self.head(report[0]) :]))
        return len(report)

    def get_report(self, kind: Report, report: memoryview) -> int:
        """hidraw_get_report: returns the bytes, with the number, that came and fit."""
        self.check(len(report))
        start = self.head(report[0])
        data = self.device.get_report(kind, report[0])[: len(report) - start]
        report[start : start + len(data)] = data
        return start + len(data)

    def head(self, number: int) -> int:
        """Where a report's own bytes begin: usbhid puts a 0 before them, and a device with numbers its number."""
        return 1 if number == 0 or self.device.reports.numbered else 0

    def ioctl(self, request: int, argument: Any) -> Any:
        """hidraw_ioctl: EINVAL for requests of another type, or that do not only read; ENOTTY for the rest."""
        if type_and_number(request)[0] != "H" or direction_of(request) != "r":
            raise fail(errno.EINVAL)
        raise fail(errno.ENOTTY)

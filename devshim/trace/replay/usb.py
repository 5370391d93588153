"""A replayed USB device: programs of libusb do their transfers anew, and each gets what was recorded for it."""

from __future__ import annotations

import errno
import os
import re
import struct

from devshim.model.device import WAIT
from devshim.model.usb import UsbDevice
from devshim.model.usb_abi import CONTROL, USBDEVFS_SUBMITURB
from devshim.model.usb_control import KIND_MASK, Setup, standard
from devshim.model.usb_layout import CONFIGURATION, DEVICE, ENDPOINT, INTERFACE, Configuration, Endpoint, Interface
from devshim.trace.event import Event, Node
from devshim.trace.replay.device import Replayed
from devshim.trace.replay.replay import Replay
from devshim.trace.replay.usb_course import Step, UsbCourse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

TRANSFERS = {1: "isochronous", 2: "bulk", 3: "interrupt"}


class ReplayUsb(Replayed, UsbDevice):
    """Answers transfers from a trace; whatever else is asked of usbfs, as any USB device."""

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        Replayed.begin(self, replay, node)
        self.course: UsbCourse | None = None
        self.content = b""

    def plugged(self) -> None:
        """All of it is read at once: which data may come when shows in what was sent around them."""
        if self.course is None:
            events = list(self._events())
            self.course = UsbCourse(events)
            self.content = descriptors_in(events, self.recorded_node)
            self.replay.courses.append((0, self.course))  # type: ignore[arg-type]
            self._begin()

    def _events(self) -> Iterator[Event]:
        source = self.replay.source
        feed = source.together[self.path]
        while not feed.over:
            event = feed.next()
            if event is not None:
                yield event
            elif not feed.over:
                source.used = source.read

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """As recorded."""
        bus, number = re.findall(r"\d+", self.path)[-2:]
        self.bus_number, self.device_number = int(bus), int(number)
        return Replayed.numbers(self, node)

    def open(self, flags: int) -> Any:
        """A file for each open."""
        self.replay.calls += 1
        return UsbDevice.open(self, flags)

    # ---- What it says of itself

    def all_configurations(self) -> Sequence[Configuration]:
        """Those that were read from the node, or lie in /sys."""
        return configurations_of(getattr(self, "content", b""))

    def device_descriptor(self) -> bytes:
        """As recorded."""
        return self.content[:18]

    def configuration_descriptors(self) -> list[bytes]:
        """As recorded."""
        return list(pieces(self.content[18:]))

    # ---- Transfers

    def answer_control(self, setup: Setup, data: bytes) -> Any:
        """What was recorded for the same; of what every device knows, that."""
        kind, request = setup.request_type, setup.request
        head = struct.pack("<BBHHH", kind, request, setup.value, setup.index, setup.length)
        step = self._course.send(True, 0, head + data)
        if step is None:
            found = None if kind & KIND_MASK else standard(self, setup)
            if found is None:
                raise self._missed(CONTROL, 0, head + data)
            return found
        return self._given(step)

    def bulk_in(self, endpoint: int, size: int) -> Any:
        """The next data of an endpoint."""
        step = self._course.receive(endpoint)
        return WAIT if step is None else self._given(step)

    interrupt_in = iso_in = bulk_in

    def bulk_out(self, endpoint: int, data: bytes) -> Any:
        """Bytes that were recorded."""
        step = self._course.send(False, endpoint, data)
        if step is None:
            raise self._missed(3, endpoint, data)
        return None if self._given(step) is not WAIT else WAIT

    interrupt_out = iso_out = bulk_out

    @property
    def _course(self) -> UsbCourse:
        assert self.course is not None
        return self.course

    def _given(self, step: Step) -> Any:
        """What came of a transfer; WAIT where nothing did."""
        self.replay.calls += 1
        self.replay.came_to(step.event)
        self.replay.source.used = max(self.replay.source.used, step.event.number)
        if step.status:
            raise OSError(-step.status, os.strerror(-step.status))
        return WAIT if step.status is None else step.received

    def _missed(self, kind: int, endpoint: int, data: bytes) -> OSError:
        """The program sent what the trace does not have next."""
        urb = struct.pack("<BBxxiIxxxxQii24x", kind, endpoint, 0, 0, 1, len(data), 0)
        request = int(USBDEVFS_SUBMITURB)
        call = Event("ioctl", self.path, request=request, label="USBDEVFS_SUBMITURB", before=[urb, data, None, None])
        self.replay.missed(self._course, call)  # type: ignore[arg-type]
        return OSError(errno.EPROTO, os.strerror(errno.EPROTO))


def descriptors_in(events: Sequence[Event], node: Node) -> bytes:
    """The descriptors of a device: what was read from its node, or what /sys showed."""
    number = "{}:{}\n".format(*node.rdev).encode()
    for path, content in node.surroundings.items():
        folder, _, name = path.rpartition("/")
        if name == "descriptors" and isinstance(content, bytes) and node.surroundings.get(f"{folder}/dev") == number:
            return content
    reads = (event.data for event in events if event.name in ("read", "pread") and event.error is None)
    return next((data for data in reads if len(data) > 18 and data[1] == DEVICE), b"")


def pieces(data: bytes) -> Iterator[bytes]:
    """Configuration descriptors that follow each other, each with all that is in it."""
    while len(data) >= 9 and data[1] == CONFIGURATION:
        total = max(int.from_bytes(data[2:4], "little"), 9)
        yield data[:total]
        data = data[total:]


def configurations_of(content: bytes) -> tuple[Configuration, ...]:
    """What descriptors say of configurations, interfaces and endpoints."""
    found = []
    for piece in pieces(content[18:]):
        interfaces: list[Interface] = []
        at = 0
        while at + 2 <= len(piece) and piece[at] >= 2:
            one = piece[at : at + piece[at]]
            if one[1] == INTERFACE and len(one) >= 9:
                interfaces.append(Interface((one[5], one[6], one[7]), [], one[2], one[3]))
            elif one[1] == ENDPOINT and len(one) >= 7 and interfaces and one[3] & 3 and one[2] & 0xF:
                packet = int.from_bytes(one[4:6], "little")
                points = [*interfaces[-1].endpoints, Endpoint(one[2] & 0x8F, TRANSFERS[one[3] & 3], packet, one[6])]
                last = interfaces.pop()
                interfaces.append(Interface(last.kind, points, last.number, last.alternate))
            at += piece[at]
        found.append(Configuration(interfaces, piece[5]))
    return tuple(found) or (Configuration(()),)

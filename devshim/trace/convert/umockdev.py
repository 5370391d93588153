"""From umockdev's recordings, NAME.umockdev (what /sys and udev show), .ioctl, .script and .events, to events.

Formats: umockdev's docs/script-format.txt and README, and the lines that umockdev-record writes.
"""

from __future__ import annotations

import lzma
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from devshim.model.description import Description
from devshim.model.request import SIZE_SHIFT
from devshim.trace.convert.nodes import Nodes
from devshim.trace.convert.recording import ConversionError, Describer, Recording
from devshim.trace.convert.umockdev_devices import devices
from devshim.trace.event import Event, Header, Node
from devshim.trace.format import checks

SUFFIXES = (".umockdev", ".ioctl", ".script", ".events", ".evemu")
EVENT_BYTES = 24
MOST_DIGITS = 9  # of milliseconds in a script
OPENED = 0o2  # O_RDWR: the recordings do not say
#: Requests that umockdev answers without an argument of their own: errno, or None for success.
STATELESS = {
    "USBDEVFS_CLAIMINTERFACE": None, "USBDEVFS_RELEASEINTERFACE": None, "USBDEVFS_CLEAR_HALT": None,
    "USBDEVFS_RESET": None, "USBDEVFS_RESETEP": None, "EVIOCGRAB": None, "USBDEVFS_GETDRIVER": "ENODATA",
    "USBDEVFS_IOCTL": "ENOTTY",
}  # fmt: skip
URBS = ("USBDEVFS_REAPURB", "USBDEVFS_REAPURBNDELAY")


def belongs(path: str | Path) -> bool:
    """Whether a file's name is one of umockdev's."""
    return Path(str(path).removesuffix(".xz")).suffix in SUFFIXES


def read(paths: list[str], node: str = "") -> Recording:
    """The recording in files of umockdev's; with one NAME.umockdev, the others of that name beside it count too.

    node  which device the calls are on, where the files do not say

    Raises OSError, ConversionError.
    """
    paths = with_siblings(paths)
    header = Header(made="umockdev")
    recording = Recording(header, lambda: iter(()), size=sum(Path(path).stat().st_size for path in paths))
    contents: dict[str, bytes] = {}
    for path in paths:
        if suffix(path) == ".umockdev":
            contents.update(devices(path, lines_of(path), header.nodes))
    calls = [path for path in paths if suffix(path) != ".umockdev"]

    def events() -> Iterator[Event]:
        recording.notes.clear()
        recording.lost = 0
        yield from Conversion(recording, node, contents).events(calls)

    recording.events = events
    return recording


def with_siblings(paths: list[str]) -> list[str]:
    """The files, and what lies beside a description that came alone: the same name with another suffix."""
    if len(paths) != 1 or suffix(paths[0]) != ".umockdev":
        return paths
    stem = Path(paths[0]).with_suffix("")
    found = [Path(f"{stem}{ending}{packed}") for ending in SUFFIXES[1:] for packed in ("", ".xz")]
    return [*paths, *(str(path) for path in found if path.exists())]


def suffix(path: str) -> str:
    """A file's suffix, whether packed or not."""
    return Path(path.removesuffix(".xz")).suffix


def lines_of(path: str) -> list[bytes]:
    """A file's lines, unpacked.  Raises OSError, ConversionError."""
    data = Path(path).read_bytes()
    if path.endswith(".xz"):
        try:
            data = lzma.decompress(data)
        except lzma.LZMAError as problem:
            raise ConversionError(f"{path}: {problem}") from None
    return data.split(b"\n")


class Conversion:
    """One pass over the files."""

    def __init__(self, recording: Recording, node: str, contents: dict[str, bytes]) -> None:
        self.recording = recording
        self.nodes = Nodes(recording.header.nodes)
        self.describer = Describer(recording.header)
        self.wanted = node
        self.contents = contents
        self.files: dict[str, int] = {}
        self.clock = 0.0

    def events(self, paths: list[str]) -> Iterator[Event]:
        """Opens, ioctls, then what was read and written, and closes; by time as far as it is told."""
        for path in paths:
            reader: dict[str, Callable[[str, list[bytes]], Iterator[Event]]] = {
                ".ioctl": self.ioctls,
                ".script": self.script,
                ".events": self.evemu,
                ".evemu": self.evemu,
            }
            if suffix(path) not in reader:
                raise ConversionError(f"{path}: umockdev's files end with {', '.join(SUFFIXES)}")
            yield from reader[suffix(path)](path, lines_of(path))
        for node, data in self.contents.items():
            if node not in self.files:
                yield from self.opened(node)
                yield Event("read", node, self.files[node], size=len(data), data=data, result=len(data))
        for node, file in self.files.items():
            yield Event("close", node, file)

    def opened(self, node: str) -> Iterator[Event]:
        """The open of a node, where there was none yet."""
        if node not in self.files:
            self.files[node] = len(self.files) + 1
            self.nodes.node(node)
            yield Event("open", node, self.files[node], flags=OPENED)

    def device(self, named: str, path: str) -> Node:
        """The node that a file is about.  Raises ConversionError."""
        name = named or self.wanted
        if not name and len(self.recording.header.nodes) == 1:
            name = next(iter(self.recording.header.nodes))
        if not name.startswith("/dev/"):
            raise ConversionError(f"{path}: which device is it of? Say --node /dev/...")
        try:
            return self.nodes.node(name)
        except ValueError as problem:
            raise ConversionError(f"{path}: {problem}") from None

    def ioctls(self, path: str, lines: list[bytes]) -> Iterator[Event]:
        """NAME RESULT HEX, indented as a tree, whose order is that in which they were made."""
        named = ""
        for at, raw in enumerate(lines, 1):
            line = raw.decode("utf-8", "replace").strip()
            if not line or line.startswith("#"):
                continue
            if device := re.match(r"@DEV (\S+)(?: \((\w+)\))?", line):
                named = device[1]
                if device[2] and device[2] != "USBDEVFS":
                    raise ConversionError(f"{path}:{at}: recordings of {device[2]} cannot be converted")
                continue
            node = self.device(named, path)
            yield from self.opened(node.path)
            where = f"{Path(path).name}:{at}"
            if line.split()[0] in URBS:
                yield from self.urb(node, line, where)
                continue
            event = self.ioctl(node, line, where)
            if event is not None:
                yield event

    def urb(self, node: Node, line: str, where: str) -> Iterator[Event]:
        """The events of a transfer: NAME RESULT TYPE ENDPOINT STATUS FLAGS BUFFER_LENGTH ACTUAL_LENGTH ERRORS HEX."""
        from devshim.trace.convert.urbs import urb_events

        try:
            events = list(urb_events(line))
        except ValueError as problem:
            raise ConversionError(f"{where}: {line[:60]}: {problem}") from None
        if not events:
            self.recording.note("isochronous URBs are not converted")
            self.recording.lost += 1
        for event in events:
            event.node, event.file = node.path, self.files[node.path]
            found = self.describer.find(node, event.request)
            event.label = found.label if found is not None else None
            yield event

    def ioctl(self, node: Node, line: str, where: str) -> Event | None:
        """The event of one line; None, and a note, where nobody knows what it is."""
        words = line.split()
        name, _, index = words[0].partition("(")
        description = next((one for one in self.describer.family(node).all if one.label == name), None)
        if description is None:
            self.recording.note(f"{name}: not known; not converted")
            self.recording.lost += 1
            return None
        event = Event("ioctl", node.path, self.files[node.path], label=name)
        if name in STATELESS:
            event.request = description.number
            event.argument = 0 if description.value is not None else None
            event.incomplete = description.value is None and bool(description.access)
            if error := STATELESS[name]:
                event.error, event.result = error, -1
            return event
        try:
            result, data = int(words[1]), bytes.fromhex(words[2] if len(words) > 2 else "")
            nr = int(index.rstrip(")") or 0) if index else 0
        except (ValueError, IndexError):
            raise ConversionError(f"{where}: {line[:60]}: not NAME RESULT HEX") from None
        event.request = description.number + nr
        if description.sized:
            event.request |= len(data) << SIZE_SHIFT
        self.describer.find(node, event.request)
        event.result = result
        event.before, event.after = memory_of(description, data, result)
        return event

    def script(self, path: str, lines: list[bytes]) -> Iterator[Event]:
        """r MILLISECONDS DATA, w MILLISECONDS DATA, with control characters as ^X."""
        named = ""
        for at, line in enumerate(lines, 1):
            if not line.strip() or line.startswith(b"#"):
                continue
            words = line.split(b" ", 2)
            code, value, data = words[0], words[1] if len(words) > 1 else b"0", words[2] if len(words) > 2 else b""
            if code == b"d":
                named = data.decode("utf-8", "replace").strip()
                continue
            if code == b"Q":
                return
            if code == b"f":
                self.recording.note("a script's tolerance (f) is not converted; replay with --match FILE.py")
                continue
            if code not in (b"r", b"w") or not value.isdigit() or len(value) > MOST_DIGITS:
                raise ConversionError(f"{path}:{at}: not a line of a script: {line[:40]!r}")
            node = self.device(named, path)
            yield from self.opened(node.path)
            self.clock += int(value) / 1000
            held = unescaped(data)
            if code == b"w":
                event = Event("write", node.path, self.files[node.path], data=held, result=len(held))
            else:
                event = Event("read", node.path, self.files[node.path], data=held, size=len(held), result=len(held))
            event.time, event.took = self.clock, 0.0
            yield event

    def evemu(self, path: str, lines: list[bytes]) -> Iterator[Event]:
        """E: SECONDS.MICROSECONDS TYPE CODE VALUE: input events, read up to a SYN_REPORT at once."""
        named = ""
        packet, begun = b"", 0.0
        for at, raw in enumerate(lines, 1):
            line = raw.decode("utf-8", "replace")
            if device := re.match(r"# device (\S+)|@DEV (\S+)", line):
                named = device[1] or device[2]
            found = re.match(r"E: (\d+)\.(\d+)\s+([0-9a-fA-F]+)\s+([0-9a-fA-F]+)\s+(-?\d+)", line)
            if found is None:
                if line.startswith("E:"):
                    raise ConversionError(f"{path}:{at}: not an event: {line[:60]}")
                continue
            node = self.device(named, path)
            yield from self.opened(node.path)
            try:
                seconds, micros = int(found[1]), int(found[2].ljust(6, "0")[:6])
                kind, code, value = int(found[3], 16), int(found[4], 16), int(found[5])
                packet += struct.pack("<QQHHi", seconds, micros, kind, code, value)
                begun = checks.seconds(seconds + micros / 1e6)
            except (ValueError, struct.error):
                raise ConversionError(f"{path}:{at}: not an event: {line[:60]}") from None
            if (kind, code) == (0, 0):
                yield self.reported(node, packet, begun)
                packet = b""
        if packet:
            yield self.reported(self.device(named, path), packet, begun)

    def reported(self, node: Node, packet: bytes, time: float) -> Event:
        """The read of a packet of events."""
        event = Event("read", node.path, self.files[node.path], data=packet, result=len(packet))
        event.size = max(64 * EVENT_BYTES, len(packet))
        self.clock = max(self.clock, time)
        event.time, event.took = time, 0.0
        return event


def memory_of(
    description: Description, data: bytes, result: int
) -> tuple[list[bytes | None] | None, list[bytes | None] | None]:
    """Memory before and after: umockdev keeps what the program found afterwards."""
    if description.sized and description.access == "r" and 0 < result < len(data):
        data = data[:result]
    before: list[bytes | None] | None = [data] if description.access == "w" else None
    return before, [data] if "r" in description.access and result >= 0 else None


def unescaped(data: bytes) -> bytes:
    """A script's data: ^@ is 0, ^A is 1, ..., ^` is ^ itself."""
    return re.sub(rb"\^(.)", lambda found: b"^" if found[1] == b"`" else bytes([found[1][0] & 0x1F]), data, flags=re.S)

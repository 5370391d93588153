"""What the system calls of a traced program are as events, in one pass over strace(1)'s output."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from devshim.trace.convert.memory_file import MemoryFile
from devshim.trace.convert.nodes import Nodes, has_place
from devshim.trace.convert.recording import ConversionError, Describer, Recording
from devshim.trace.convert.strace_files import Descriptor, OpenFile, Process, Processes
from devshim.trace.convert.strace_ioctl import Ioctls
from devshim.trace.convert.strace_line import BadLine, Call, Lines
from devshim.trace.convert.strace_poll import Epolls, polled, selected
from devshim.trace.convert.strace_values import (
    OPENING,
    SEEKS,
    descriptor,
    flags,
    items,
    members,
    number,
    path_at,
    string,
)
from devshim.trace.convert.surroundings import Surroundings
from devshim.trace.event import Event, Header
from devshim.trace.format.checks import Wrong
from devshim.trace.format.json_line import members_of, pairs_of
from devshim.trace.format.lines import event_of, event_text
from devshim.trace.format.shapes import Shapes

MOST_PROBLEMS = 100


class Conversion:
    """One pass over strace's output."""

    def __init__(
        self,
        recording: Recording,
        nodes: Nodes,
        surroundings: Surroundings,
        describer: Describer,
        memory: MemoryFile | None,
    ) -> None:
        self.recording = recording
        self.nodes = nodes
        self.surroundings = surroundings
        self.ioctls = Ioctls(recording, nodes, describer, memory)
        self.lines = Lines()
        self.processes = Processes()
        self.epolls = Epolls()
        self.files = 0
        self.problems = 0
        self.interrupted: dict[str, tuple[Call, list[Event]]] = {}
        self.shapes = Shapes()
        self.checks = 0

    def line(self, text: str, at: int, name: str) -> Iterator[Event]:
        """The events of one line.  Raises ConversionError where nothing of the file is strace's."""
        try:
            call, times = self.lines.feed(text, at)
            if call is None:
                return
            for _ in range(times):
                for event in self.call(call):
                    event.time, event.took = call.time, call.took
                    yield self.checked(event)
        except BadLine as problem:
            self.unread(str(problem), at, name)
        except ConversionError:
            raise
        except Wrong as problem:
            self.unread(f"no trace can hold this call: {problem}", at, name)
        except (LookupError, ValueError, OverflowError):
            self.unread("the call's arguments are not as strace writes them", at, name)

    def checked(self, event: Event) -> Event:
        """An event of which a trace can have a line.  Raises ValueError with the reason: then the log is damaged."""
        line = f"{event_text(event)}\n".encode()
        if not self.shapes.useful or self.shapes.find(line, 0) is None:
            self.shapes.keep(line, event_of(members_of(pairs_of(line))), self.checks)
        self.checks += 1
        return event

    def unread(self, why: str, at: int, name: str) -> None:
        """Note a line that cannot be read.  Raises ConversionError where nothing of the file is strace's."""
        self.problems += 1
        self.recording.lost += 1
        if self.problems <= MOST_PROBLEMS:
            self.recording.note(f"{os.path.basename(name)}:{at}: {why}")
        if self.problems > MOST_PROBLEMS and not self.processes.count:
            raise ConversionError(f"{name}:{at}: this is not strace's output: {why}")

    def unfinished(self) -> Iterator[Event]:
        """Calls that never returned: their program was killed in them."""
        for who, begun in list(self.lines.waiting.items()):
            try:
                call, _ = self.lines.feed(f"{who + ' ' if who else ''}{begun.text.rstrip(' ,')}) = ?\n", 0)
                if call is not None:
                    yield from map(self.checked, self.call(call))
            except (LookupError, ValueError, OverflowError):
                self.recording.note(f"a call of {who or 'the program'} is cut off: {begun.text[:60]}")
        for _, events in self.interrupted.values():
            yield from events

    def call(self, call: Call) -> Iterator[Event]:
        """The events of one call, most often one or none."""
        handler = HANDLERS.get(call.name)
        if handler is None:
            return
        process = self.processes.get(call.who)
        yield from self.broken_off(call)
        for event in handler(self, call, process):
            event.process, event.thread = process.process, process.thread
            if call.error is not None and event.name != "poll":
                event.error, event.result = call.error, -1
            if call.result is None:
                event.finished, event.result = False, -1
                self.interrupted.setdefault(call.who, (call, []))[1].append(event)
            else:
                yield event

    def broken_off(self, call: Call) -> Iterator[Event]:
        """The events of the call before, which a signal broke off: EINTR, unless this is the same call again."""
        before, events = self.interrupted.pop(call.who, (call, []))
        if (before.name, before.arguments[:1]) != (call.name, call.arguments[:1]):
            for event in events:
                event.finished, event.error = True, "EINTR"
                yield event

    # ---- Descriptors

    def file_of(self, process: Process, text: str) -> tuple[OpenFile | None, Event | None]:
        """The device that a descriptor stands for, and the `inherit` event where it is first met."""
        fd, path = descriptor(text)
        entry = process.table.get(fd)
        file = entry.file if entry is not None else None
        if file is not None and (not path or path == file.node or path == file.anonymous or path.startswith("anon")):
            return file, None
        if path.startswith("/dev/") and self.nodes.is_device(path) and not self.surroundings.is_folder(path):
            if file is not None and self.surroundings.leads_to(file.node, path):
                return file, None
            for other in self.processes.known.values():
                theirs = other.table.get(fd)
                if theirs is not None and theirs.file is not None and theirs.file.node == path:
                    process.table[fd] = Descriptor(theirs.file)
                    return theirs.file, None
            self.nodes.node(path)
            known = process.opened.get(path)
            if known is not None:  # a duplicate that the transcript does not show
                process.table[fd] = Descriptor(known)
                return known, None
            file = self.new_file(path)
            process.table[fd] = Descriptor(file)
            return file, Event("inherit", path, file.number, flags=os.O_RDWR)
        if path:
            process.table.pop(fd, None)
            return None, None
        return file, None

    def new_file(self, node: str, anonymous: str = "") -> OpenFile:
        """A file with the next number."""
        self.files += 1
        return OpenFile(self.files, node, anonymous)

    def opened(self, call: Call, process: Process) -> Iterator[Event]:
        """open, openat, openat2, creat."""
        at = 1 if call.name.startswith("openat") else 0
        path = path_at(call.arguments[0], call.arguments[at]) if at else path_at("", call.arguments[0])
        how = call.arguments[at + 1] if len(call.arguments) > at + 1 else "O_WRONLY|O_CREAT|O_TRUNC"
        bits = flags(members(how).get("flags", "0") if how.startswith("{") else how, OPENING)
        mode = number(call.arguments[at + 2]) & 0o7777 if len(call.arguments) > at + 2 else 0
        fd = call.result
        resolved = ""
        if fd is not None and fd >= 0:
            resolved = descriptor(f"{fd}{call.shown}")[1] if call.shown.startswith("<") else ""
            process.table[fd] = Descriptor(None, bool(bits & os.O_CLOEXEC))
        self.surroundings.opened(path, resolved, fd, call.error, bits, process.table)
        if not self.nodes.is_device(path) or bits & os.O_DIRECTORY or self.surroundings.is_folder(resolved or path):
            return
        if call.error in ("ENOENT", "ENOTDIR"):
            return
        node = self.surroundings.device(path, resolved)
        self.nodes.node(node)
        event = Event("open", node, 0, flags=bits, mode=mode)
        if fd is not None and fd >= 0:
            file = self.new_file(node)
            event.file = file.number
            process.opened[node] = file
            process.table[fd] = Descriptor(file, bool(bits & os.O_CLOEXEC))
        yield event

    def closed(self, call: Call, process: Process) -> Iterator[Event]:
        """close."""
        file, first = self.file_of(process, call.arguments[0])
        fd = descriptor(call.arguments[0])[0]
        if first is not None:
            yield first
        self.surroundings.closed(fd, process.table)
        if call.error is None:
            process.table.pop(fd, None)
        if file is not None:
            yield Event("close", file.node, file.number)

    def duplicated(self, call: Call, process: Process) -> Iterator[Event]:
        """dup, dup2, dup3, fcntl(F_DUPFD)."""
        file, first = self.file_of(process, call.arguments[0])
        if first is not None:
            yield first
        if call.result is None or call.result < 0:
            return
        cloexec = "CLOEXEC" in " ".join(call.arguments[1:])
        if call.result != descriptor(call.arguments[0])[0]:
            process.table[call.result] = Descriptor(file, cloexec)

    def controlled(self, call: Call, process: Process) -> Iterator[Event]:
        """fcntl: duplicates and locks."""
        what = call.arguments[1]
        if "F_DUPFD" in what:
            yield from self.duplicated(call, process)
            return
        fd = descriptor(call.arguments[0])[0]
        if "F_SETFD" in what and fd in process.table:
            process.table[fd].close_on_exec = "FD_CLOEXEC" in call.arguments[2]
        lock = re.search(r"F_(?:OFD_)?(?:SETLKW?|GETLK)\b", what)
        if lock is None:
            return
        file, first = self.file_of(process, call.arguments[0])
        if first is not None:
            yield first
        if file is not None:
            kind = re.search(r"F_(RDLCK|WRLCK|UNLCK)", call.arguments[2])
            yield Event("fcntl", file.node, file.number, operation=f"{lock[0]} {kind[0] if kind else ''}".strip())

    # ---- Reading and writing

    def transferred(self, call: Call, process: Process) -> Iterator[Event]:
        """read, write, their variants with vectors and positions."""
        file, first = self.file_of(process, call.arguments[0])
        if first is not None:
            yield first
        reads = "read" in call.name
        if file is None:
            take = self.surroundings.read if reads else self.surroundings.written
            take(descriptor(call.arguments[0])[0], call, process.table)
            return
        vector = "v" in call.name.removeprefix("p")[-3:]
        positioned = call.name.startswith("p")
        event = Event(("p" if positioned else "") + ("read" if reads else "write"), file.node, file.number)
        if positioned:
            event.offset = number(call.arguments[3])
        if vector:
            event.data, asked = self.vector(call.arguments[1], call, reads)
        else:
            event.data = self.bytes_of(call.arguments[1], call, reads)
            asked = number(call.arguments[2])
        if reads:
            event.size = asked
        event.result = call.result if call.result is not None else -1
        yield event

    def bytes_of(self, text: str, call: Call, reads: bool) -> bytes:
        """The data of a read or write."""
        if not text.startswith('"'):
            return b""
        data, whole = string(text)
        wanted = call.result if reads and call.result is not None and call.result >= 0 else len(data)
        if not whole or len(data) < wanted:
            self.recording.note("strace cut data short, zeros stand for the rest: let it run with -s 65535 or more")
            self.recording.lost += 1
        return data[:wanted].ljust(wanted, b"\0") if reads else data

    def vector(self, text: str, call: Call, reads: bool) -> tuple[bytes, int]:
        """The data of a readv or writev, and how much was asked for."""
        pieces, asked = [], 0
        for item in items(text):
            found = members(item)
            asked += number(found.get("iov_len", "0"))
            if found.get("iov_base", "").startswith('"'):
                pieces.append(string(found["iov_base"])[0])
        data = b"".join(pieces)
        return (data[: call.result] if reads and call.result is not None and call.result >= 0 else data), asked

    def sought(self, call: Call, process: Process) -> Iterator[Event]:
        """lseek."""
        file, first = self.file_of(process, call.arguments[0])
        if first is not None:
            yield first
        if file is None:
            return
        whence = next((name for name in SEEKS if name in call.arguments[2]), "SEEK_SET")
        result = call.result if call.result is not None else -1
        offset = number(call.arguments[1])
        yield Event("lseek", file.node, file.number, offset=offset, operation=whence, result=result)

    def other(self, call: Call, process: Process) -> Iterator[Event]:
        """mmap, flock, fsync, fdatasync, ftruncate."""
        at = 4 if call.name.startswith("mmap") else 0
        if call.arguments[at].startswith("-1"):
            return
        file, first = self.file_of(process, call.arguments[at])
        if first is not None:
            yield first
        if file is None:
            return
        event = Event(call.name.removesuffix("2") if at else call.name, file.node, file.number)
        if at:
            event.size = number(call.arguments[1])
            event.offset = number(call.arguments[5])
            event.operation = f"{spelled(call.arguments[2])} {spelled(call.arguments[3])}"
        elif call.name == "flock":
            event.operation = spelled(call.arguments[1])
        elif call.name == "ftruncate":
            event.size = number(call.arguments[1])
        yield event

    # ---- ioctl

    def asked(self, call: Call, process: Process) -> Iterator[Event]:
        """ioctl."""
        file, first = self.file_of(process, call.arguments[0])
        if first is not None:
            yield first
        if file is None:
            return
        event, made = self.ioctls.event(call, file)
        if made is not None:
            new = self.new_file(file.node, made.name)
            event.new_file, event.place = new.number, made.place
            process.table[made.fd] = Descriptor(new)
        yield event

    # ---- Waiting, processes, names

    def waited(self, call: Call, process: Process) -> Iterator[Event]:
        """poll, select and epoll_wait: an event for each device that was asked about."""
        asked = {"poll": polled, "ppoll": polled, "select": selected, "pselect6": selected, "_newselect": selected}
        found = asked[call.name](call) if call.name in asked else self.epolls.waited(call, process.table)
        for fd, wanted, ready, timeout in found:
            file, first = self.file_of(process, fd)
            if first is not None:
                yield first
            if file is not None:
                event = Event("poll", file.node, file.number, asked=wanted, ready=ready, timeout=timeout)
                if call.error is not None:
                    event.error, event.result = call.error, -1
                else:
                    event.result = int(bool(ready))
                yield event

    def registered(self, call: Call, process: Process) -> Iterator[Event]:
        """epoll_ctl."""
        self.epolls.changed(call, process.table)
        return iter(())

    def forked(self, call: Call, process: Process) -> Iterator[Event]:
        """clone, fork, vfork."""
        if call.result is not None and call.result > 0:
            shown = " ".join(call.arguments)
            bits = (0x400 if "CLONE_FILES" in shown else 0) | (0x10000 if "CLONE_THREAD" in shown else 0)
            self.processes.born(process, str(call.result), bits)
        return iter(())

    def executed(self, call: Call, process: Process) -> Iterator[Event]:
        """execve."""
        if call.result == 0:
            self.processes.executed(process)
            data, _ = string(call.arguments[0])
            header: Header = self.recording.header
            program = os.path.basename(os.fsdecode(data))
            header.program = header.program or (program if has_place(program) else "")
        return iter(())

    def named(self, call: Call, process: Process) -> Iterator[Event]:
        """stat and its kin, readlink, access, getdents: what is around the devices."""
        for path, mode, rdev in self.surroundings.named(call, process.table):
            self.nodes.status(path, mode, rdev)
        return iter(())


def spelled(text: str) -> str:
    """Flags by name: what stands in the comment that -X verbose writes, else the text itself."""
    comment = re.search(r"/\* (.*?) \*/", text)
    return comment[1] if comment else text


Handler = Callable[[Conversion, Call, Process], Iterator[Event]]
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), Conversion.opened),
    **dict.fromkeys(("read", "readv", "pread64", "preadv", "preadv2", "pread"), Conversion.transferred),
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "pwritev2", "pwrite"), Conversion.transferred),
    **dict.fromkeys(("poll", "ppoll", "select", "pselect6", "_newselect"), Conversion.waited),
    **dict.fromkeys(("epoll_wait", "epoll_pwait", "epoll_pwait2"), Conversion.waited),
    **dict.fromkeys(("dup", "dup2", "dup3"), Conversion.duplicated),
    **dict.fromkeys(("fcntl", "fcntl64"), Conversion.controlled),
    **dict.fromkeys(("clone", "clone3", "fork", "vfork"), Conversion.forked),
    **dict.fromkeys(("mmap", "mmap2", "flock", "fsync", "fdatasync", "ftruncate"), Conversion.other),
    **dict.fromkeys(("stat", "lstat", "newfstatat", "fstatat64", "stat64", "lstat64", "statx"), Conversion.named),
    **dict.fromkeys(("readlink", "readlinkat", "access", "faccessat", "faccessat2"), Conversion.named),
    **dict.fromkeys(("getdents64", "getdents", "fstat", "fstat64"), Conversion.named),
    "close": Conversion.closed,
    "lseek": Conversion.sought,
    "_llseek": Conversion.sought,
    "ioctl": Conversion.asked,
    "epoll_ctl": Conversion.registered,
    "execve": Conversion.executed,
    "execveat": Conversion.executed,
}

"""Which open file a descriptor of a traced program stands for, through dup, fork, exec and threads."""

from __future__ import annotations

from dataclasses import dataclass

CLONE_FILES, CLONE_THREAD = 0x400, 0x10000


@dataclass
class OpenFile:
    """One open file: its number in the trace, its node, and the inode's name where it is nobody's node."""

    number: int
    node: str
    anonymous: str = ""


@dataclass
class Descriptor:
    """What one descriptor stands for; None: a file that is no device."""

    file: OpenFile | None
    close_on_exec: bool = False


class Process:
    """A process or thread: its numbers in the trace, and its descriptors, which threads share."""

    def __init__(self, process: int, thread: int, table: dict[int, Descriptor], leader: Process | None = None) -> None:
        self.process = process
        self.thread = thread
        self.table = table
        self.leader = leader or self
        self.threads = thread
        self.opened: dict[str, OpenFile] = {}  # by node, the last one


class Processes:
    """All processes by what strace calls them."""

    def __init__(self) -> None:
        self.known: dict[str, Process] = {}
        self.count = 0

    def get(self, who: str) -> Process:
        """A process, numbered when it is first met; one whose birth was not told has the descriptors of the last."""
        found = self.known.get(who)
        if found is None:
            parent = next(reversed(self.known.values()), None)
            table = {fd: Descriptor(one.file, one.close_on_exec) for fd, one in parent.table.items()} if parent else {}
            found = self.known[who] = self.fresh(table)
        return found

    def fresh(self, table: dict[int, Descriptor]) -> Process:
        """A process with a number of its own."""
        self.count += 1
        return Process(self.count, 1, table)

    def born(self, parent: Process, who: str, flags: int) -> None:
        """A process made another, or a thread."""
        if flags & CLONE_THREAD:
            leader = parent.leader
            leader.threads += 1
            self.known[who] = Process(leader.process, leader.threads, parent.table, leader)
            return
        shared = bool(flags & CLONE_FILES)
        table = parent.table if shared else {fd: Descriptor(d.file, d.close_on_exec) for fd, d in parent.table.items()}
        if who in self.known:  # the child's first line came before its parent's last
            self.known[who].table.update({fd: d for fd, d in table.items() if fd not in self.known[who].table})
        else:
            self.known[who] = self.fresh(table)

    def executed(self, process: Process) -> None:
        """A program replaced another: descriptors that are to be closed then are."""
        for fd in [fd for fd, one in process.table.items() if one.close_on_exec]:
            del process.table[fd]

"""Who makes a call: processes and threads by their first appearance, as traces number them."""

from __future__ import annotations

import os

OWN_PROCESS = 0xFFFFFFFF  # in place of a channel's number: the process that the host lives in


class Callers:
    """Numbers processes and their threads, each from 1."""

    def __init__(self) -> None:
        self._pids: dict[int, int] = {OWN_PROCESS: os.getpid()}
        self._numbers: dict[int, int] = {}
        self._threads: dict[int, dict[int, int]] = {}
        self._last = 0
        #: What of_channel() has told, as long as it holds.
        self.known: dict[tuple[int, int], tuple[int, int]] = {}
        #: Process group of each numbered process at its first call; 0 where it was dead by then.
        self.groups: dict[int, int] = {}

    def joined(self, channel: int, pid: int) -> None:
        """A channel is this process's from now on."""
        self._pids[channel] = pid
        self.known.clear()

    def died(self, pid: int) -> None:
        """The process id may be another's soon."""
        self._threads.pop(self._numbers.pop(pid, 0), None)
        self.known.clear()

    def number(self, pid: int) -> int:
        """The number of a process that has made a call, else 0."""
        return self._numbers.get(pid, 0)

    def of_channel(self, channel: int, thread: int) -> tuple[int, int]:
        """The numbers of the process that has a channel, and of its thread with this id."""
        numbers = self.known[channel, thread] = self.of_process(self._pids.get(channel, 0), thread)
        return numbers

    def of_process(self, pid: int, thread: int) -> tuple[int, int]:
        """The numbers of a process and of its thread with this id."""
        number = self._numbers.get(pid)
        if number is None:
            number = self._last = self._numbers[pid] = self._last + 1
            self._threads[number] = {}
            try:
                self.groups[number] = os.getpgid(pid)
            except ProcessLookupError:
                self.groups[number] = 0
        threads = self._threads[number]
        return number, threads.setdefault(thread, len(threads) + 1)

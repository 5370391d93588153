"""How tests record: `devshim record` as a user starts it, the events of its trace, and devices to record."""

import os
import pty
import threading
import tty
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness import Outcome, run_devshim_verb

from devshim.trace.event import Event
from devshim.trace.format.reader import Trace


def record(
    trace: Path,
    *program: str | Path,
    devices: Iterable[str] = (),
    options: Iterable[str] = (),
    input: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `devshim record -o TRACE -d DEVICE … OPTIONS -- PROGRAM …`; devices are NODE or NODE=MODEL."""
    words = [word for device in devices for word in ("-d", device)]
    return run_devshim_verb("record", "-o", trace, *words, *options, "--", *program, input=input, env=env)


def events(trace: Path) -> list[Event]:
    """All events of a trace."""
    return list(Trace(str(trace)))


def calls(trace: Path) -> list[tuple[str, int]]:
    """Names and results of all calls in a trace."""
    return [(event.name, event.result) for event in events(trace)]


class Terminal:
    """A terminal of the kernel's with somebody at its other end.

    path  of its node
    """

    def __init__(self, path: str, master: int) -> None:
        self.path = path
        self.master = master

    def hang_up(self) -> None:
        """End the connection."""
        os.close(self.master)
        self.master = -1


@contextmanager
def terminal(answers: bool = True) -> Iterator[Terminal]:
    """A raw pseudo-terminal; where it answers, each piece that comes in goes back in angle brackets."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    end = Terminal(os.ttyname(slave), master)

    def answer() -> None:
        while True:
            try:
                data = os.read(master, 100)
            except OSError:
                return
            os.write(master, b"<" + data + b">")

    thread = threading.Thread(target=answer, daemon=True)
    if answers:
        thread.start()
    try:
        yield end
    finally:
        os.close(slave)
        if answers:
            thread.join(5)  # the last close ends its read
        if end.master >= 0:
            os.close(end.master)

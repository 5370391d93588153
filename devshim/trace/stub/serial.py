"""The stub of a serial device: what it said to what it heard, as @command methods or as frames."""

from __future__ import annotations

import re
from collections.abc import Iterable

from devshim.model.serial import Serial
from devshim.model.termios import TIOCM_CAR, TIOCM_CTS, TIOCM_DSR, TIOCM_RNG
from devshim.trace.event import Event
from devshim.trace.stub.literals import answers_literal, bytes_literal, identifier, listed, settled, text_literal

TIOCMGET = 0x5415
LINES = {"cts": (TIOCM_CTS, True), "dsr": (TIOCM_DSR, True), "ri": (TIOCM_RNG, False), "cd": (TIOCM_CAR, True)}

#: Silence from here on is part of the answer, in seconds.
PAUSE = 0.3
LONGEST_ANSWER = 65536

#: Data that came, each with the silence before it.
Pieces = list[tuple[float, bytes]]


class Talk:
    """What was said on a port.

    exchanges  what the program wrote, and what came before it wrote again
    unasked    what came before the program had written anything since an open, with seconds since that open
    unanswered what the program wrote last, to which nothing came
    modem      the modem lines as the program found them first, None where it did not ask
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.exchanges: list[tuple[bytes, Pieces]] = []
        self.unasked: Pieces = []
        self.unanswered = b""
        self.modem: int | None = None
        self._open: Pieces | None = None
        self._last: float | None = None
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        name = event.name
        if name in ("open", "inherit") and event.error is None:
            if self._open is None or not self.unasked:
                self._open = self.unasked
                self._last = end_of(event)
        elif name in ("write", "pwrite") and event.result > 0:
            self.unanswered += event.data[: event.result]
            self._last = end_of(event)
        elif name in ("read", "pread") and event.data:
            self._came(event)
        elif name == "ioctl" and event.request == TIOCMGET and event.after and event.after[0] and self.modem is None:
            self.modem = int.from_bytes(event.after[0][:4], "little")

    def _came(self, event: Event) -> None:
        now = end_of(event)
        silence = now - self._last if now is not None and self._last is not None else 0.0
        if self.unanswered:
            self._open = []
            self.exchanges.append((self.unanswered, self._open))
            self.unanswered = b""
        if self._open is None:
            self._open = self.unasked
        if self._open and silence < PAUSE:
            before, data = self._open[-1]
            self._open[-1] = (before, data + event.data)
        else:
            self._open.append((silence, event.data))
        self._last = now


def end_of(event: Event) -> float | None:
    """When a call ended, None where that is not known."""
    return None if event.time is None else event.time + (event.took or 0.0)


def body(events: Iterable[Event]) -> tuple[list[str], set[str]]:
    """The lines of a class that answers as the port did, without the class statement; and what must be imported."""
    talk = Talk(events)
    needs = {"Serial"}
    echo = bool(talk.exchanges) and all(pieces[0][1].startswith(request) for request, pieces in talk.exchanges)
    lines = settings(talk, echo)
    texts = [request for request, _ in talk.exchanges] + [talk.unanswered] * bool(talk.unanswered)
    if all(is_text(request) for request in texts):
        newline, said = dialogue(talk, echo)
        if newline != "\r\n":
            lines.append(f"newline = {text_literal(newline)}")
        if said:
            needs.add("command")
        lines += unasked(talk)
        for one in commands(said, newline, needs):
            lines += ["", *one]
    else:
        lines += [*unasked(talk), "", *frames(talk, echo)]
    return lines, needs


def settings(talk: Talk, echo: bool) -> list[str]:
    """Attributes in which the port differs from others."""
    lines = ["turns = {}  # which answer is next"]
    if echo:
        lines.append("echo: bool = True")
    for name, (bit, usual) in LINES.items():
        if talk.modem is not None and bool(talk.modem & bit) != usual:
            lines.append(f"{name}: bool = {not usual}")
    return lines


def is_text(request: bytes) -> bool:
    """Whether what the program wrote are lines of text."""
    return re.fullmatch(rb"[\x09\x0a\x0d\x20-\x7e]*[\r\n]", request) is not None


def dialogue(talk: Talk, echo: bool) -> tuple[str, dict[str, list[Pieces | None]]]:
    """What ends the answers, and for each line of the program what was answered, time after time."""
    said: dict[str, list[Pieces | None]] = {}
    for request, answer in [*talk.exchanges, (talk.unanswered, None)]:
        found = lines_of(request)
        for line in found[:-1]:
            said.setdefault(line, []).append(None)
        if found:
            said.setdefault(found[-1], []).append(without_echo(request, answer) if echo and answer else answer)
    ends = [pieces[-1][1] for answers in said.values() for pieces in answers if pieces]
    newline = next((end for end in (b"\r\n", b"\n", b"\r") if ends and all(one.endswith(end) for one in ends)), b"")
    return newline.decode(), said


def lines_of(request: bytes) -> list[str]:
    """The lines that a program wrote, as Serial hears them."""
    return [line.decode("ascii") for line in re.split(rb"\r\n|\r|\n", request) if line]


def without_echo(request: bytes, answer: Pieces) -> Pieces:
    """An answer without what was sent back."""
    silence, data = answer[0]
    rest = data[len(request) :]
    return [(silence, rest), *answer[1:]] if rest else answer[1:]


def commands(said: dict[str, list[Pieces | None]], newline: str, needs: set[str]) -> Iterable[list[str]]:
    """A method for each line of the program."""
    taken = {*dir(Serial), "turns", "unasked", "answers"}
    for line, answers in said.items():
        name = identifier(line, taken, "on")
        taken.add(name)
        yield method(line, name, answers, newline, needs)


def method(line: str, name: str, answers: list[Pieces | None], newline: str, needs: set[str]) -> list[str]:
    """One method."""
    pattern = re.escape(line).replace("\\ ", " ")
    quoted = f'r"{pattern}"' if '"' not in pattern else repr(pattern)
    lines = [f"@command({quoted})", f"def {name}(self):"]
    paused = any(pieces and any(silence >= PAUSE for silence, _ in pieces) for pieces in answers)
    if paused:
        needs.add("pause")
        shown = settled([listed(said_in_pieces(pieces or [], newline), 12) for pieces in answers])
        return [*lines, f"    yield from in_turn(self, {text_literal(line)}, {answers_literal(shown, 4)})"]
    shown = settled([said_at_once(pieces or [], newline) for pieces in answers])
    if len(shown) == 1:
        return [*lines, f"    return {shown[0]}"]
    return [*lines, f"    return in_turn(self, {text_literal(line)}, {answers_literal(shown, 4)})"]


def said_at_once(pieces: Pieces, newline: str) -> str:
    """An answer as one value."""
    data = b"".join(data for _, data in pieces)
    if not data:
        return "None"
    end = newline.encode()
    if data.isascii() and data.endswith(end):
        return text_literal(data[: len(data) - len(end)].decode("ascii"))
    return bytes_literal(data)


def said_in_pieces(pieces: Pieces, newline: str) -> list[str]:
    """An answer with the pauses in it."""
    shown = []
    for silence, data in pieces:
        if silence >= PAUSE:
            shown.append(f"pause({silence:.1f})")
        shown.append(said_at_once([(0.0, data)], newline))
    return shown


def unasked(talk: Talk) -> list[str]:
    """What the device says of its own accord."""
    if not talk.unasked:
        return []
    at, rows = 0.0, []
    for silence, data in talk.unasked:
        at += max(silence, 0.05)
        shown = text_literal(data.decode("ascii")) if data.isascii() else bytes_literal(data)
        rows.append(f"({at:.2f}, {shown})")
    return [
        "",
        "# What it says unasked: how many seconds after the port was opened, and what.",
        f"unasked = {listed(rows, 4)}",
        "",
        "def opened(self):",
        "    for seconds, said in self.unasked:",
        "        self.after(seconds, self.send, said)",
    ]


def frames(talk: Talk, echo: bool) -> list[str]:
    """A table of frames and their answers, for a protocol that is not text."""
    answers: dict[bytes, list[str]] = {}
    for request, pieces in talk.exchanges:
        data = b"".join(data for _, data in pieces)
        answers.setdefault(request, []).append(bytes_literal(data[len(request) :] if echo else data))
    if talk.unanswered:
        answers.setdefault(talk.unanswered, []).append("None")
    rows = [f"{bytes_literal(request)}: {answers_literal(found, 8)}" for request, found in answers.items()]
    return [
        "# What the program wrote, and what it was answered, time after time.",
        f"answers = {listed(rows, 4, '{', '}')}",
        "",
        "def frame(self, received):",
        "    # fill in: how long the frame is that begins here, if the recording does not have it",
        "    for known in sorted(self.answers, key=len, reverse=True):",
        "        if received.startswith(known):",
        "            return len(known)",
        "    return 0 if any(known.startswith(received) for known in self.answers) else -1",
        "",
        "def framed(self, frame):",
        "    return in_turn(self, frame, self.answers[frame])",
    ]

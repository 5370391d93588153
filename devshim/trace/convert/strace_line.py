"""One line of strace(1) as a call: who made it, its arguments as text, and what it returned."""

from __future__ import annotations

import re
from typing import NamedTuple

#: "P1 ", "1234 ", "[pid 1234] "; then a time of day or since the epoch, or what -r tells; all are optional.
PREFIX = re.compile(
    r"(?:\[pid\s+(?P<tid>\d+)\]\s+|(?P<pid>P?\d+)\s+)?"
    r"(?:(?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?)\s+|(?P<time>\d+\.\d+)\s+)?"
    r"(?:\(\+\s*\d+\.\d+\)\s+)?"
)
CALL = re.compile(r"(?P<name>[a-z_0-9]+)\(")
RESUMED = re.compile(r"<\.\.\. (?P<name>[a-z_0-9]+) resumed>\s*")
RESULT = re.compile(r"\s*= (?P<value>-?\d+|0x[0-9a-f]+|\?)(?P<rest>.*?)(?: <(?P<took>\d+\.\d+)>)?$", re.DOTALL)
ERROR = re.compile(r" (E[A-Z0-9]+)\b")
TIMES = re.compile(r"\s+## x(\d+)$")
CUT = re.compile(r"\.\.\.\[(\d+) more characters\]$")
STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
DULL = re.compile(r'[^"/<,()\[\]{}]*')  # what neither parts arguments nor opens or closes anything
PLAIN = rf'((?:[^"/<,()\[\]{{}}]++|{STRING.pattern})*+)'
PLAIN_ARGUMENTS = re.compile(rf"{PLAIN}(?:,{PLAIN})?(?:,{PLAIN})?(?:,{PLAIN})?\)", re.DOTALL)  # as most calls have
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Call(NamedTuple):
    """A system call.

    arguments  as text, annotations and comments included
    result     as a number; None where it never returned
    shown      what stands behind the result: an annotation, or what came back through pointers
    """

    who: str
    name: str
    arguments: list[str]
    result: int | None
    error: str | None
    shown: str
    time: float | None
    took: float | None
    line: int


class Unfinished(NamedTuple):
    """The first part of a call during which another process's line was printed."""

    text: str
    time: float | None


class BadLine(ValueError):
    """A line that is not strace's."""


class Lines:
    """Puts calls together from lines: unfinished ones wait for the line that resumes them.

    epoch  the first time that was told, from which times count
    """

    def __init__(self) -> None:
        self.waiting: dict[str, Unfinished] = {}
        self.epoch: float | None = None

    def feed(self, text: str, number: int) -> tuple[Call | None, int]:
        """The call that a line completes, and how often it was made; None for a line without one.

        Raises BadLine.
        """
        text = text.rstrip("\n")
        times = 1
        if repeated := TIMES.search(text):
            times, text = min(int(repeated[1]), 1_000_000), text[: repeated.start()]
        prefix = PREFIX.match(text)
        assert prefix is not None
        who = prefix["tid"] or prefix["pid"] or ""
        time = self.since_start(prefix["clock"], prefix["time"])
        body = text[prefix.end() :]
        if not body or body.startswith(("---", "+++", "strace:", "#", "restart_syscall")):
            return None, 0
        if resumed := RESUMED.match(body):
            begun = self.waiting.pop(who, None)
            if begun is None:
                return None, 0
            body, time = begun.text + body[resumed.end() :], begun.time
        if body.endswith("<unfinished ...>"):
            self.waiting[who] = Unfinished(body.removesuffix("<unfinished ...>").rstrip(), time)
            return None, 0
        return parse(who, body, time, number), times

    def since_start(self, clock: str | None, seconds: str | None) -> float | None:
        """Seconds since the first line that told a time."""
        if clock:
            hours, minutes, rest = clock.split(":")
            at = int(hours) * 3600 + int(minutes) * 60 + float(rest)
        elif seconds:
            at = float(seconds)
        else:
            return None
        if self.epoch is None:
            self.epoch = at
        return max(0.0, at - self.epoch) if at >= self.epoch else at - self.epoch + 86400


def parse(who: str, body: str, time: float | None, number: int) -> Call | None:
    """A whole call.  Raises BadLine."""
    body = mended(body)
    call = CALL.match(body)
    if call is None:
        raise BadLine("it is not strace's; take the output of: strace -f -xx -s 65535 -o FILE PROGRAM")
    arguments, end = split(body, call.end())
    answer = RESULT.match(body, end)
    if answer is None:
        raise BadLine("it has no result")
    error = ERROR.match(answer["rest"]) if answer["value"] == "-1" else None
    value = None if answer["value"] == "?" else int(answer["value"], 0)
    took = float(answer["took"]) if answer["took"] else None
    return Call(
        who, call["name"], arguments, value, error[1] if error else None, answer["rest"].strip(), time, took, number
    )


def mended(body: str) -> str:
    """A line without the mark where a part was cut out of a string near its end, if what followed can be told.

    A read of n bytes that was asked for n ends so: four letters a byte, and behind them `", n) = n`.  Raises BadLine.
    """
    cut = CUT.search(body)
    if cut is None:
        return body
    kept, letters = body[: cut.start()], int(cut[1])
    inside = re.search(r'"((?:\\x[0-9a-f]{2})*)(?:\\(?:x[0-9a-f]?)?)?$', kept)
    if inside is None:
        raise BadLine("the line is cut off")
    whole, shown = inside[1], len(kept) - inside.start() - 1
    for digits in range(1, 8):
        end = len('", ) = ') + 2 * digits
        if (shown + letters - end) % 4 == 0:
            size = (shown + letters - end) // 4
            if len(str(size)) == digits and size * 4 >= len(whole):
                return f'{kept[: inside.start()]}"{whole}"..., {size}) = {size}'
    raise BadLine("the line is cut off")


def split(text: str, at: int, closing: str = ")") -> tuple[list[str], int]:
    """The arguments from a position on, and the position behind what closes them.

    Commas inside strings, brackets, comments and what -y writes behind descriptors do not count.  Raises BadLine.
    """
    if closing == ")" and (plain := PLAIN_ARGUMENTS.match(text, at)) is not None:
        few = [one.strip() for one in plain.groups() if one is not None]
        return few if few != [""] else [], plain.end()
    found: list[str] = []
    start, stack = at, [closing]
    while (at := DULL.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        letter = text[at]
        if letter == '"':
            at = end_of_string(text, at)
            continue
        if letter == "/" and text.startswith("/*", at):
            at = text.find("*/", at) + 2
            if at == 1:
                raise BadLine("a comment without an end")
            continue
        if letter == "<" and at and (text[at - 1].isalnum() or text.startswith("*/", at - 2)):
            at = end_of_annotation(text, at)
            continue
        if letter in CLOSING:
            stack.append(CLOSING[letter])
        elif letter == stack[-1]:
            stack.pop()
            if not stack:
                last = text[start:at].strip()
                return ([*found, last] if last or found else found), at + 1
        elif letter == "," and len(stack) == 1:
            found.append(text[start:at].strip())
            start = at + 1
        at += 1
    raise BadLine("a bracket without an end")


def end_of_string(text: str, at: int) -> int:
    """The position behind a string that begins at one."""
    found = STRING.match(text, at)
    if found is None:
        raise BadLine("a string without an end")
    return found.end()


def end_of_annotation(text: str, at: int) -> int:
    """The position behind <...>, in which more of them may be: 3</dev/tty<char 5:0>>."""
    depth = 0
    for index in range(at, len(text)):
        if text[index] == "<":
            depth += 1
        elif text[index] == ">" and text[index - 1] != "-":
            depth -= 1
            if not depth:
                return index + 1
    raise BadLine("an annotation without an end")

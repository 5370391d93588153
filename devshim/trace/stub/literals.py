"""Python source of values and names, as a stub has them: laid out as ruff would."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Collection, Iterable, Sequence

from devshim.trace.show import c_string

WIDEST = 100

#: So many different answers to one request are written down.
MOST_ANSWERS = 256
#: A run of one byte that is longer than this is written as a product.
LONGEST_RUN = 24

IN_TURN = '''\
def in_turn(self, what, answers):
    """The recorded answers one after the other, then the last one again."""
    turn = self.turns[what] = self.turns.get(what, -1) + 1
    answer = answers[min(turn, len(answers) - 1)]
    if isinstance(answer, OSError):
        raise answer
    return answer
'''


def bytes_literal(data: bytes) -> str:
    """Bytes; long runs of one byte as a product."""
    if len(data) > LONGEST_RUN and not data.strip(data[:1]):
        return f'b"{c_string(data[:1])}" * {len(data)}'
    return f'b"{c_string(data)}"'


def text_literal(text: str) -> str:
    """A text."""
    return json.dumps(text)


def error_literal(name: str) -> str:
    """An errno as an exception that is to be raised."""
    return f"OSError(errno.{name}, os.strerror(errno.{name}))"


def settled(answers: Sequence[str]) -> list[str]:
    """Answers that are given in turn, the last one for ever: without its repetitions at the end."""
    found = list(answers)
    while len(found) > 1 and found[-1] == found[-2]:
        found.pop()
    return found


def listed(items: Iterable[str], indent: int, opening: str = "[", closing: str = "]") -> str:
    """A list in one line, or in one line for each item; indent is that of the line in which it begins."""
    items = list(items)
    short = f"{opening}{', '.join(items)}{closing}"
    if len(short) + indent <= WIDEST and "\n" not in short:
        return short
    inner = " " * (indent + 4)
    return f"{opening}\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent + closing


def answers_literal(answers: Sequence[str], indent: int) -> str:
    """The answers to one request as a list, not all of very many."""
    found = settled(answers)
    if len(found) <= MOST_ANSWERS:
        return listed(found, indent)
    shown = listed(found[:MOST_ANSWERS], indent)
    if "\n" not in shown:
        shown = "[\n" + " " * (indent + 4) + shown[1:-1] + ",\n" + " " * indent + "]"
    note = f"# fill in: the recording has {len(found) - MOST_ANSWERS} more\n"
    return shown[:-1] + "    " + note + " " * indent + "]"


def identifier(text: str, taken: Collection[str], prefix: str) -> str:
    """A name for a method made of what it answers, which is not taken yet."""
    stem = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40].rstrip("_")
    if not stem or stem[0].isdigit() or keyword.iskeyword(stem):
        stem = f"{prefix}_{stem}".rstrip("_")
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}_{count}"
    return name


def class_name(text: str, taken: Collection[str] = ()) -> str:
    """A class's name made of a path's last part, or of a request: /dev/i2c-1 is I2c1, GPIO_GET_LINE GpioGetLine."""
    words = re.findall(r"[A-Za-z0-9]+", text.rpartition("/")[2])
    stem = "".join(word[:1].upper() + (word[1:].lower() if word.isupper() else word[1:]) for word in words) or "Stub"
    stem = stem if not stem[0].isdigit() else f"Device{stem}"
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}{count}"
    return name

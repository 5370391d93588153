"""The snippets of a Markdown document: files that it shows, and shell sessions with what they print.

A fenced block says what it is in its first line:

    ```python siren.py            a file of this name
    ```console                    lines after "$ " are run, the lines below each are what it prints
    ```console needs=i2cget       skipped where the client is missing (names as in tests/clients.txt)
    ```console exit=3             the last command ends with 3, not 0
    ```text                       shown only

In what a command prints, "…" stands for any text within a line, and a line of "…" alone for any lines.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN_ONLY = ("text", "")


@dataclass(frozen=True)
class Command:
    """One command of a session, and what it prints."""

    words: str
    output: str


@dataclass(frozen=True)
class Session:
    """One console block."""

    line: int
    commands: tuple[Command, ...]
    needs: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass
class Document:
    """What a document shows: files by name, sessions in order."""

    files: dict[str, str] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)


def read(path: Path) -> Document:
    """Return the snippets of a document; ValueError names the line of a block that no test would run."""
    text = path.read_text()
    document = Document()
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        kind, *rest = block[1].split() or [""]
        if kind == "console":
            document.sessions.append(session(line, rest, block[2]))
        elif len(rest) == 1 and rest[0] not in document.files:
            document.files[rest[0]] = block[2]
        elif kind not in SHOWN_ONLY:
            raise ValueError(f"{path}:{line}: a {kind} block needs a file name of its own, so that a test can use it")
    return document


def session(line: int, options: list[str], body: str) -> Session:
    given = dict(option.split("=", 1) for option in options)
    if unknown := given.keys() - {"needs", "exit"}:
        raise ValueError(f"line {line}: unknown option of a console block: {', '.join(unknown)}")
    commands = []
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        commands.append(Command(*cut(part)))
    needs = tuple(name for name in given.get("needs", "").split(",") if name)
    return Session(line, tuple(commands), needs, int(given.get("exit", "0")))


def cut(part: str) -> tuple[str, str]:
    """Return the command, over as many lines as end with a backslash, and the rest."""
    lines = part.splitlines(keepends=True)
    end = next(number for number, text in enumerate(lines, 1) if not text.endswith("\\\n"))
    return "".join(lines[:end]).rstrip("\n"), "".join(lines[end:])


def matches(expected: str, printed: str) -> bool:
    """Tell whether a command printed what the document says; blank lines at the end do not count."""
    pattern = []
    for text in expected.rstrip().split("\n"):
        if text.strip() == "…":
            pattern.append(r"(?:.*\n)*?")
        else:
            pattern.append(".*?".join(map(re.escape, text.rstrip().split("…"))) + r"[ \t]*\n")
    return re.fullmatch("".join(pattern), printed.rstrip() + "\n") is not None

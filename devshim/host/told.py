"""Failures in a program with an interpreter inside: the command, or the session, learns of them however it ends."""

from __future__ import annotations


class Told(list[str]):
    """Failures of the run; each is also a line of a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def append(self, failure: str) -> None:
        """Keep it, and leave a mark for the command."""
        super().append(failure)
        with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(failure.replace("\n", " ") + "\n")

"""Engines: how a program's calls are caught, by the shim in its libc or, where it has none, by seccomp(2).

`preload` is quicker and sees more; `seccomp` sees programs that make their system calls themselves: static ones, Go,
musl.  Every `devshim run` passes here, so the file is looked at by hand instead of by elf.py.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PRELOAD, SECCOMP = "preload", "seccomp"
ENGINES = (PRELOAD, SECCOMP)

LAUNCH = "DEVSHIM_LAUNCH"
"""What tells shim/launch.c to become a program instead of running the one that it is in; see shim/supervisable.h."""

MOST = 4096
"""Bytes of a file that are looked at: headers, the loader's name and Go's note lie at its beginning."""

PT_INTERP, PT_NOTE = 3, 4
GO_NOTE = (4).to_bytes(4, "little") + b"Go\0\0"
"""Type and owner of the note that Go's linker writes, as they follow each other; see cmd/internal/buildid."""


class Start:
    """What is executed in the place of a program, for an engine."""

    def __init__(self, path: str, program: list[str], environment: dict[str, str]) -> None:
        self.path = path
        self.program = program
        self.environment = environment


def suited(path: str) -> str:
    """The engine that a file needs: seccomp where no shim can be loaded into it, or would see part of its calls."""
    file = interpreter_of(path) or path
    loader, go = look(file)
    if loader is None or (not loader and is_glibc(file)):
        return PRELOAD  # no program of ours; or the loader itself, which loads what it is told
    return PRELOAD if is_glibc(loader) and not go else SECCOMP


def interpreter_of(path: str) -> str:
    """The program that a script's first line names; "" for another file.  What env(1) would find is not looked for."""
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError:
        return ""
    words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
    return words[0] if words else ""


def look(path: str) -> tuple[str | None, bool]:
    """An ELF program's loader ("": it has none) and whether it is made by Go; None for another file.

    Only 64-bit little-endian programs are known: the shim is for no others.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(MOST)
    except OSError:
        return None, False
    if start[:6] != b"\x7fELF\x02\x01" or len(start) < 64:
        return None, False
    number = int.from_bytes
    table, size, count = number(start[32:40], "little"), number(start[54:56], "little"), number(start[56:58], "little")
    loader, go = "", False
    for at in range(table, table + size * count, size or 1):
        kind, offset = number(start[at : at + 4], "little"), number(start[at + 8 : at + 16], "little")
        length = number(start[at + 32 : at + 40], "little")
        if kind == PT_INTERP:
            loader = start[offset : offset + length].rstrip(b"\0").decode(errors="replace") or "?"
        elif kind == PT_NOTE:
            go = go or GO_NOTE in start[offset : offset + length]
    return loader, go


def is_glibc(loader: str) -> bool:
    """Tell glibc's loader, which takes the shim in, from others."""
    return os.path.basename(loader).startswith(("ld-linux", "ld64", "ld.so", "ld-2"))


def takes_shim(path: str) -> bool:
    """Tell whether LD_PRELOAD does a program no harm: another libc's loader may refuse to start it."""
    loader, _ = look(interpreter_of(path) or path)
    return not loader or is_glibc(loader)


def start_with(
    engine: str, path: str, program: list[str], environment: Mapping[str, str], later: bool = False
) -> Start:
    """What to execute so that a program runs with this engine.

    path: the program's file; program: its words; environment: the run's, with the shim; later: devices may be plugged
    after it has started.
    """
    if engine == PRELOAD:
        return Start(path, program, dict(environment))
    flags = "w" + ("d" if later else "") + ("" if takes_shim(path) else "p")
    own = ["-I", "-S", "-c", "import sys; sys.exit('devshim: the shim could not be loaded into ' + sys.executable)"]
    return Start(
        sys.executable, [sys.executable, *own, *program], {**environment, LAUNCH: f"{flags}:{os.path.abspath(path)}"}
    )


def leave_children(run_directory: str) -> None:
    """Have a run's programs execute static ones and their like without a supervisor: the user wants the shim alone."""
    with open(os.path.join(run_directory, "engine-preload"), "x"):
        pass  # that it is there is all


def start_here(program: list[str], environment: Mapping[str, str], directory: str | os.PathLike[str] | None) -> Start:
    """What a session executes for a program, with the engine that it needs; directory: where it will run."""
    from devshim.errors import TargetFailed
    from devshim.target import find_program

    name = program[0]
    try:
        path = os.path.join(directory or "", name) if "/" in name else find_program(name, environment)
    except TargetFailed:
        return Start(name, program, dict(environment))  # whoever executes it says so
    return start_with(suited(path), path, program, environment, later=True)

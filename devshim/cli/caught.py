"""What will be caught of a program: looks at its file, without running it, and says what to do about the rest."""

from __future__ import annotations

import os
import stat

from devshim import target
from devshim.elf import Elf, NotElf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS_DEEP = 4
"""How many interpreters of interpreters the kernel follows; exec_binprm in fs/exec.c."""

SHELL = "/bin/sh"
"""What execvp(3) gives a script to whose first line names no interpreter."""

SANITIZERS = {"asan": "AddressSanitizer", "tsan": "ThreadSanitizer", "msan": "MemorySanitizer"}

OTHER_ENGINE = "its system calls are caught one by one (engine seccomp)"

ALLOW_IT = "allow it there (docker: --security-opt seccomp=unconfined --cap-add SYS_PTRACE)"


class Finding:
    """One line of a doctor's report.

    advice  what to do about it; empty where nothing needs doing
    """

    __slots__ = ("advice", "good", "text")

    def __init__(self, good: bool, text: str, advice: str = "") -> None:
        self.good = good
        self.text = text
        self.advice = advice


def examine(program: str, preload: bool = False) -> Iterator[Finding]:
    """Say what will be caught of a program, by path or by name on $PATH; a script is followed to its interpreter.

    preload: by the shim alone.

    Raises TargetFailed where there is no such program.
    """
    path = target.find_program(program, os.environ)
    for _ in range(SCRIPTS_DEEP + 1):
        yield from privileges(path)
        line = shebang(path)
        if line is None:
            break
        interpreter = interpreter_of(line)
        if interpreter is None:
            yield Finding(False, f"{path}: a script whose first line names no program: #!{line}", "correct that line")
            return
        path = target.find_program(interpreter, os.environ)
        yield Finding(True, f"a script, run by {path} (#!{line})")
    try:
        elf = Elf.read(path)
    except NotElf as error:
        if target.is_binary(path):
            yield Finding(False, str(error), "build it anew, or for this machine")
            return
        yield Finding(True, f"{path}: a script without a #! line, run by {SHELL}")
        elf = Elf.read(SHELL)
    yield from way_of_calls(elf, preload)


def shebang(path: str) -> str | None:
    """The text behind "#!" of a script; None for another file."""
    with open(path, "rb") as file:
        first = file.readline(256)  # BINPRM_BUF_SIZE of linux/binfmts.h
    return first[2:].decode(errors="replace").strip() if first.startswith(b"#!") else None


def interpreter_of(line: str) -> str | None:
    """The program that a "#!" line runs; behind env(1) that is its first word that is no option or variable."""
    words = line.split(maxsplit=1)
    if not words:
        return None
    if os.path.basename(words[0]) != "env" or len(words) == 1:
        return words[0]
    rest = [word for word in split(words[1].removeprefix("-S")) if not word.startswith("-") and "=" not in word]
    return rest[0] if rest else None


def split(text: str) -> list[str]:
    """The words of a text, as a shell parts them; what few have in it is not loaded for all."""
    if not any(mark in text for mark in "\"'\\"):
        return text.split()
    import shlex

    return shlex.split(text)


def privileges(path: str) -> Iterator[Finding]:
    """Find out whether the kernel would start it with more rights than ours, when ld.so ignores LD_PRELOAD."""
    state = os.stat(path)
    if state.st_mode & stat.S_ISUID and state.st_uid != os.geteuid():
        yield Finding(
            False, f"{path} is setuid: the loader drops the shim", "run it as its owner, or a copy without that bit"
        )
    if state.st_mode & stat.S_ISGID and state.st_mode & stat.S_IXGRP and state.st_gid != os.getegid():
        yield Finding(
            False, f"{path} is setgid: the loader drops the shim", "run it as its group, or a copy without that bit"
        )
    if os.geteuid() and "security.capability" in os.listxattr(path):
        yield Finding(
            False, f"{path} has file capabilities: the loader drops the shim", "run a copy: cp does not keep them"
        )


def way_of_calls(elf: Elf, preload: bool) -> Iterator[Finding]:
    """Say by which way the program's calls go to the kernel, and whether the shim stands there."""
    go = ("Go", 4) in elf.notes or ".note.go.buildid" in elf.sections
    shim = Elf.read(target.SHIM) if os.path.exists(target.SHIM) else None
    if shim is None:
        yield Finding(False, "the shim is not built", "devshim doctor, without a program, says more")
    elif (elf.machine, elf.bits) != (shim.machine, shim.bits):
        advice = f"build the program for {shim.machine_name}"
        yield Finding(
            False, f"built for {elf.machine_name}; the shim is for {shim.machine_name}: nothing is caught", advice
        )
        return
    if elf.interpreter is None:
        yield without_shim(static(elf, go), preload)
        return
    if go:
        yield without_shim("Go, dynamically linked: Go's own code makes system calls without libc", preload)
        return
    yield from loader(elf.interpreter, preload)
    yield from sanitized(elf)
    if shim is not None:
        yield interposed(elf, shim)


def static(elf: Elf, go: bool) -> str:
    """What a program without a loader is."""
    if go:
        return "Go, statically linked: it makes system calls without libc"
    kind = "statically linked (static-pie)" if elf.position_independent else "statically linked"
    return f"{kind}: no library can be loaded into it"


def without_shim(text: str, preload: bool) -> Finding:
    """The finding for a program that the other engine is for, if that is not ruled out and works here."""
    from devshim.cli.seccomp import problem

    if preload:
        return Finding(False, text, "leave out --engine preload, or build it with glibc, dynamically linked")
    why = problem()
    if why is None:
        return Finding(True, f"{text}; {OTHER_ENGINE}")
    return Finding(False, f"{text}, and the engine seccomp does not work here: {why}", ALLOW_IT)


def loader(interpreter: str, preload: bool) -> Iterator[Finding]:
    """Tell glibc's loader from the others."""
    name = os.path.basename(interpreter)
    if not os.path.exists(interpreter):
        yield Finding(
            False, f"its loader {interpreter} is not here: it cannot start", "install the libc it was built for"
        )
    elif name.startswith("ld-musl"):
        yield without_shim("dynamically linked with musl; the shim is made for glibc", preload)
    elif name.startswith("klibc"):
        yield without_shim("linked with klibc, which knows no LD_PRELOAD", preload)
    elif name.startswith(("ld-linux", "ld64", "ld.so", "ld-")):
        yield Finding(True, f"dynamically linked with glibc ({interpreter})")
    else:
        yield Finding(False, f"its loader {interpreter} is unknown", "try: devshim run -v -d NODE=MODEL -- PROGRAM")


def sanitizers(elf: Elf) -> list[str]:
    """Which sanitizers a program was built with, by their short names."""
    known = elf.symbols | elf.exports | elf.imports
    return [name for name in SANITIZERS if uses_library(elf, name) or f"__{name}_init" in known]


def uses_library(elf: Elf, sanitizer: str) -> bool:
    """Tell whether a sanitizer comes as a library of its own."""
    return any(needed.startswith(f"lib{sanitizer}.") for needed in elf.needed)


def sanitized(elf: Elf) -> Iterator[Finding]:
    """Say what sanitizers in the program mean."""
    for name in sanitizers(elf):
        option = "; ASAN_OPTIONS gets verify_asan_link_order=0" if name == "asan" and uses_library(elf, name) else ""
        yield Finding(True, f"built with {SANITIZERS[name]}: works{option}")


def interposed(elf: Elf, shim: Elf) -> Finding:
    """List the functions of the program that the shim stands in front of."""
    names = sorted(elf.imports & shim.exports)
    own = sorted(elf.exports & shim.exports)
    if own and not sanitizers(elf):  # a sanitizer's functions of these names call the shim's
        advice = "devshim run --engine seccomp catches them; or make them static in the program"
        return Finding(False, f"it brings its own {' '.join(own)}: calls of these are not caught", advice)
    if not names:
        return Finding(True, "it calls none of the interposed functions itself; its libraries' calls are caught")
    return Finding(True, f"{len(names)} of its functions are caught: {' '.join(names)}")

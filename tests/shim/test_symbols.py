"""What the built shim exports and needs, by nm: no libc alias forgotten, no own wrapper called by the machinery."""

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIM = ROOT / "devshim/shim"
LIBRARY = SHIM / "libdevshim.so"
CHANNEL = ROOT / "devshim/host/_channel.abi3.so"
PATTERN = ROOT / "devshim/trace/format/_pattern.abi3.so"
FLAGS = (SHIM / "compile_flags.txt").read_text().split()
GLIBC_FLOOR = (2, 28)

# Spellings under which glibc exports a function X besides its own name.
SPELLINGS = (
    *("X64", "__X", "__X64", "__X_2", "__X64_2", "__X_chk", "__X64_chk", "X_time64", "__X_time64", "__X64_time64"),
    *("_X", "__libc_X", "_IO_X", "__X_alias", "__isoc99_X", "__isoc23_X", "X_unlocked", "__X_unlocked"),
)

# Functions whose other names follow no rule: the stat family's names before glibc 2.33, and a few more.
OTHER_NAMES = {
    "stat": ("__xstat", "__xstat64"),
    "lstat": ("__lxstat", "__lxstat64"),
    "fstat": ("__fxstat", "__fxstat64"),
    "fstatat": ("__fxstatat", "__fxstatat64"),
    "mknod": ("__xmknod",),
    "mknodat": ("__xmknodat",),
    "realpath": ("canonicalize_file_name",),
}

# Names that the shim leaves to libc, each with the reason.
WAIVED: dict[str, str] = {}

# What the shim exports besides, for the host's C module where both are in one process.
OWN_NAMES = {"devshim_direct"}

# Not to be called once the shim has started: a signal handler or a vfork child may be the caller (ARCHITECTURE, rules).
NOT_ASYNC_SIGNAL_SAFE = {
    *("malloc", "calloc", "realloc", "free", "fopen", "fclose", "syslog"),
    *("printf", "fprintf", "vfprintf", "dprintf", "vdprintf", "sprintf", "snprintf", "vsnprintf"),
    *("puts", "fputs", "fwrite", "pthread_mutex_lock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock"),
}

# The supervisor of the engine `seccomp` has a process of its own, where it may do what it likes.
OWN_PROCESS = ("supervise", "launch.c")

pytestmark = [
    pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm: apt-get install binutils"),
    pytest.mark.skipif(not LIBRARY.exists(), reason="the shim is not built: make build"),
]


def test_every_listed_name_is_exported() -> None:
    missing = interposed() - exported()

    assert not missing, f"in interposed.h, but no wrapper is exported: {spelled(missing)}"


def test_every_exported_name_exists_in_libc() -> None:
    invented = exported() - libc().keys() - OWN_NAMES

    assert not invented, f"exported, but libc has no such function: {spelled(invented)}"


def test_every_other_libc_name_of_a_wrapper_is_exported_or_waived() -> None:
    forgotten = {
        other: name
        for name in interposed()
        for other in other_names(name)
        if other not in exported() and other not in WAIVED
    }

    listing = "\n".join(f"  {other} is libc's other name of {name}" for other, name in sorted(forgotten.items()))
    assert not forgotten, f"a program that calls one of these goes past its wrapper:\n{listing}"


def test_no_waiver_is_out_of_date() -> None:
    assert not exported() & WAIVED.keys()


def test_machinery_calls_no_interposed_name() -> None:
    wrong = {f"{source.name}: {name}" for source in machinery() for name in undefined(source) if name in exported()}

    assert not wrong, f"these calls would come back to the shim's own wrappers; use real.x: {spelled(wrong)}"


def test_machinery_neither_allocates_nor_prints_nor_locks() -> None:
    wrong = {
        f"{source.name}: {name}"
        for source in machinery()
        if source.name != "start.c" and not source.name.startswith(OWN_PROCESS)
        for name in undefined(source) & NOT_ASYNC_SIGNAL_SAFE
    }

    assert not wrong, f"not async-signal-safe: {spelled(wrong)}"


@pytest.mark.parametrize("library", [LIBRARY, CHANNEL, PATTERN], ids=lambda path: path.name)
def test_nothing_newer_than_the_glibc_floor_is_needed(library: Path) -> None:
    if not library.exists():
        pytest.skip(f"{library.name} is not built: make build")

    newer = {symbol for symbol in nm("-D", "-u", library) if glibc_version(symbol) > GLIBC_FLOOR}

    assert not newer, f"needs more than glibc {'.'.join(map(str, GLIBC_FLOOR))}: {spelled(newer)}"


def spelled(names: set[str]) -> str:
    return " ".join(sorted(names))


def other_names(name: str) -> set[str]:
    """Return libc's other names of a function: by spelling, by the table, and by address."""
    stem = name.strip("_")
    known = {spelling.replace("X", stem) for spelling in SPELLINGS} | {*OTHER_NAMES.get(name, ())}
    same = {other for other, addresses in libc().items() if addresses & libc().get(name, frozenset())}
    return ((known & libc().keys()) | same) - {name}


@cache
def interposed() -> frozenset[str]:
    """Return the names of interposed.h's list, as the preprocessor sees them."""
    source = (
        '#include "interposed.h"\n#define LISTED(name) listed:name;\nINTERPOSED(LISTED)\nINTERPOSED_RARELY(LISTED)\n'
    )
    flags = [flag for flag in FLAGS if flag.startswith(("-D", "-U", "-std"))]
    command = [*compiler(), *flags, "-E", "-P", "-x", "c", "-I", str(SHIM), "-"]
    text = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"listed:(\w+);", text))


@cache
def exported() -> frozenset[str]:
    return frozenset(symbol.partition("@")[0] for symbol in nm("-D", "--defined-only", LIBRARY))


@cache
def libc() -> dict[str, frozenset[str]]:
    """Return libc's public functions, those kept for old programs too, each with its addresses."""
    found: dict[str, set[str]] = {}
    for library in libc_files():
        output = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
        for line in output.stdout.splitlines():
            address, kind, symbol = line.split()
            if kind in "TtWwiV" and not symbol.endswith("@GLIBC_PRIVATE"):
                found.setdefault(symbol.partition("@")[0], set()).add(f"{library}:{address}")
    return {name: frozenset(addresses) for name, addresses in found.items()}


def libc_files() -> list[str]:
    """Return libc's files; before glibc 2.34 dlsym and the threads had files of their own."""
    named = [
        subprocess.run(
            [*compiler(), f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libc.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1")
    ]
    found = [path for path in named if os.path.isabs(path)]
    if not found:
        pytest.skip("no glibc here: these names are glibc's")
    return found


def machinery() -> list[Path]:
    """Return the shim's sources that are no wrappers."""
    return [source for source in sorted(SHIM.glob("*.c")) if not source.name.startswith("wrap_")]


@cache
def undefined(source: Path) -> frozenset[str]:
    """Return the names that one source file leaves to be found elsewhere, compiled as the shim is."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "machinery.o"
        subprocess.run([*compiler(), *FLAGS, "-w", "-c", "-o", str(built), str(source)], check=True)
        return frozenset(nm("-u", built))


def nm(*words: str | Path) -> set[str]:
    listing = subprocess.run(["nm", *map(str, words)], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in listing.stdout.splitlines() if line.strip()}


def glibc_version(symbol: str) -> tuple[int, ...]:
    """Return (2, 34) for dlsym@GLIBC_2.34, and (0,) for a symbol of no glibc version."""
    found = re.search(r"@+GLIBC_([\d.]+)$", symbol)
    return tuple(map(int, found[1].split("."))) if found else (0,)


def compiler() -> list[str]:
    return os.environ.get("CC", "cc").split()

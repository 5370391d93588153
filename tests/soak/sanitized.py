"""The shim and the host's C module under sanitizers, and the shim under valgrind, playing random scripts."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import run_devshim

from tests.soak.build import build
from tests.soak.package import Package
from tests.soak.scripts import DEVICES, Player, Wrong, play_seeds

ASAN = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-O1", "-g")
TSAN = ("-fsanitize=thread", "-O1", "-g")
SHORT = 60


class Missing(Exception):
    """What a step needs is not here; the message says what."""


def runtime(name: str) -> str:
    """The path of a sanitizer's library.  Raises Missing."""
    found = subprocess.run(
        ["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not Path(found).is_absolute():
        raise Missing(f"no {name}: apt-get install gcc (Debian has it with libgcc-dev)")
    return str(Path(found).resolve())


def shim_under_asan(first: int, count: int) -> None:
    """The shim with AddressSanitizer and UndefinedBehaviorSanitizer, in a program that has them too."""
    runtime("libasan.so")
    with tempfile.TemporaryDirectory(prefix="devshim-asan-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_shim(*ASAN)
        environment = {**package.environment, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:handle_segv=1"}
        player = Player(build("actors", folder, *ASAN), environment=environment, folder=folder, timeout=300)
        play_seeds(player, range(first, first + count), SHORT, shrink=False)


def host_under_ubsan(first: int, count: int) -> None:
    """The host's C module with UndefinedBehaviorSanitizer; AddressSanitizer would want an interpreter of its own."""
    with tempfile.TemporaryDirectory(prefix="devshim-ubsan-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_host("-fsanitize=undefined", "-fno-sanitize-recover=undefined")
        player = Player(build("actors", folder), environment=package.environment, folder=folder, timeout=300)
        play_seeds(player, range(first, first + count), SHORT, shrink=False)


def shim_under_tsan(calls: int) -> None:
    """The shim with ThreadSanitizer in a program of several threads, which see its slots and bitmaps together."""
    runtime("libtsan.so")
    with tempfile.TemporaryDirectory(prefix="devshim-tsan-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_shim(*TSAN)
        busy = build("busy", folder, *TSAN)
        environment = {**package.environment, "TSAN_OPTIONS": "exitcode=66:report_signal_unsafe=0"}
        outcome = run_devshim(busy, "1", "6", str(calls), devices=DEVICES, env=environment, cwd=folder, timeout=300)
        if "nested bug in the same thread" in outcome.stderr:
            raise Missing("this ThreadSanitizer dies at its start: its own set-up already calls the shim's wrappers")
        if outcome.returncode:
            raise Wrong(f"exit code {outcome.returncode}\n{outcome.stderr[:6000]}")


def shim_under_valgrind(first: int, count: int) -> None:
    """A C program under valgrind's memcheck, which follows what the shim does to its memory."""
    if not shutil.which("valgrind"):
        raise Missing("no valgrind: apt-get install valgrind")
    with tempfile.TemporaryDirectory(prefix="devshim-valgrind-") as name:
        folder = Path(name)
        words = ["valgrind", "-q", "--error-exitcode=99", "--fair-sched=yes", "--child-silent-after-fork=no"]
        busy = build("busy", folder)
        for threads in ("1", "4"):
            outcome = run_devshim(*words, busy, "1", threads, str(count), devices=DEVICES, timeout=300)
            if outcome.returncode or outcome.stderr.strip():
                raise Wrong(f"exit code {outcome.returncode}\n{outcome.stderr[:6000]}")


def all_of_them(first: int, count: int) -> Iterator[str]:
    """Each step, with what became of it.  Raises Wrong."""
    steps = (
        ("shim, AddressSanitizer and UndefinedBehaviorSanitizer", lambda: shim_under_asan(first, count)),
        ("host's C module, UndefinedBehaviorSanitizer", lambda: host_under_ubsan(first, count)),
        ("shim, ThreadSanitizer", lambda: shim_under_tsan(200 * count)),
        ("shim, valgrind", lambda: shim_under_valgrind(first, 40 * count)),
    )
    for what, step in steps:
        try:
            step()
        except Missing as missing:
            yield f"{what}: skipped, {missing}"
        else:
            yield f"{what}: {count} well"

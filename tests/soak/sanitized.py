"""The shim and the C modules under sanitizers, and the shim under valgrind, playing random scripts and traces."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import ROOT, run, run_devshim

from tests.soak.build import build
from tests.soak.package import Package
from tests.soak.scripts import DEVICES, Player, Wrong, play_seeds

ASAN = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-O1", "-g")
TSAN = ("-fsanitize=thread", "-O1", "-g", "-Wno-tsan")
SHORT = 60
BETWEEN = "==================\n"


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


def reader_under_asan(first: int, count: int) -> None:
    """The C module that reads traces with both, in an interpreter that has them preloaded."""
    libraries = " ".join(map(runtime, ("libasan.so", "libubsan.so")))
    with tempfile.TemporaryDirectory(prefix="devshim-reader-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_reader(*ASAN)
        options = {"LD_PRELOAD": libraries, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
        environment = {**package.whole_environment, **options, "PYTHONPATH": f"{folder}:{ROOT}"}
        words = [os.path.realpath(sys.executable), "-m", "tests.soak.lines", str(first), str(count)]
        outcome = run(words, env=environment, cwd=folder, timeout=300)
        if outcome.returncode:
            raise Wrong(f"exit code {outcome.returncode}\n{outcome.stderr[-6000:]}")


def shim_under_tsan(calls: int) -> None:
    """The shim with ThreadSanitizer, in a program of several threads, which see its slots and bitmaps together.

    Scripts are not for it: it holds signals back in calls of which it does not know that they wait.
    """
    runtime("libtsan.so")
    with tempfile.TemporaryDirectory(prefix="devshim-tsan-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_shim(*TSAN)
        busy = build("busy", folder, *TSAN)
        # With symbols it would call mmap() before it is set up, which is the shim's, and instrumented: named() does it.
        options = "exitcode=0:report_signal_unsafe=0:symbolize=0"
        environment = {**package.environment, "TSAN_OPTIONS": options}
        outcome = run_devshim(busy, "1", "6", str(calls), devices=DEVICES, env=environment, cwd=folder, timeout=300)
        files = {"libdevshim.so": folder / "devshim/shim/libdevshim.so", "busy": busy}
        races = [text for part in outcome.stderr.split(BETWEEN) if is_race(text := named(part, files))]
        if outcome.returncode or races:
            raise Wrong(f"exit code {outcome.returncode}\n{BETWEEN.join(races or [outcome.stderr])[:6000]}")


def host_under_tsan(calls: int) -> None:
    """The host's C module with ThreadSanitizer, in a session: its own threads, those of the test, and programs."""
    library = runtime("libtsan.so")
    with tempfile.TemporaryDirectory(prefix="devshim-tsan-") as name:
        folder = Path(name)
        package = Package(folder)
        package.build_host(*TSAN)
        busy = build("busy", folder)
        options = "exitcode=0:report_signal_unsafe=0:symbolize=0"
        environment = {**package.whole_environment, "LD_PRELOAD": library, "TSAN_OPTIONS": options}
        python = os.path.realpath(sys.executable)
        words = [python, "-m", "tests.soak.own", str(calls), *DEVICES, "--", str(busy), "2", "2", str(calls // 20)]
        outcome = run(words, env={**environment, "PYTHONPATH": f"{folder}:{ROOT}"}, cwd=folder, timeout=300)
        files = {"_channel.abi3.so": folder / "devshim/host/_channel.abi3.so"}
        races = [text for part in outcome.stderr.split(BETWEEN) if is_race(text := named(part, files))]
        races = [text for text in races if re.search(r"\b_\w+\.c:", text)]
        if outcome.returncode or races:
            raise Wrong(f"exit code {outcome.returncode}\n{BETWEEN.join(races or [outcome.stderr])[:6000]}")


def is_race(text: str) -> bool:
    """Whether a report tells of one; ThreadSanitizer knows not that a descriptor was closed with syscall(2).

    It then holds a number that comes again for one that two threads have made.
    """
    made = re.findall(r"#0 .*libtsan.*\n +#1 (?:receive_answer|connect_to_host|connect_in_turn) ", text)
    return "WARNING: ThreadSanitizer" in text and len(made) < 2


def named(report: str, files: Mapping[str, Path]) -> str:
    """A sanitizer's report with functions and lines in the place of offsets: "(libdevshim.so+0x1234)"."""

    def name(match: re.Match[str]) -> str:
        words = ["addr2line", "-s", "-f", "-p", "-e", str(files[match[1]]), match[2]]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or match[0]

    offsets = "|".join(map(re.escape, files))
    return re.sub(rf"<null> <null> \(({offsets})\+(0x[0-9a-f]+)\)", name, report)


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
        ("reader of traces, the same", lambda: reader_under_asan(first, 50 * count)),
        ("host's C module, UndefinedBehaviorSanitizer", lambda: host_under_ubsan(first, count)),
        ("shim, ThreadSanitizer", lambda: shim_under_tsan(200 * count)),
        ("host's C module, ThreadSanitizer", lambda: host_under_tsan(200 * count)),
        ("shim, valgrind", lambda: shim_under_valgrind(first, 40 * count)),
    )
    for what, step in steps:
        try:
            step()
        except Missing as missing:
            yield f"{what}: skipped, {missing}"
        else:
            yield f"{what}: {count} well"

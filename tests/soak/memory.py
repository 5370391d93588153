"""Memory, descriptors, files and mappings of host and program stay as they were over any number of calls."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness import ROOT, devshim_environment, run, run_devshim

from tests.soak.scripts import DEVICES, Wrong

MOST_GROWTH = 1500
"""KiB: the allocator's own to and fro."""
MOST_MAPPINGS = 16
"""More of these: where the allocator's memory lies is its own affair."""
MOST_BLOCKS = 200
"""More of these objects, however many cycles there were: caches fill."""
KEPT = 60_000
"""Calls in a part of a session from which on the third part finds as many noted as are ever kept."""
EQUAL = ("descriptors", "files", "promised", "carriers", "trusted", "failures", "mappings")


def flat(
    busy: Path, calls: int, processes: int, threads: int, options: Sequence[str] = (), timeout: float = 60
) -> list[int]:
    """Make so many calls in all, in four parts; returns the host's KiB after each.  Raises Wrong where that grows."""
    each = max(calls // 4 // processes // threads, 1)
    look = "echo > /dev/health0 && head -n 1 /dev/health0"  # a mapping goes with the call behind the death's notice
    part = f"'{busy}' {processes} {threads} {each} && {look}"
    script = f"{look} > /dev/null; {' && '.join([part] * 5)}"  # the first part warms up
    outcome = run_devshim("sh", "-c", script, devices=DEVICES, options=options, timeout=timeout)
    looks = [json.loads(line) for line in outcome.stdout.splitlines()]
    if outcome.returncode or len(looks) != 5:
        raise Wrong(f"exit code {outcome.returncode} after {len(looks)} parts\n{outcome.stderr[-2000:]}")
    for what in EQUAL:
        if len({look[what] for look in looks}) > 1:
            raise Wrong(
                f"{what}: {[look[what] for look in looks]} after each part of {each * processes * threads} calls"
            )
    sizes = [look["rss"] for look in looks]
    if sizes[-1] > sizes[0] + MOST_GROWTH:
        raise Wrong(f"the host's memory: {sizes} KiB after each part of {each * processes * threads} calls")
    return sizes


def flat_in_process(busy: Path, calls: int, timeout: float = 60) -> None:
    """Make so many calls of a host inside the program, which looks at its own memory twice.  Raises Wrong."""
    outcome = run_devshim(busy, "1", "1", str(calls), devices=DEVICES, options=["--in-process"], timeout=timeout)
    if outcome.returncode or outcome.stderr:
        raise Wrong(f"in-process: exit code {outcome.returncode}\n{outcome.stderr[-2000:]}")


def flat_session(calls: int, timeout: float = 60) -> list[int]:
    """Make so many calls of a session's process; returns its KiB after each part.  Raises Wrong where that grows."""
    words = [os.path.realpath(sys.executable), "-m", "tests.soak.own", str(calls), *DEVICES]
    outcome = run(words, env=devshim_environment(), cwd=ROOT, timeout=timeout)
    looks = [json.loads(line) for line in outcome.stdout.splitlines()]
    if outcome.returncode or not looks:
        raise Wrong(f"session: exit code {outcome.returncode}\n{outcome.stderr[-2000:]}")
    for what in ("descriptors", "files", "failures"):
        if len({look[what] for look in looks}) > 1:
            raise Wrong(f"session: {what}: {[look[what] for look in looks]} after each part of {calls} calls")
    sizes = [look["rss"] for look in looks]
    if calls // len(looks) >= KEPT and sizes[-1] > sizes[2] + 2 * MOST_GROWTH:
        raise Wrong(f"session: memory: {sizes} KiB after each part of {calls} calls")
    return sizes


def flat_cycles(cycles: int, timeout: float = 60) -> list[int]:
    """Plug, run and unplug so often in one process; returns its KiB after each part.  Raises Wrong where it grows."""
    words = [os.path.realpath(sys.executable), "-m", "tests.soak.cycles", str(cycles)]
    with tempfile.TemporaryDirectory(prefix="devshim-soak-") as folder:
        outcome = run(words, env=devshim_environment({"TMPDIR": folder}), cwd=ROOT, timeout=timeout)
    looks = [json.loads(line) for line in outcome.stdout.splitlines()]
    if outcome.returncode or not looks or outcome.stderr:
        raise Wrong(f"cycles: exit code {outcome.returncode}\n{outcome.stderr[-2000:]}")
    for what in ("descriptors", "threads", "mappings", "files"):
        first, last = looks[0][what], looks[-1][what]
        if last != first and (what != "mappings" or last > first + MOST_MAPPINGS):
            raise Wrong(f"cycles: {what}: {[look[what] for look in looks]} after each part of {cycles} cycles")
    blocks = [look["blocks"] for look in looks]
    if blocks[-1] > blocks[1] + MOST_BLOCKS:
        raise Wrong(f"cycles: {blocks} blocks of Python's memory after each part of {cycles} cycles")
    sizes = [look["rss"] for look in looks]
    if sizes[-1] > max(sizes[:2]) + 2 * MOST_GROWTH:  # Python takes its memory by the megabyte
        raise Wrong(f"cycles: memory: {sizes} KiB after each part of {cycles} cycles")
    return sizes

"""Runs devshim in want of descriptors, memory, disk, processor: it works, or says in a line what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import Outcome, devshim_command, devshim_environment, run

from tests.soak.deaths import plugs
from tests.soak.scripts import Wrong

PATIENCE = 60
AS_ANOTHER = (
    "setpriv", "--reuid=64321", "--regid=64321", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip
"""Nobody else's number, so that nobody else's processes count; it may read Python wherever that is: capabilities(7)."""
OF_ITS_OWN = (
    "Traceback", "Fatal Python error", "internal error", "cannot remove", "killed by signal", "a callback failed",
)  # fmt: skip


def words(*program: str | Path) -> list[str]:
    """A run of a program."""
    return [*devshim_command(), "run", *plugs(), "--", *map(str, program)]


def limited(limit: str, busy: Path) -> Outcome:
    """A run under a limit of the shell's (ulimit), such as "-n 20"."""
    return run(
        ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *words(busy, "2", "2", "40")],
        env=environment(),
        timeout=PATIENCE,
    )


def on_full_disk(kilobytes: int, busy: Path) -> Outcome:
    """A run whose directory lies on a file system of so many KiB, in a mount namespace of its own."""
    with tempfile.TemporaryDirectory(prefix="full-", dir="/tmp") as folder:
        script = f'mount -t tmpfs -o size={kilobytes}k tmpfs {folder} && TMPDIR={folder} exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", *words(busy, "2", "2", "40")]
        return run(command, env=environment(), timeout=PATIENCE)


def among_few_processes(processes: int, busy: Path) -> Outcome:
    """A run of a user who may have so many processes and threads; root may have any number, so it is another's."""
    with tempfile.TemporaryDirectory(prefix="devshim-soak-") as folder:
        os.chmod(folder, 0o755)  # where it was built nobody else gets at it
        reachable = Path(shutil.copy(busy, folder))
        command = [*AS_ANOTHER, "prlimit", f"--nproc={processes}", *words(reachable, "2", "2", "40")]
        return run(command, env=environment(), cwd="/", timeout=PATIENCE)


def can_be_another() -> bool:
    """Whether we can become another user, who can run devshim."""
    if os.getuid() or not shutil.which("setpriv") or not shutil.which("prlimit"):
        return False
    tried = [*AS_ANOTHER, "prlimit", "--nproc=40", *devshim_command(), "--version"]
    return subprocess.run(tried, capture_output=True, env=environment(), cwd="/", check=False).returncode == 0


def on_one_busy_processor(busy: Path) -> Outcome:
    """A run with all of it on one processor, at the lowest priority, beside a loop that never ends."""
    cpu = str(min(os.sched_getaffinity(0)))
    with subprocess.Popen(["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"]) as hog:
        try:
            return run(
                ["taskset", "-c", cpu, "nice", "-n", "10", *words(busy, "2", "2", "100")],
                env=environment(),
                timeout=PATIENCE,
            )
        finally:
            hog.kill()


def environment() -> dict[str, str]:
    """Ours; Python's own caches are not written where there is no room."""
    return devshim_environment({"PYTHONDONTWRITEBYTECODE": "1"})


def judge(what: str, outcome: Outcome, must_work: bool = False) -> str:
    """A word for what became of it.  Raises Wrong where it broke, or ended badly without a word."""
    said = outcome.stderr.strip()
    broke = [word for word in OF_ITS_OWN if word in said]
    if broke or (outcome.returncode and not said) or (must_work and outcome.returncode):
        raise Wrong(f"{what}: exit code {outcome.returncode}\n{said[-2500:]}")
    return "works" if not outcome.returncode else said.splitlines()[-1][:150]


def wants(busy: Path) -> Iterator[tuple[str, str]]:
    """All of them, with what became of each."""
    for descriptors in (8, 12, 16, 20, 24, 32, 64):
        what = f"{descriptors} descriptors"
        yield what, judge(what, limited(f"-n {descriptors}", busy), must_work=descriptors >= 64)
    for megabytes in (40, 60, 80, 120, 200, 600, 1200):
        what = f"{megabytes} MiB of address space"
        yield what, judge(what, limited(f"-v {megabytes << 10}", busy), must_work=megabytes >= 1200)
    if can_be_another():
        for processes in (1, 2, 3, 4, 5, 6, 9, 40):
            what = f"{processes} processes and threads"
            yield what, judge(what, among_few_processes(processes, busy), must_work=processes >= 40)
    else:
        yield "processes", "skipped: only root can be a user of its own (setpriv, prlimit), for whom Python is readable"
    yield "one busy processor", judge("one busy processor", on_one_busy_processor(busy), must_work=True)
    if can_mount():
        for kilobytes in (4, 16, 40, 64, 100, 200, 400, 4096):
            what = f"{kilobytes} KiB of disk"
            yield what, judge(what, on_full_disk(kilobytes, busy), must_work=kilobytes >= 4096)
    else:
        yield "disk", "skipped: only root can mount a small file system (unshare, mount)"


def can_mount() -> bool:
    """Whether a file system of our own can be mounted."""
    if os.getuid() or not shutil.which("unshare"):
        return False
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0

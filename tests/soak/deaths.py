"""Kills hosts and targets at random moments: the survivors end cleanly, and nothing of the run stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from harness import devshim_command, devshim_environment

from devshim import rundirectory
from tests.soak.scripts import DEVICES, Wrong

PATIENCE = 40
LONGEST = 0.35
"""Seconds from the start of the command in which the moment lies; a run takes about as long."""
LINGER = "30"
"""Seconds that the children of a killed program have to end in, on a busy machine too."""
SAID = ("devshim: the host was lost", "devshim: the host of this run has ended", "Killed", "devshim: the host died")


def kill_at_random(busy: Path, seed: int) -> str:
    """One run, one death; returns whose it was.  Raises Wrong."""
    chance = random.Random(seed)
    whom = chance.choice(("host", "host", "target", "waiter", "session"))
    moment, calls = chance.uniform(0, LONGEST), str(chance.choice((300, 3000)))
    way = chance.choice(((), (), ("--engine", "seccomp"), ("--in-process",)))
    mark = f"/soak/{uuid.UUID(int=chance.getrandbits(128))}"
    shared = set(os.listdir("/dev/shm"))
    with tempfile.TemporaryDirectory(prefix="devshim-deaths-") as folder:
        command = [
            *devshim_command(),
            "run",
            "--linger",
            LINGER,
            *way,
            *plugs(),
            "--",
            str(busy),
            "2",
            "2",
            calls,
            "beat",
        ]
        if whom == "session":
            command = [sys.executable, "-m", "tests.soak.inner", str(busy), calls, *DEVICES]
        environment = devshim_environment({"TMPDIR": folder, "PATH": f"{os.environ['PATH']}:{mark}"})
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment,
            start_new_session=True, text=True,
        ) as run:  # fmt: skip
            assert run.stdout is not None
            if whom != "host":  # who is there before the program has begun is the shell's to clean up after
                run.stdout.readline()
            time.sleep(moment)
            killed, whom = kill(run.pid, whom, chance)
            try:
                _, said = run.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                raise Wrong(f"seed {seed}: {whom} killed after {moment:.3f} s: the rest did not end") from None
        judge(f"seed {seed}: {whom} {killed} {' '.join(way)} killed after {moment:.3f} s", whom, run.returncode, said)
        swept = until_gone(f"seed {seed}: {whom}", mark, Path(folder), shared, may_sweep=whom in ("waiter", "session"))
    return whom + " (swept up by the next)" * swept if killed else "nobody"


def plugs() -> list[str]:
    """The options that plug the devices."""
    return [word for device in DEVICES for word in ("-d", device)]


def kill(waiter: int, whom: str, chance: random.Random) -> tuple[int, str]:
    """Kill somebody of a run; returns the process id, 0 where there was nobody (any more), and who that was."""
    family = descendants(waiter)
    session = os.getsid(waiter) if family else 0
    hosts = [pid for pid in family if session_of(pid) not in (session, 0)]
    targets = [pid for pid in family if pid not in hosts]
    candidates = {"host": hosts, "target": targets}.get(whom, [waiter])
    if not candidates:
        return 0, whom
    victim = chance.choice(candidates)
    try:
        leads_group = os.getpgid(victim) == victim != waiter
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return 0, whom
    return victim, "supervisor" if whom == "target" and leads_group else whom


def session_of(pid: int) -> int:
    """A process's session; 0 where it has gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def descendants(pid: int) -> list[int]:
    """All that live (proc(5), children)."""
    found: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return found
    for task in tasks:
        try:
            children = [int(word) for word in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def judge(what: str, whom: str, code: int, said: str) -> None:
    """Whether the command ended as it should, and said nothing that it should not."""
    fine = {"host": (0, 1, 125), "target": (0, 128 + signal.SIGKILL)}.get(whom, (0, -signal.SIGKILL))
    odd = [line for line in said.splitlines() if line and not line.startswith(SAID)]
    if whom == "supervisor":  # its program's calls on files fail from then on, and what it says of that is its own
        wrong = code != 0 and "devshim: the supervisor was lost" not in said
    else:
        wrong = code not in fine or bool(odd)
    if wrong:
        raise Wrong(f"{what}: exit code {code}\n{said[-2000:]}")


def until_gone(what: str, mark: str, folder: Path, shared: set[str], may_sweep: bool) -> bool:
    """Wait until no process, no directory and no shared memory of the run is left.  Raises Wrong.

    may_sweep: a directory may be left that nobody holds, for the next run to remove, because who was to do it has just
    been killed; returns whether one was.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        processes = marked(mark)
        left = os.listdir(folder)
        swept = may_sweep and not processes and bool(left)
        if swept:
            rundirectory.sweep(str(folder))
            left = os.listdir(folder)
        memory = {name for name in set(os.listdir("/dev/shm")) - shared if "soak" in name}
        if not (processes or left or memory):
            return swept
        if time.monotonic() > deadline:
            for pid in processes:
                os.kill(pid, signal.SIGKILL)
            raise Wrong(f"{what}: left behind: processes {processes}, files {left}, shared memory {memory}")
        time.sleep(0.01)


def marked(mark: str) -> list[int]:
    """Processes with this in their PATH."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if mark.encode() in file.read():
                        found.append(int(name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    return found

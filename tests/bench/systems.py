"""How a program of the benchmark is started: as it is, under devshim, or under umockdev."""

from __future__ import annotations

import hashlib
import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODELS = HERE / "models.py"
Series = dict[str, list[float]]


class NotMeasured(Exception):
    """A program of the benchmark failed, or did not end in time; the message says how."""


@dataclass(frozen=True)
class Peer:
    """What umockdev needs to have something at our nodes: a device description, and of each a recording or its file."""

    description: str
    ioctls: Mapping[str, str | Path] = field(default_factory=dict)
    scripts: Mapping[str, str | Path] = field(default_factory=dict)
    evemu: Mapping[str, str | Path] = field(default_factory=dict)


class Bench:
    """Where the programs lie and how they are started.

    folder: for what is built and written on the way.  scale: 1 for a whole run, less for a quick one.
    """

    def __init__(self, folder: Path, scale: float, rounds: int) -> None:
        self.folder = folder
        self.scale = scale
        self.rounds = rounds
        self.umockdev = shutil.which("umockdev-run")
        self.strace = shutil.which("strace")
        self.complaints: list[str] = []
        self._failed: set[tuple[str | int | None, ...]] = set()
        self.devshim = self._devshim_command()
        self._built: dict[str, Path] = {}

    def count(self, whole: int, least: int = 3) -> int:
        """How often to do what a whole run does so often."""
        return max(least, round(whole * self.scale))

    # ---- Programs -------------------------------------------------------------------------------------

    def program(self, name: str, *more: str) -> str:
        """The path of programs/NAME.c, compiled, with more flags if need be.

        Raises CalledProcessError with the compiler's words on stderr.
        """
        kind = " ".join([name, *more])
        if kind not in self._built:
            source, header = HERE / "programs" / f"{name}.c", HERE / "programs/timing.h"
            key = hashlib.sha256(source.read_bytes() + header.read_bytes()).hexdigest()[:12]
            binary = self.folder / f"{name}{''.join(more)}-{key}"
            compiler = os.environ.get("CC", "cc").split()
            flags = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-pthread", *more]
            subprocess.run([*compiler, *flags, str(source), "-o", str(binary), "-ldl"], check=True)
            self._built[kind] = binary
        return str(self._built[kind])

    def _devshim_command(self) -> list[str]:
        """The command as users have it: the installed script, or one that does the same."""
        script = Path(sys.executable).with_name("devshim")
        if not script.exists():
            script = self.folder / "devshim"
            text = f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom devshim.cli import main\n"
            script.write_text(text + "sys.exit(main())\n")
            script.chmod(0o755)
        return [str(script)]

    # ---- The three systems ----------------------------------------------------------------------------

    def natively(self, *program: str, cpu: int | None = None) -> Series:
        """Run a program as it is and return what it measured, by label."""
        return self._measure(program, cpu)

    def under_devshim(self, devices: Mapping[str, str], *program: str, cpu: int | None = None) -> Series:
        """The same with the shim in it.  devices: the class of models.py at each node."""
        plugged = [word for node, name in devices.items() for word in ("-d", f"{node}={MODELS}:{name}")]
        return self._measure([*self.devshim, "run", *plugged, "--", *program], cpu)

    def under_library(self, library: str, *program: str) -> Series:
        """The same with a library preloaded that is none of ours."""
        return self._measure(["env", f"LD_PRELOAD={library}", *program], None)

    def inside(self, devices: Mapping[str, str], *program: str, models: Path = MODELS) -> Series:
        """The same with the models in the program's own process."""
        plugged = [word for node, name in devices.items() for word in ("-d", f"{node}={models}:{name}")]
        return self._measure([*self.devshim, "run", "--in-process", *plugged, "--", *program], None)

    def in_python(self, devices: Mapping[str, str], *calls: str, counts: tuple[int, int]) -> Series:
        """What own_process.py measures of a Python process's own calls: of real nodes where no devices are given."""
        plugged = [f"--plug={node}={MODELS}:{name}" for node, name in devices.items()]
        return self._measure([sys.executable, str(HERE / "own_process.py"), *map(str, counts), *plugged, *calls], None)

    def recorded(self, nodes: Sequence[str], *program: str) -> Series:
        """The same on real nodes that are recorded."""
        words = [word for node in nodes for word in ("-d", node)]
        trace = self.folder / "recorded.trace"
        return self._measure([*self.devshim, "record", "-o", str(trace), *words, "--", *program], None)

    def under_strace(self, *program: str) -> Series:
        """The same while strace writes reads, writes and ioctls down; empty where it is not installed."""
        if self.strace is None:
            return {}
        words = [self.strace, "-f", "-ttt", "-T", "-xx", "-s", "65535", "-e", "trace=read,write,ioctl"]
        return self._measure([*words, "-o", str(self.folder / "recorded.strace"), *program], None)

    def replaying(self, trace: Path, *program: str, cpu: int | None = None) -> Series:
        """The same with a trace's devices plugged, which answer as it says."""
        return self._measure([*self.devshim, "replay", str(trace), "--", *program], cpu)

    def begun(self, *command: str) -> list[float]:
        """Nanoseconds from starting a command to main() of programs/answers.c, which it runs; none where it failed."""
        begin = time.monotonic_ns()
        return [value - begin for value in self._measure(command, None).get("begin", [])]

    def under_umockdev(self, peer: Peer | None, *program: str, cpu: int | None = None) -> Series:
        """The same under umockdev-run, with what the peer says plugged; empty where it is not installed."""
        if self.umockdev is None:
            return {}
        return self._measure([*self.umockdev_command(peer), *program], cpu, timeout=20)

    def umockdev_command(self, peer: Peer | None) -> list[str]:
        """The words before a program's own."""
        assert self.umockdev is not None
        words = [self.umockdev]
        if peer is not None:
            words += ["-d", self._kept("description", peer.description)]
            for node, text in peer.ioctls.items():
                words += ["-i", f"{node}={self._kept('ioctls', text)}"]
            for node, text in peer.scripts.items():
                words += ["-s", f"{node}={self._kept('script', text)}"]
            for node, text in peer.evemu.items():
                words += ["-e", f"{node}={self._kept('events', text)}"]
        return [*words, "--"]

    def _kept(self, kind: str, text: str | Path) -> str:
        if isinstance(text, Path):
            return str(text)
        path = self.folder / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if not path.exists():
            path.write_text(text)
        return str(path)

    def first(self, command: Sequence[str]) -> Series:
        """What programs/answers.c says of itself, run by a command, and the memory of both.

        start, to the first answer, and each further call in nanoseconds; target, command and host: the most that the
        program, the command, and what else this started held, in bytes.  Empty where it failed.
        """
        if tuple(command) in self._failed:
            return {}
        try:
            return first_of(command)
        except NotMeasured as problem:
            self.complaints.append(str(problem))
            self._failed.add(tuple(command))
            return {}

    def busy(self, command: Sequence[str]) -> float:
        """Nanoseconds of processor time that a command takes, whose output nobody wants; what fails is noted."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(os.devnull, "r+b") as nowhere:
            done = subprocess.run(
                command, stdin=nowhere, stdout=nowhere, stderr=subprocess.PIPE, timeout=200, check=False
            )
        if done.returncode:
            self.complaints.append(f"{' '.join(command)[:300]}: exit code {done.returncode}: {done.stderr[-300:]!r}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return 1e9 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def _measure(self, command: Sequence[str], cpu: int | None, timeout: float = 60) -> Series:
        """Run and read `label value value ...` lines; what fails is noted, gives nothing, and is not tried again."""
        key = *command, cpu
        if key in self._failed:
            return {}
        try:
            return parse(run(command, cpu, timeout))
        except NotMeasured as problem:
            self.complaints.append(str(problem))
            self._failed.add(key)
            return {}


def first_of(command: Sequence[str]) -> Series:
    """See Bench.first().  Raises NotMeasured."""
    begin = time.monotonic_ns()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        end = threading.Timer(120, os.killpg, (process.pid, signal.SIGKILL))
        end.start()
        try:
            lines = list(itertools.takewhile(lambda line: line != "ready\n", process.stdout))
            memory = {name: [most] for name, most in memory_of(process.pid).items()}
            _, said = process.communicate("")
        finally:
            end.cancel()
        found = parse("".join(lines))
        if "first" not in found:
            raise NotMeasured(f"{' '.join(command)[:300]}: no answer: {said.strip()[-300:]}")
        return {"start": [found["first"][0] - begin], "each": found.get("each", []), **memory}


def memory_of(command: int) -> dict[str, float]:
    """The most that a command, its program and its host have held in memory, in bytes; see Bench.first()."""
    found = {}
    for pid in [command, *children(command)]:
        with suppress(OSError, KeyError):  # one that has just ended has no memory
            status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            name = "target" if status["Name"].strip().startswith("answers") else "command" if pid == command else "host"
            found[name] = float(status["VmHWM"].split()[0]) * 1024
    found.setdefault("host", found.get("command", 0.0))
    return found


def children(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    try:
        mine = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*mine, *(one for child in mine for one in children(child))]


def run(command: Sequence[str], cpu: int | None = None, timeout: float = 60) -> str:
    """Run a command in a session of its own, on one cpu if asked for, and return what it printed.

    Raises NotMeasured when it fails or does not end in time; nothing of it is left running then.
    """
    words = [*command] if cpu is None else ["taskset", "--cpu-list", str(cpu), *command]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, text=True, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException as problem:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(problem, subprocess.TimeoutExpired):
                raise NotMeasured(f"{' '.join(words)[:300]}: not done after {timeout:g} s") from None
            raise
    if process.returncode:
        raise NotMeasured(f"{' '.join(words)[:300]}: exit code {process.returncode}: {err.strip()[-300:]}")
    return str(out)


def parse(text: str) -> Series:
    """Read the lines that timing.h prints."""
    found = {}
    for line in text.splitlines():
        label, *values = line.split()
        found[label] = [float(value) for value in values]
    return found

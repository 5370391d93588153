"""How a program of the benchmark is started: as it is, under devshim, or under umockdev."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
    """What umockdev needs to have something at our nodes: a device description, and a recording of each."""

    description: str
    ioctls: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    evemu: Mapping[str, str] = field(default_factory=dict)


class Bench:
    """Where the programs lie and how they are started.

    folder: for what is built and written on the way.  scale: 1 for a whole run, less for a quick one.
    """

    def __init__(self, folder: Path, scale: float, rounds: int) -> None:
        self.folder = folder
        self.scale = scale
        self.rounds = rounds
        self.umockdev = shutil.which("umockdev-run")
        self.complaints: list[str] = []
        self._failed: set[tuple[str | int | None, ...]] = set()
        self.devshim = self._devshim_command()
        self._built: dict[str, Path] = {}

    def count(self, whole: int, least: int = 3) -> int:
        """How often to do what a whole run does so often."""
        return max(least, round(whole * self.scale))

    # ---- Programs -------------------------------------------------------------------------------------

    def program(self, name: str) -> str:
        """The path of programs/NAME.c, compiled.  Raises CalledProcessError with the compiler's words on stderr."""
        if name not in self._built:
            source, header = HERE / "programs" / f"{name}.c", HERE / "programs/timing.h"
            key = hashlib.sha256(source.read_bytes() + header.read_bytes()).hexdigest()[:12]
            binary = self.folder / f"{name}-{key}"
            compiler = os.environ.get("CC", "cc").split()
            flags = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-pthread"]
            subprocess.run([*compiler, *flags, str(source), "-o", str(binary)], check=True)
            self._built[name] = binary
        return str(self._built[name])

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

    def inside(self, devices: Mapping[str, str], *program: str) -> Series:
        """The same with the models in the program's own process."""
        plugged = [word for node, name in devices.items() for word in ("-d", f"{node}={MODELS}:{name}")]
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

    def under_umockdev(self, peer: Peer | None, *program: str, cpu: int | None = None) -> Series:
        """The same under umockdev-run, with what the peer says plugged; empty where it is not installed."""
        if self.umockdev is None:
            return {}
        words = [self.umockdev]
        if peer is not None:
            words += ["-d", self._kept("description", peer.description)]
            for node, text in peer.ioctls.items():
                words += ["-i", f"{node}={self._kept('ioctls', text)}"]
            for node, text in peer.scripts.items():
                words += ["-s", f"{node}={self._kept('script', text)}"]
            for node, text in peer.evemu.items():
                words += ["-e", f"{node}={self._kept('events', text)}"]
        return self._measure([*words, "--", *program], cpu, timeout=20)

    def _kept(self, kind: str, text: str) -> str:
        path = self.folder / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if not path.exists():
            path.write_text(text)
        return str(path)

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

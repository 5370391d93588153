"""How tests start things: `devshim run` as a user starts it, and the C programs of tests/shim/programs."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests/shim/programs"
WARNINGS = ("-Wall", "-Wextra")
Outcome = subprocess.CompletedProcess[str]


class BuildFailed(AssertionError):
    """A test's C program does not compile; the message holds the command and what the compiler said."""


def devshim_command() -> list[str]:
    """Return the words that start devshim with the interpreter of the tests."""
    return [sys.executable, "-m", "devshim"]


def devshim_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for devshim_command(): ours, with the checkout importable whether installed or not."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **(extra or {})}


def environment_with_commands(folder: Path, path: str | None = None) -> dict[str, str]:
    """Return an environment in which a shell finds the tests' own `devshim`, `python3` and `pytest`, made in folder.

    path is the PATH behind them, by default ours.
    """
    folder.mkdir()
    for name, words in {"devshim": "-m devshim", "python3": "", "pytest": "-m pytest"}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (folder / name).chmod(0o755)
    behind = os.environ["PATH"] if path is None else path
    return devshim_environment({"PATH": f"{folder}{os.pathsep}{behind}", "NO_COLOR": "1"})


def run_devshim(
    *program: str | Path,
    devices: Iterable[str] = (),
    options: Iterable[str] = (),
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 60,
) -> Outcome:
    """Run `devshim run -d DEVICE … OPTIONS -- PROGRAM …` and return its outcome, as text, whatever its exit code.

    devices are node specs such as "/dev/ttyUSB0=gps". After timeout seconds everything started is killed and
    subprocess.TimeoutExpired raised, with what was printed until then.
    """
    plugged = [word for device in devices for word in ("-d", device)]
    return run_devshim_verb("run", *plugged, *options, "--", *program, input=input, env=env, cwd=cwd, timeout=timeout)


def run_devshim_verb(
    *words: str | Path,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 60,
) -> Outcome:
    """Run `devshim WORDS…`, such as ("devices", "gps"), and return its outcome, as text, whatever its exit code."""
    command = [*devshim_command(), *map(str, words)]
    return run(command, input=input, env=devshim_environment(env), cwd=cwd, timeout=timeout)


def run(
    command: Sequence[str],
    *,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 60,
) -> Outcome:
    """Run a command in a session of its own, so that a timeout can end all of it, and return its outcome."""
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    with subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        env=env,
        cwd=cwd,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Outcome(command, process.returncode, out, err)


def build_program(name: str, flags: Sequence[str], folder: Path) -> Path:
    """Compile tests/shim/programs/NAME.c (or .cc) with the flags into folder, once, and return the binary's path.

    Raises FileNotFoundError for a name without a source, BuildFailed with the compiler's words.
    """
    source = next((path for suffix in (".c", ".cc") if (path := PROGRAMS / (name + suffix)).exists()), None)
    if source is None:
        raise FileNotFoundError(f"{PROGRAMS / name}.c: no such program")
    key = hashlib.sha256(source.read_bytes() + "\0".join(flags).encode()).hexdigest()[:12]
    binary = folder / f"{name}-{key}"
    if not binary.exists():
        building = binary.with_name(f"{binary.name}.{os.getpid()}")
        compiler = os.environ.get("CC", "cc") if source.suffix == ".c" else os.environ.get("CXX", "c++")
        command = [
            *compiler.split(),
            "-O1",
            "-g",
            "-Wall",
            "-Wextra",
            str(source),
            *flags,
            "-pthread",
            "-o",
            str(building),
        ]
        built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if built.returncode:
            raise BuildFailed(f"{' '.join(command)}\n{built.stderr}")
        building.rename(binary)  # two workers may build the same: either's result will do
    return binary

"""devshim run --in-process: which interpreter goes into the program, and the recipe that the shim follows there.

The recipe is the file "embed" in the run's directory: the shared libpython, its version and the interpreter's
file each on a line, then Python code; shim/embed.c reads it at the first open of a device.
"""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from devshim.errors import TargetFailed
from devshim.rundirectory import unlink

if TYPE_CHECKING:
    from devshim.cli.options import Options

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
ADVICE = "run it without --in-process"
A_FILE = re.compile(r"(?P<path>[^,:]+\.(?:py|ya?ml|trace|zst))(?=[,:]|$)")
MOST = 16000  # bytes of a recipe that the shim takes

HOSTS = "hosts"  # in the run's directory: the programs' own hosts, and what they leave word of; known to shim/embed.c

START = """
import gc, sys
collects = gc.isenabled()
gc.disable()  # what is imported now stays
sys.path += [folder for folder in {path!r} if folder not in sys.path]
from devshim.host.{module} import start
start({asked!r})
if collects:
    gc.enable()
"""


def prepare(run_directory: str, options: Options, program: str) -> None:
    """Leave the recipe in the run's directory.

    program is the file that will be executed.  Raises TargetFailed, in one line that names the alternative, where
    models cannot run inside of it.
    """
    if options.record is not None or options.replay is not None:
        raise TargetFailed("--in-process: a recording is made, and answers, in a host of its own only; leave it out")
    library = shared_library()
    theirs = python_version(program)
    if theirs is not None and theirs != VERSION:
        raise TargetFailed(
            f"--in-process: {program} is Python {theirs}, and devshim is installed for {VERSION}; {ADVICE}"
        )
    if theirs is None and library is None:
        raise TargetFailed(
            f"--in-process: {base_executable()} has no shared libpython to put into {program}; {ADVICE}, "
            f"or install devshim for a Python that has one (Debian: libpython{VERSION})"
        )
    if not leave_recipe(run_directory, "embedded", asked(run_directory, options)):
        raise TargetFailed(
            f"--in-process: too much is asked for to be handed to a program; use a devshim.yml, or {ADVICE}"
        )


def prepare_hooks(run_directory: str, models: list[str]) -> None:
    """Leave the recipe for programs of a session: the hooks of model files alone, while it answers for the devices.

    Raises TargetFailed where these are too many.
    """
    asked = {"run": os.path.join(run_directory, HOSTS), "models": [os.path.abspath(path) for path in models]}
    if not leave_recipe(run_directory, "hooksalone", asked):
        raise TargetFailed(f"{len(models)} model files with hooks are too many for one session")


def leave_recipe(run_directory: str, module: str, asked: dict[str, Any]) -> bool:
    """Write the recipe for a program that is to call start(asked) of a module of host/; False where it is too long."""
    code = START.format(path=absolute_paths(), module=module, asked=asked)
    contained = f"exec({code!r}, {{}})\n"  # nothing of it stays in the program's __main__
    recipe = "\n".join([shared_library() or "", VERSION, base_executable(), contained])
    if len(recipe.encode()) > MOST:
        return False
    hosts = os.path.join(run_directory, HOSTS)
    os.makedirs(hosts, exist_ok=True)
    os.chmod(hosts, 0o1733)  # a program may have become another user when it brings its host in
    path = os.path.join(run_directory, "embed")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(recipe)
    os.replace(f"{path}.new", path)
    return True


def asked(run_directory: str, options: Options) -> dict[str, Any]:
    """What the host in the program is to plug; with absolute paths, for the program may change its directory."""
    return {
        "run": os.path.join(run_directory, HOSTS),
        "root": os.getpid(),
        "devices": [absolute_spec(text) for text in options.devices],
        "config": options.config and os.path.abspath(options.config),
        "models": [os.path.abspath(path) for path in options.models],
        "describe": [os.path.abspath(path) for path in options.describe],
        "deny": list(options.deny),
        "only_plugged": options.only_plugged,
        "verbose": options.verbose,
        "log": options.log and os.path.abspath(options.log),
        "hide_real": options.hide_real,
        "began": time.monotonic(),
    }


def absolute_spec(text: str) -> str:
    """NODE=file.py:Class,... with the file's whole path; what names no file stays as it is."""
    node, equals, model = text.partition("=")
    found = A_FILE.match(model)
    if found is None or not os.path.exists(found["path"]):
        return text
    return f"{node}{equals}{os.path.abspath(found['path'])}{model[found.end() :]}"


def absolute_paths() -> list[str]:
    """Where modules are found, as here; the working directory first."""
    return [os.path.abspath(folder) for folder in ["", *sys.path]]


def base_executable() -> str:
    """The interpreter itself, outside of any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def shared_library() -> str | None:
    """The shared libpython of this interpreter, or None where it has none."""
    import sysconfig

    names = [sysconfig.get_config_var(name) or "" for name in ("INSTSONAME", "LDLIBRARY")]
    folders = [sysconfig.get_config_var(name) or "" for name in ("LIBDIR", "LIBPL")]
    folders += [os.path.join(folders[0], sysconfig.get_config_var("MULTIARCH") or "")]
    for name in [*names, f"libpython{VERSION}.so.1.0"]:
        for folder in folders:
            path = os.path.join(folder, name)
            if ".so" in name and os.path.isfile(path):
                return path
    return None


def python_version(program: str) -> str | None:
    """The version of a program that is a CPython, such as "3.12", or of a script that names one; None for others."""
    try:
        with open(program, "rb") as file:
            first = file.readline(256)
    except OSError:
        return None
    if first.startswith(b"#!"):
        words = os.fsdecode(first[2:]).split()
        named = words[-1] if words and os.path.basename(words[0]) == "env" else "".join(words[:1])
        return version_in_name(named)
    return version_in_name(program)


def version_in_name(path: str) -> str | None:
    """X.Y of .../pythonX.Y, links followed."""
    for name in (os.path.basename(path), os.path.basename(os.path.realpath(path))):
        found = re.fullmatch(r"python(\d+\.\d+)", name)
        if found:
            return found[1]
    return None


def failures(run_directory: str) -> list[str]:
    """What failed in programs of a session since the last time."""
    found = []
    for name, text in (("refused", "a program did not get the hooks; its stderr says why"), ("failed", "")):
        path = os.path.join(run_directory, HOSTS, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found += [text] if text else file.read().splitlines()
        except FileNotFoundError:
            continue
        unlink(path)
    return found


def exit_code(run_directory: str, code: int, options: Options) -> int:
    """The command's exit code: 125 where the shim refused, options.error_exitcode where a model failed."""
    hosts = os.path.join(run_directory, HOSTS)
    refused = os.path.exists(os.path.join(hosts, "refused"))
    failed = os.path.exists(os.path.join(hosts, "failed"))
    for name in ("refused", "failed"):
        unlink(os.path.join(hosts, name))
    if refused:
        return 125
    return code or (options.error_exitcode if failed else 0)

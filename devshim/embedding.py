"""devshim run --in-process: which interpreter goes into the program, and the recipe that the shim follows there.

The recipe is the file "embed" in the run's directory: the shared libpython, its version, the interpreter's file, where
its modules are, and the code that begins in a new one, each on a line; then code for the program's own.  shim/embed.c
reads it at the first open of a device.
"""

from __future__ import annotations

import marshal
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

IMAGE, BEGIN = "image", "begin"  # in the run's directory: host/image.py, and START, compiled

START = """
import gc, sys
collects = gc.isenabled()
gc.disable()  # what is imported now stays
def use(path):
    from marshal import loads
    from posix import O_CLOEXEC, close, open, pread
    from _frozen_importlib_external import MAGIC_NUMBER
    try:
        image = open(path, O_CLOEXEC)
    except OSError:
        return None  # there is none, or it is out of this program's sight
    try:
        length = int.from_bytes(pread(image, 8, 0), "little")
        magic, entries = loads(pread(image, length, 8))
        start, end = entries["devshim.host.image"][-2:]
        code = loads(pread(image, end - start, 8 + length + start)) if magic == MAGIC_NUMBER else None
    except Exception:
        code = None  # it is damaged
    if type(code) is not type(use.__code__):
        close(image)
        return None
    module = dict(__name__="devshim.host.image")
    exec(code, module)
    return module["use"](image, 8 + length, entries)
brought = sys.flags.no_site and not sys.orig_argv  # else it is the program's own Python
if brought and not sys.prefix:  # it was told where its modules are
    sys.prefix, sys.exec_prefix = sys.base_prefix, sys.base_exec_prefix = {prefixes!r}
    sys._stdlib_dir = {library!r}
sys.path += [folder for folder in {path!r} if folder not in sys.path]
image = use({image!r}) if brought else None
from devshim.host.{module} import start
start({asked!r})
if image:
    image.close()
if collects:
    gc.enable()
"""

FROM_FILE = """
import marshal, posix
begin = posix.open({begin!r}, posix.O_CLOEXEC)
code = marshal.loads(posix.read(begin, 1 << 20))
posix.close(begin)
exec(code, {{}})
"""


def prepare(run_directory: str, options: Options, program: str) -> None:
    """Leave the recipe in the run's directory.

    program is the file that will be executed.  Raises TargetFailed, in one line that names the alternative, where
    models cannot run inside of it.
    """
    if options.record is not None:
        raise TargetFailed("--in-process: a recording is made in a host of its own only; leave it out")
    if options.replay is not None:  # what one process has used of it, others must not get again
        raise TargetFailed(
            "--in-process: a replay is one for all processes of a program, in a host of its own; leave it out, or plug "
            f"the trace where one process does all: devshim run --in-process -d NODE={options.replay.trace}"
        )
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
    library = os.path.dirname(os.__file__)
    paths = {"image": os.path.join(run_directory, IMAGE), "path": absolute_paths(), "library": library}
    code = START.format(**paths, prefixes=(sys.base_prefix, sys.base_exec_prefix), module=module, asked=asked)
    begin = os.path.join(run_directory, BEGIN)
    lines = [shared_library() or "", VERSION, base_executable(), where_modules_are(library)]
    lines += [contained(FROM_FILE.format(begin=begin)), contained(code)]
    recipe = "\n".join(lines) + "\n"
    if len(recipe.encode()) > MOST:
        return False
    with open(begin, "wb") as file:
        file.write(marshal.dumps(compile(code, "<devshim>", "exec")))
    hosts = os.path.join(run_directory, HOSTS)
    os.makedirs(hosts, exist_ok=True)
    os.chmod(hosts, 0o1733)  # a program may have become another user when it brings its host in
    path = os.path.join(run_directory, "embed")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(recipe)
    os.replace(f"{path}.new", path)
    return True


def contained(code: str) -> str:
    """The same code, on a line, such that nothing of it stays in the program's __main__."""
    return f"exec({code!r}, {{}})"


def where_modules_are(library: str) -> str:
    """What an interpreter without site has as sys.path; "" where it has to find out itself."""
    zipped = os.path.join(os.path.dirname(library), f"python{VERSION.replace('.', '')}.zip")
    compiled = os.path.join(library, "lib-dynload")
    folders = [*([zipped] if os.path.exists(zipped) else []), library, compiled]
    path = ":".join(folders)
    return path if os.path.isdir(compiled) and path.isascii() and path.count(":") == len(folders) - 1 else ""


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

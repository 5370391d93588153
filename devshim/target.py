"""Starts the unmodified program with the shim in it: the environment, and the exec.

Every `devshim run` passes here, so nothing is imported that Python has not loaded anyway.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    # signal's enums take 5 ms to make, half of what Python takes to start; the C module below it takes none.
    import signal as _signal
    from collections.abc import Iterable, Mapping
else:
    import _signal

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim", "libdevshim.so")
"""The library that goes into the program."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes of a program that could not be started, as the shell has them."""


def say(text: str) -> None:
    """Print a line for the user on stderr, in one write so that it is never torn; a closed stderr is no failure."""
    lines = "".join(f"devshim: {line}\n" for line in text.splitlines() or [""])
    try:
        os.write(2, lines.encode(errors="backslashreplace"))
    except OSError:
        return  # nobody to tell


def failed(text: str, code: int = 125) -> Exception:
    """A TargetFailed that ends the command with this exit code."""
    from devshim.errors import TargetFailed

    error = TargetFailed(text)
    error.exit_code = code  # type: ignore[misc]
    return error


# ---- The program's environment -------------------------------------------------------------------------


def shim_path(run_directory: str) -> str:
    """Where LD_PRELOAD finds the shim: its path, or a link in the run's directory where ld.so could not read that.

    Raises ShimNotBuilt where there is none.
    """
    if not os.path.exists(SHIM):
        from devshim.errors import REBUILD, ShimNotBuilt

        raise ShimNotBuilt(f"{SHIM} is not there: {REBUILD}")
    if not separated(SHIM):
        return SHIM
    link = os.path.join(run_directory, "libdevshim.so")
    if separated(link):
        raise failed(f"LD_PRELOAD cannot hold a path with a blank or a colon, as {link}; set TMPDIR to another one")
    os.symlink(SHIM, link)
    return link


def separated(path: str) -> bool:
    """Tell whether ld.so would read this path as several; see LD_PRELOAD in ld.so(8)."""
    return ":" in path or any(letter.isspace() for letter in path)


def target_environment(environment: Mapping[str, str], run_directory: str, shim: str) -> dict[str, str]:
    """The environment for programs of a run: the user's, and what loads the shim and leads it to the host.

    An LD_PRELOAD of the user's is kept, behind the shim.  A program built with AddressSanitizer refuses to start
    behind another library unless told not to look; a choice of the user's own stands.
    """
    result = dict(environment)
    others = [word for word in result.get("LD_PRELOAD", "").replace(":", " ").split() if word != shim]
    result["LD_PRELOAD"] = ":".join([shim, *others])
    result["DEVSHIM_RUN"] = run_directory
    asan = result.get("ASAN_OPTIONS", "")
    if "verify_asan_link_order" not in asan:
        result["ASAN_OPTIONS"] = f"{asan}:verify_asan_link_order=0".lstrip(":")
    return result


def refuse_nesting(environment: Mapping[str, str]) -> None:
    """Raise TargetFailed inside a living run: its shim would answer to the outer host."""
    outer = environment.get("DEVSHIM_RUN")
    if outer and (os.path.isdir(outer) or is_mapped(os.path.join(outer, "registry"))):
        raise failed("this is a program of another devshim run already; add its -d options to that one")


def is_mapped(path: str) -> bool:
    """Tell whether a file that still exists is in our memory: the shim does, and hides a run's directory from us."""
    with open("/proc/self/maps") as maps:
        return any(line.rstrip("\n").endswith(f" {path}") for line in maps)


# ---- The program ---------------------------------------------------------------------------------------


def find_program(name: str, environment: Mapping[str, str]) -> str:
    """The file that a shell would execute for this name: by $PATH unless it has a slash.

    Raises TargetFailed with exit code 127 where there is none, 126 where it may not be executed.
    """
    places = [name] if "/" in name else [os.path.join(place or ".", name) for place in search_path(environment)]
    if not name:
        raise failed("the program's name is empty", NOT_FOUND)
    refused = None
    for place in places:
        try:
            mode = os.stat(place).st_mode
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(mode) and os.access(place, os.X_OK):
            return place
        refused = refused or (place, "is a directory" if stat.S_ISDIR(mode) else "may not be executed (chmod +x?)")
    if refused and ("/" in name or not refused[1].startswith("is a")):
        raise failed(f"{refused[0]}: {refused[1]}", NOT_EXECUTABLE)
    if "/" in name:
        raise failed(f"{name}: no such program", NOT_FOUND)
    raise failed(f"{name}: no such program on $PATH{advice(name)}", NOT_FOUND)


def advice(name: str) -> str:
    """What may have been meant by a program's name that leads nowhere; "" where nothing comes to mind."""
    if os.path.exists(name):
        return f"; there is one in this directory: ./{name}"
    word, sign, _ = name.partition("=")
    if not sign or not word.isidentifier():
        return ""
    if word.isupper():
        return f"; to set a variable: env {name} PROGRAM"
    return f"; a parameter follows its model after a comma: -d NODE=MODEL,{name}"


def search_path(environment: Mapping[str, str]) -> list[str]:
    """The directories of $PATH; os.get_exec_path would import warnings for it."""
    return environment.get("PATH", os.defpath).split(":")


def start(path: str, program: list[str], environment: Mapping[str, str], mask: Iterable[int]) -> int:
    """Start a program in the caller's process group with the caller's stdio, and return its process id.

    mask is the signal mask that the program shall have: what the user's shell gave to us.  A text file without a
    first line that names its interpreter goes to /bin/sh, as in execvp(3).

    Raises TargetFailed with exit code 127 or 126 where the kernel refuses to execute it.
    """
    # Python ignores these two for itself, which an exec would hand on.
    default = {_signal.SIGPIPE, _signal.SIGXFSZ}
    try:
        try:
            return os.posix_spawn(path, program, environment, setsigmask=mask, setsigdef=default)
        except OSError as error:
            from errno import ENOEXEC

            if error.errno != ENOEXEC:
                raise
            refuse_binary(path)
        return os.posix_spawn("/bin/sh", ["sh", path, *program[1:]], environment, setsigmask=mask, setsigdef=default)
    except FileNotFoundError as error:
        raise failed(
            f"{path}: its interpreter, named in its first line or in its ELF header, is missing", NOT_FOUND
        ) from error
    except OSError as error:
        raise failed(f"{path}: {error.strerror}", NOT_EXECUTABLE) from error


def refuse_binary(path: str) -> None:
    """Raise TargetFailed for what is no script, such as another machine's program: a shell would only misread it."""
    if is_binary(path):
        raise failed(f"{path}: this machine cannot run it; devshim doctor {path} says more", NOT_EXECUTABLE)


def is_binary(path: str) -> bool:
    """Tell a program, of whatever system and however damaged, from a script."""
    with open(path, "rb") as file:
        start = file.read(256)
    return b"\0" in start or start.startswith(b"\x7fELF")

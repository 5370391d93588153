"""The command line: finds the verb's file, and turns whatever goes wrong into one line and an exit code.

Each verb is a module of this package with `main(words) -> int`; it is imported when its verb is typed, because
`devshim run` starts a program each time and must not pay for what it does not use.
"""

from __future__ import annotations

import os
import sys
from errno import EAGAIN, EMFILE, ENFILE, ENOMEM, ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

VERBS = {
    "run": "run a program against devices written in Python",
    "record": "run a program on real devices, or on models, and write down what passes",
    "replay": "run a program against a recording of devices",
    "show": "show the calls of a trace",
    "cut": "write a part of a trace as a trace",
    "diff": "show where two traces differ",
    "stub": "print a device model made of a trace",
    "convert": "convert traces from strace and umockdev, and to Wireshark, Perfetto, a page",
    "verify": "say all that is wrong with a trace",
    "stats": "count what a trace holds, by node and call",
    "devices": "list the devices of the catalogue, or explain one",
    "doctor": "check this installation, or say what will be caught of a program",
}
"""Verb to its line in the help."""

FAILED = 125
"""Exit code where devshim itself failed, as of env, timeout and nohup."""


def main(words: list[str] | None = None) -> NoReturn:
    """Do what the words say (default: the command line's own) and end the process with the verb's exit code.

    Without Python's own shutdown: nothing is left to clean up, and a run would wait for it.
    """
    code = guarded(sys.argv[1:] if words is None else words)
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where the user closed it
            stream.flush()
    except OSError:
        code = code or 1  # the reader of our output has gone: that is no success, and nobody is left to tell
    os._exit(code)


def guarded(words: list[str]) -> int:
    """Run a verb and return its exit code; every failure is one line on stderr."""
    try:
        return dispatch(words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except Exception as error:  # the last resort: no user shall read a traceback of ours
        return explain(error)


def dispatch(words: list[str]) -> int:
    """Hand the words behind the verb to the verb's module."""
    verb = words[0] if words else "--help"
    if verb == "run":
        from devshim.cli.run import main as run

        return run(words[1:])
    if verb in VERBS:
        from importlib import import_module

        return int(import_module(f"devshim.cli.{verb}").main(words[1:]))
    from devshim.cli import usage

    return usage.without_verb(words)


def explain(error: Exception) -> int:
    """Say in one line what went wrong and return the exit code that it has."""
    from devshim.errors import DevshimError

    if isinstance(error, DevshimError):
        code, text = error.exit_code, str(error)
    elif isinstance(error, OSError):
        code, text = FAILED, os_error_text(error)
    elif isinstance(error, MemoryError) or str(error) == "can't start new thread":
        code, text = FAILED, "no memory left, or no thread; give it more (ulimit -v, ulimit -u)"
    elif isinstance(error, ImportError) and os.strerror(EMFILE) in str(error):
        code, text = FAILED, f"{error}{WAYS_OUT[EMFILE]}"
    else:
        code, text = (
            FAILED,
            f"internal error: {type(error).__name__}: {error}{place(error)}; DEVSHIM_DEBUG=1 shows more",
        )
    if os.environ.get("DEVSHIM_DEBUG"):
        import traceback

        traceback.print_exception(error)
    from devshim.target import say

    # One line, whatever a file or an argument that it quotes may contain.
    say("".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text))
    return code


WAYS_OUT = {
    EAGAIN: "; allow more processes (ulimit -u)",
    EMFILE: "; allow more (ulimit -n)",
    ENFILE: "; all processes together have as many as the system allows (sysctl fs.file-max)",
    ENOMEM: "; give it more (ulimit -v)",
    ENOSPC: "; make room there, or set TMPDIR to another directory",
}
"""What to do about an errno that says what is lacking."""


def os_error_text(error: OSError) -> str:
    """A failed system call in words: the file that it was about, then the kernel's reason."""
    reason = error.strerror or str(error) or type(error).__name__
    reason += WAYS_OUT.get(error.errno or 0, "")
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    if error.errno == ENOSPC:
        from devshim.rundirectory import run_directory_parent

        place = run_directory_parent(os.environ)
        return f"{place}, or where the output goes: {reason}"  # nothing else is written without its name
    return reason if os.stat(".").st_nlink else "the working directory has been removed; change to another one"


def place(error: Exception) -> str:
    """Where an error was raised, as " (file:line)"."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})" if trace is not None else ""

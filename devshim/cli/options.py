"""Options of the verbs that start a program: one table, and the loop that reads a command line by it.

Neither argparse nor dataclasses, because importing one alone costs more than all the rest of `devshim run`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from devshim.trace.record_asked import RecordAsked
    from devshim.trace.replay.asked import ReplayAsked


class Options:
    """What the user asked for; handed to the host as it is, by the fork."""

    def __init__(self) -> None:
        self.devices: list[str] = []
        """NODE=MODEL[,param=value...], as typed and in that order."""
        self.config: str | None = None
        """Path of a devshim.yml."""
        self.describe: list[str] = []
        """Python files or C headers that describe ioctls."""
        self.models: list[str] = []
        """Python files whose @opening and @hook functions are in force, beside those of the devices' own files."""
        self.deny: list[tuple[str, int]] = []
        """Nodes that may not be opened: a shell pattern and the errno that the program gets."""
        self.only_plugged = False
        """Refuse every node under /dev that is not plugged."""
        self.hide_real = False
        """Let the real machine's devices not be seen."""
        self.verbose = False
        """Print each call on a device."""
        self.log: str | None = None
        """Write what `verbose` prints to this file."""
        self.error_exitcode = 1
        """Exit code where the program succeeded but the run did not; 0: the program's own."""
        self.linger = 5.0
        """Seconds that devices stay plugged for other processes of the run after the program ended."""
        self.in_process = False
        """Run the models inside the program."""
        self.engine = ""
        """How calls are caught: one of engine.ENGINES, or as the program needs it."""
        self.record: RecordAsked | None = None
        """What is recorded, and how."""
        self.replay: ReplayAsked | None = None
        """The trace that answers, and how."""
        self.program: list[str] = []
        """The program and its arguments."""

    def needs_loading(self) -> bool:
        """Tell whether the program must wait until the host has plugged and opened what was asked for."""
        asked = self.devices or self.config or self.describe or self.models or self.deny or self.log
        return bool(asked or self.only_plugged or self.hide_real or self.verbose or self.replay or self.record)


class Option:
    """One row of a table: its names, what its value is called (None: it takes none), and what it does."""

    __slots__ = ("help", "long", "short", "take", "value")

    def __init__(
        self, short: str | None, long: str, value: str | None, take: Callable[[Options, str], None], help: str
    ) -> None:
        self.short = short
        self.long = long
        self.value = value
        self.take = take
        self.help = help


def deny(options: Options, text: str) -> None:
    """Take GLOB or GLOB=ERRNO, the errno by its name; without one the program gets EACCES."""
    from devshim import deny as rules

    try:
        options.deny.append(rules.parse(text))
    except ValueError as problem:
        shown = text or "''"
        raise wrong(f"--deny {shown}: {problem}") from None


def error_exitcode(options: Options, text: str) -> None:
    """Take an exit code, 0 to 255."""
    if not (text.isascii() and text.isdigit() and int(text) <= 255):
        raise wrong(f"--error-exitcode {text}: must be a number from 0 to 255")
    options.error_exitcode = int(text)


def linger(options: Options, text: str) -> None:
    """Take seconds, 0 or more, with a fraction if need be; "inf" waits as long as it takes."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:  # false for nan, too
        raise wrong(f"--linger {text}: must be seconds, 0 or more, or inf")
    options.linger = seconds


def engine(options: Options, text: str) -> None:
    """Take an engine's name."""
    from devshim.engine import ENGINES

    if text not in ENGINES:
        shown = text or "''"
        raise wrong(f"--engine {shown}: must be {' or '.join(ENGINES)}", text, ENGINES)
    options.engine = text


def store(attribute: str) -> Callable[[Options, str], None]:
    """An action that keeps the value given last."""
    return lambda options, text: setattr(options, attribute, text)


def switch(attribute: str) -> Callable[[Options, str], None]:
    """An action that says yes."""
    return lambda options, text: setattr(options, attribute, True)


def append(attribute: str) -> Callable[[Options, str], None]:
    """An action that keeps all values."""
    return lambda options, text: getattr(options, attribute).append(text)


# fmt: off
RUN = (
    Option("-d", "--device",   "NODE=MODEL[,param=value...]", append("devices"),
           "plug a device: a name of `devshim devices`, file.py[:Class], package.module:Class or a .yml; repeatable"),
    Option("-c", "--config",   "FILE",         store("config"),       "plug what a devshim.yml lists"),
    Option(None, "--describe", "FILE",         append("describe"),    "learn ioctls from a .py or .h file; repeatable"),
    Option(None, "--model",    "FILE",         append("models"),
           "let the @opening and @hook functions of a .py file answer; repeatable"),
    Option(None, "--deny",     "GLOB[=ERRNO]", deny,                  "refuse nodes that match (EACCES); repeatable"),
    Option(None, "--only-plugged", None,       switch("only_plugged"), "refuse every device node that is not plugged"),
    Option(None, "--hide-real", None,          switch("hide_real"),   "let the machine's own devices not be seen"),
    Option("-v", "--verbose",  None,           switch("verbose"),     "print each call on a device, as strace does"),
    Option(None, "--log",      "FILE",         store("log"),          "write that to a file"),
    Option(None, "--error-exitcode", "N",      error_exitcode,
           "exit code where the program succeeded, but a model failed or a node was refused (default 1)"),
    Option(None, "--linger",   "SECONDS",      linger,
           "keep devices so long for processes that outlive the program (default 5; inf)"),
    Option(None, "--engine",   "NAME",         engine,
           "catch calls by the shim (preload) or without it (seccomp: static programs, Go, musl); "
           "by default what the program needs"),
    Option(None, "--in-process", None,         switch("in_process"),
           "run the models inside the program: quicker, with its own state in each process"),
)
# fmt: on
"""Options of `devshim run`; record and replay add rows of their own."""


def parse(words: Sequence[str], table: Sequence[Option], options: Options, operands: int = 0) -> list[str]:
    """Read a command line into options and return its operands (a verb's own words, such as TRACE).

    Options may stand before and after operands.  The first later word that is no option starts the program,
    as does "--"; it and all that follow become options.program.  -h or --help anywhere before it makes
    options.program empty and returns ["--help"].

    Raises UsageError (exit code 2) for an unknown option, a missing or a wrong value.
    """
    rest = iter(words)
    found: list[str] = []
    for word in rest:
        if word == "--":
            options.program = list(rest)
        elif word in ("-h", "--help"):
            return ["--help"]
        elif word.startswith("--"):
            long_option(word, rest, table, options)
        elif word.startswith("-") and word != "-":
            short_options(word, rest, table, options)
        elif len(found) < operands:
            found.append(word)
        else:
            options.program = [word, *rest]
    return found


def long_option(word: str, rest: Iterator[str], table: Sequence[Option], options: Options) -> None:
    """Take --name, --name VALUE or --name=VALUE."""
    name, equals, value = word.partition("=")
    option = next((row for row in table if row.long == name), None)
    if option is None:
        raise wrong(f"unknown option {name}", name, [row.long for row in table] + ["--help"])
    if option.value is None and equals:
        raise wrong(f"{name} takes no value")
    option.take(options, value if equals or option.value is None else value_of(option, name, rest))


def short_options(word: str, rest: Iterator[str], table: Sequence[Option], options: Options) -> None:
    """Take -x, -x VALUE, -xVALUE, or several letters without a value in one word."""
    for at, letter in enumerate(word[1:], 1):
        name = "-" + letter
        option = next((row for row in table if row.short == name), None)
        if option is None:
            raise wrong(
                f"unknown option {name}" + (f" in {word}" if name != word else ""), word, [r.long for r in table]
            )
        if option.value is not None:
            option.take(options, word[at + 1 :] or value_of(option, name, rest))
            return
        option.take(options, "")


def value_of(option: Option, name: str, rest: Iterator[str]) -> str:
    """The word behind an option that needs one."""
    value = next(rest, None)
    if value is None:
        raise wrong(f"{name} needs {option.value}")
    return value


def wrong(text: str, typed: str = "", known: Iterable[str] = ()) -> Exception:
    """A UsageError, made where it is needed: its module is not worth importing for a command line that is right."""
    from devshim.cli.usage import UsageError, nearest

    return UsageError(text + nearest(typed, known))

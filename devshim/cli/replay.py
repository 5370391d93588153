"""devshim replay: starts a program with every node of a trace plugged, and answers from the trace."""

from __future__ import annotations

from devshim.cli.options import RUN, Option, Options, parse, wrong
from devshim.cli.run import run
from devshim.trace.replay.asked import ReplayAsked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HELP = """\
usage: devshim replay TRACE [OPTIONS] [--] PROGRAM [ARGS...]

Run PROGRAM, unmodified, and answer its calls from TRACE, as the devices did when it was
recorded.  TRACE is a file, or the name of a recording that comes with devshim.

{options}

Calls are matched by their meaning: a terminal's bytes as a stream, a disk by its content,
ioctls by request and argument, each after what had been done before it; data also after
what had been done on other nodes, unless that does not come (--patience). A node that is
opened more often than recorded answers as it did to the last open alike. Where the program
does something else, it gets EIO, and stderr tells the line of the trace, both sides and
the first difference.

examples:
  devshim replay gps-cold-start.trace -- ./navigator
  devshim replay boot.trace --map /dev/ttyUSB0=/dev/ttyS5 --speed recorded -- ./monitor
  devshim replay sensor.trace --on-miss tmp102 -- i2cget -y 1 0x48

exit code: as of `devshim run`; a mismatch counts as a failure of the run (--error-exitcode).
"""


def asked(options: Options) -> ReplayAsked:
    """What options ask of the replay."""
    if options.replay is None:
        options.replay = ReplayAsked()
    return options.replay


def switch(attribute: str) -> Callable[[Options, str], None]:
    """An action that says yes."""
    return lambda options, text: setattr(asked(options), attribute, True)


def store(attribute: str) -> Callable[[Options, str], None]:
    """An action that keeps the value given last."""
    return lambda options, text: setattr(asked(options), attribute, text)


def speed(options: Options, text: str) -> None:
    """Take "max", "recorded", or how many times as fast as that."""
    if text in ("max", "recorded"):
        asked(options).speed = 0.0 if text == "max" else 1.0
        return
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise wrong(f"--speed {text}: must be max, recorded, or a number above 0 (2 is twice as fast as recorded)")
    asked(options).speed = factor


def until(options: Options, text: str) -> None:
    """Take the number of an event."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise wrong(f"--until {text}: must be the number of an event, from 1; devshim show tells them")
    asked(options).until = int(text)


def patience(options: Options, text: str) -> None:
    """Take a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise wrong(f"--patience {text}: must be a number of seconds, from 0")
    asked(options).patience = seconds


def map_node(options: Options, text: str) -> None:
    """Take RECORDED=NODE."""
    recorded, equals, node = text.partition("=")
    if not (equals and recorded.startswith("/") and node.startswith("/")):
        raise wrong(f"--map {text}: must be RECORDED=NODE, such as /dev/ttyUSB0=/dev/ttyS5")
    asked(options).maps[recorded] = node


# fmt: off
REPLAY = (
    Option(None, "--strict",   None,           switch("strict"),   "want every call in its order, and no other"),
    Option(None, "--loose",    None,           switch("loose"),    "match by request and argument alone, in any order"),
    Option(None, "--match",    "FILE.py",      store("match"),
           "compare by its function same(recorded, call); None leaves it to us"),
    Option(None, "--speed",    "SPEED",        speed,              "max (default), recorded, or so many times as fast"),
    Option(None, "--map",      "RECORDED=NODE", map_node,          "plug a node of the trace elsewhere; repeatable"),
    Option(None, "--on-miss",  "WHO",          store("on_miss"),
           "who answers what the trace does not have: fail (default: nobody), real (the real node), record (that, "
           "and extend the trace), or a model"),
    Option(None, "--until",    "N",            until,              "after event N let that one answer all"),
    Option(None, "--patience", "SECONDS",      patience,
           "let a program wait so long for what cannot come, where other things may wake it; 5 by default"),
    Option(None, "--check",    None,           switch("check"),
           "run on the real devices (or on models, -d), and compare with the trace: is it still true?"),
    Option(None, "--fail-on-unused", None,     switch("fail_on_unused"), "fail where events were left over at the end"),
    *RUN,
)
# fmt: on


def main(words: list[str]) -> int:
    """Replay what the words ask for and return the command's exit code."""
    options = Options()
    replay = asked(options)
    operands = parse(words, REPLAY, options, operands=1)
    if operands == ["--help"]:
        from devshim.cli.usage import option_list

        print(HELP.format(options=option_list(REPLAY)), end="")
        return 0
    if not operands:
        raise wrong("no trace to replay; devshim replay --help shows how")
    replay.trace = operands[0]
    if replay.strict and replay.loose:
        raise wrong("--strict and --loose: which one?")
    if replay.until and replay.on_miss == "fail":
        raise wrong("--until needs the model that answers from then on: --on-miss MODEL")
    if not options.program:
        raise wrong("no program to run; devshim replay --help shows how")
    return check(options, replay) if replay.check else run(options)


def check(options: Options, replay: ReplayAsked) -> int:
    """Record the program on the real devices, compare with the trace as it goes, and return the exit code."""
    import tempfile

    from devshim.trace.record_asked import RecordAsked

    plugged = {text.partition("=")[0] for text in options.devices}
    options.replay, options.record = None, RecordAsked()
    options.record.check = replay
    options.record.nodes = [node for node in replay.load().nodes if node not in plugged]
    options.record.program = options.program
    with tempfile.TemporaryDirectory(prefix="devshim-") as folder:
        options.record.trace = f"{folder}/run.trace"
        return run(options)

"""A replay whose answers stand, so that its host does not hear of all calls, answers as one that hears of each."""

import re
import sys
from pathlib import Path

import pytest
from harness import ROOT, run_devshim_verb

from devshim.trace.format.reader import Trace
from devshim.trace.replay.matching import Kind, kind_of

PLAYER = Path(__file__).with_name("repeating.py")


def asks(path: Path) -> bool:
    """Whether a trace has ioctls that may be asked again."""
    ioctls = (one for one in Trace(str(path)) if one.name == "ioctl" and not one.incomplete)
    return any(kind_of(one) in (Kind.QUERY, Kind.EXCHANGE) for one in ioctls)


TRACES = [path for path in sorted((ROOT / "traces").glob("*.trace*")) if asks(path)]


def test_traces_ask() -> None:
    assert len(TRACES) > 5


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_answers_are_the_same_whether_or_not_each_call_is_seen(trace: Path) -> None:
    words = (trace, "--", sys.executable, PLAYER, trace)
    unseen = run_devshim_verb("replay", *words)
    seen = run_devshim_verb("replay", "-v", *words)

    assert unseen.stdout == seen.stdout and unseen.stdout
    assert said(unseen.stderr) == said(seen.stderr)
    assert unseen.returncode == seen.returncode


def said(stderr: str) -> list[str]:
    """What devshim said, less the calls that it shows."""
    return [line for line in stderr.splitlines() if not re.match(r"devshim: +\d+\.\d+ ", line)]

"""The recordings in traces/ are sound, and replay to real clients what they printed, with no device there.

The table in traces/README.md says what replays each; expected/ holds what was printed when it was recorded.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest
from clients import clients, require
from harness import ROOT, run_devshim_verb

TRACES = ROOT / "traces"
EXPECTED = Path(__file__).with_name("expected")
ROW = re.compile(r"^\| `(?P<name>[a-z0-9-]+)` \|.*\| `devshim (?P<command>replay .*)` \|$", re.MULTILINE)
TABLE = {row["name"]: row["command"].replace(r"\|", "|") for row in ROW.finditer((TRACES / "README.md").read_text())}
NAMES = sorted(path.name.removesuffix(".trace") for path in TRACES.glob("*.trace"))

#: What clients print of the device must not depend on where they run.
PLAIN = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def words_of(name: str) -> list[str]:
    """The words of a replay in the table, for the interpreter of the tests; skips where a client is missing."""
    words = shlex.split(TABLE[name].replace(r"\r", "\r"))
    start = words.index("--")
    client = words[start + 1 :]
    for word in re.findall(r"[\w.-]+", " ".join(client)) if client[0] == "sh" else client[:1]:
        if word in clients():
            require(word)
    if client[0] == "python3":
        client[0] = sys.executable
        if "import serial" in (ROOT / client[1]).read_text():
            pytest.importorskip("serial")
    return [*words[:start], "--only-plugged", "--fail-on-unused", "--", *client]


def test_each_recording_stands_in_the_table_and_has_its_output_here() -> None:
    assert sorted(TABLE) == NAMES == sorted(path.stem for path in EXPECTED.glob("*.out"))


def test_each_recording_is_small() -> None:
    assert [name for name in NAMES if (TRACES / f"{name}.trace").stat().st_size > 200_000] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_replays_to_its_client_without_the_device(name: str) -> None:
    outcome = run_devshim_verb(*words_of(name), env=PLAIN, cwd=ROOT)

    assert outcome.stdout == (EXPECTED / f"{name}.out").read_text()
    assert "devshim:" not in outcome.stderr
    assert outcome.returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_sound(name: str) -> None:
    outcome = run_devshim_verb("verify", TRACES / f"{name}.trace")

    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome.stdout

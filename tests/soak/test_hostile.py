"""A hostile program of a run neither crashes the host, nor gets at anything, nor keeps others from their devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, devshim_command, devshim_environment, run_devshim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.soak.deaths import descendants, plugs
from tests.soak.memory import EQUAL
from tests.soak.scripts import DEVICES

EXAMPLES = int(os.environ.get("DEVSHIM_SOAK_EXAMPLES", "40"))
UINT32, UINT64 = st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)
NEAR = st.sampled_from([0, 1, 2, 7, 8, 255, 7936, 7937, 4 << 20, (4 << 20) + 1, 1 << 31, (1 << 32) - 1])
OPS = st.one_of(st.integers(0, 9), st.integers(0, 65535))
FILES = st.one_of(st.integers(0, 12), UINT32)
REQUESTS = st.one_of(
    st.sampled_from([0xC0105303, 0x80105301, 0x40085302, 0x5304, 0x5305, 0xC0105306, 0x5308, 0x5401, 0x5413]), UINT32
)
DATA = st.one_of(
    st.binary(max_size=400),
    st.lists(st.one_of(NEAR, st.integers(0, 64)), max_size=40).map(
        lambda words: b"".join(word.to_bytes(4, "little") for word in words)
    ),
).map(bytes.hex)
WORDS = st.tuples(
    OPS, FILES, REQUESTS, st.one_of(st.integers(0, 300), UINT64), st.integers(-(1 << 63), (1 << 63) - 1) | st.just(-1),
    st.one_of(NEAR, st.integers(0, 500)), NEAR, st.integers(0, 1),
).map(list)  # fmt: skip
PATHS = st.one_of(
    st.sampled_from(["/dev/cell0", "/dev/ttyS90", "/dev/null"]),
    st.text(max_size=100, alphabet=st.characters(codec="utf-8")),
)
ACTS = st.one_of(
    st.tuples(st.just("raw"), st.binary(max_size=6000).map(bytes.hex), st.booleans(), st.booleans()),
    st.tuples(
        st.just("polite"), st.integers(0, 5), UINT32, UINT32, st.one_of(st.integers(1 << 63, (1 << 63) + 3), UINT64),
        PATHS,
        st.integers(-1, 6000),
    ),
    st.tuples(
        st.just("quiet"), st.sampled_from([0, 1, 3, 100]), st.binary(max_size=6000).map(bytes.hex), st.booleans(),
        st.integers(0, 3),
        st.booleans(),
    ),
    st.tuples(st.just("slot"), st.integers(0, 127), WORDS, DATA),
    st.tuples(st.just("heads"), st.binary(min_size=64, max_size=64).map(bytes.hex)),
    st.tuples(st.just("bells"), st.integers(0, 63), UINT64),
    st.tuples(st.just("race"), UINT32, WORDS, DATA),
)  # fmt: skip


class Run:
    """A run whose program is hostile.py."""

    def __init__(self) -> None:
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- as long as the run
        command = [*devshim_command(), "run", *plugs(), "--", sys.executable, "-m", "tests.soak.hostile"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True, cwd=ROOT,
            env=devshim_environment(), start_new_session=True,
        )  # fmt: skip

    def do(self, acts: list[Any]) -> str:
        """Let it act; what it answers."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(acts) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> tuple[int, str]:
        """Its exit code, and what was said on stderr."""
        self.process.communicate(timeout=60)
        self.said.seek(0)
        with self.said:
            return self.process.returncode, self.said.read()


@pytest.fixture(scope="module")
def hostile_run() -> Iterator[Run]:
    """One run for all examples."""
    run = Run()
    yield run
    family = descendants(run.process.pid)
    code, said = run.end()
    # What it did badly may be told, and counts as a failure of the run; but nothing of the host's own broke.
    assert code in (0, 1), said[-3000:]
    assert "a callback failed" not in said, said[-3000:]
    assert "host was lost" not in said
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=6))
def test_whatever_a_program_says_the_host_serves_the_others(hostile_run: Run, acts: list[Any]) -> None:
    assert hostile_run.do(acts) == "well"


def test_a_crowd_at_the_quiet_socket_keeps_nobody_from_opening(hostile_run: Run) -> None:
    for told in (0, 1):
        assert hostile_run.do([["quiet", 1500, "", False, told, False]]) == "well"  # listen(2): some 1,000 have room
        assert hostile_run.do([["quiet", 400, "00", False, told, True]]) == "well"
        assert hostile_run.do([["quiet", 400, "", True, told, True]]) == "well"


def test_a_new_file_that_a_dying_program_was_promised_goes_with_it() -> None:
    outcome = run_devshim(sys.executable, "-m", "tests.soak.unfetched", devices=DEVICES, cwd=ROOT)

    assert outcome.returncode == 0, outcome.stderr
    before, promised, after = outcome.stdout.splitlines()
    was, is_now = json.loads(before), json.loads(after)
    assert int(promised) >= 1
    assert {what: is_now[what] for what in EQUAL} == {what: was[what] for what in EQUAL}

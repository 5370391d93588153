"""Runs random scripts under `devshim run`, compares each answer with the expected one, and shrinks what fails."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness import Outcome, run_devshim

from tests.soak.expected import Expected, Step
from tests.soak.generate import Generator
from tests.soak.telling import answers

HERE = Path(__file__).parent
DEVICES = [
    f"/dev/{node}={HERE / 'devices.py'}:{model}"
    for node, model in (
        ("cell0", "Cell"), ("cell1", "Cell"), ("queue0", "Queue"), ("queue1", "Queue"), ("records0", "Records"),
        ("ttyS90", "Echo"), ("health0", "Health"),
    )
]  # fmt: skip
LENGTH = 120
MOST_SHRINKS = 150
WORDS = ("result", "errno", "checksum", "extra")


class Wrong(AssertionError):
    """A script was not answered as it must be; the message says how to run it again."""


class Player:
    """Plays scripts with one program; wrap: words before it, such as valgrind's; environment, folder: devshim's."""

    def __init__(
        self,
        program: Path,
        options: Sequence[str] = (),
        wrap: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        timeout: float = 120,
    ) -> None:
        self.program = program
        self.options = options
        self.wrap = wrap
        self.environment = environment or {}
        self.folder = folder
        self.timeout = timeout
        self.stderr = ""

    def play(self, scripts: Sequence[list[Step]]) -> None:
        """Run scripts one after the other in one run of devshim.  Raises Wrong for the first wrong answer."""
        with tempfile.TemporaryDirectory(prefix="devshim-soak-") as folder:
            paths = []
            for number, steps in enumerate(scripts):
                paths.append(Path(folder) / f"{number}.script")
                paths[-1].write_text("".join(f"{step}\n" for step in steps))
            outcome = run_devshim(
                *self.wrap, self.program, Path(folder) / "stage", *paths,
                devices=DEVICES, options=self.options, env={"TMPDIR": folder, **self.environment}, cwd=self.folder,
                timeout=self.timeout,
            )  # fmt: skip
            left = [name for name in os.listdir(folder) if name.startswith("devshim-")]
        self.stderr = outcome.stderr
        check_all(scripts, outcome)
        if left:
            raise Wrong(f"the run left {left} behind")

    def fails(self, steps: list[Step]) -> str:
        """What is wrong with a script; "" where nothing is, or where it makes no sense."""
        try:
            self.play([steps])
        except Wrong as wrong:
            return str(wrong)
        except subprocess.TimeoutExpired:
            return "it did not end"
        return ""

    def shrink(self, steps: list[Step], found: str) -> tuple[list[Step], str]:
        """A shorter script that still fails; drops pieces of it, from halves down to single steps."""
        size, tries = max(len(steps) // 2, 1), 0
        while size and tries < MOST_SHRINKS:
            at = 0
            while at < len(steps) and tries < MOST_SHRINKS:
                shorter = steps[:at] + steps[at + size :]
                if makes_sense(shorter):
                    tries += 1
                    if still := self.fails(shorter):
                        steps, found = shorter, still
                        continue
                at += size
            size //= 2
        return steps, found


def check_all(scripts: Sequence[list[Step]], outcome: Outcome) -> None:
    """Compare what was printed with what must be.  Raises Wrong."""
    parts = re.split(r"^= ", outcome.stdout, flags=re.MULTILINE)[1:]
    for number, (steps, part) in enumerate(zip(scripts, parts, strict=False)):
        try:
            check(steps, part.splitlines()[1:], outcome.stderr)
        except Wrong as wrong:
            raise Wrong(f"script {number}: {wrong}") from None
    if outcome.returncode or len(parts) != len(scripts):
        raise Wrong(
            f"exit code {outcome.returncode} after {len(parts)} of {len(scripts)} scripts: {outcome.stdout[-300:]}"
            f"\n{outcome.stderr[-3000:]}"
        )
    noise = [line for line in outcome.stderr.splitlines() if "not-there" not in line and line.strip()]
    unasked = [line for line in noise if not line.startswith(("devshim: unknown ioctl", "  def ", "  @ioctl"))]
    if unasked:
        raise Wrong("stderr: " + "\n".join(unasked)[-3000:])


def check(steps: list[Step], lines: list[str], stderr: str) -> None:
    """Compare one script's lines.  Raises Wrong."""
    health = [json.loads(line[2:]) for line in lines if line.startswith("H {")]
    said = [line for line in lines if not line.startswith("H")]
    for number, (step, expected) in enumerate(zip(steps, answers(steps), strict=True)):
        if number >= len(said) or said[number].startswith("hang"):
            why = said[number] if number < len(said) else "nothing more was said"
            raise Wrong(f"step {number} ({step}): {why}\n{stderr[-2000:]}")
        if problem := difference(step, expected, said[number].split()[1:]):
            raise Wrong(f"step {number} ({step}): {problem}")
    if len(health) != 2:
        raise Wrong(f"no word of the host's health: {lines[-2:]}")
    for what in ("descriptors", "files", "promised", "carriers", "trusted", "failures", "mappings"):
        if health[1][what] != health[0][what]:
            raise Wrong(f"the host holds {health[1][what]} {what}, {health[0][what]} before the script")


def difference(step: Step, expected: Expected | None, said: list[str]) -> str:
    """What is wrong with an answer, or ""."""
    if expected is None:
        return "" if said == ["waits"] else f"it must wait, and answered {' '.join(said)}"
    if said == ["waits"]:
        return f"it waits, and must answer {expected[:3]}"
    result, error, crc, extra = map(int, said)
    if expected.slack and (result & ~expected.slack, error) == (expected.result & ~expected.slack, 0):
        return "" if result & expected.result == expected.result else f"ready bits {result}, not {expected.result}"
    wanted = (expected.result, expected.error, expected.crc & 0xFFFFFFFF, 0)
    wrong = [
        f"{word} {is_} instead of {ought}"
        for word, is_, ought in zip(WORDS, (result, error, crc, extra), wanted, strict=True)
        if is_ != ought
    ]
    return ", ".join(wrong)


def makes_sense(steps: list[Step]) -> bool:
    """Whether what each step must answer can still be told."""
    with contextlib.suppress(KeyError, ValueError, AssertionError):
        for _ in answers(steps):
            pass
        return True
    return False


def script(seed: int, length: int = LENGTH) -> list[Step]:
    """The script of a seed."""
    return Generator(seed, length).make()


def play_seeds(player: Player, seeds: range, length: int = LENGTH, shrink: bool = True) -> None:
    """Play the scripts of seeds.  Raises Wrong that names the seed, with the shortest script that was found."""
    try:
        player.play([script(seed, length) for seed in seeds])
    except (Wrong, subprocess.TimeoutExpired) as together:
        for seed in seeds:
            steps = script(seed, length)
            if found := player.fails(steps):
                if shrink:
                    steps, found = player.shrink(steps, found)
                text = "\n".join(map(str, steps))
                raise Wrong(
                    f"seed {seed}: {found}\nagain: python -m tests.soak scripts --seed {seed} --count 1\n{text}"
                ) from None
        raise Wrong(f"seeds {seeds.start} to {seeds.stop - 1}, together only: {together}") from together

"""wordexp() on patterns that plugged nodes match, beside the same on files of these names without us."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from harness import run_devshim

MODELS = Path(__file__).with_name("models.py")
WORDS = [
    *("tty*", "tt[xy]?", "'tty*' t*1", r"\*", '"tty*"', "none*", "[", "x*", "x' y'*", "a*b", "t*1 $X *y"),
    *("$X*", '"$X"1*', "$X'*'", "~/none*", r"tty\1*", r"none*\*\\", "it's*", "(*)", "$UNSET*", "$(echo tty*)"),
    *("a$[1+2]", "plain", "", " * "),
]
NAMES = ("tty1", "tty2", "it's")


def test_words_expand_as_where_the_nodes_are_real(program: Callable[..., Path], tmp_path: Path) -> None:
    binary, environment = program("words"), {"X": "tty", "HOME": "/home/none"}
    for folder in ("real", "plugged"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x y").touch()
    for name in NAMES:
        (tmp_path / "real" / name).touch()
    own = subprocess.run(
        [binary, *WORDS], env=environment, cwd=tmp_path / "real", capture_output=True, text=True, check=True, timeout=60
    )
    nodes = [f"{tmp_path}/plugged/{name}={MODELS}:Hot" for name in NAMES]

    outcome = run_devshim(binary, *WORDS, devices=nodes, env=environment, cwd=tmp_path / "plugged")

    assert outcome.stdout == own.stdout
    assert "tty*: 0 <before> <*> <tty1> <tty2>\n" in outcome.stdout

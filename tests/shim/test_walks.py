"""fts(3) where plugged nodes lie below, beside the same where they are files of the kernel."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from harness import run_devshim

MODELS = Path(__file__).with_name("models.py")
NODES = ("top/node", "top/sub/a", "top/skipped/node", "other/node")


def folders(root: Path) -> Path:
    """Directories, files and links; no nodes."""
    for folder in ("top/sub/deep", "top/skipped", "other", "top/empty"):
        (root / folder).mkdir(parents=True)
    for file in ("top/b", "top/sub/deep/z", "top/sub/unwanted"):
        (root / file).touch()
    (root / "top/link").symlink_to("sub")
    (root / "top/sub/circle").symlink_to("..")
    (root / "top/dangling").symlink_to("none")
    (root / "direct").symlink_to("other")
    return root


def test_a_walk_finds_plugged_nodes_as_it_finds_the_kernel_s(program: Callable[..., Path], tmp_path: Path) -> None:
    words = [program("walks"), "top", "other/", "direct", "none"]
    real, plugged = folders(tmp_path / "real"), folders(tmp_path / "plugged")
    for node in NODES:
        os.mkfifo(real / node)
    own = subprocess.run(words, cwd=real, capture_output=True, text=True, check=True, timeout=60)

    outcome = run_devshim(*words, devices=[f"{plugged / node}={MODELS}:Hot" for node in NODES], cwd=plugged)

    assert outcome.stdout == own.stdout, outcome.stderr
    assert "found 3 2 a top/sub/a 9 1 sub\n" in outcome.stdout

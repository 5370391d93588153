"""`make demo`'s script: runs to its end, with i2c-tools and without them."""

import os
from pathlib import Path

import pytest
from clients import SYSTEM_FOLDERS
from harness import ROOT, Outcome, environment_with_commands, run

DEMO = ROOT / "tests/demo/demo.sh"


@pytest.mark.client("i2cget", "stty")
def test_the_demo_shows_a_gps_and_chips(tmp_path: Path) -> None:
    outcome = demo(tmp_path, os.environ["PATH"])

    assert outcome.returncode == 0, outcome.stdout
    assert "that is 48.8584 north, 2.2945 east" in outcome.stdout
    assert "50: 50 --" in outcome.stdout
    assert "0x8015" in outcome.stdout
    assert "0xca" in outcome.stdout
    assert "None of these programs was changed" in outcome.stdout


def test_the_demo_does_with_smbus2_where_i2c_tools_are_missing(tmp_path: Path) -> None:
    outcome = demo(tmp_path, without_i2c_tools(tmp_path))

    assert outcome.returncode == 0, outcome.stdout
    assert "apt-get install i2c-tools" in outcome.stdout
    assert "0x8015" in outcome.stdout


def demo(folder: Path, path: str) -> Outcome:
    """Run the demo with `devshim` and `python3` being those of the tests."""
    return run(["sh", str(DEMO)], env=environment_with_commands(folder / "bin", path), timeout=60)


def without_i2c_tools(folder: Path) -> str:
    """Return a PATH on which everything is found but i2c-tools: a folder of links."""
    links = folder / "links"
    links.mkdir()
    for place in ("/usr/bin", "/bin", *SYSTEM_FOLDERS):
        for file in Path(place).iterdir():
            if not file.name.startswith("i2c") and not (links / file.name).is_symlink():
                (links / file.name).symlink_to(file)
    return str(links)

"""The sizes of stdio's reads: what a driver is asked for is what it is asked for without us, by strace's word."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_devshim

LARGE = f"/dev/large0={Path(__file__).with_name('models.py')}:Large"
Build = Callable[..., Path]


@pytest.mark.client("strace")
@pytest.mark.parametrize("flags", ["-O0", "-D_FORTIFY_SOURCE=3 -O2"])
def test_a_driver_is_asked_for_as_many_bytes_as_by_libc_s_own_streams(
    program: Build, flags: str, tmp_path: Path
) -> None:
    binary = program("blocks", "-D_GNU_SOURCE", *flags.split())
    traced = ["strace", "-o", tmp_path / "calls", "-e", "trace=read,write", "-P", "/dev/zero", binary, "/dev/zero"]
    subprocess.run(traced, check=True, timeout=60)

    outcome = run_devshim(binary, "/dev/large0", devices=[LARGE], options=["-v"])

    assert outcome.returncode == 0, outcome.stderr
    wanted = re.findall(r"^(read|write)\(.*, (\d+)\) +=", (tmp_path / "calls").read_text(), re.MULTILINE)
    assert re.findall(r" (read|write)\(.*, (\d+)\) =", outcome.stderr) == wanted
    assert ("read", "1200") in wanted

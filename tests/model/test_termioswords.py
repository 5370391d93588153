"""A terminal's flags in words are those that strace prints."""

import pytest
from harness import run_devshim, run_devshim_verb

from devshim.model.termioswords import member_words


def test_flags_are_told_by_their_names():
    assert member_words("c_cflag", 0o10017 & 0o15 | 0o60 | 0o200 | 0o4000) == "B9600|CS8|CREAD|CLOCAL"
    assert member_words("c_cflag", 0o10002 | 0o40 | 0o400) == "B115200|CS7|PARENB"
    assert member_words("c_cflag", 0o10000) == "BOTHER|CS5"
    assert member_words("c_iflag", 0) == "0"
    assert member_words("c_oflag", 0o100001) == "OPOST|0x8000"
    assert member_words("c_cc", b"") is None
    assert member_words("length", 5) is None


@pytest.mark.client("stty")
def test_a_run_and_a_mismatch_speak_in_them(tmp_path):
    trace = str(tmp_path / "port.trace")
    port = "/dev/ttyS5"
    run = run_devshim("stty", "-F", port, "115200", devices=[f"{port}=modem"], options=["-v"])
    assert "c_cflag=B115200|CS8|CREAD|HUPCL|CLOCAL" in run.stderr
    assert r'c_cc="\x03' in run.stderr

    program = ("--", "stty", "-F", port)
    recorded = run_devshim_verb("record", "-o", trace, "-d", f"{port}=modem", *program, "115200")
    assert recorded.returncode == 0, recorded.stderr
    assert "c_cflag=B115200|CS8|CREAD|HUPCL|CLOCAL" in run_devshim_verb("show", trace).stdout
    replayed = run_devshim_verb("replay", trace, *program, "19200")
    assert "c_cflag: B115200|CS8|CREAD|HUPCL|CLOCAL, now B19200|CS8|CREAD|HUPCL|CLOCAL" in replayed.stderr

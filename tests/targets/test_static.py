"""Devices in programs that no library can be loaded into: statically linked, of another libc, without variables."""

import shutil

import pytest
from harness import PROGRAMS as SMALL
from targets.tours import DEVICES, HERE, METER, PROGRAMS, READINGS

from devshim.cli.seccomp import problem

TALLY = f"/dev/tally0={HERE / 'models.py'}:Tally"
GPS = "/dev/ttyGPS0=gps,period=0.05"
NMEA = "$GPRMC,"
HEAD, CAT, SHELL = (shutil.which(name) for name in ("head", "cat", "sh"))

pytestmark = pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")


@pytest.fixture
def bare(program):
    """The words that start a program without any environment variables, from one that is static itself."""
    return [program("supervised", "-static"), "bare"]


@pytest.mark.parametrize("kind", ["-static", "-static-pie"])
def test_a_static_program_uses_devices_in_all_its_ways(compiled, tour, kind):
    command = ["cc", "-O1", kind, "-fPIE", "-DSTATIC", "-w", "-o", "{}/tour", PROGRAMS / "tour.c", "-pthread"]
    folder = compiled(f"c{kind}", command)

    tour(folder / "tour")
    tour("sh", "-c", f"{folder}/tour; exit $?")


@pytest.mark.client("musl-gcc")
@pytest.mark.parametrize("kind", ["-static", "-pie"])
def test_a_program_with_musl_keeps_its_descriptors(compiled, devshim_run, kind):
    folder = compiled(f"musl{kind}", ["musl-gcc", "-O1", "-fPIE", kind, "-o", "{}/small", SMALL / "supervised.c"])

    outcome = devshim_run(folder / "small", "descriptors", "/dev/tally0", devices=[TALLY])

    assert outcome.stdout.splitlines()[-1] == "after all 7 ", outcome


def test_a_dynamic_program_without_variables_uses_devices(bare, devshim_run, client):
    outcome = devshim_run(*bare, client("perl"), PROGRAMS / "tour.pl", devices=DEVICES, env={"LC_ALL": "C"})

    wrong = [line for line in outcome.stdout.splitlines() if not line.startswith("ok ")]
    assert outcome.stdout and not wrong, f"{wrong} {outcome.stderr}"


def test_what_a_static_program_starts_may_have_the_shim(program, devshim_run):
    static = program("supervised", "-static")
    script = f"cat /dev/meter0; {static} descriptors /dev/tally0 | tail -n1; {static} bare {CAT} /dev/meter0"

    outcome = devshim_run("sh", "-c", script, devices=[METER, TALLY], options=["--engine", "seccomp"])

    assert outcome.stdout == f"{READINGS}after all 7 \n{READINGS}"
    assert outcome.stderr == ""


def test_a_terminal_alone_leaves_data_to_the_kernel(bare, devshim_run):
    outcome = devshim_run(*bare, HEAD, "-n1", "/dev/ttyGPS0", devices=[GPS])

    assert outcome.stdout.startswith(NMEA)


def test_the_log_shows_the_calls(bare, devshim_run):
    outcome = devshim_run(*bare, HEAD, "-c8", "/dev/meter0", devices=[METER], options=["-v"])

    assert outcome.stdout == READINGS[:8]
    assert 'open("/dev/meter0", O_RDONLY)' in outcome.stderr
    assert 'read(/dev/meter0, "delta 4\\n' in outcome.stderr


def test_a_node_that_nobody_plugged_is_told_of_and_may_be_refused(bare, devshim_run):
    command = *bare, HEAD, "-c8", "/dev/meter1"

    assert "/dev/meter1: not plugged (ENOENT)" in devshim_run(*command, devices=[METER]).stderr
    refused = devshim_run(*command, devices=[METER], options=["--deny", "/dev/meter*=EPERM"])
    assert "Operation not permitted" in refused.stderr


def test_the_exit_code_is_the_program_s_own(bare, devshim_run):
    assert devshim_run(*bare, SHELL, "-c", "exit 7", devices=[METER]).returncode == 7
    assert devshim_run(*bare, SHELL, "-c", "kill -9 $$", devices=[METER]).returncode == 137


def test_closed_streams_stay_closed(bare, devshim_run):
    script = "exec 3>&1 <&- >&- 2>&-; head -c8 /dev/meter0 >&3; ls -l /proc/self/fd >&3"
    command = bare[0], "bare", SHELL, "-c", script

    outcome = devshim_run(*command, devices=[METER])

    assert outcome.stdout.startswith(READINGS[:8])
    assert "socket:" not in outcome.stdout and "seccomp" not in outcome.stdout


def test_recording_is_refused_in_one_line(program, devshim_verb, tmp_path):
    static = program("supervised", "-static")

    outcome = devshim_verb("record", "-d", METER, "-o", tmp_path / "a.trace", "--", static, "blocked", "/dev/meter0")

    assert outcome.returncode == 125
    assert outcome.stderr.startswith(f"devshim: recording needs the shim in the program, and {static}, a static, ")


def test_a_session_starts_a_static_program_with_its_devices(program, tmp_path):
    from targets.models import Tally

    from devshim.session.session import Session

    with Session() as session:
        tally = session.plug("/dev/tally0", Tally())
        result = session.run(program("supervised", "-static"), "descriptors", "/dev/tally0", cwd=tmp_path)

        assert tally.asked == 7
        assert [call.name for call in result.calls].count("ioctl") == 7


def test_an_engine_that_is_none_is_a_usage_error(devshim_run):
    outcome = devshim_run("true", options=["--engine", "secomp"])

    assert outcome.returncode == 2
    assert "--engine secomp: must be preload or seccomp" in outcome.stderr

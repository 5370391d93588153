"""`devshim record` as a user types it: options, files, messages, exit codes, and what is left after a kill."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, devshim_command, devshim_environment, run_devshim_verb
from recordings import calls, events, record

from devshim.model.device import Link
from devshim.trace.format.reader import Trace

ZERO = "/dev/zero"
READ = ("head", "-c", "4", ZERO)
pytestmark = pytest.mark.skipif(not os.access(ZERO, os.W_OK), reason="needs /dev/zero")


def lines(trace: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in trace.read_text().splitlines()]


# ---- What is asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no file to write"),
        (("-o", "x"), "no program to run"),
        (("-o", "-", "true"), "stdout is the program's own"),
        (("-o", "x", "-d", "ttyUSB0", "true"), "must be a path such as /dev/ttyUSB0, or NODE=MODEL"),
        (("-o", "x", "-d", "/dev/zero-point", "true"), "/dev/zero-point: No such file or directory; is it plugged in?"),
        (("-o", "x", "-d", "/etc/passwd", "true"), "/etc/passwd: this is no device node"),
        (("-o", "x", "-d", "/dev/ttyUSB0=gpss", "true"), 'did you mean "gps"?'),
        (("-o", "x", "-d", "/dev/ttyUSB0=GPS", "true"), 'did you mean "gps"?'),
    ],
)
def test_what_cannot_be_recorded_is_told_in_a_line(
    devshim_verb: Callable[..., Outcome], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    outcome = devshim_verb("record", *words, cwd=tmp_path)

    assert outcome.returncode == 2
    assert message in outcome.stderr and outcome.stderr.count("\n") == 1


def test_a_trace_that_cannot_be_written_is_told_before_the_program_starts(tmp_path: Path) -> None:
    outcome = record(tmp_path / "no-such-folder" / "x", "touch", tmp_path / "started", devices=[ZERO])

    assert outcome.returncode == 125
    assert "No such file or directory" in outcome.stderr
    assert not (tmp_path / "started").exists()


def test_the_program_is_run_as_without_a_recording(tmp_path: Path) -> None:
    script = "cat; head -c 1 /dev/zero; echo err >&2; kill -9 $$"
    outcome = record(tmp_path / "x", "sh", "-c", script, input="in", devices=[ZERO])

    assert (outcome.returncode, outcome.stdout) == (137, "in\0")
    assert outcome.stderr.splitlines() == ["err", "devshim: recorded /dev/zero: 3 events, 1 bytes read"]


def test_each_call_is_shown_when_asked_for(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", *READ, devices=[ZERO], options=["-v"])

    shown = [line.split(maxsplit=2)[2] for line in outcome.stderr.splitlines()[:3]]
    assert shown == [
        f"open({ZERO}, O_RDONLY) = 1",
        f'read({ZERO}, "\\x00\\x00\\x00\\x00", 4) = 4',
        f"close({ZERO}) = 0",
    ]


def test_a_trace_tells_what_it_was_made_of(tmp_path: Path) -> None:
    record(tmp_path / "x", *READ, devices=[ZERO])

    header, node, program, *_, end = lines(tmp_path / "x")
    assert header == {
        "format": "devtrace/1",
        "by": header["by"],
        "made": "record",
        "machine": os.uname().machine,
        "word": 8,
        "order": sys.byteorder,
        "program": "head",
    }
    assert node == {"node": ZERO, "rdev": "1:5"} or node["node"] == ZERO
    assert program == {"program": "head", "process": 1}
    assert end == {"end": "finished", "events": 3}


def test_the_command_is_told_only_when_asked_for(tmp_path: Path) -> None:
    record(tmp_path / "x", *READ, devices=[ZERO], options=["--with-command"])

    assert Trace(str(tmp_path / "x")).header.command == list(READ)


def test_two_stable_recordings_of_the_same_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        script = "head -c 9 /dev/zero; echo >/dev/zero"
        record(tmp_path / name, "sh", "-c", script, devices=[ZERO], options=["--stable"])

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_trace_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    command = [*devshim_command(), "record", "-o", str(tmp_path / "x"), "-d", ZERO, *READ]
    subprocess.run(command, env=devshim_environment(), capture_output=True, umask=0o027, check=True, timeout=60)

    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_a_node_may_be_named_by_a_link_and_opened_by_it(tmp_path: Path) -> None:
    folder = Path("/dev/devshim-test-links")
    folder.mkdir(exist_ok=True)
    link = folder / f"by-test-{os.getpid()}"
    link.symlink_to("../zero")
    try:
        record(tmp_path / "x", "head", "-c", "4", str(link), devices=[str(link)])
    finally:
        link.unlink()
        folder.rmdir()

    node = Trace(str(tmp_path / "x"))
    assert {event.node for event in events(tmp_path / "x")} == {ZERO}
    found = {path: content for one in all_nodes(node) for path, content in one.items()}
    assert found[str(link)] == Link("../zero")


def all_nodes(trace: Trace) -> list[dict[str, object]]:
    for _ in trace:
        pass
    return [node.surroundings for node in trace.header.nodes.values()]


def test_a_snapshot_holds_what_sysfs_shows_of_the_node(tmp_path: Path) -> None:
    record(tmp_path / "x", *READ, devices=[ZERO], options=["--snapshot"])

    (around,) = all_nodes(Trace(str(tmp_path / "x")))
    folder = os.path.realpath("/sys/dev/char/1:5")
    assert around["/sys/dev/char/1:5"] == Link(os.readlink("/sys/dev/char/1:5"))
    assert around[f"{folder}/dev"] == b"1:5\n"
    assert around["/sys/class/mem/zero"] == Link(os.readlink("/sys/class/mem/zero"))


def test_a_snapshot_is_taken_of_nodes_that_nobody_opens_and_of_folders_of_sys(tmp_path: Path) -> None:
    folder = os.path.realpath("/sys/class/mem/zero")
    options = ["--snapshot"]
    outcome = record(tmp_path / "x", "true", devices=[ZERO, "/sys/class/mem/null"], options=options)

    assert outcome.returncode == 0, outcome.stderr
    assert f"recorded {ZERO}: no calls, " in outcome.stderr
    nodes = Trace(str(tmp_path / "x"))
    zero, null = all_nodes(nodes)
    assert zero[f"{folder}/dev"] == b"1:5\n"
    assert null[f"{os.path.realpath('/sys/class/mem/null')}/dev"] == b"1:3\n"
    assert null["/sys/class/mem/null"] == Link(os.readlink("/sys/class/mem/null"))

    cat = ["cat", "/sys/class/mem/null/dev", f"{folder}/dev"]
    replayed = run_devshim_verb("replay", tmp_path / "x", "--fail-on-unused", "--", *cat)
    assert (replayed.stdout, replayed.returncode, replayed.stderr) == ("1:3\n1:5\n", 0, "")


def test_a_folder_needs_a_snapshot_and_nothing_else_can_be_recorded_of_it(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", "true", devices=["/sys/class/mem/null"])
    assert (outcome.returncode, (tmp_path / "x").exists()) == (2, False)
    assert "/sys/class/mem/null: this is a folder, of which --snapshot takes down what it shows" in outcome.stderr


def test_a_link_outside_dev_is_told_with_the_way_to_replay_there(tmp_path: Path) -> None:
    (tmp_path / "port").symlink_to(ZERO)
    outcome = record(tmp_path / "x", "head", "-c", "4", tmp_path / "port", devices=[tmp_path / "port"])
    assert (
        f"{tmp_path}/port leads to {ZERO}, as the trace calls it; replay it there with --map {ZERO}=" in outcome.stderr
    )

    head = ["head", "-c", "4", tmp_path / "port"]
    replayed = run_devshim_verb("replay", tmp_path / "x", "--map", f"{ZERO}={tmp_path}/port", "--", *head)
    assert (replayed.stdout, replayed.returncode, replayed.stderr) == ("\0\0\0\0", 0, "")


# ---- What is left of it ---------------------------------------------------------------------------------


def test_where_nothing_is_recorded_an_earlier_trace_stays(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    outcome = record(tmp_path / "x", "true", devices=[ZERO])
    quiet = record(tmp_path / "x", "true", devices=[ZERO], options=["--error-exitcode", "0"])

    assert (outcome.returncode, quiet.returncode) == (1, 0)
    assert "nothing was recorded" in outcome.stderr
    assert (tmp_path / "x").read_text() == "precious"


def test_a_full_disk_ends_the_trace_and_not_the_program(tmp_path: Path) -> None:
    outcome = record(Path("/dev/full"), *READ, devices=[ZERO])

    assert (outcome.returncode, outcome.stdout) == (1, "\0\0\0\0")
    assert outcome.stderr.splitlines() == [
        "devshim: /dev/full: No space left on device; the trace ends here, nothing was recorded"
    ]


# Finds the host: the waiter's other child.
KILLER = """
import os, sys
waiter = os.getppid()
port = os.open("/dev/zero", os.O_RDWR)
os.write(port, b"before")
if sys.argv[1] == "host":
    found = open(f"/proc/{waiter}/task/{waiter}/children").read().split()
    (host,) = [int(pid) for pid in found if int(pid) != os.getpid()]
    os.kill(host, 9)
else:
    os.kill(waiter, 9)
for number in range(1000):
    os.write(port, b"%d" % number)
"""


def test_a_killed_host_loses_nothing_of_the_trace(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", sys.executable, "-c", KILLER, "host", devices=[ZERO])

    written = [event.data for event in events(tmp_path / "x") if event.name == "write"]
    assert written == [b"before", *(b"%d" % number for number in range(1000))]
    assert "was finished with what the programs had left behind" in outcome.stderr
    assert lines(tmp_path / "x")[-1]["end"] == "the recorder was lost"
    assert outcome.returncode == 1


def test_a_killed_command_still_finishes_the_trace(tmp_path: Path) -> None:
    outcome = record(tmp_path / "x", sys.executable, "-c", KILLER, "waiter", devices=[ZERO])
    deadline = time.monotonic() + 60
    while not (tmp_path / "x").exists() or '"end"' not in (tmp_path / "x").read_text():
        assert time.monotonic() < deadline

    assert outcome.returncode == -9
    assert len([name for name, _ in calls(tmp_path / "x") if name == "write"]) == 1001


def test_a_trace_grows_while_the_program_runs(tmp_path: Path) -> None:
    client = """
import os, sys
port = os.open("/dev/zero", os.O_RDWR)
os.write(port, b"seen")
while not os.path.exists(sys.argv[1]) or '"seen"' not in open(sys.argv[1]).read():
    pass
"""
    outcome = record(tmp_path / "x", sys.executable, "-c", client, tmp_path / "x", devices=[ZERO])

    assert outcome.returncode == 0
    assert calls(tmp_path / "x") == [("open", 0), ("write", 4)]


@pytest.mark.client("i2cget", "gpioget", "usbrelay", "stty")
@pytest.mark.parametrize(
    ("device", "command"),
    [
        ("/dev/i2c-1=bme280", ("i2cget", "-y", "1", "0x76", "0xd0")),
        ("/dev/gpiochip0=raspberry_pi4", ("gpioget", "gpiochip0", "3", "4")),
        ("/dev/hidraw0=usb_relay", ("usbrelay",)),
        ("/dev/ttyUSB0=modem", ("stty", "-F", "/dev/ttyUSB0", "-a")),
        ("/dev/ttyUSB0=gps", ("head", "-c", "12", "/dev/ttyUSB0")),
        (ZERO, READ),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_was_recorded_is_replayed_to_the_same_client(
    devshim_verb: Callable[..., Outcome], tmp_path: Path, device: str, command: tuple[str, ...]
) -> None:
    recorded = record(tmp_path / "x", *command, devices=[device])
    replayed = devshim_verb("replay", tmp_path / "x", "--", *command)

    assert recorded.returncode == 0 and recorded.stdout
    assert (replayed.returncode, replayed.stdout) == (0, recorded.stdout), replayed.stderr

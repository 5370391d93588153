"""A transcript of a real client on a real driver, made into a trace and replayed to that client, ends as it did there.

For most of these drivers devshim has no model.  What a case does not hold, and why, stands here.
"""

import re
import shlex
import struct
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

import pytest
from clients import require
from harness import run_devshim_verb
from transcripts import convert

from devshim.trace.convert.strace_values import string
from devshim.trace.format.reader import Trace

TRUTH = Path(__file__).with_name("truth")


def names(archive):
    with tarfile.open(archive) as file:
        return file.getnames()


CASES = sorted(
    f"{archive.name.removesuffix('.tar.xz')}/{name.removesuffix('/cmd')}"
    for archive in TRUTH.glob("*.tar.xz")
    for name in names(archive)
    if name.endswith("/cmd")
)

#: What does not hold, and why.
NOT_HELD = {
    "v4l2/ffmpeg": "it reads the pictures from memory that the driver shares with it (mmap)",
    "v4l2/info-all": "the transcript is cut in its middle: of 40 ioctls nobody knows the memory",
    "v4l2/list-formats": "the transcript is cut in its middle: more than a hundred calls are missing",
    "misc/rngtest": "the transcript is cut: of 5000 random bytes it has 2990",
    "input/evtest-touch": "a signal ended its wait, and it tidied up; a replay sends no signals",
    "lirc/receive": "in the run that strace shows nothing arrived; what was printed is another run's",
    "iio/attr-write": "a driver refused what was written to an attribute; what is around a replay only answers",
    "block/smartctl-scan": "it goes through .. behind links of /sys whose targets the transcript does not tell",
    "hidraw/py-hidraw-enumerate": "what it asks of /sys depends on its library, which is not the one of the transcript",
    "iio/info": "some of the attributes that it reads fail (EACCES, EIO); those around a replayed device answer",
    "input/py-evdev": "strace slowed it down so that timeout(1) ended it: another run than the one that was printed",
    "gpio/py-gpiod2": "it needs version 2.1.3 of PyPI's gpiod; later ones ask in another order",
    "serial/x-miniterm": "what it sends depends on the terminal on which script(1) runs",
}

#: Cases that timeout(1) ended while the client waited for more, as it does here.  How many events came until then
#: differs from run to run, not which.
ENDED_WAITING = {"input/evtest-kbd", "gpio/mon-falling-fmt", "misc/rfkill-event"}

#: Cases whose lines come in the order in which a directory has its entries.
UNORDERED = {"serial/acm-py-serial"}

#: What differs from run to run, or from machine to machine, with the reason; a case has files of several runs.
CLOCK, KERNEL, RANDOM = "the clock", "the machine's kernel", "a random number"
SMARTCTL = [(r"\[x86_64-linux-[^\]]*\]", KERNEL), (r"Local Time is: .*", CLOCK)]
HWCLOCK = [
    (r"System Time: .*", CLOCK),
    (r"Time read from Hardware Clock: .*", CLOCK),
    (r"Hw clock time : .*", CLOCK),
    (r"Time since last adjustment is .*", CLOCK),
    (r"^\d{4}-\d\d-\d\d \d\d:.*$", CLOCK),
    (r"delay since reference time .*|^waiting .*|\d+\.\d+ (?:<|seconds|is).*", CLOCK),
    (r"Setting Hardware Clock to .*", CLOCK),
    (r"RTC type: .*|Using delay: .*|missed it .*|^\d+\.\d+ is close .*", CLOCK),
    (r"Last (?:drift adjustment|calibration) done at .*|Hardware clock is on UTC time|New .*adjtime data:", "its file"),
    (r"Set RTC to .*|^0\.000000 \d+ 0\.000000$|^\d{10}$", CLOCK),
]
SET_ASIDE = {
    "block/smartctl-ata": SMARTCTL,
    "block/smartctl-scsi": SMARTCTL,
    "gpio/mon": [(r"event: +\w+ EDGE", "the level at which the run began"), (r"\[ *\d+\.\d+\]", CLOCK)],
    "input/evtest-kbd": [(r"time \d+\.\d+", CLOCK)],
    "rtc/hwclock-r": HWCLOCK,
    "rtc/hwclock-r2": HWCLOCK,
    "rtc/hwclock-set": HWCLOCK,
    "rtc/hwclock-systohc": HWCLOCK,
    "misc/hwrng": [(r"(?s).+", RANDOM)],
    "misc/rfkill-event": [(r"^\d{4}-\d\d-\d\d \d\d:\d\d:[\d,]+", CLOCK)],
    "tpm/getrandom": [(r"^[0-9a-f]{16}$", RANDOM)],
    "tpm/getrandom-tpm0": [(r"^[0-9a-f]{16}$", RANDOM)],
    "v4l2/ctrls": [(r"value=\d+ (?=flags=inactive, volatile)", "a value that is measured anew each time")],
}

#: What a client writes that is the time of its run, so that no two runs write the same.
SAME = """
def same(recorded, call):
    return True if call.label == "RTC_SET_TIME" else None
"""
#: Where a transcript was cut, what stood there: libblkid reads 256 KiB, of a disk with nothing on it.
MENDED = {"block/blkid": (r"(?:\\x?[0-9a-f]?)?\.\.\.\[256181 more characters\]", '"..., 262144) = 262144')}

#: More options of `devshim replay`, with the reason.
OPTIONS = {
    "rtc/hwclock-set": ["--match", "same.py"],
    "rtc/hwclock-systohc": ["--match", "same.py"],
}

PYTHONS = ("/usr/bin/python3", sys.executable)


@cache
def python_for(script):
    """An interpreter that has what a script imports; the test is skipped where none has."""
    imports = ", ".join(re.findall(r"^import (.*)$", script.read_text(), re.MULTILINE)) or "sys"
    for python in PYTHONS:
        if Path(python).exists():
            found = subprocess.run([python, "-c", f"import {imports}"], capture_output=True, timeout=60, check=False)
            if found.returncode == 0:
                return python
    pytest.skip(f"no python3 has {imports}")


def command(case, folder):
    """The words of a case's command line; files in /tmp are those of the case's folder."""
    words = shlex.split((folder / "cmd").read_text().replace("/tmp/", f"{folder}/"))
    if words[0] == "/usr/bin/python3":
        return [python_for(Path(words[1])), *words[1:]]
    require(words[0])
    if words[0] == "hwclock":
        words += ["--adjfile", str(folder / "adjtime")]  # and leave the machine's own alone
    return ["timeout", "3", *words] if case in ENDED_WAITING else words


def comparable(text, case, folder):
    """Text without what is set aside of a case, as lines where their order means something, else as a set."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace(f"{folder}/", "/tmp/")
    for pattern, _ in SET_ASIDE.get(case, ()):
        text = re.sub(pattern, "…", text, flags=re.MULTILINE)
    lines = text.splitlines()
    if case in ENDED_WAITING:
        return set(lines)
    if case.startswith("rtc/"):
        return [line for line in lines if line != "…"]  # how often it looks for the next second differs, too
    return sorted(lines) if case in UNORDERED else lines


def printed(folder):
    """What the client printed: in the run that strace shows, where it shows that too, else in another one."""
    transcript = (folder / "strace").read_text(errors="surrogateescape")
    shown = re.findall(
        r"^P\d+ write\(1<[^>]*/stdout>, (\"(?:[^\"\\]|\\.)*\"), \d+\) += (\d+)$", transcript, re.MULTILINE
    )
    if shown:
        return b"".join(string(text)[0][: int(count)] for text, count in shown).decode("utf-8", "surrogateescape")
    return (folder / "stdout").read_text(errors="surrogateescape") if (folder / "stdout").exists() else ""


def inputs(case, folder):
    """The files that a client was given, from what it made of them."""
    if case not in ("lirc/send-pulse2", "mtd/write"):
        return
    data = b"".join(event.data for event in Trace(folder / "case.trace") if event.name == "write")
    if case == "mtd/write":
        (folder / "img1").write_bytes(data)
    else:
        words = struct.unpack(f"<{len(data) // 4}I", data)
        lines = [f"{'space' if index % 2 else 'pulse'} {word}" for index, word in enumerate(words)]
        (folder / "pulses").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(request, tmp_path):
    """The files of a case."""
    group, _, name = request.param.partition("/")
    with tarfile.open(TRUTH / f"{group}.tar.xz") as archive:
        wanted = [one for one in archive if one.name.startswith((f"{name}/", "sys-"))]
        archive.extractall(tmp_path, wanted, filter="data")
    return tmp_path / name


@pytest.mark.parametrize("folder", CASES, indirect=True)
def test_a_replayed_transcript_gives_its_output_and_exit_code(folder, request):
    case = request.node.callspec.params["folder"]
    if case in NOT_HELD:
        pytest.xfail(NOT_HELD[case])
    words = command(case, folder)
    if case in MENDED:
        transcript = (folder / "strace").read_text()
        (folder / "strace").write_text(re.sub(*MENDED[case], transcript))
    trace = folder / "case.trace"
    events = convert(folder, trace)
    inputs(case, folder)
    (folder / "same.py").write_text(SAME)
    options = [str(folder / word) if word.endswith(".py") else word for word in OPTIONS.get(case, ())]
    options += [] if events else ["--error-exitcode", "0"]

    outcome = run_devshim_verb("replay", trace, *options, "--", *words, env={"LC_ALL": "C.UTF-8"}, timeout=120)

    assert comparable(outcome.stdout, case, folder) == comparable(printed(folder), case, folder), outcome.stderr
    shown = folder / "strace.rc"  # where running under strace changed it
    assert outcome.returncode == int((shown if shown.exists() else folder / "rc").read_text()), outcome.stderr

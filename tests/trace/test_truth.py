"""A transcript of a real client on a real driver, made into a trace and replayed to that client, ends as it did there.

For most of these drivers devshim has no model.  What a case does not hold, and why, stands here.
"""

import json
import random
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

#: As the transcripts were made: what a program in Python had printed by the time timeout(1) ended it had been written.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}

#: What does not hold, and why; a case that begins to hold is a failure until it is taken out.
NOT_HELD = {"v4l2/ffmpeg": "it reads the pictures from memory that the driver shares with it (mmap)"}

#: Transcripts that lack calls in their middle: the output must be the transcript's as far as so many lines at least.
CUT = {"v4l2/list-formats": 650}

#: Cases of which the file with the memory of ioctls is cut: another one, on the same driver, made the same ones.
BORROWED = {"v4l2/info-all": "v4l2/ctrls"}

#: What a case printed of memory that its transcript does not tell: the arrays behind MEDIA_IOC_G_TOPOLOGY's pointers.
UNTOLD = {"v4l2/info-all": r"Interface Info:\n(?:\t.*\n)+Entity Info:\n(?:\t.*\n)+"}

#: Cases whose printed run went otherwise than the one that strace shows, which is the one that is replayed: what was
#: written there, and on which file.
WRITTEN = {
    "lirc/receive": "/stdout",  # nothing arrived
    "input/py-evdev": "/stdout",  # timeout(1) ended it before a key was pressed
    "serial/x-miniterm": "/dev/pts/0",  # the far end spoke later
}

#: Nodes that a case found in a directory whose listing its transcript leaves out; its output has them.
MORE = {"block/smartctl-scan": ("/dev/nvme0",)}

#: Versions of Python's packages on which it depends what a case asks.
VERSIONS = {"gpio/py-gpiod2": ("gpiod", "2.1.3"), "hidraw/py-hidraw-enumerate": ("hidapi", "0.15.0")}

#: Cases that timeout(1) ended while the client waited for more, as it does here.  How many events came until then
#: differs from run to run, not which.
ENDED_WAITING = {
    "input/evtest-kbd",
    "input/evtest-touch",
    "input/py-evdev",
    "gpio/mon-falling-fmt",
    "lirc/receive",
    "misc/rfkill-event",
}

#: Cases whose lines come in the order in which a directory has its entries.
UNORDERED = {"serial/acm-py-serial", "iio/info"}

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
    "input/evtest-touch": [(r"time \d+\.\d+", CLOCK)],
    "iio/info": [(r"Linux \S+ \d+\.\d.*|local,kernel: .*", KERNEL)],
    "rtc/hwclock-r": HWCLOCK,
    "rtc/hwclock-r2": HWCLOCK,
    "rtc/hwclock-set": HWCLOCK,
    "rtc/hwclock-systohc": HWCLOCK,
    "misc/hwrng": [(r"(?s).+", RANDOM)],
    "misc/rfkill-event": [(r"^\d{4}-\d\d-\d\d \d\d:\d\d:[\d,]+", CLOCK)],
    "tpm/getrandom": [(r"^[0-9a-f]{16}$", RANDOM)],
    "tpm/getrandom-tpm0": [(r"^[0-9a-f]{16}$", RANDOM)],
    "v4l2/info-all": [(r"value=\d+ (?=flags=inactive, volatile)", "a value that is measured anew each time")],
    "v4l2/ctrls": [(r"value=\d+ (?=flags=inactive, volatile)", "a value that is measured anew each time")],
}

#: What a client writes that is the time of its run, so that no two runs write the same.
SAME = """
def same(recorded, call):
    return True if call.label == "RTC_SET_TIME" else None
"""
#: Where a transcript was cut, what stood there: libblkid reads 256 KiB, of a disk with nothing on it; rngtest wants
#: random bytes, and any will do.
NOISE = "".join(f"\\x{byte:02x}" for byte in random.Random(1).randbytes(2500))
MENDED = {
    "block/blkid": (r"(?:\\x?[0-9a-f]?)?\.\.\.\[256181 more characters\]", '"..., 262144) = 262144'),
    "misc/rngtest": (r'"[\\x0-9a-f]*\.\.\.\[403\d more characters\]', lambda found: f'"{NOISE}", 2500) = 2500'),
}

#: More options of `devshim replay`, with the reason.
OPTIONS = {
    "rtc/hwclock-set": ["--match", "same.py"],
    "rtc/hwclock-systohc": ["--match", "same.py"],
}

PYTHONS = ("/usr/bin/python3", sys.executable)


#: Where `make clients` puts packages of which a test needs a version that is not the newest.
PACKAGES = Path(__file__).parents[2] / ".cache/packages"


def python_for(script, case):
    """The words that start an interpreter which has what a script imports; the test is skipped where none has."""
    names = re.findall(r"^(?:import|from) ([\w., ]+?)(?: import .*)?$", script.read_text(), re.MULTILINE)
    imports = ", ".join(names) or "sys"
    package, version = VERSIONS.get(case, ("", ""))
    found = starting_python(imports, package, version)
    if not found:
        pytest.skip(f"no python3 has {imports}{package and f', {package} {version}: make clients'}")
    return found


@cache
def starting_python(imports, package, version):
    """The words that start an interpreter that can import something, of one version; none where there is none."""
    check = f"; from importlib.metadata import version as v; assert v({package!r}) == {version!r}" if package else ""
    here = PACKAGES / f"{package}-{version}"
    starts = [[python] for python in PYTHONS]
    starts += [["env", f"PYTHONPATH={here}", sys.executable]] if package and here.exists() else []
    for words in starts:
        if Path(words[-1]).exists():
            tried = subprocess.run([*words, "-c", f"import {imports}{check}"], capture_output=True, check=False)
            if tried.returncode == 0:
                return words
    return []


def command(case, folder):
    """The words of a case's command line; files in /tmp are those of the case's folder."""
    text = (folder / "cmd").read_text().replace("/tmp/", f"{folder}/").replace("python3 -m", f"{sys.executable} -m")
    words = shlex.split(text)
    if "script -q" in text:  # it ends the input of what it runs as soon as its own ends, before or after that is ready
        words[-1] = f"exec 0< <(exec sleep 12 2>/dev/null); {words[-1]}".replace("timeout 6", "timeout 10")
    if words[0] == "/usr/bin/python3":
        words = [*python_for(Path(words[1]), case), *words[1:]]
    else:
        require(words[0])
    if words[0] == "hwclock":
        words += ["--adjfile", str(folder / "adjtime")]  # and leave the machine's own alone
    return (
        [sys.executable, str(Path(__file__).with_name("until_it_waits.py")), *words] if case in ENDED_WAITING else words
    )


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


def printed(folder, case):
    """What the client printed: in the run that strace shows, where it shows that too, else in another one."""
    transcript = (folder / "strace").read_text(errors="surrogateescape")
    where = WRITTEN.get(case, "/stdout")
    shown = re.findall(rf'^P\d+ write\([12]<[^>]*{where}>, ("(?:[^"\\]|\\.)*"), (\d+)', transcript, re.MULTILINE)
    if shown or case in WRITTEN:
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


def borrow(folder, other):
    """Put what a file with the memory of ioctls left out in its place, as another case on the same driver has it."""
    own = (folder / "ioctl.jsonl").read_text().splitlines()
    theirs = [line for line in (other / "ioctl.jsonl").read_text().splitlines() if not line.startswith("#")]
    gap = next(index for index, line in enumerate(own) if line.startswith("##"))
    asked = [asks(line) for line in theirs]
    start = asked.index(asks(own[gap - 1])) + 1
    own[gap : gap + 1] = theirs[start : asked.index(asks(own[gap + 1]), start)]
    (folder / "ioctl.jsonl").write_text("\n".join(own) + "\n")


def asks(line):
    """What an ioctl asks: its number, its argument but for pointers, and what these lead to."""
    entry = json.loads(line)
    return entry["req"], entry["in"][:16], [one["hex"] for one in entry.get("nested_in", ())]


def held(outcome, case, folder):
    """Whether a replay printed what the transcript has, and ended as that does."""
    told = re.sub(UNTOLD.get(case, "$^"), "", printed(folder, case))
    expected, found = comparable(told, case, folder), comparable(outcome.stdout, case, folder)
    if case in CUT:
        assert len(found) >= CUT[case], outcome.stderr
        assert found == expected[: len(found)], outcome.stderr
        return
    assert found == expected, outcome.stderr
    shown = folder / "strace.rc"  # where running under strace changed it
    assert outcome.returncode == int((shown if shown.exists() else folder / "rc").read_text()), outcome.stderr


@pytest.fixture
def folder(request, tmp_path):
    """The files of a case, and of the one that it borrows from."""
    group, _, name = request.param.partition("/")
    names = (f"{name}/", "sys-", f"{BORROWED.get(request.param, request.param).partition('/')[2]}/")
    with tarfile.open(TRUTH / f"{group}.tar.xz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
        archive.extractall(tmp_path, [one for one in archive if one.name.startswith(names)])
    return tmp_path / name


@pytest.mark.parametrize("folder", CASES, indirect=True)
def test_a_replayed_transcript_gives_its_output_and_exit_code(folder, request):
    case = request.node.callspec.params["folder"]
    if case in NOT_HELD:
        request.applymarker(pytest.mark.xfail(reason=NOT_HELD[case], strict=True))
    words = command(case, folder)
    if case in MENDED:
        transcript = (folder / "strace").read_text()
        (folder / "strace").write_text(re.sub(*MENDED[case], transcript))
    if case in BORROWED:
        borrow(folder, folder.with_name(BORROWED[case].partition("/")[2]))
    trace = folder / "case.trace"
    events = convert(folder, trace, MORE.get(case, ()))
    inputs(case, folder)
    (folder / "same.py").write_text(SAME)
    options = [str(folder / word) if word.endswith(".py") else word for word in OPTIONS.get(case, ())]
    options += [] if events and case not in UNTOLD else ["--error-exitcode", "0"]

    outcome = run_devshim_verb("replay", trace, *options, "--", *words, env=ENVIRONMENT, timeout=120)

    held(outcome, case, folder)

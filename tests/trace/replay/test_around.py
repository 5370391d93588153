"""What is around a replayed node: files of /sys that fail, refuse or take what is written, as they did."""

import sys

from harness import run_devshim_verb

from devshim.trace.event import Header, Node, SysFile
from devshim.trace.format.writer import Writer

FOLDER = "/sys/devices/platform/thing.0"
PROGRAM = f"""
import errno, os
def failing(what, *args):
    try: return what(*args)
    except OSError as problem: return errno.errorcode[problem.errno]
def write(name, data):
    fd = os.open("{FOLDER}/" + name, os.O_WRONLY)
    try: return os.write(fd, data)
    finally: os.close(fd)
def read(name): return open("{FOLDER}/" + name).read()
"""


def replay(tmp_path, around, program, kind="sysfs"):
    path = FOLDER if kind == "sysfs" else "/dev/thing0"
    files = {f"{FOLDER}/{name}": content for name, content in around.items()}
    writer = Writer(str(tmp_path / "a.trace"), Header(nodes={path: Node(path, kind, surroundings=files)}))
    writer.end()
    (tmp_path / "program.py").write_text(PROGRAM + program)
    return run_devshim_verb("replay", tmp_path / "a.trace", "--", sys.executable, tmp_path / "program.py")


def test_reads_and_opens_fail_as_they_did(tmp_path):
    around = {"delay": SysFile(failure="EIO", mode=0o644), "export": SysFile(mode=0o200), "name": b"thing\n"}
    outcome = replay(
        tmp_path, around, 'print(failing(read, "delay"), failing(read, "export"), read("name"), write("export", b"1"))'
    )
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("EIO EACCES thing\n 1\n", 0, "")


def test_what_was_refused_is_refused_again_and_all_else_is_taken_and_shown(tmp_path):
    around = {"scale": SysFile(b"1\n", 0o644, "", {b"0": "ERANGE", b"2": ""})}
    outcome = replay(
        tmp_path, around, 'print(failing(write, "scale", b"0"), read("scale"), write("scale", b"7"), read("scale"))'
    )
    assert (outcome.stdout, outcome.returncode) == ("ERANGE 1\n 1 7\n\n", 0)


def test_a_recording_of_files_of_sys_alone_has_nothing_that_could_be_left_unused(tmp_path):
    assert replay(tmp_path, {"name": b"thing\n"}, 'print(read("name"), end="")').stdout == "thing\n"
    outcome = replay(tmp_path, {"name": b"thing\n"}, "", kind="char")
    assert (outcome.returncode, outcome.stderr) == (0, "")

"""Attributes: files of /sys that compute when read and act when written, with sysfs's own manners."""

import errno
import sys
from textwrap import dedent

import pytest
from harness import run_devshim

from devshim import Attribute, Device, Hwmon, Setting, attribute

MODEL = """
from devshim import Attribute, Device, Link

HERE = "/sys/devices/platform/lamp.0/lamps/lamp0"


class Lamp(Device):
    level: int = 3
    reads = 0

    def surroundings(self, node, major, minor):
        return {
            f"{HERE}/level": Attribute(lambda: self.level, self.set_level),
            f"{HERE}/reads": Attribute(self.count),
            f"{HERE}/secret": Attribute(None, self.set_level),
            f"{HERE}/odd": Attribute(None, None, 0o644),
            f"{HERE}/gone": Attribute(self.fail),
            f"{HERE}/long": Attribute(lambda: "x" * 3000),
            f"{HERE}/fixed": b"always\\n",
            f"{HERE}/uevent": b"LAMP=1\\n",
            f"{HERE}/subsystem": Link("../../../../../class/lamps"),
            "/sys/class/lamps/lamp0": Link("../../devices/platform/lamp.0/lamps/lamp0"),
        }

    def count(self):
        self.reads += 1
        return self.reads

    def set_level(self, data):
        if data == b"all\\n":
            return 2
        self.level = int(data)

    def fail(self):
        raise OSError(6, "not there")
"""


@pytest.fixture(scope="module")
def lamp(tmp_path_factory):
    """Return run(*program): its outcome where /sys/class/lamps/lamp0 is the working directory."""
    model = tmp_path_factory.mktemp("lamp") / "lamp.py"
    model.write_text(MODEL)

    def run(*program):
        words = ["sh", "-c", 'cd /sys/class/lamps/lamp0 && exec "$@"', "sh", *program]
        return run_devshim(*words, devices=[f"/dev/lamp0={model}:Lamp"])

    return run


def python(lamp, text):
    outcome = lamp(sys.executable, "-c", "import errno, os, stat\n" + dedent(text))
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def test_shells_read_and_write_them(lamp):
    script = "cat level; echo 7 > level; cat level; echo 8 >> level; read x < level; echo $x; cat fixed"

    outcome = lamp("sh", "-c", script)

    assert outcome.stdout == "3\n7\n8\nalways\n"
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.client("find", "xargs")
def test_tools_that_walk_find_them(lamp):
    outcome = lamp("sh", "-c", "grep -rl 3 /sys/class/lamps/lamp0/level .; find . -type f | sort; ls -l | wc -l")

    assert outcome.stdout.splitlines() == [
        "/sys/class/lamps/lamp0/level", "./level",
        "./fixed", "./gone", "./level", "./long", "./odd", "./reads", "./secret", "./uevent", "10",
    ]  # fmt: skip


def test_they_look_as_in_sysfs(lamp):
    lines = python(
        lamp,
        """
        for name in ("level", "reads", "secret"):
            status = os.stat(name)
            print(name, status.st_size, stat.filemode(status.st_mode), status.st_rdev)
        with open("level") as file:
            print(os.path.samestat(os.fstat(file.fileno()), os.stat("level")))
            print(os.readlink(f"/proc/self/fd/{file.fileno()}") == os.path.realpath("level"), os.path.realpath("level"))
        os.truncate("level", 0)
        print(os.stat("level").st_size)
        """,
    )

    assert lines == [
        "level 4096 -rw-r--r-- 0", "reads 4096 -r--r--r-- 0", "secret 4096 --w------- 0",
        "True", "True /sys/devices/platform/lamp.0/lamps/lamp0/level", "4096",
    ]  # fmt: skip


def test_a_read_from_the_start_computes_anew_and_others_go_on(lamp):
    lines = python(
        lamp,
        """
        fd = os.open("reads", os.O_RDONLY)
        print(os.read(fd, 100), os.read(fd, 100))
        os.lseek(fd, 0, os.SEEK_SET)
        print(os.read(fd, 100), os.pread(fd, 100, 0), os.lseek(fd, 0, os.SEEK_END))
        fd = os.open("long", os.O_RDONLY)
        print(len(os.read(fd, 2000)), len(os.read(fd, 2000)), len(os.read(fd, 2000)), len(os.pread(fd, 10, 2995)))
        """,
    )

    assert lines == ["b'1\\n' b''", "b'2\\n' b'3\\n' 4096", "2000 1001 0 6"]


def test_each_write_is_one_value_wherever_the_position_is(lamp):
    lines = python(
        lamp,
        """
        fd = os.open("level", os.O_RDWR | os.O_TRUNC | os.O_CREAT)
        print(os.write(fd, b"5"), os.write(fd, b"66"), os.pwrite(fd, b"77", 3), os.write(fd, b""))
        print(os.write(fd, b"all\\n"), os.lseek(fd, 0, os.SEEK_CUR), os.pread(fd, 9, 0))
        os.ftruncate(fd, 0)
        print(os.write(fd, b"1" + b"\\n" * 5000))
        """,
    )

    assert lines == ["1 2 2 0", "2 5 b'77\\n'", "4096"]


def test_what_cannot_be_is_refused_as_the_kernel_does_it(lamp):
    lines = python(
        lamp,
        """
        def errno_of(call, *arguments):
            try:
                return call(*arguments)
            except OSError as problem:
                return errno.errorcode[problem.errno]
        def write(name, data):
            with open(name, "wb", 0) as file:
                return file.write(data)
        print(errno_of(open, "secret"), errno_of(write, "reads", b"1"), errno_of(write, "fixed", b"1"))
        print(errno_of(write, "level", b"x"), errno_of(open("odd").read), errno_of(write, "odd", b"1"))
        print(errno_of(open("gone").read), errno_of(os.mkdir, "level"), errno_of(write, "new", b"1"))
        print(errno_of(os.listdir, "level"), errno_of(open, "level/x"))
        """,
    )

    assert lines == ["EACCES EACCES EACCES", "EINVAL EIO EIO", "ENXIO EEXIST EACCES", "ENOTDIR ENOTDIR"]


def test_a_uevent_file_is_read_at_once_and_takes_actions(lamp):
    outcome = lamp(
        "bash", "-c", "cat uevent; echo change > uevent && echo done; echo nonsense > uevent || echo refused"
    )

    assert outcome.stdout == "LAMP=1\ndone\nrefused\n"


def test_a_model_that_fails_is_named_and_the_program_gets_eio(tmp_path):
    model = tmp_path / "bad.py"
    model.write_text(
        "from devshim import Led, attribute\nclass Bad(Led):\n    @attribute\n    def wrong(self): return None\n"
    )

    outcome = run_devshim("cat", "/sys/class/leds/bad/wrong", devices=[f"/sys/class/leds/bad={model}"])

    assert "Input/output error" in outcome.stderr
    assert "Bad at /sys/class/leds/bad failed in read(" in outcome.stderr
    assert "must return text, a number or bytes" in outcome.stderr


# ---- What a class declares


class Board(Hwmon):
    """Some of each."""

    rpm: int = 900
    heard = ()

    fan1_min = Setting(500, 0, 5000)
    pwm1 = Setting(255, 0, 255, clamp=True)
    mode = Setting("auto", choices=("auto", "manual"), file="fan1_mode")

    @attribute
    def fan1_input(self):
        return self.rpm

    @attribute("fan1_target", mode=0o600)
    def target(self):
        return f"{self.rpm}"

    @target.written
    def set_target(self, text):
        self.rpm = int(text)

    @pwm1.written
    def note(self):
        self.heard = (*self.heard, self.pwm1)


def errno_of(call, *arguments):
    try:
        call(*arguments)
    except OSError as problem:
        return problem.errno
    return 0


def files_of(board):
    around = board.surroundings("/sys/class/hwmon/hwmon3", 0, 0)
    here = f"/sys/devices/platform/{type(board).__name__.lower()}.3/hwmon/hwmon3/"
    return {path.removeprefix(here): content for path, content in around.items() if path.startswith(here)}


def test_settings_are_read_back_and_checked():
    board = Board()
    files = files_of(board)

    files["fan1_min"].take(b"800\n")
    files["pwm1"].take(b"999\n")
    files["fan1_mode"].take(b"manual\n")

    assert (board.fan1_min, board.pwm1, board.mode, board.heard) == (800, 255, "manual", (255,))
    assert files["fan1_min"].content() == b"800\n"
    for name, text in (("fan1_min", b"5001"), ("fan1_min", b"x"), ("fan1_min", b"1_0"), ("fan1_mode", b"off")):
        assert errno_of(files[name].take, text) == errno.EINVAL


def test_a_computed_file_is_a_property_and_may_be_written():
    board = Board(rpm=1200)
    files = files_of(board)

    files["fan1_target"].take(b"700")

    assert (board.fan1_input, files["fan1_input"].content(), files["fan1_target"].mode) == (700, b"700\n", 0o600)
    assert files["fan1_input"].store is None
    with pytest.raises(AttributeError, match="fan1_input is computed"):
        board.fan1_input = 3


def test_a_derived_class_overrides_what_is_shown():
    class Louder(Board):
        @attribute
        def fan1_input(self):
            return 2 * self.rpm

    assert files_of(Louder())["fan1_input"].content() == b"1800\n"


def test_a_device_of_a_class_is_plugged_at_its_entry_there():
    with pytest.raises(ValueError, match="a Board is plugged at /sys/class/hwmon/NAME"):
        Board().surroundings("/dev/hwmon0", 0, 0)


def test_what_is_shown_is_brought_to_bytes():
    assert [Attribute(lambda value=value: value).content() for value in (1, True, "a", "b\n", b"\0")] == [
        b"1\n", b"1\n", b"a\n", b"b\n", b"\0",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="shows less than 4096 bytes, this one 4096"):
        Attribute(lambda: b"x" * 4096).content()


def test_numbers_that_are_too_large_are_erange():
    def store(data):
        raise OverflowError

    assert errno_of(Attribute(None, store).take, b"1") == errno.ERANGE


def test_a_device_without_attributes_needs_none():
    assert Device().surroundings("/dev/x", 0, 0) == {}

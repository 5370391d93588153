"""Whatever a user gets wrong is one line on stderr, with the place and the way out, and the right exit code."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from harness import ROOT, devshim_command, devshim_environment, run, run_devshim, run_devshim_verb

BOX = """
from devshim import Device

class Box(Device):
    size: int = 3
    share: float = 0.5
    names: list[str] = []
    on: bool = False

    def read(self, size):
        return b"box\\n"[:size]
"""

MODELS = {
    "box.py": BOX,
    "two.py": BOX + "class Other(Device): ...\nclass Third(Device): ...\n",
    "syntax.py": "from devshim import Device\n\nclass Box(Device)\n    pass\n",
    "imports.py": "import no_such_module\n",
    "renamed.py": "from devshim import Devcie\n",
    "divides.py": "from devshim import Device\n\nclass Box(Device):\n    size: int = 1 / 0\n",
    "leaves.py": "import sys\n\nsys.exit(3)\n",
    "plain.py": "size = 3\n",
    "hides.py": (
        "from devshim import I2cChip, Register\n\nclass Chip(I2cChip):\n    address = 0x20\n    plugged = Register(0)\n"
    ),
    "takes.py": "from devshim import Device\n\nclass Box(Device):\n    wake: int = 3\n",
    "handler.py": "from devshim import *\n\nclass Box(Device):\n    @ioctl(IO('T', 1))\n    def go(self, x): ...\n",
    "setup.py": "from devshim import Device\n\nclass Box(Device):\n    def setup(self): raise ValueError('no money')\n",
    "plugged.py": "from devshim import Device\n\nclass Box(Device):\n    def plugged(self): raise SystemExit('full')\n",
    "binary.py": "\0",
    "asks.py": "from devshim import *\n\nclass Box(Serial):\n    @command('VOLT?')\n    def volt(self): ...\n",
    "star.py": "from devshim import *\n\nclass Box(Serial):\n    @command('*IDN?')\n    def idn(self): ...\n",
}

NOT_THERE = "/dev/devshim-test"
"""A node that no machine has."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with models that are wrong, each in its way."""
    for name, text in MODELS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path is short enough for a socket's."""
    with tempfile.TemporaryDirectory(prefix="bad-", dir="/tmp") as path:
        yield Path(path)


def said(words: Sequence[str], folder: Path, code: int) -> str:
    """Run `devshim run WORDS…`, which must fail with the code and one line; return the line without "devshim: "."""
    result = run_devshim_verb("run", *words, cwd=folder)

    assert result.stdout == ""
    assert re.fullmatch(r"devshim: [^\n]+\n", result.stderr), result.stderr
    assert result.returncode == code
    return result.stderr.removeprefix("devshim: ").rstrip("\n")


class TestModel:
    """What stands behind NODE=."""

    @pytest.mark.parametrize(
        ("model", "line"),
        [
            ("missing.py", "missing.py: no such file"),
            ("bux.py", 'bux.py: no such file; did you mean "box.py"?'),
            ("box", 'no model "box"; did you mean "box.py"?'),
            ("tmp12", 'no model "tmp12"; did you mean "tmp102"?'),
            ("/tmp", "/tmp is a folder, not a model's file"),
            ("box.py:Bax", "box.py has no class Bax; did you mean Box?"),
            ("two.py", "two.py has several devices: Box, Other, Third; write two.py:Box"),
            ("nosuch:Box", 'no module named "nosuch"'),
            ("devshim:Register", "devshim:Register is no device: it is not derived from Device, Serial, I2cChip, ..."),
            ("syntax.py", "syntax.py:3: expected ':'"),
            ("imports.py", "imports.py:1: ModuleNotFoundError: No module named 'no_such_module'"),
            ("divides.py", "divides.py:4: ZeroDivisionError: division by zero"),
            ("leaves.py", "leaves.py:3: SystemExit: 3"),
            ("binary.py", "binary.py: source code string cannot contain null bytes"),
            (
                "plain.py",
                "plain.py defines no device: a class that is derived from Device, Serial, I2cChip, ...",
            ),
            ("hides.py", "hides.py:3: Chip.plugged: this Register would hide Part.plugged(); choose another name"),
            ("takes.py", "takes.py:3: Box.wake: this int would hide Device.wake(); choose another name"),
            ("box.py,siez=1", 'Box has no parameter "siez"; did you mean "size"?'),
            ("box.py,size=ten", "Box: size='ten' is not int: expected a whole number, such as 10 or 0x48"),
            ("box.py,share=half", "Box: share='half' is not float: expected a number, such as 10 or 2.5"),
            ("box.py,on=perhaps", "Box: on='perhaps' is not bool: expected true or false"),
            ("box.py,names=a", "Box: names=a is no list; write it as names=[1,2]"),
            ("box.py,size", '"size" is no param=value; put a value with commas into quotes'),
            ("box.py,size=1,size=2", 'parameter "size" is set twice'),
            ("tmp102,address=400", "Tmp102: 0x190 is no address of 7 bits; set address="),
        ],
    )
    def test_that_cannot_be_had_is_named_with_the_spec(self, folder: Path, model: str, line: str) -> None:
        spec = f"{NOT_THERE}={model}"

        told = said(["-d", spec, "--", "true"], folder, 2)
        assert told.replace("ValueError: source", "source") == f"{spec}: {line}"  # a SyntaxError from 3.11.4 on

    @pytest.mark.parametrize(
        ("model", "words"),
        [
            ("renamed.py", "renamed.py:1: ImportError: cannot import name 'Devcie' from 'devshim'"),
            ("handler.py", "Box.go(self, x) must take (self) for go: nothing comes with the request"),
            ("setup.py", "setup.py:4: ValueError: no money"),
            (
                "asks.py",
                'asks.py:4: @command("VOLT?"): this "?" makes the T optional; for a question mark write r"VOLT\\?"',
            ),
            ("star.py", 'star.py:4: @command("*IDN?"): no regular expression'),
            ("star.py", 'for that very line write r"\\*IDN\\?"'),
            ("plugged.py", "plugged.py:4: SystemExit: full"),
            ("nosuch", 'no model "nosuch"; a model is a pyserial URL, file.py'),
            ("no://such", "ValueError: invalid URL, protocol 'no' not known"),
        ],
    )
    def test_that_fails_is_told_in_its_own_words(self, folder: Path, model: str, words: str) -> None:
        assert words in said(["-d", f"{NOT_THERE}={model}", "--", "true"], folder, 2)

    def test_and_program_wrong_tells_of_the_program_which_costs_nothing_to_see(self, folder: Path) -> None:
        assert said(["-d", f"{NOT_THERE}=missing.py", "--", "./nosuch"], folder, 127) == "./nosuch: no such program"


class TestNode:
    """What stands before =."""

    @pytest.mark.parametrize(
        ("spec", "line"),
        [
            ("", "an empty text is no device; write NODE=MODEL, such as /dev/ttyUSB0=gps"),
            ("tmp102", "tmp102: no node; write NODE=MODEL, such as /dev/NAME=tmp102"),
            ("/dev/x", "/dev/x: no model; write NODE=MODEL, such as /dev/x=MODEL"),
            ("/dev/x=", "/dev/x=: no model after /dev/x=; `devshim devices` lists some"),
            ("x=gps", 'x=gps: "x" is no node; it must be an absolute path, such as /dev/ttyUSB0'),
            ("/dev/=gps", "/dev/=gps: /dev is a folder; plug the device at a path in it, such as /dev/ttyUSB0"),
            ("/dev/null/x=gps", "/dev/null/x: /dev/null is not a directory"),
            (
                "/dev/fd/3=gps",
                "/dev/fd/3=gps: /dev/fd/3 is another file in each process; plug the device at a path of its own",
            ),
            (
                f"/dev/{'x' * 300}=gps",
                f"/dev/{'x' * 35}...: this node's path is too long; 1023 bytes in all and 255 in a name",
            ),
            (
                f"/dev/{'x/' * 3000}=gps",
                f"/dev{'/x' * 18}...: this node's path is too long; 1023 bytes in all and 255 in a name",
            ),
        ],
        ids=lambda text: text[:20],
    )
    def test_that_cannot_be_one_is_told_with_the_way_out(self, folder: Path, spec: str, line: str) -> None:
        assert said(["-d", spec, "--", "true"], folder, 2) == line

    @pytest.mark.parametrize(
        ("specs", "line"),
        [
            ((f"{NOT_THERE}=gps", f"{NOT_THERE}=modem"), "has a device already"),
            ((f"{NOT_THERE}=gps", f"{NOT_THERE}=tmp102"), "Tmp102 joins an I2C bus, but a Gps is plugged there"),
            ((f"{NOT_THERE}=tmp102", f"{NOT_THERE}=tmp102"), "two chips at 0x48: Tmp102 and Tmp102"),
            ((f"{NOT_THERE}=gps", f"{NOT_THERE}/b=gps"), f"{NOT_THERE} is plugged itself, and no directory"),
            (
                (f"{NOT_THERE}/b=gps", f"{NOT_THERE}=gps"),
                "is a directory of this run: other nodes are plugged below it",
            ),
        ],
    )
    def test_of_two_devices_is_told_with_both(self, folder: Path, specs: tuple[str, ...], line: str) -> None:
        assert line in said([word for spec in specs for word in ("-d", spec)] + ["--", "true"], folder, 2)

    def test_may_have_any_letters_that_a_path_may_have(self, folder: Path) -> None:
        node = "/dev/a b\nü"

        assert run_devshim("head", "-n", "1", node, devices=[f"{node}=box.py"], cwd=folder).stdout == "box\n"


class TestConfig:
    """devshim.yml: file:line:column."""

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", ": it is empty; it begins with version: 1"),
            ("versoin: 1\n", ':1:1: unknown key "versoin"; did you mean "version"?'),
            ("version: 2\n", ':1:10: "version" is 2, but must be 1'),
            ('version: "1"\n', ':1:10: "version" is "1", but must be 1, without quotes'),
            ("version: 1\ndevice: []\n", ':2:1: unknown key "device"; did you mean "devices"?'),
            (
                "version: 1\ndevices: [{path: /dev/x, modle: gps}]\n",
                ':2:26: unknown key "modle"; did you mean "model"?',
            ),
            ("version: 1\ndevices: [{path: /dev/x}]\n", ':2:11: "model" is missing in devices[0]'),
            ("version: 1\ndevices: {path: /dev/x}\n", ':2:10: "devices" must be a list, not a mapping'),
            ("version: 1\ndevices: [{path: /dev/x, model: gsp}]\n", ':2:33: no model "gsp"; did you mean "gps"?'),
            (
                "version: 1\ndevices: [{path: /dev/x, model: gps, with: {latitude: north}}]\n",
                ":2:33: Gps: latitude='north' is not float: expected a number, such as 10 or 2.5",
            ),
            (
                'version: 1\ndevices: [{path: "/dev/\\0", model: gps}]\n',
                ':2:18: "/dev/\\x00" is no node; it must be an absolute path, such as /dev/ttyUSB0',
            ),
            ("version: 1\nonly_plugged: yes\n", ':2:15: "only_plugged" must be true or false, not "yes"'),
            (
                "version: 1\ndeny: [video*]\n",
                ':2:8: "video*": video* matches nothing below /dev/, and other files are never refused; '
                "did you mean /dev/video*?",
            ),
            (
                "version: 1\ndeny: /dev/sda=EPREM\n",
                ":2:7: \"/dev/sda=EPREM\": 'EPREM' is no errno; did you mean EPERM?",
            ),
            ("version: 1\nversion: 1\n", ':2:1: "version" stands here twice; first at devshim.yml:1:1'),
            ("!!python/none\n", ":1:1: tags are not allowed: tag:yaml.org,2002:python/none"),
            ("a: &b [*b]\n", ":1:4: an alias that contains itself"),
        ],
    )
    def test_that_is_wrong_is_told_with_its_place(self, folder: Path, text: str, line: str) -> None:
        (folder / "devshim.yml").write_text(text)

        assert said(["-c", "devshim.yml", "--", "true"], folder, 2) == f"devshim.yml{line}"

    def test_that_is_no_yaml_is_told_with_its_place(self, folder: Path) -> None:
        (folder / "devshim.yml").write_text("version: 1\ndevices: [\n")

        assert said(["-c", "devshim.yml", "--", "true"], folder, 2).startswith("devshim.yml:3:1: ")

    @pytest.mark.parametrize(
        ("file", "line"),
        [
            ("missing.yml", "missing.yml: No such file or directory"),
            ("/tmp", "/tmp: Is a directory"),
            ("/proc/self/mem", "/proc/self/mem: Input/output error"),
        ],
    )
    def test_that_cannot_be_read_is_named(self, folder: Path, file: str, line: str) -> None:
        assert said(["-c", file, "--", "true"], folder, 2) == line

    @pytest.mark.client("setpriv")
    def test_that_may_not_be_read_is_named(self, folder: Path) -> None:
        (folder / "devshim.yml").touch(0)
        unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

        result = run(
            [*unprivileged, *devshim_command(), "run", "-c", "devshim.yml", "--", "true"],
            env=devshim_environment(),
            cwd=folder,
        )

        assert (result.returncode, result.stderr) == (2, "devshim: devshim.yml: Permission denied\n")


class TestOptions:
    """The other options' values."""

    @pytest.mark.parametrize(
        ("words", "code", "line"),
        [
            (["--log", "/nosuch/log"], 125, "/nosuch/log: No such file or directory"),
            (["--log", "/tmp"], 125, "/tmp: Is a directory"),
            (["--deny", "ttyS*"], 2, "--deny ttyS*: ttyS* matches nothing below /dev/"),
            (["--deny", "/etc/passwd"], 2, "--deny /etc/passwd: /etc/passwd matches nothing below /dev/"),
            (["--deny", "=EIO"], 2, "--deny =EIO: no pattern; write GLOB or GLOB=ERRNO"),
            (["--deny", ""], 2, "--deny '': no pattern; write GLOB or GLOB=ERRNO"),
            (["--describe", "missing.h"], 2, "--describe missing.h: no such file or directory"),
            (["--describe", "plain.py"], 2, "--describe plain.py: it describes no ioctl; it needs _IO macros"),
            (["--describe", "syntax.py"], 2, "--describe syntax.py:3: expected ':'"),
            (["--describe", "."], 2, "--describe .: it must be a .py or a .h file"),
        ],
    )
    def test_that_are_wrong_are_told_with_the_option(
        self, folder: Path, words: list[str], code: int, line: str
    ) -> None:
        assert said([*words, "--", "true"], folder, code).startswith(line)


class TestProgram:
    """What is to be run."""

    @pytest.mark.parametrize(
        ("program", "code", "line"),
        [
            ("", 127, "the program's name is empty"),
            ("no-such-program", 127, "no-such-program: no such program on $PATH"),
            ("tool", 127, "tool: no such program on $PATH; there is one in this directory: ./tool"),
            (
                "grams=8",
                127,
                "grams=8: no such program on $PATH; a parameter follows its model after a comma: -d NODE=MODEL,grams=8",
            ),
            ("LANG=C", 127, "LANG=C: no such program on $PATH; to set a variable: env LANG=C PROGRAM"),
            ("./nosuch", 127, "./nosuch: no such program"),
            ("./box.py", 126, "./box.py: may not be executed (chmod +x?)"),
            ("/tmp", 126, "/tmp: is a directory"),
            ("./foreign", 126, "./foreign: this machine cannot run it; devshim doctor ./foreign says more"),
            (
                "./lost",
                127,
                "./lost: its interpreter, named in its first line or in its ELF header, is missing",
            ),
        ],
    )
    def test_that_cannot_be_started_has_the_shells_exit_code(
        self, folder: Path, program: str, code: int, line: str
    ) -> None:
        for name, content in {
            "tool": b"echo hi\n",
            "lost": b"#!/no/such/interpreter\n",
            "foreign": b"\x7fELF...",
        }.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o755)

        assert said(["--", program], folder, code) == line


class TestSurroundings:
    """Where devshim itself lacks something."""

    @pytest.mark.parametrize("place", ["/proc", "/dev/null"])
    def test_a_place_that_takes_no_directory_of_the_run_has_exit_code_125(self, place: str) -> None:
        result = run_devshim("true", env={"TMPDIR": place})

        assert result.returncode == 125
        assert re.fullmatch(
            rf"devshim: cannot make the run's directory in {place}: .*; set TMPDIR to another one\n", result.stderr
        )

    @pytest.mark.parametrize("name", ["a b", "a:b"])
    def test_a_place_that_ld_so_cannot_read_does(self, short: Path, name: str) -> None:
        (short / name).mkdir()
        outcome = run_devshim(
            "head", "-c", "6", NOT_THERE, devices=[f"{NOT_THERE}=gps"], env={"TMPDIR": str(short / name)}
        )

        assert (outcome.stdout, outcome.stderr) == ("$GPRMC", "")
        assert list((short / name).iterdir()) == []

    def test_a_working_directory_that_was_removed_does(self, folder: Path) -> None:
        words = [*devshim_command(), "run", "-d", f"{NOT_THERE}={folder}/box.py", "--", "head", "-c", "3", NOT_THERE]
        script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
        outcome = subprocess.run(
            ["sh", "-c", script, str(folder / "gone"), *words],
            env=devshim_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("box", "", 0)

    @pytest.mark.parametrize(
        ("missing", "line"),
        [
            ("shim/libdevshim.so", r"\S+/libdevshim.so is not there: run `make build` in a source tree, or .*"),
            ("host/_channel.abi3.so", r"the host's C module cannot be loaded \(.*\): run `make build` .*"),
        ],
    )
    def test_a_library_that_was_not_built_is_named(self, short: Path, missing: str, line: str) -> None:
        copy = short / "devshim"
        shutil.copytree(ROOT / "devshim", copy, ignore=shutil.ignore_patterns("__pycache__", "devices", "traces"))
        (copy / missing).unlink()

        outcome = run_copy(short, "true")

        assert outcome.returncode == 125
        assert re.fullmatch(rf"devshim: {line}\n", outcome.stderr)

    def test_a_shim_that_the_loader_refuses_is_told_by_the_loader_and_the_doctor(self, short: Path) -> None:
        copy = short / "devshim"
        shutil.copytree(ROOT / "devshim", copy, ignore=shutil.ignore_patterns("__pycache__", "devices", "traces"))
        (copy / "shim/libdevshim.so").write_bytes(b"\x7fELF damaged")

        assert "libdevshim.so" in run_copy(short, "true").stderr
        outcome = run_copy(short, verb="doctor")
        assert outcome.returncode != 0
        assert re.search(r"^problem .*libdevshim\.so", outcome.stdout, re.MULTILINE | re.DOTALL)


def run_copy(folder: Path, *program: str, verb: str = "run") -> "subprocess.CompletedProcess[str]":
    """Run a copy of the package that lies in a folder."""
    words = [*devshim_command(), verb, *program]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


class TestModelInUse:
    """A model that fails while the program runs."""

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ("def open(self, flags): raise ValueError('broken')", "failed in open; the program gets EIO"),
            (
                "def open(self, flags): return None",
                "Box.open() returned None: it must return a File, a descriptor, WAIT or REAL",
            ),
            ("def read(self, size): return 'text'", "Box.read() returned 'text': it must return bytes, WAIT or REAL"),
            ("def read(self, size): return bytes(size + 1)", "it must return at most the 4 bytes that were asked for"),
            ("def read(self, size): return {}['key']", "KeyError: 'key'"),
            ("def read(self, size): raise SystemExit(3)", "SystemExit: 3"),
        ],
    )
    def test_gives_the_program_eio_and_the_user_the_reason(self, tmp_path: Path, body: str, told: str) -> None:
        (tmp_path / "bad.py").write_text(f"from devshim import Device\nclass Box(Device):\n    {body}\n")

        outcome = run_devshim(
            "head", "-c", "4", NOT_THERE, devices=[f"{NOT_THERE}=bad.py"], cwd=tmp_path, env={"LC_ALL": "C"}
        )

        assert outcome.returncode == 1
        assert "Input/output error" in outcome.stderr
        assert told in outcome.stderr
        assert f"devshim: Box at {NOT_THERE} failed in " in outcome.stderr
        assert str(ROOT / "devshim") not in outcome.stderr, "a traceback of ours"

    def test_gives_the_chosen_exit_code_where_the_program_succeeds(self, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text(BOX.replace('return b"box', 'raise ValueError("no"); return b"box'))
        words = ["sh", "-c", f"cat {NOT_THERE}; true"]

        for options, code in (([], 1), (["--error-exitcode", "9"], 9), (["--error-exitcode", "0"], 0)):
            outcome = run_devshim(*words, devices=[f"{NOT_THERE}=bad.py"], options=options, cwd=tmp_path)
            assert outcome.returncode == code

    def test_again_and_again_is_told_once_and_counted(self, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text(BOX.replace('return b"box', 'raise ValueError("no"); return b"box'))
        words = ["sh", "-c", f"for i in 1 2 3; do head -c 1 {NOT_THERE}; done"]

        outcome = run_devshim(*words, devices=[f"{NOT_THERE}=bad.py"], cwd=tmp_path)

        assert outcome.stderr.count("Traceback") == 1
        assert f"devshim: Box at {NOT_THERE} failed so 3 times in all: ValueError: no\n" in outcome.stderr

    def test_in_a_timer_or_a_serial_command_costs_the_program_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text(
            "from devshim import Serial, command\n"
            "class Box(Serial):\n"
            "    @command('A')\n"
            "    def a(self): return 1 / 0\n"
            "    @command('B')\n"
            "    def b(self): return 'still here'\n"
        )
        words = ["sh", "-c", f"stty raw -echo <{NOT_THERE}; exec 3<>{NOT_THERE}; printf 'A\\nB\\n' >&3; head -c 10 <&3"]

        outcome = run_devshim(*words, devices=[f"{NOT_THERE}=bad.py"], cwd=tmp_path)

        assert outcome.stdout == "still here"
        assert f"devshim: Box at {NOT_THERE} failed in write\n" in outcome.stderr
        assert "EIO" not in outcome.stderr
        assert str(ROOT / "devshim") not in outcome.stderr, "a traceback of ours"
        assert outcome.returncode == 1


class TestGuard:
    """--deny and --only-plugged, on nodes that are really there or not."""

    @pytest.mark.parametrize(
        ("options", "node", "error", "text"),
        [
            (["--deny", f"{NOT_THERE}*"], NOT_THERE, "EACCES", "Permission denied"),
            (["--deny", f"{NOT_THERE}=EBUSY"], NOT_THERE, "EBUSY", "Device or resource busy"),
            (["--deny", "*=ENODEV"], "/dev/kmsg", "ENODEV", "No such device"),
            (["--only-plugged"], "/dev/kmsg", "ENOENT", "No such file or directory"),
        ],
    )
    def test_refuses_a_node_with_its_rule(self, options: list[str], node: str, error: str, text: str) -> None:
        outcome = run_devshim("head", "-c", "1", node, options=options, env={"LC_ALL": "C"})

        rule = " ".join(options).partition("=")[0]
        assert outcome.stderr.startswith(
            f"devshim: {node}: refused with {error} ({rule}); to model it: -d {node}=MODEL\nhead: "
        )
        assert text in outcome.stderr
        assert outcome.returncode == 1

    def test_counts_as_a_failure_of_the_run_where_the_program_succeeds(self) -> None:
        words = ["sh", "-c", "head -c 1 /dev/kmsg 2>/dev/null; true"]

        assert run_devshim(*words, options=["--only-plugged"]).returncode == 1
        assert run_devshim(*words, options=["--only-plugged", "--error-exitcode", "0"]).returncode == 0

    def test_never_refuses_what_every_program_uses(self, tmp_path: Path) -> None:
        script = """
            head -qc 1 /dev/zero /dev/full /dev/random /dev/urandom >/dev/null
            : </dev/null; ls /dev/pts >/dev/null; cat /dev/stdin /dev/fd/0; echo out >/dev/stdout; echo err >/dev/stderr
            f=/dev/shm/devshim-test-$$; : >$f && rm $f
        """
        outcome = run_devshim("sh", "-ec", script, options=["--only-plugged", "--deny", "*"], input="")

        assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("out\n", "err\n", 0)

    def test_never_refuses_a_plugged_node_or_a_file_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("text")
        words = ["head", "-qc", "4", NOT_THERE, str(tmp_path / "text")]

        outcome = run_devshim(*words, devices=[f"{NOT_THERE}=gps"], options=["--only-plugged", "--deny", "*"])

        assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("$GPRtext", "", 0)


class TestNotes:
    """What nobody modelled is told at the end of a run, with what to paste."""

    def test_a_node_that_is_not_plugged(self) -> None:
        outcome = run_devshim("head", NOT_THERE, env={"LC_ALL": "C"})

        assert outcome.stderr.splitlines()[1:] == [
            f"devshim: {NOT_THERE}: not plugged (ENOENT); to model it: -d {NOT_THERE}=MODEL"
        ]

    def test_every_node_of_a_row_that_one_process_looks_for(self) -> None:
        """As ALSA does, which asks for 32 cards."""
        row = [f"{NOT_THERE}{number}" for number in range(12)]

        outcome = run_devshim("head", *row, env={"LC_ALL": "C"})

        told = [line for line in outcome.stderr.splitlines() if line.startswith("devshim: ")]
        assert told == [f"devshim: {node}: not plugged (ENOENT); to model it: -d {node}=MODEL" for node in row]

    def test_a_program_that_nothing_could_be_caught_of(self, program: Callable[..., Path]) -> None:
        outcome = run_devshim(
            program("heap", "-static"), NOT_THERE, devices=[f"{NOT_THERE}=gps"], options=["--engine", "preload"]
        )

        assert outcome.returncode == 1
        assert outcome.stderr.splitlines()[1].startswith(
            "devshim: no device was opened; statically linked: no library can be loaded into it"
        )

    def test_nothing_of_a_program_that_had_no_use_for_its_devices(self) -> None:
        assert run_devshim("true", devices=[f"{NOT_THERE}=gps"]).stderr == ""

    def test_an_ioctl_without_a_handler_can_be_pasted_as_it_is_told(self, tmp_path: Path) -> None:
        model = tmp_path / "box.py"
        model.write_text("from ctypes import *\nfrom devshim import *\n" + BOX)
        ask = (
            "import fcntl\n"
            f"box = open('{NOT_THERE}')\n"
            "for number in (0x4d99, 0x80044d05, 0x400c4d06, 0xc0084d07):\n"
            "    fcntl.ioctl(box, number, bytes(16) if number > 0xffff else 7)\n"
        )
        for number in (0x4D99, 0x80044D05, 0x400C4D06, 0xC0084D07):
            outcome = run_devshim("python3", "-c", ask, devices=[f"{NOT_THERE}={model}"])
            head, *stub = outcome.stderr[outcome.stderr.index("devshim: ") :].splitlines()
            assert head.startswith(f"devshim: unknown ioctl {number:#010x} on {NOT_THERE} (")
            assert outcome.returncode == 1
            body = "return c_uint32(5)" if number == 0x80044D05 else "..."
            method = "\n".join(f"  {line}" for line in stub).replace(": ...", f": {body}")
            model.write_text(model.read_text() + method + "\n")

        assert run_devshim("python3", "-c", ask, devices=[f"{NOT_THERE}={model}"]).stderr == ""


class TestLog:
    """-v and --log."""

    def test_v_prints_calls_and_log_takes_them_instead(self, tmp_path: Path) -> None:
        words = ["head", "-c", "3", NOT_THERE]
        (tmp_path / "box.py").write_text(BOX)
        line = r"devshim: +\d+\.\d{6} "
        calls = (
            rf'{line}open\("{NOT_THERE}", O_RDONLY\)\n'
            rf'{line}read\({NOT_THERE}, "box", 3\) = 3\n'
        )

        shown = run_devshim(*words, devices=[f"{NOT_THERE}=box.py"], options=["-v"], cwd=tmp_path)
        logged = run_devshim(*words, devices=[f"{NOT_THERE}=box.py"], options=["--log", "log"], cwd=tmp_path)

        assert re.fullmatch(calls, shown.stderr)
        assert logged.stderr == ""
        assert re.fullmatch(calls, (tmp_path / "log").read_text())
        assert shown.stdout == logged.stdout == "box"

    def test_a_disk_that_is_full_is_one_line_and_the_program_goes_on(self) -> None:
        words = ["head", "-c", "3", NOT_THERE]

        outcome = run_devshim(*words, devices=[f"{NOT_THERE}=gps"], options=["--log", "/dev/full"])

        assert outcome.stdout == "$GP"
        assert outcome.stderr == "devshim: the log file cannot be written any more; it ends here\n"

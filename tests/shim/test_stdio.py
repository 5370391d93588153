"""stdio, and the tools that read with it, on a device that computes what is read: by name and by redirection."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome, run_devshim

MODELS = Path(__file__).with_name("models.py")
NODE = "/dev/text0"
TEXT = f"{NODE}={MODELS}:Text"
CONTENT = b"delta 4\nalpha 1\ncharlie 3\nbravo 2\n"
Build = Callable[..., Path]

READERS = {
    "cat": [],
    "cut": ["-d ", "-f1"],
    "dd": ["status=none"],
    "diff": ["-"],
    "fold": ["-w3"],
    "grep": ["a"],
    "head": ["-n2"],
    "hexdump": ["-C"],
    "md5sum": None,
    "nl": [],
    "od": ["-c"],
    "paste": ["-s"],
    "rev": [],
    "sed": ["s/a/A/g"],
    "sort": [],
    "tac": [],
    "tail": ["-n2"],
    "tr": None,
    "wc": None,
    "xxd": [],
}


def fine(outcome: Outcome) -> None:
    """Expect that a program ended with 0 and that nobody had anything to say."""
    assert (outcome.returncode, outcome.stderr) == (0, ""), f"{outcome.args}\n{outcome.stdout}{outcome.stderr}"


def quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def answers(commands: list[str], text: str) -> dict[str, list[str]]:
    """What each command said, without the blanks: how wide wc prints depends on the size of a file."""
    return dict(zip(commands, (part.split() for part in text.split("# ")[1:]), strict=True))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with what the device says."""
    path = tmp_path_factory.mktemp("plain") / "text"
    path.write_bytes(CONTENT)
    return path


def test_tools_read_a_device_as_they_read_a_file(plain: Path) -> None:
    """All in one run, each by name and by <, because starting a run costs more than they do."""
    commands = []
    for tool, words in READERS.items():
        if shutil.which(tool) is None:
            continue
        if words is not None and tool not in ("dd", "diff"):
            commands.append(f"{tool} {quoted(words)} NODE")
        commands.append(
            f"{tool} {quoted(words or (['a', 'A'] if tool == 'tr' else []))} {'NODE' if tool == 'diff' else ''} < NODE"
        )
    commands.append("dd if=NODE bs=5 count=2 2>/dev/null")
    commands.append("while read -r name number; do echo $number $name; done < NODE")
    script = "\n".join(f"echo '# {number}'; {command}" for number, command in enumerate(commands))
    expected = subprocess.run(
        ["sh", "-c", script.replace("NODE", str(plain))], capture_output=True, text=True, check=False
    )

    outcome = run_devshim("sh", "-c", script.replace("NODE", NODE), devices=[TEXT])

    told = answers(commands, outcome.stdout.replace(NODE, "NODE"))
    wanted = answers(commands, expected.stdout.replace(str(plain), "NODE"))
    assert told == wanted
    assert outcome.stderr.replace(NODE, "NODE") == expected.stderr.replace(str(plain), "NODE")


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_shells_read_line_by_line(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = f"exec 3< {NODE}; read -r a <&3; read -r b <&3; echo $a, $b; cat <&3"

    outcome = run_devshim(shell, "-c", script, devices=[TEXT])

    assert (outcome.stdout, outcome.stderr) == ("delta 4, alpha 1\ncharlie 3\nbravo 2\n", "")


def test_bash_keeps_a_device_open_for_both_directions() -> None:
    script = (
        f"exec 3<> {NODE}; echo -n '=x y' >&3; read -r -u 3 a b; echo $a-$b; mapfile -t all < {NODE}; echo ${{#all[@]}}"
    )

    outcome = run_devshim("bash", "-c", script, devices=[TEXT])

    assert (outcome.stdout, outcome.stderr) == ("x-y\n1\n", "")


def test_tee_and_dd_write_to_a_device() -> None:
    script = (
        f"echo =one | tee {NODE}; cat {NODE}; printf =two | dd of={NODE} status=none; cat {NODE}; cp {NODE} /dev/stdout"
    )

    outcome = run_devshim("sh", "-c", script, devices=[TEXT])

    assert (outcome.stdout, outcome.stderr) == ("=one\none\ntwotwo", "")


@pytest.mark.parametrize("flags", ["", "-D_FORTIFY_SOURCE=3 -O2", "-D_FILE_OFFSET_BITS=64"])
def test_streams_read_and_write_a_device(program: Build, flags: str, tmp_path: Path) -> None:
    fine(run_devshim(program("stdio", *flags.split()), NODE, tmp_path / "plain", devices=[TEXT]))


def test_cin_and_ifstream_read_a_device(program: Build) -> None:
    binary = program("cin")

    outcome = run_devshim("sh", "-c", f"{binary} {NODE} && {binary} - < {NODE}", devices=[TEXT])

    assert (outcome.returncode, outcome.stdout) == (0, "10 bravo\n10 bravo\n"), outcome.stderr


def test_python_reads_a_device() -> None:
    script = f"import sys; print([*open('{NODE}')][1:2], open('{NODE}', 'rb', 0).read(3), sys.stdin.readline())"

    outcome = run_devshim("sh", "-c", f'python3 -c "{script}" < {NODE}', devices=[TEXT])

    assert outcome.stdout == "['alpha 1\\n'] b'del' delta 4\n\n", outcome.stderr

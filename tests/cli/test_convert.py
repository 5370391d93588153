"""devshim convert: which format a file has, and what is said where it cannot be converted."""

import pytest


@pytest.fixture
def strace(tmp_path):
    path = tmp_path / "board.txt"
    path.write_text('7 openat(AT_FDCWD, "/dev/ttyUSB0", O_RDWR) = 3\n7 write(3, "hi", 2) = 2\n')
    return path


def test_formats_are_told_by_content_and_suffix(devshim_verb, strace, tmp_path):
    made = devshim_verb("convert", strace, tmp_path / "a.trace")
    shown = devshim_verb("show", tmp_path / "a.trace")

    assert made.stderr == f"devshim: {tmp_path}/a.trace: 2 calls on 1 nodes\n"
    assert 'write(1</dev/ttyUSB0>, "hi", 2) = 2' in shown.stdout


def test_formats_can_be_said(devshim_verb, strace, tmp_path):
    assert devshim_verb("convert", "--from", "strace", "--to", "html", strace, tmp_path / "page").returncode == 0
    assert (tmp_path / "page").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["convert"], "devshim convert needs IN and OUT"),
        (["convert", "a.trace"], "devshim convert needs IN and OUT"),
        (["convert", "nothing.trace", "b.html"], "nothing.trace: No such file or directory"),
        (["convert", "nothing.txt", "b.html"], "nothing.txt: no such file"),
        (["convert", "{strace}", "b.odd"], "b.odd: its suffix tells no format"),
        (["convert", "{odd}", "b.html"], "neither a trace, nor strace's output, nor a recording of umockdev's"),
        (["convert", "{strace}", "{strace}"], "is what is converted; name another file"),
        (["convert", "--to", "gif", "{strace}", "b"], "--to gif: there are trace, pcapng, perfetto, html"),
        (["convert", "{strace}", "{strace}", "b.html"], "one file at a time, not 2"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_converted_is_one_line(devshim_verb, strace, tmp_path, words, said):
    odd = tmp_path / "odd.txt"
    odd.write_text("hello\n")
    outcome = devshim_verb(*(word.format(strace=strace, odd=odd) for word in words), cwd=tmp_path)

    assert outcome.returncode == 2
    assert outcome.stderr.count("\n") <= 2
    assert said in outcome.stderr
    assert not (tmp_path / "b.html").exists()


def test_help_explains_it(devshim_verb):
    outcome = devshim_verb("convert", "--help")

    assert outcome.returncode == 0
    assert outcome.stdout.startswith("usage: devshim convert [OPTIONS] IN... OUT")
    assert "convert" in devshim_verb("--help").stdout

"""The table-driven reading of a command line."""

import errno

import pytest

from devshim.cli.options import RUN, Options, parse
from devshim.errors import DevshimError


def read(*words: str, operands: int = 0) -> tuple[Options, list[str]]:
    options = Options()
    return options, parse(words, RUN, options, operands)


@pytest.mark.parametrize(
    "words", [("-d", "a=b"), ("-da=b",), ("--device", "a=b"), ("--device=a=b",), ("-vd", "a=b"), ("-vda=b",)]
)
def test_a_value_stands_behind_or_in_the_same_word(words: tuple[str, ...]) -> None:
    options, _ = read(*words, "true")

    assert options.devices == ["a=b"]
    assert options.program == ["true"]


def test_repeatable_options_keep_their_order() -> None:
    options, _ = read("-d", "one", "--describe", "x.h", "-d", "two", "true")

    assert options.devices == ["one", "two"]
    assert options.describe == ["x.h"]


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (("true", "-v"), ["true", "-v"]),
        (("--", "true"), ["true"]),
        (("--", "-v"), ["-v"]),
        (("true", "--", "x"), ["true", "--", "x"]),
        (("-", "x"), ["-", "x"]),
        (("--",), []),
        ((), []),
    ],
)
def test_the_program_begins_at_the_first_word_that_is_no_option(words: tuple[str, ...], program: list[str]) -> None:
    options, _ = read(*words)

    assert options.program == program
    assert not options.verbose


@pytest.mark.parametrize(
    "words", [("T", "-v", "true", "-x"), ("-v", "T", "true", "-x"), ("T", "-v", "--", "true", "-x")]
)
def test_options_stand_before_and_after_operands(words: tuple[str, ...]) -> None:
    options, operands = read(*words, operands=1)

    assert operands == ["T"]
    assert options.verbose
    assert options.program == ["true", "-x"]


def test_help_is_ours_only_before_the_program() -> None:
    assert read("-v", "--help", "true")[1] == ["--help"]
    assert read("true", "--help")[0].program == ["true", "--help"]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("/dev/video*", ("/dev/video*", errno.EACCES)),
        ("/dev/video*=ENODEV", ("/dev/video*", errno.ENODEV)),
        ("/dev/v=x=eperm", ("/dev/v=x", errno.EPERM)),
    ],
)
def test_deny_takes_a_pattern_and_an_errno_by_name(text: str, taken: tuple[str, int]) -> None:
    assert read("--deny", text, "true")[0].deny == [taken]


@pytest.mark.parametrize("text", ["-1", "nan", "soon", ""])
def test_linger_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(DevshimError, match=r"must be seconds"):
        read("--linger", text, "true")


@pytest.mark.parametrize("text", ["-1", "256", "1.5", "x", "", "²"])
def test_error_exitcode_refuses_what_is_no_exit_code(text: str) -> None:
    with pytest.raises(DevshimError, match=r"from 0 to 255"):
        read("--error-exitcode", text, "true")


def test_only_a_run_that_asks_for_something_needs_loading() -> None:
    assert not read("--linger", "1", "--error-exitcode", "3", "true")[0].needs_loading()
    for words in (["-d", "a=b"], ["-c", "f"], ["--deny", "*"], ["--only-plugged"], ["-v"], ["--log", "f"]):
        assert read(*words, "true")[0].needs_loading()

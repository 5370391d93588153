"""Text devices made of data: what fits a line, what is remembered, what is said, and what is refused."""

from pathlib import Path

import pytest
from tabletop import Tabletop

from devshim.errors import ConfigError
from devshim.model.template import Template
from devshim.yamldevice import load_class

HEAD = "version: 1\ndevice: serial\n"


class Bench:
    """A device from YAML on a table, with a program that has it open."""

    def __init__(self, folder: Path, text: str, **parameters) -> None:
        file = folder / "thing.yml"
        file.write_text(HEAD + text)
        self.device = load_class(file)(**parameters)
        self.table = Tabletop.plug(self.device, "/dev/ttyX")
        self.device._tty = self.table
        self.device.is_open = True

    def ask(self, line: str) -> str:
        """What the device has said at once after a line."""
        self.table.sent = b""
        self.device.write(line.encode() + b"\n")
        return self.said()

    def said(self) -> str:
        return self.table.sent.decode()


@pytest.fixture
def bench(tmp_path):
    return lambda text, **parameters: Bench(tmp_path, text, **parameters)


def refusal(folder: Path, text: str) -> str:
    file = folder / "bad.yml"
    file.write_text(HEAD + text)
    with pytest.raises(ConfigError) as caught:
        load_class(file)
    said = str(caught.value)
    assert said.startswith(f"{file}:")
    assert "\n" not in said
    return said.removeprefix(f"{file}:")


# ---- What it does -----------------------------------------------------------------------------------


def test_the_example_of_the_manual_works(bench):
    supply = bench(
        """\
newline: "\\r\\n"
parameters: {name: "ACME-1"}
dialogue:
  - on: "*IDN?"
    say: "{name}"
  - on: 'VOLT (?P<volt>\\d+\\.\\d+)'
    set: {volt: float}
  - on: "VOLT?"
    say: "{volt:.3f}"
"""
    )

    assert supply.ask("*IDN?") == "ACME-1\r\n"
    assert supply.ask("VOLT?") == "0.000\r\n"
    assert supply.ask("VOLT 3.3") == ""
    assert supply.ask("VOLT?") == "3.300\r\n"
    assert supply.device.volt == 3.3


def test_parameters_are_set_by_keyword_and_converted(bench):
    thing = bench(
        "parameters: {name: x, level: 1}\ndialogue: [{on: a, say: '{name}{level:03d}'}]\n", name="y", level="0x10"
    )

    assert thing.ask("a") == "y016\r\n"


def test_two_devices_of_a_file_remember_for_themselves(tmp_path):
    one = Bench(tmp_path, "dialogue: [{on: 'a(?P<n>.)', set: {n: int}}, {on: q, say: '{n}'}]\n")
    two = Bench(tmp_path, "dialogue: [{on: 'a(?P<n>.)', set: {n: int}}, {on: q, say: '{n}'}]\n")

    one.ask("a7")

    assert (one.ask("q"), two.ask("q")) == ("7\r\n", "0\r\n")


def test_on_is_literal_and_pattern_is_not(bench):
    thing = bench("dialogue: [{on: 'a.c', say: literal}, {pattern: 'a.c', say: pattern}]\n")

    assert thing.ask("a.c") == "literal\r\n"
    assert thing.ask("abc") == "pattern\r\n"
    assert thing.ask("abcd") == ""


def test_the_first_entry_that_fits_answers(bench):
    thing = bench("dialogue: [{pattern: 'a+', say: many}, {on: aa, say: two}]\n")

    assert thing.ask("aa") == "many\r\n"


def test_case_counts_unless_the_file_says_otherwise(bench):
    assert bench("dialogue: [{on: abc, say: x}]\n").ask("ABC") == ""
    assert bench("ignore_case: true\ndialogue: [{on: abc, say: x}]\n").ask("ABC") == "x\r\n"


def test_an_unknown_line_gets_the_unknown_answer(bench):
    thing = bench("parameters: {who: me}\nunknown: '{who}: what is {line}?'\n")

    assert thing.ask("{that}") == "me: what is {that}?\r\n"


def test_groups_become_the_types_they_are_given(bench):
    thing = bench(
        "unknown: ERR\ndialogue: [{on: '(?P<a>.*),(?P<b>.*),(?P<c>.*),(?P<d>.*)', "
        "set: {a: text, b: int, c: float, d: bool}}]\n"
    )

    thing.ask("010,010,1e3,ON")

    assert (thing.device.a, thing.device.b, thing.device.c, thing.device.d) == ("010", 10, 1000.0, True)
    assert thing.ask("x,y,1,ON") == "ERR\r\n"
    assert thing.device.b == 10


def test_a_line_half_of_which_converts_changes_nothing(bench):
    thing = bench("dialogue: [{on: '(?P<a>.*),(?P<b>.*)', set: {a: int, b: int}}]\n")

    thing.ask("5,x")

    assert (thing.device.a, thing.device.b) == (0, 0)


def test_constants_are_set_as_they_stand(bench):
    thing = bench(
        "parameters: {limit: 5.0}\ndialogue:\n  - {on: RST, set: {state: idle, on: false, limit: 3}}\n"
        "  - {on: q, say: '{state}{limit}'}\n"
    )

    assert thing.ask("q") == "5.0\r\n"
    thing.ask("RST")
    assert thing.ask("q") == "idle3.0\r\n"
    assert thing.device.on is False


def test_a_dialogue_may_set_what_every_serial_device_has(bench):
    modem = bench(
        "parameters: {cts: false}\ndialogue:\n  - {on: ATE0, set: {echo: false}, say: OK}\n"
        "  - {on: 'CTS(?P<cts>.)', set: {cts: bool}}\n",
        echo=True,
    )

    assert modem.ask("ATE0") == "ATE0\nOK\r\n"
    assert modem.ask("ATE0") == "OK\r\n"
    assert modem.device.cts is False
    modem.ask("CTS1")
    assert modem.device.cts is True


def test_a_group_may_be_said_without_being_remembered(bench):
    assert bench("dialogue: [{on: 'hello (?P<who>\\w+)', say: 'hi {who}'}]\n").ask("hello Bob") == "hi Bob\r\n"


def test_several_answers_have_pauses_between(bench):
    thing = bench("dialogue: [{on: a, pause: 50ms, say: [one, {pause: 1.5s}, two, three]}]\n")

    assert thing.ask("a") == ""
    thing.table.advance(0.05)
    assert thing.said() == "one\r\n"
    thing.table.advance(1.4)
    assert thing.said() == "one\r\n"
    thing.table.advance(0.1)
    assert thing.said() == "one\r\ntwo\r\nthree\r\n"


def test_what_is_said_after_a_pause_is_what_holds_then(bench):
    thing = bench("dialogue: [{on: a, say: ['{n}', {pause: 1s}, '{n}']}, {on: '(?P<n>\\d)', set: {n: int}}]\n")
    thing.ask("a")

    thing.device.n = 5
    thing.table.advance(1)

    assert thing.said() == "0\r\n5\r\n"


def test_every_says_it_again_and_again(bench):
    thing = bench("parameters: {n: 1}\ndialogue: [{every: 500ms, say: ['{n}', x]}]\n")

    thing.table.advance(0.4)
    assert thing.said() == ""
    thing.table.advance(0.7)
    assert thing.said() == "1\r\nx\r\n1\r\nx\r\n"


def test_every_may_name_a_parameter(bench):
    thing = bench("parameters: {interval: 2.0}\ndialogue: [{every: interval, say: x}]\n", interval=0.5)

    thing.table.advance(1.0)

    assert thing.said() == "x\r\nx\r\n"


def test_an_answer_may_be_any_text_of_the_file(bench):
    assert bench('newline: "\\n"\ndialogue: [{on: a, say: "{{µ}} 100 %"}]\n').ask("a") == "{µ} 100 %\n"


def test_the_class_is_made_once_for_an_unchanged_file(tmp_path):
    file = tmp_path / "my-thing.yml"
    file.write_text(HEAD)

    assert load_class(file) is load_class(file)
    assert load_class(file).__name__ == "MyThing"


# ---- What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dialog: []\n", '3:1: unknown key "dialog"; did you mean "dialogue"?'),
        ("dialogue: [{onn: a}]\n", '3:13: unknown key "onn"; did you mean "on"?'),
        ("dialogue: [{say: a}]\n", '3:12: an entry needs one of "on", "pattern" and "every"'),
        ("dialogue: [{on: a, pattern: b}]\n", '3:12: an entry needs one of "on"'),
        ("dialogue: [{on: 5}]\n", '3:17: "on" must be text, not 5; put it into quotes'),
        ("dialogue: [{on: a, say: 1.5}]\n", '3:25: "say" must be text or a list, not 1.5; put it into quotes'),
        ("dialogue: [{on: a, say: [b, {paus: 1}]}]\n", 'unknown key "paus"; did you mean "pause"?'),
        ("dialogue: [{pattern: '*IDN?'}]\n", "3:22: '*IDN?' is no regular expression: nothing to repeat"),
        ("dialogue: [{on: '(?P<a>'}]\n", "3:17: '(?P<a>' is no regular expression"),
        ("dialogue: [{on: a}, {on: b}, {on: a}]\n", "3:30: never reached: entry 1 takes the same line"),
        ("dialogue: [{on: a, say: '{b}'}]\n", "3:25: {b} is not known here; known: nothing"),
        ("parameters: {c: 1}\nunknown: '{b}'\n", "4:10: {b} is not known here; known: line, c"),
        ("parameters: {c: 1}\nunknown: '{c'\n", "4:10: '{c': expected '}' before end of string; a brace itself"),
        ("parameters: {c: x}\nunknown: '{c:.3f}'\n", "4:10: '{c:.3f}': Unknown format code 'f'"),
        ("parameters: {c: 1}\nunknown: '{c.real}'\n", '"{c.real}" is no field'),
        ("parameters: {class: 1}\nunknown: '{class.x}'\n", '"{class.x}" is no field'),
        ("parameters: {node: 1}\n", '3:14: "node" means something else to every such device'),
        ("parameters: {send: 1}\n", '3:14: "send" means something else'),
        ("parameters: {_x: 1}\n", '3:14: "_x" must be a word'),
        ("parameters: {a-b: 1}\n", '3:14: "a-b" must be a word'),
        ("parameters: {a: [1]}\n", '3:17: "a" must be text or a number or true or false, not a list'),
        ("dialogue: [{on: '(?P<a>.)', set: {a: number}}]\n", "is a group of the pattern, so write its type: text, int"),
        ("parameters: {a: 1}\ndialogue: [{on: b, set: {a: x}}]\n", '"a" is str here, but int elsewhere'),
        ("dialogue: [{on: b, set: {write: x}}]\n", '3:26: "write" means something else'),
        ("dialogue: [{every: soon, say: x}]\n", "3:20: 'soon' is no time; write 200ms, 1.5s, 2min"),
        ("dialogue: [{every: 1s}]\n", '3:12: an entry with "every" needs "say"'),
        ("dialogue: [{every: 1s, say: x, set: {a: 1}}]\n", '3:32: "set" does not go with "every"'),
        ("dialogue: [{on: a, pause: -1}]\n", "3:27: -1 is no time"),
        ("dialogue: [{on: a, pause: true}]\n", '3:27: "pause" must be text or a number'),
        ("newline: ''\n", '3:10: "newline" must not be empty'),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text, says, tmp_path):
    assert says in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a device is a mapping"),
        ("- 1", "a device is a mapping"),
        ("version: 1", '"device" is missing; write device: serial or i2c'),
        ("version: 1\ndevice: seriel", '2:9: "device" is "seriel", but must be serial or i2c; did you mean "serial"?'),
        ("version: 1\ndevice: [serial]", '"device" is a list'),
        ("device: serial", '1:1: "version" is missing'),
    ],
)
def test_a_file_that_is_no_device_says_what_one_is(text, says, tmp_path):
    file = tmp_path / "x.yml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"x\.yml:1|x\.yml:2") as caught:
        load_class(file)
    assert says in str(caught.value)


# ---- Templates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{x.__class__}",
        "{x[0]}",
        "{x!r}",
        "{}",
        "{0}",
        "{x:{y}}",
        "{x:>99999}",
        "{x:.999f}",
        "{x:c}",
        "{x",
        "x}",
        "{ x}",
    ],
)
def test_a_field_that_is_more_than_a_name_is_refused(text):
    with pytest.raises(ValueError, match=r"field|format|brace|'}'"):
        Template(text)


@pytest.mark.parametrize(
    ("text", "value", "filled"),
    [
        ("{x:+08.3f}", 3.14159, "+003.142"),
        ("{x:>5}|", "ab", "   ab|"),
        ("{x:04X}", 0xBEEF, "BEEF"),
        ("{x:,}", 1234567, "1,234,567"),
        ("{x:d}", True, "1"),
        ("{x:.1%}", 0.5, "50.0%"),
        ("{x:*^5}", "a", "**a**"),
        ("{{{x}}}", 1, "{1}"),
        ("", 1, ""),
    ],
)
def test_a_short_format_works_as_in_python(text, value, filled):
    assert Template(text).fill({"x": value}) == filled

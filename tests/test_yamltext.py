"""YAML as plain data with places: what a scalar means, what is refused, and where the message points."""

import pytest

from devshim.errors import ConfigError
from devshim.yamltext import Place, load, parse, plain


def refusal(text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "f.yml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("n", "n"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("0x48", 0x48),
        ("0o17", 0o17),
        ("0b101", 5),
        ("012", "012"),
        ("-007", "-007"),
        ("01.5", "01.5"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        (".", "."),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text, value):
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_quoted_scalars_and_keys_are_text():
    assert parse(b"on: '1'\n2: \"true\"\ntrue: |\n  5\n", "f").data == {"on": "1", "2": "true", "true": "5\n"}


def test_every_value_and_key_has_its_place():
    document = parse(b"a: 1\nlist:\n  - x: 5\n    y: [6,  7]\n", "f.yml")

    assert document.place(("list", 0, "y", 1)) == Place("f.yml", 4, 13)
    assert document.place(("list", 0, "y"), key=True) == Place("f.yml", 4, 5)
    assert document.place(("list", 0, "missing")) == Place("f.yml", 3, 5)


def test_aliases_are_followed():
    assert parse(b"a: &x [1, 2]\nb: *x\n", "f").data == {"a": [1, 2], "b": [1, 2]}


def test_a_byte_order_mark_is_no_character():
    assert parse(b"\xef\xbb\xbfa: 1\n", "f").data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 'f.yml:3:1: "a" stands here twice; first at f.yml:1:1'),
        ("a: [1,\n", "f.yml:2:1: while parsing a flow node"),
        ("a: &x [*x]", "f.yml:1:4: an alias that contains itself"),
        ("a: !!python/object/apply:os.system [id]", "f.yml:1:4: tags are not allowed"),
        ("a: !!str 5", "f.yml:1:4: tags are not allowed"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1: expected a single document"),
        ("a:\n\t- b\n", "f.yml:2:1: while scanning for the next token, found character '\\t'"),
        ("a: *nowhere", "f.yml:1:4: found undefined alias"),
        ("? [a]\n: 1\n", "f.yml:1:3: a key must be a word"),
        ("a: " + "[" * 1000, "nested more than 50 deep"),
        (b"a: 1\nb: \xff", "f.yml:2:4: byte 0xff is not UTF-8"),
        (b"a: \x07", "f.yml:1:4: character 7 is not allowed"),
    ],
)
def test_what_is_no_plain_data_is_refused_with_its_place(text, says):
    assert says in refusal(text)


def test_a_billion_laughs_end_early():
    lines = ["a0: &a0 [" + ", ".join(["ha"] * 9) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 10)]

    assert "more than 100,000 values" in refusal("\n".join(lines))


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path):
    large = tmp_path / "large.yml"
    large.write_bytes(b"#" * (1 << 20) + b"\n")

    for file, says in [
        (large, "larger than 1 MiB"),
        (tmp_path / "no.yml", "No such file"),
        (tmp_path, "Is a directory"),
    ]:
        with pytest.raises(ConfigError, match=says) as caught:
            load(file)
        assert str(caught.value).startswith(f"{file}: ")

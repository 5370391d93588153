"""Chips made of data: the register map of a YAML file as an I2cChip."""

from pathlib import Path

import pytest

from devshim.errors import ConfigError
from devshim.yamldevice import load_class

HEAD = "version: 1\ndevice: i2c\naddress: 0x20\n"


def chip(folder: Path, text: str, **parameters):
    file = folder / "chip.yml"
    file.write_text(HEAD + text)
    return load_class(file)(**parameters)


def test_registers_answer_with_their_reset_values_and_keep_what_is_written(tmp_path):
    port = chip(tmp_path, "registers:\n  - {at: 0, name: input, reset: 0x5A, access: r}\n  - {at: 1, name: output}\n")

    port.write(b"\x01\x0f")
    port.write(b"\x00")

    assert port.read(1) == b"\x5a"
    assert (port.address, port.output) == (0x20, 0x0F)


def test_a_wide_register_has_the_byte_order_of_the_chip_or_its_own(tmp_path):
    sensor = chip(
        tmp_path,
        "byteorder: little\naddressing: auto-increment\nregisters:\n"
        "  - {at: 0, name: a, size: 2, reset: 0x1234}\n"
        "  - {at: 2, name: b, size: 2, reset: 0x1234, byteorder: big}\n",
    )

    sensor.write(b"\x00")

    assert sensor.read(4) == b"\x34\x12\x12\x34"


def test_bits_are_attributes(tmp_path):
    sensor = chip(
        tmp_path,
        "registers: [{at: 1, name: config, size: 2, reset: 0x8060, writable: 0x00ff, bits: {on: 15, rate: [6, 5]}}]\n",
    )

    sensor.write(b"\x01\xff\x20")

    assert (sensor.on, sensor.rate, sensor.config) == (True, 1, 0x8020)


def test_a_block_is_a_run_of_bytes(tmp_path):
    sensor = chip(
        tmp_path,
        "addressing: auto-increment\n"
        'blocks: [{at: 0x10, name: table, length: 4, reset: "01 02", fill: 0xff, access: r}]\n',
    )

    sensor.write(b"\x11")

    assert sensor.read(2) == b"\x02\xff"
    assert sensor.table == b"\x01\x02\xff\xff"


def test_the_address_is_a_parameter(tmp_path):
    assert chip(tmp_path, "", address="0x21").address == 0x21


def test_two_chips_of_a_file_share_nothing(tmp_path):
    text = "registers: [{at: 0, name: a}]\n"
    one, two = chip(tmp_path, text), chip(tmp_path, text)

    one.a = 5

    assert two.a == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("registers: [{at: 0}]\n", '4:13: "name" is missing in registers[0]'),
        ("registers: [{name: a}]\n", '4:13: "at" is missing'),
        ("registers: [{at: 0, name: a, rest: 1}]\n", '4:30: unknown key "rest"; did you mean "reset"?'),
        ("registers: [{at: 0, name: a, reset: 256}]\n", "4:37: register 0x0: 256 does not fit into 1 bytes"),
        ("registers: [{at: 0, name: a, access: ro}]\n", '4:38: "access" is "ro", but must be r or w or rw'),
        ("registers: [{at: 0, name: a, size: 9}]\n", '4:36: "size" is 9: must be at most 8'),
        ("registers: [{at: -1, name: a}]\n", '4:18: "at" is -1: must be at least 0'),
        ("registers: [{at: 0, name: a, bits: {b: 8}}]\n", "4:40: bits 8 to 8"),
        ("registers: [{at: 0, name: a, bits: {b: [1, 2]}}]\n", "4:40: bits 1 to 2"),
        ("registers: [{at: 0, name: a, bits: {b: [1]}}]\n", '4:40: "b": a list does not fit: one bit (15), or'),
        ("registers: [{at: 0, name: a}, {at: 1, name: a}]\n", '4:45: "a" is the name of an earlier register'),
        ("registers: [{at: 0, name: read}]\n", '4:27: "read" means something else'),
        ("registers: [{at: 0, name: a}, {at: 0, name: b}]\n", "4:12: Chip: a and b both answer at 0x00"),
        ('blocks: [{at: 0, name: a, reset: "0"}]\n', '4:34: "reset": "0" does not fit: bytes in hex'),
        ("blocks: [{at: 0, name: a}]\n", '4:10: a block needs "length" or "reset"'),
        ('blocks: [{at: 0, name: a, length: 1, reset: "0102"}]\n', "4:45: 2 bytes do not fit into a block of 1"),
        ("addressing: increment\n", '"addressing" is "increment", but must be pointer or auto-increment'),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text, says, tmp_path):
    with pytest.raises(ConfigError) as caught:
        chip(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)

"""Registers, bits and blocks, and how a transfer reaches them."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devshim.model.i2c_chip import I2cChip
from devshim.model.naming import NameTaken
from devshim.model.registers import Block, Register


class Meter(I2cChip):
    """A chip with a pointer: words, high byte first."""

    address: int = 0x40
    volts: float = 1.5

    config = Register(0x01, size=2, reset=0x1234, writable=0xFF0F)
    limit = Register(0x02, size=2, byteorder="little")
    key = Register(0x03, access="w", reset=0x77)
    go, rate, spare = config.bit(15), config.bits(10, 8), config.bit(0, unmodelled=True)
    seen = ()

    @Register(0x00, size=2, access="r")
    def reading(self):
        """Millivolts."""
        return round(self.volts * 1000)

    @config.written
    def configured(self, value):
        self.seen += (("config", value),)

    @limit.read
    def limit_was_read(self):
        self.seen += ("limit read",)


class Table(I2cChip):
    """A chip whose pointer moves on behind each byte."""

    address: int = 0x41
    addressing = "auto-increment"
    length: int = 8

    head = Register(0x10, size=2, reset=0xABCD)
    word = Register(0x12, size=3, reset=0x010203)
    last = Register(0xFF, reset=0x99)
    cells = Block(0x20, length="length", reset=b"abc", fill=0xEE)
    looks = 0

    @Register(0x00, size=2, access="r")
    def counter(self):
        self.looks += 1
        return self.looks * 0x101


def transfer(chip, written=b"", size=0):
    if written:
        chip.write(bytes(written))
    return chip.read(size) if size else b""


def test_a_register_has_its_reset_value_until_somebody_writes_it():
    chip = Meter()

    assert chip.config == 0x1234
    assert transfer(chip, [1], 2) == b"\x12\x34"


def test_two_chips_of_a_class_share_nothing():
    one, other = Meter(), Meter()

    one.config = 0
    one.seen += ("changed",)

    assert other.config == 0x1234
    assert other.seen == ()


def test_a_program_changes_only_writable_bits_and_the_test_all():
    chip = Meter()

    transfer(chip, [1, 0xFF, 0xFF])
    assert chip.config == 0xFF3F

    chip.config = 0x00F0
    assert chip.config == 0x00F0


def test_written_is_told_what_the_program_sent_and_not_what_the_test_set():
    chip = Meter()

    chip.config = 5
    transfer(chip, [1, 0xFF, 0xFF])

    assert chip.seen == (("config", 0xFFFF),)


def test_read_is_told_after_the_program_has_read():
    chip = Meter()

    assert chip.limit == 0
    assert chip.seen == ()
    transfer(chip, [2], 2)
    assert chip.seen == ("limit read",)


def test_byte_order_is_the_chips_unless_the_register_has_its_own():
    chip = Meter(volts=1)
    chip.limit = 0x1122

    assert transfer(chip, [0], 2) == (1000).to_bytes(2, "big")
    assert transfer(chip, [2], 2) == b"\x22\x11"


def test_bits_read_and_write_their_part_of_the_register():
    chip = Meter()
    chip.config = 0

    chip.go = True
    chip.rate = 5

    assert chip.config == 0x8500
    assert chip.go is True
    assert chip.rate == 5


def test_values_that_do_not_fit_are_refused():
    chip = Meter()

    with pytest.raises(ValueError, match="rate=8 does not fit into 3 bits"):
        chip.rate = 8
    with pytest.raises(ValueError, match="config: 65536 does not fit into 2 bytes"):
        chip.config = 65536
    with pytest.raises(TypeError, match="config: None is no number"):  # as where a computed one forgets to return
        chip.config = None
    with pytest.raises(ValueError, match=r"bits 16 to 16 .* it has bits 15 to 0"):
        Meter.config.bit(16)
    with pytest.raises(ValueError, match="access='x'"):
        Register(0, access="x")


def test_a_computed_register_follows_what_it_is_computed_from():
    chip = Meter()

    chip.volts = 2
    assert chip.reading == 2000
    with pytest.raises(AttributeError, match=r"Meter.reading is computed"):
        chip.reading = 5
    assert Meter.reading.__doc__ == "Millivolts."


def test_writes_to_a_read_only_register_and_reads_of_a_write_only_one_have_no_effect():
    chip = Meter()

    transfer(chip, [0, 0xFF, 0xFF])
    assert chip.reading == 1500
    assert transfer(chip, [3], 1) == b"\xff"

    transfer(chip, [3, 0x55])
    assert chip.key == 0x55


def test_the_pointer_stays_and_reading_on_gives_the_register_again():
    chip = Meter()

    transfer(chip, [1])

    assert chip.read(2) == b"\x12\x34"
    assert chip.read(5) == b"\x12\x34\x12\x34\x12"
    assert chip.read(1) == b"\x12"


def test_a_short_write_changes_the_bytes_that_came():
    chip = Meter()

    transfer(chip, [2, 0x11, 0x22])
    transfer(chip, [2, 0x33])

    assert chip.limit == 0x2233


def test_a_burst_goes_over_registers_and_begins_inside_one():
    chip = Table()

    assert transfer(chip, [0x11], 4) == b"\xcd\x01\x02\x03"
    transfer(chip, [0x11, 0xEE, 0x0A])
    assert chip.head == 0xABEE
    assert chip.word == 0x0A0203


def test_a_burst_looks_at_a_computed_register_once():
    chip = Table()

    assert transfer(chip, [0], 2) == b"\x01\x01"
    assert transfer(chip, [0], 2) == b"\x02\x02"


def test_reads_go_on_where_the_last_one_ended_and_wrap_at_the_end():
    chip = Table()

    assert transfer(chip, [0xFF], 1) == b"\x99"
    assert chip.read(2) == b"\x01\x01"


def test_a_block_is_filled_and_can_be_changed_in_place_or_whole():
    chip, other = Table(), Table(length=4)

    assert chip.cells == b"abc\xee\xee\xee\xee\xee"
    assert other.cells == b"abc\xee"
    chip.cells[0] = 0x7A
    transfer(chip, [0x21, *b"yx"])
    assert transfer(chip, [0x20], 4) == b"zyx\xee"
    chip.cells = b"new"
    assert chip.cells[:4] == b"new\xee"
    with pytest.raises(ValueError, match="5 bytes do not fit into 4"):
        other.cells = b"12345"


def test_reset_registers_is_power_on():
    chip = Table()
    chip.cells[0] = 0
    chip.head = 0

    chip.reset_registers()

    assert chip.cells[:3] == b"abc"
    assert chip.head == 0xABCD


def test_a_subclass_may_override_registers_and_handlers_by_name():
    class Better(Meter):
        config = Register(0x01, size=2, reset=0x0001)

        def configured(self, value):
            self.seen += ("better",)

    chip = Better()
    transfer(chip, [1, 0, 2])

    assert chip.config == 2
    assert chip.seen == ("better",)
    assert Meter().config == 0x1234


def test_a_handler_added_by_a_subclass_is_not_called_for_its_base():
    class More(Meter):
        @Meter.config.written
        def also(self):
            self.seen += ("also",)

    more, plain = More(), Meter()
    for chip in more, plain:
        transfer(chip, [1, 0, 0])

    assert more.seen == (("config", 0), "also")
    assert plain.seen == (("config", 0),)


@pytest.mark.parametrize("name", ["read", "write", "pointer", "address", "plug_into"])
def test_a_register_that_would_hide_the_base_class_is_refused_by_name(name):
    with pytest.raises(NameTaken, match=f"Bad.{name}: this Register would hide"):
        type("Bad", (I2cChip,), {name: Register(0)})


def test_two_registers_at_one_address_are_refused_unless_one_reads_and_one_writes():
    with pytest.raises(TypeError, match="one and two both answer at 0x05"):
        type("Bad", (I2cChip,), {"one": Register(5), "two": Register(5, access="r")})
    with pytest.raises(TypeError, match="both answer at 0x06"):
        type("Bad", (I2cChip,), {"addressing": "auto-increment", "one": Register(5, size=2), "two": Register(6)})

    both = type("Good", (I2cChip,), {"status": Register(5, reset=1, access="r"), "command": Register(5, access="w")})()
    transfer(both, [5, 9])
    assert (both.status, both.command) == (1, 9)


def test_a_wrong_addressing_is_refused():
    with pytest.raises(TypeError, match='choose from "pointer", "auto-increment"'):
        type("Bad", (I2cChip,), {"addressing": "both"})


def test_what_is_not_modelled_is_noted_once(caplog):
    chip = Meter()

    with caplog.at_level(logging.WARNING, "devshim"):
        for _ in range(2):
            transfer(chip, [1, 0x12, 0x35])
            transfer(chip, [1, 0x12, 0x34])
            transfer(chip, [0x55], 1)
            transfer(chip, [0x56], 1)

    assert [record.getMessage() for record in caplog.records] == [
        "devshim: Meter: the program changed spare, which is declared but not modelled",
        "devshim: Meter: the program read 0x55, where no Register or Block is declared; more such are not named",
    ]


@given(start=st.integers(0x20, 0x27), written=st.binary(min_size=1, max_size=40))
def test_what_is_written_to_cells_is_read_back(start, written):
    chip = Table(length=64)

    transfer(chip, bytes([start]) + written)

    assert transfer(chip, [start], len(written)) == written

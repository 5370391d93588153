"""SPI chips as spidev gives them to programs: messages, chip select, words, modes, and the errors of each."""

import errno
import os
import stat
import struct
from ctypes import sizeof

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from i2cprogram import raises_errno
from ioctlwire import ioctl, may_fail
from tabletop import Tabletop

from devshim import Block, Register, SpiChip, instruction
from devshim.model import spi_abi as abi
from devshim.model.spi_words import from_wire, to_wire

TRANSFER = struct.Struct("<QQIIHBBBBBB")


class Scribe(SpiChip):
    """A chip that keeps what it hears, and answers with a running number for each byte."""

    modes = (0, 1, 2, 3)
    count = 0

    def setup(self):
        self.heard = []

    def selected(self):
        self.heard.append("down")

    def transfer(self, out):
        self.heard.append(out)
        self.count += len(out)
        return bytes(number % 256 for number in range(self.count - len(out), self.count))

    def deselected(self):
        self.heard.append("up")


def message(file, *transfers, request=None):
    """SPI_IOC_MESSAGE with (tx bytes or None, length or None, members) for each; its result, and what was received."""
    heads, parts = b"", []
    for tx, rx, members in (each if len(each) == 3 else (*each, {}) for each in transfers):
        length = members.get("len", len(tx) if tx is not None else rx or 0)
        given = {"speed": 0, "delay": 0, "bits": 0, "cs": 0, "tx_nbits": 0, "rx_nbits": 0, "word_delay": 0} | members
        heads += TRANSFER.pack(
            0x1000 if tx is not None else 0, 0x2000 if rx is not None else 0, length, given["speed"], given["delay"],
            given["bits"], given["cs"], given["tx_nbits"], given["rx_nbits"], given["word_delay"], 0,
        )  # fmt: skip
        parts.append((tx, None if rx is None else bytes(length)))
    number = 0x40006B00 | len(heads) << 16 if request is None else request
    # The shim follows the first pointer of all elements, then the second.
    result, after = ioctl(file, number, heads, *(tx for tx, _ in parts), *(rx for _, rx in parts))
    return result, after[1 + len(parts) :]


def setting(file, number, value=None, size=1):
    """Read a setting, or write one."""
    if value is None:
        return int.from_bytes(ioctl(file, 0x80006B00 | size << 16 | number, bytes(size))[1][0], "little")
    return ioctl(file, 0x40006B00 | size << 16 | number, value.to_bytes(size, "little"))[0]


# ---- Layout


def test_the_structure_and_the_numbers_are_the_kernels():
    assert sizeof(abi.SpiIocTransfer) == 32
    assert abi.SPI_IOC_RD_MODE == 0x80016B01
    assert abi.SPI_IOC_WR_MAX_SPEED_HZ == 0x40046B04
    assert abi.SPI_IOC_RD_MODE32 == 0x80046B05


def test_the_node_is_a_character_device_of_major_153():
    chip = Scribe()

    assert stat.S_ISCHR(chip.mode)
    assert chip.numbers("/dev/spidev0.1") == (153, None)


# ---- Messages


def test_a_message_is_full_duplex_and_returns_the_bytes_of_all_transfers():
    chip = Scribe()

    assert message(chip.open(0), (b"ab", 2), (None, 3), (b"c", None)) == (6, [b"\0\1", b"\2\3\4", None])
    assert chip.heard == ["down", b"ab", b"\0\0\0", b"c", "up"]


def test_cs_change_lifts_the_chip_select_between_two_transfers():
    chip = Scribe()

    message(chip.open(0), (b"a", 1, {"cs": 1}), (b"b", 1))

    assert chip.heard == ["down", b"a", "up", "down", b"b", "up"]


def test_cs_change_of_the_last_transfer_leaves_the_chip_selected_for_the_next_message():
    chip = Scribe()
    file = chip.open(0)

    message(file, (b"a", 1, {"cs": 1}))
    message(file, (b"b", 1))

    assert chip.heard == ["down", b"a", b"b", "up"]


def test_a_transfer_without_buffers_clocks_nothing():
    chip = Scribe()

    assert message(chip.open(0), (None, None, {"len": 9}), (b"a", 1))[0] == 10
    assert chip.heard == ["down", b"a", "up"]


def test_no_transfers_at_all_are_no_error():
    assert message(Scribe().open(0))[0] == 0


def test_every_member_reaches_the_chip():
    class Asking(SpiChip):
        def transfer(self, out):
            self.asked = self.clocked
            return out

    chip = Asking()
    members = {"speed": 7, "delay": 8, "bits": 16, "cs": 1, "tx_nbits": 1, "rx_nbits": 1, "word_delay": 9}
    message(chip.open(0), (b"ab", 2, members))

    assert chip.asked == abi.Transfer(b"ab", 2, True, 7, 16, 8, 9, True, 1, 1)


def test_reads_only_receive_and_writes_only_send():
    chip = Scribe()
    file = chip.open(0)

    assert file.read(3) == b"\0\1\2"
    assert file.write(b"xy") is None
    assert chip.heard == ["down", b"\0\0\0", "up", "down", b"xy", "up"]


def test_a_chip_that_raises_is_deselected():
    class Broken(Scribe):
        def transfer(self, out):
            raise OSError(errno.EREMOTEIO, "no")

    chip = Broken()

    with raises_errno(errno.EREMOTEIO):
        message(chip.open(0), (b"a", 1, {"cs": 1}))
    assert chip.heard == ["down", "up"]
    assert not chip.is_selected


@pytest.mark.parametrize(("answer", "problem"), [(None, TypeError), (5, TypeError), (b"abc", ValueError)])
def test_an_answer_that_is_none_is_named(answer, problem):
    class Wrong(SpiChip):
        def transfer(self, out):
            return answer

    with pytest.raises(problem, match=r"Wrong\.transfer\(\) returned"):
        message(Wrong().open(0), (b"ab", 2))


def test_a_short_answer_is_filled_with_the_idle_line():
    class Short(SpiChip):
        def transfer(self, out):
            return b"!"

    assert message(Short().open(0), (b"abc", 3))[1] == [b"!\xff\xff"]


# ---- Limits


@pytest.mark.parametrize(
    ("transfers", "error"),
    [
        ([(bytes(4097), None)], errno.EMSGSIZE),
        ([(None, 4097)], errno.EMSGSIZE),
        ([(bytes(2049), None), (bytes(2048), None)], errno.EMSGSIZE),
        ([(b"a", 1, {"bits": 9})], errno.EINVAL),
        ([(b"abc", 3, {"bits": 16})], errno.EINVAL),
        ([(b"ab", 2, {"bits": 32})], errno.EINVAL),
        ([(b"a", 1, {"tx_nbits": 2})], errno.EINVAL),
        ([(b"a", 1, {"rx_nbits": 4})], errno.EINVAL),
        ([(b"a", 1, {"rx_nbits": 3})], errno.EINVAL),
    ],
)
def test_what_spidev_and_the_spi_core_refuse(transfers, error):
    chip = Scribe()

    with raises_errno(error):
        message(chip.open(0), *transfers)
    assert chip.heard == []


def test_as_much_as_bufsiz_fits_in_each_direction():
    assert message(Scribe(bufsiz=64).open(0), (bytes(32), 32), (bytes(32), 32))[0] == 64
    with raises_errno(errno.EMSGSIZE):
        Scribe(bufsiz=64).open(0).read(65)
    with raises_errno(errno.EMSGSIZE):
        Scribe(bufsiz=64).open(0).write(bytes(65))


def test_lengths_whose_sum_is_no_int_are_refused():
    with raises_errno(errno.EMSGSIZE):
        message(Scribe().open(0), (None, None, {"len": 2**31 - 1}), (None, None, {"len": 1}))


def test_a_size_that_is_no_whole_number_of_transfers_is_refused():
    with raises_errno(errno.EINVAL):
        ioctl(Scribe().open(0), 0x40216B00, bytes(33))


@pytest.mark.parametrize("request_", [0x80206B00, 0x40046B06, 0x40047601])
def test_unknown_requests_are_enotty(request_):
    with raises_errno(errno.ENOTTY):
        ioctl(Scribe().open(0), request_, bytes(request_ >> 16 & 0x3FFF))


def test_a_stream_has_no_positions():
    file = Scribe().open(0)

    for call in (lambda: file.pread(1, 0), lambda: file.pwrite(b"a", 0), lambda: file.seek(0, os.SEEK_CUR)):
        with raises_errno(errno.ESPIPE):
            call()


# ---- Settings


def test_settings_begin_as_the_board_description_says_and_are_shared_by_all_opens():
    chip = Scribe(max_speed_hz=5_000_000)
    one, other = chip.open(0), chip.open(0)

    assert [setting(one, 1), setting(one, 2), setting(one, 3), setting(one, 4, size=4)] == [0, 0, 8, 5_000_000]
    setting(one, 1, 3)
    setting(one, 3, 16)
    setting(one, 4, 125_000, size=4)
    assert [setting(other, 1), setting(other, 5, size=4), setting(other, 3)] == [3, 3, 16]
    assert setting(other, 4, size=4) == 125_000


def test_the_last_close_brings_the_clock_back_and_leaves_the_mode():
    chip = Scribe()
    one, other = chip.open(0), chip.open(0)
    setting(one, 4, 125_000, size=4)
    setting(one, 1, 2)

    one.close()
    assert setting(other, 4, size=4) == 125_000
    other.close()
    assert setting(chip.open(0), 4, size=4) == 10_000_000
    assert chip.spi_mode == 2


def test_lsb_first_is_a_bit_of_the_mode():
    file = Scribe().open(0)

    setting(file, 2, 7)
    assert (setting(file, 2), setting(file, 1)) == (1, abi.LSB_FIRST)
    setting(file, 2, 0)
    assert (setting(file, 2), setting(file, 1)) == (0, 0)


def test_the_short_mode_has_the_low_byte():
    file = Scribe().open(0)

    setting(file, 5, abi.TX_QUAD | 3, size=4)
    assert (setting(file, 1), setting(file, 5, size=4)) == (3, abi.TX_QUAD | 3)


@pytest.mark.parametrize(
    ("number", "size", "value"),
    [
        (5, 4, 1 << 17),
        (5, 4, abi.TX_DUAL | abi.TX_QUAD),
        (5, 4, abi.RX_DUAL | abi.RX_QUAD),
        (5, 4, abi.THREE_WIRE | abi.RX_DUAL),
        (1, 1, abi.READY),
        (3, 1, 9),
        (4, 4, 0),
    ],
)
def test_settings_that_cannot_be_are_refused_and_change_nothing(number, size, value):
    file = Scribe().open(0)
    before = setting(file, number, size=size)

    with raises_errno(errno.EINVAL):
        setting(file, number, value, size=size)
    assert setting(file, number, size=size) == before


def test_data_lines_that_the_controller_lacks_are_left_out():
    file = Scribe().open(0)

    setting(file, 5, abi.TX_OCTAL | 1, size=4)

    assert setting(file, 5, size=4) == 1


def test_bits_of_0_are_8():
    file = Scribe().open(0)

    setting(file, 3, 0)

    assert setting(file, 3) == 8


def test_two_data_lines_need_the_mode():
    file = Scribe().open(0)

    setting(file, 5, abi.RX_DUAL, size=4)

    assert message(file, (b"a", 1, {"rx_nbits": 2}))[0] == 1


def test_one_wire_carries_one_direction_at_a_time():
    file = Scribe().open(0)
    setting(file, 1, abi.THREE_WIRE)

    with raises_errno(errno.EINVAL):
        message(file, (b"a", 1))
    assert message(file, (b"a", None), (None, 2))[0] == 3


# ---- The wire


def test_loop_answers_what_was_sent_and_the_chip_hears_nothing():
    chip = Scribe()
    file = chip.open(0)
    setting(file, 1, abi.LOOP)

    assert message(file, (b"echo", 4))[1] == [b"echo"]
    assert b"echo" not in chip.heard


def test_a_chip_in_the_wrong_mode_hears_nothing_and_says_so(caplog):
    class Picky(Scribe):
        modes = (3,)

    chip = Picky()
    file = chip.open(0)
    assert setting(file, 1) == 3
    setting(file, 1, 0)

    assert message(file, (b"ab", 2))[1] == [b"\xff\xff"]
    assert chip.heard == []
    assert "Picky: the program clocks in SPI mode 0, this chip understands 3: it hears nothing" in caplog.text


def test_a_chip_select_of_the_wrong_polarity_selects_nothing(caplog):
    chip = Scribe()
    file = chip.open(0)
    setting(file, 1, abi.CS_HIGH)

    assert message(file, (b"ab", 2))[1] == [b"\xff\xff"]
    assert "selected while the line is low" in caplog.text


def test_a_chip_that_is_selected_by_a_high_line_finds_the_mode_so():
    class High(Scribe):
        cs_high = True

    chip = High()
    assert setting(chip.open(0), 1) == abi.CS_HIGH
    assert message(chip.open(0), (b"ab", 2))[1] == [b"\0\1"]


def test_a_clock_that_is_too_fast_is_named_once(caplog):
    file = Scribe(max_speed_hz=1_000_000).open(0)

    message(file, (b"a", 1, {"speed": 1_000_000}))
    assert caplog.text == ""
    message(file, (b"a", 1, {"speed": 2_000_000}))
    message(file, (b"a", 1, {"speed": 3_000_000}))
    assert caplog.text.count("this chip is good for 1000000") == 1


@pytest.mark.parametrize(
    ("memory", "bits", "lsb_first", "wire"),
    [
        ("01020304", 8, False, "01020304"),
        ("01020304", 16, False, "02010403"),
        ("01020304", 32, False, "04030201"),
        ("01f0", 8, True, "800f"),
        ("0180", 16, True, "8001"),
        ("01000000", 32, True, "80000000"),
        ("ff03", 9, False, "01ff"),
        ("0100", 9, True, "0100"),
        ("ff", 4, False, "0f"),
    ],
)
def test_words_go_over_the_wire_with_the_high_byte_first(memory, bits, lsb_first, wire):
    assert to_wire(bytes.fromhex(memory), bits, lsb_first).hex() == wire


@given(st.binary(max_size=40), st.integers(1, 32), st.booleans())
def test_what_goes_out_comes_back(data, bits, lsb_first):
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    data = data[: len(data) // size * size]
    words = [int.from_bytes(data[at : at + size], "little") % (1 << bits) for at in range(0, len(data), size)]
    clean = b"".join(word.to_bytes(size, "little") for word in words)

    assert from_wire(to_wire(data, bits, lsb_first), bits, lsb_first) == clean


def test_16_bit_words_reach_the_chip_in_its_order():
    chip = Scribe()

    assert message(chip.open(0), (b"\x34\x12", 2, {"bits": 16}))[1] == [b"\1\0"]
    assert chip.heard[1] == b"\x12\x34"


# ---- Instructions


class Memory(SpiChip):
    """A chip with instructions of all shapes."""

    def setup(self):
        self.cells = bytearray(range(256))
        self.log = []

    @instruction(0x9F)
    def identify(self):
        return b"\x12\x34"

    @instruction(0x03, address=1)
    def read_cells_from(self, address):
        while True:
            yield memoryview(self.cells)[address:]
            address = 0

    @instruction(0x0B, 0x3B, address=2, dummy=1)
    def fast(self, address):
        return address.to_bytes(2, "big")

    @instruction(0x02, address=1, data=True)
    def program(self, address, data):
        self.log.append((address, data))

    @instruction(0x05)
    def status(self):
        while True:
            yield bytes([len(self.log)])

    @instruction(0x06)
    def enable(self):
        self.log.append("enable")


def exchange(file, *sent):
    """One message of full-duplex transfers; what came back, joined."""
    return b"".join(message(file, *((data, len(data)) for data in sent))[1])


def test_an_instruction_answers_behind_its_code_and_then_the_line_is_idle():
    assert exchange(Memory().open(0), b"\x9f\0\0\0") == b"\xff\x12\x34\xff"


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_frame_may_be_cut_into_transfers_anywhere(cut):
    whole = b"\x03\xfe\0\0\0\0"

    assert exchange(Memory().open(0), whole[:cut], whole[cut:]) == b"\xff\xff\xfe\xff\x00\x01"


def test_several_codes_share_a_method_with_an_address_and_dummy_bytes():
    file = Memory().open(0)

    assert exchange(file, b"\x0b\x12\x34\0\0\0") == b"\xff" * 4 + b"\x12\x34"
    assert exchange(file, b"\x3b\x56\x78\0\0\0")[4:] == b"\x56\x78"


def test_data_is_handed_over_when_the_chip_select_rises():
    chip = Memory()
    file = chip.open(0)

    assert exchange(file, b"\x02\x10", b"ab", b"c") == b"\xff" * 5
    assert chip.log == [(0x10, b"abc")]
    file.write(b"\x02")
    assert chip.log == [(0x10, b"abc")]


def test_what_is_yielded_is_looked_at_as_the_program_clocks_it():
    chip = Memory()
    file = chip.open(0)

    message(file, (b"\x05\0", 2, {"cs": 1}))
    chip.log.append("meanwhile")

    assert exchange(file, b"\0")[0] == 1


def test_an_instruction_without_an_answer_is_carried_out_at_once():
    chip = Memory()

    chip.open(0).write(b"\x06")

    assert chip.log == ["enable"]


def test_an_unknown_instruction_is_named_once(caplog):
    file = Memory().open(0)

    assert exchange(file, b"\x77\0\0") == b"\xff\xff\xff"
    exchange(file, b"\x77\0")
    assert caplog.text.count("the program sent instruction 0x77, which is not modelled") == 1


def test_a_derived_class_overrides_by_name_and_by_code():
    class Other(Memory):
        def identify(self):
            return b"\x56"

        @instruction(0x05)
        def busy_flag(self):
            return b"!"

    file = Other().open(0)

    assert exchange(file, b"\x9f\0") == b"\xff\x56"
    assert exchange(file, b"\x05\0") == b"\xff!"


def test_two_methods_of_one_code_are_refused():
    with pytest.raises(TypeError, match="one and other both have the code 0x9f"):

        class Twice(SpiChip):
            @instruction(0x9F)
            def one(self): ...

            @instruction(0x9F)
            def other(self): ...


@pytest.mark.parametrize("codes", [(), (256,), ("9F",), (-1,)])
def test_a_code_that_is_no_byte_is_refused(codes):
    with pytest.raises(ValueError, match="an instruction's code is one byte"):
        instruction(*codes)


def test_an_answer_of_an_instruction_that_is_none_is_named():
    class Wrong(SpiChip):
        @instruction(0x9F)
        def identify(self):
            return 0x12

    with pytest.raises(TypeError, match=r"Wrong\.identify\(\) returned 18"):
        exchange(Wrong().open(0), b"\x9f\0")


# ---- Registers


class Sensor(SpiChip):
    """Registers with the usual read bit."""

    addressing, byteorder = "auto-increment", "little"
    identity = Register(0x00, reset=0xE5, access="r")
    limit = Register(0x10, size=2)
    data = Block(0x32, reset=b"abcdef", access="r")
    noted = 0

    @limit.written
    def count(self):
        self.noted += 1


class Radio(SpiChip):
    """Registers whose top bit means a write."""

    addressing = "auto-increment"
    read_flag, write_flag = 0, 0x80
    version = Register(0x42, reset=0x12)


def test_a_register_is_read_with_the_read_bit_and_a_burst_goes_on():
    file = Sensor().open(0)

    assert exchange(file, b"\x80\0") == b"\xff\xe5"
    assert exchange(file, b"\xb2", bytes(3), bytes(3)) == b"\xffabcdef"


def test_a_register_is_written_without_it():
    chip = Sensor()

    chip.open(0).write(b"\x10\x34\x12")

    assert (chip.limit, chip.noted) == (0x1234, 1)


def test_chips_with_a_write_bit_read_without_it():
    chip = Radio()
    file = chip.open(0)

    assert exchange(file, b"\x42\0") == b"\xff\x12"
    file.write(b"\xc2\x34")
    assert chip.version == 0x34


# ---- Time


def test_busy_times_end_and_unplugging_ends_them():
    chip = Memory()
    table = Tabletop.plug(chip, "/dev/spidev0.0")

    chip.busy_for(0.5)
    assert chip.busy
    table.advance(0.5)
    assert not chip.busy
    chip.busy_for(0.5)
    Tabletop.plug(chip, "/dev/spidev0.0")
    assert not chip.busy


# ---- Around the node


def test_sys_shows_the_chip_on_the_bus_and_in_its_class():
    around = Memory().surroundings("/dev/spidev3.1", 153, 7)

    assert around["/sys/class/spidev/spidev3.1"] == (
        "../../devices/platform/devshim-spi.3/spi_master/spi3/spi3.1/spidev/spidev3.1"
    )
    assert around["/sys/module/spidev/parameters/bufsiz"] == b"4096\n"
    assert Memory().surroundings("/dev/flash", 153, 0) == {}


# ---- Hostile arguments

transfers = st.lists(
    st.tuples(
        st.one_of(st.none(), st.binary(max_size=64)),
        st.one_of(st.none(), st.integers(0, 64)),
        st.fixed_dictionaries(
            {},
            optional={
                "speed": st.integers(0, 2**32 - 1),
                "delay": st.integers(0, 2**16 - 1),
                **{name: st.integers(0, 255) for name in ("bits", "cs", "tx_nbits", "rx_nbits", "word_delay")},
            },
        ),
    ),
    max_size=6,
)


@given(transfers, st.integers(0, 2**32 - 1))
def test_any_message_gets_its_bytes_or_an_errno_of_the_kernel(given_, mode):
    total = sum(len(tx) if tx is not None else rx or 0 for tx, rx, _ in given_)
    for chip in (Scribe(), Memory(), Sensor()):
        file = chip.open(0)
        with may_fail(errno.EINVAL):
            setting(file, 5, mode, size=4)
        with may_fail(errno.EINVAL, errno.EMSGSIZE):
            assert message(file, *given_)[0] == total


@given(st.integers(0, 2**32 - 1), st.binary(max_size=128))
def test_any_other_request_with_any_bytes_is_answered_or_refused(request_, argument):
    assume(request_ & 0xC000FFFF != 0x40006B00)
    size = request_ >> 16 & 0x3FFF
    with may_fail(errno.EINVAL, errno.ENOTTY):
        ioctl(Memory().open(0), request_, *((argument.ljust(size, b"\0")[:size],) if size else ()))

"""The bus as i2c-dev.c gives it to programs: addresses, messages, SMBus transactions, and the errors of each."""

import errno
import stat
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from i2cprogram import raises_errno, rdwr, smbus
from tabletop import Tabletop

from devshim.model import i2c_abi as abi
from devshim.model.device import WAIT, Device
from devshim.model.i2c import AddressTaken, I2cBus, I2cChip
from devshim.model.registers import Block, Register
from devshim.model.smbus import crc8

ALL = abi.PLAIN | abi.FUNC_SMBUS_READ_BLOCK_DATA | abi.FUNC_SMBUS_BLOCK_PROC_CALL


class Words(I2cChip):
    """Words behind a pointer, low byte first as SMBus has them."""

    address: int = 0x20
    byteorder = "little"
    one = Register(1, size=2, reset=0x1122)
    two = Register(2, size=2, reset=0x3344)
    byte = Register(3, reset=0x5A)

    @Block(4)
    def text(self):
        return b"\x05hello"


class Checked(Words):
    """The same, with packet error codes."""

    address: int = 0x21
    pec = True


class Cells(I2cChip):
    address: int = 0x22
    addressing = "auto-increment"
    cells = Block(0, 256)


class Scribe(I2cChip):
    """A free-form chip that keeps what it hears."""

    address: int = 0x23
    answer = b"answer"

    def setup(self):
        self.heard_of = []

    def started(self, address, reading):
        self.heard_of.append("start" + " r" * reading)
        return super().started(address, reading)

    def write(self, data):
        self.heard_of.append(bytes(data))

    def read(self, size):
        self.heard_of.append(size)
        return self.answer[:size]

    def stopped(self):
        self.heard_of.append("stop")


@pytest.fixture
def bus():
    return I2cBus(Words(), Checked(), Cells(), Scribe(), functionality=ALL)


@pytest.fixture
def file(bus):
    return bus.open(0)


# ---- the bus itself


def test_chips_are_found_by_address():
    bus = I2cBus(Words(), Cells(address=0x50))

    assert type(bus.chips[0x50]) is Cells
    assert sorted(bus.chips) == [0x20, 0x50]


def test_two_chips_at_one_address_are_refused_with_both_names():
    with pytest.raises(AddressTaken, match="two chips at 0x20: Words and Cells; give one another address="):
        I2cBus(Words(), Cells(address=0x20))


@pytest.mark.parametrize("address", [0, 0x80, -1])
def test_an_address_that_cannot_be_is_refused(address):
    with pytest.raises(ValueError, match=r"Words: .* is no address of 7 bits; set address="):
        I2cBus(Words(address=address))


def test_a_chip_makes_its_bus_and_the_next_one_joins_it():
    bus = Words().plug_into(None)

    assert isinstance(bus, I2cBus)
    assert Cells().plug_into(bus) is bus
    assert sorted(bus.chips) == [0x20, 0x22]
    with pytest.raises(TypeError, match="Words joins an I2C bus, but a Device is plugged there"):
        Words().plug_into(Device())


def test_the_node_is_a_character_device_of_major_89():
    assert I2cBus().major == 89
    assert stat.S_ISCHR(I2cBus().mode)


def test_an_unknown_nack_errno_is_refused():
    with pytest.raises(ValueError, match='nack="EOOPS" is no errno'):
        I2cBus(nack="EOOPS")


def test_timers_of_chips_run_while_the_bus_is_plugged():
    from devshim.model.timing import every

    class Ticking(I2cChip):
        address: int = 0x30
        ticks = 0

        @every(seconds=1)
        def tick(self):
            self.ticks += 1

    early, late = Ticking(), Ticking(address=0x31)
    bus = I2cBus(early)
    table = Tabletop.plug(bus)
    table.advance(2.5)
    bus.add(late)
    table.advance(1)

    assert (early.ticks, late.ticks) == (3, 1)


def test_a_chip_adds_what_it_needs_to_what_the_adapter_can_do():
    class Battery(Words):
        functionality = abi.FUNC_SMBUS_READ_BLOCK_DATA

    assert I2cBus(Battery()).functionality == abi.PLAIN | abi.FUNC_SMBUS_READ_BLOCK_DATA
    assert I2cBus(Words()).functionality == 0x0EFF0009


# ---- read, write and the choice of an address


def test_each_open_has_an_address_of_its_own(bus):
    one, other = bus.open(0), bus.open(0)

    one.set_address(0x20)
    other.set_address(0x22)
    one.write(b"\x01")
    other.write(b"\x00Z")
    other.write(b"\x00")

    assert one.read(2) == b"\x22\x11"
    assert other.read(1) == b"Z"


def test_an_absent_chip_fails_with_the_adapters_errno():
    for nack in "ENXIO", "ENODEV", "EREMOTEIO":
        file = I2cBus(Words(), nack=nack).open(0)
        file.set_address(0x33)
        with raises_errno(getattr(errno, nack)):
            file.read(1)
        with raises_errno(getattr(errno, nack)):
            file.write(b"")
        with raises_errno(getattr(errno, nack)):
            rdwr(file, (0x33, 0, b"\0"))
        with raises_errno(getattr(errno, nack)):
            smbus(file, 1, abi.BYTE_DATA)


def test_the_message_for_an_absent_chip_names_those_that_are_there():
    file = I2cBus(Words()).open(0)
    file.set_address(0x33)

    with pytest.raises(OSError, match=r"nothing answers at 0x33; plugged here: 0x20 \(Words\)"):
        file.read(1)


def test_nobody_answers_before_an_address_is_chosen_nor_the_general_call(file):
    with raises_errno(errno.ENXIO):
        file.read(1)
    with raises_errno(errno.ENXIO):
        rdwr(file, (0, 0, b"\x06"))


def test_reads_and_writes_end_at_8192_bytes(bus, file):
    file.set_address(0x23)

    assert len(file.read(9000)) == 8192
    assert file.write(bytes(9000)) == 8192
    assert bus.chips[0x23].heard_of[1] == 8192
    assert len(bus.chips[0x23].heard_of[4]) == 8192


def test_a_write_of_no_bytes_is_just_the_address(bus, file):
    file.set_address(0x23)

    assert file.write(b"") == 0
    assert file.read(0) == b""
    assert bus.chips[0x23].heard_of == ["start", "stop", "start r", "stop"]


def test_what_a_chip_does_not_send_is_ff(bus, file):
    file.set_address(0x23)

    assert file.read(8) == b"answer\xff\xff"


def test_a_chip_that_does_not_acknowledge_all_bytes_fails_the_write_with_eio(bus, file):
    bus.chips[0x23].write = lambda data: 2
    file.set_address(0x23)

    assert file.write(b"ab") == 2
    with raises_errno(errno.EIO):
        file.write(b"abc")


def test_a_wrong_type_from_a_chip_is_the_models_error(bus, file):
    file.set_address(0x23)
    chip = bus.chips[0x23]

    chip.read = lambda size: None
    with pytest.raises(TypeError, match=r"Scribe.read\(\) returned None; return bytes"):
        file.read(1)
    chip.read = lambda size: b"too much"
    with pytest.raises(ValueError, match=r"Scribe.read\(1\) returned 8 bytes"):
        file.read(1)
    chip.write = lambda data: "yes"
    with pytest.raises(TypeError, match=r"Scribe.write\(\) returned 'yes'"):
        file.write(b"a")


def test_a_chip_may_let_the_program_wait(bus, file):
    file.set_address(0x23)
    chip = bus.chips[0x23]

    chip.read = lambda size: WAIT
    assert file.read(1) is WAIT
    chip.write = lambda data: WAIT
    assert file.write(b"a") is WAIT


@pytest.mark.parametrize(("ten", "address", "fits"), [(0, 0x7F, 1), (0, 0x80, 0), (1, 0x3FF, 1), (1, 0x400, 0)])
def test_an_address_of_too_many_bits_is_einval(file, ten, address, fits):
    file.set_ten_bit(ten)

    for choose in file.set_address, file.force_address:
        if fits:
            choose(address)
        else:
            with raises_errno(errno.EINVAL):
                choose(address)


def test_an_address_that_a_kernel_driver_holds_is_ebusy_and_force_passes():
    file = I2cBus(Words(busy=True)).open(0)

    with raises_errno(errno.EBUSY):
        file.set_address(0x20)
    file.force_address(0x20)
    file.write(b"\x01")
    assert file.read(2) == b"\x22\x11"


def test_retries_and_timeout_are_whole_numbers_of_31_bits(file):
    for call in file.set_retries, file.set_timeout:
        call(3)
        with raises_errno(errno.EINVAL):
            call(2**31)


def test_an_unknown_request_is_enotty(file):
    with raises_errno(errno.ENOTTY):
        file.ioctl(0x0709, b"")
    assert sorted(file.ioctls) == [0x701, 0x702, 0x703, 0x704, 0x705, 0x706, 0x707, 0x708, 0x720]


def test_funcs_is_what_the_adapter_can_do(file):
    assert file.functions().value == ALL


# ---- I2C_RDWR


def test_messages_are_one_transfer_with_repeated_starts(bus, file):
    result, buffers = rdwr(file, (0x23, 0, b"ab"), (0x23, abi.M_RD, bytes(6)))

    assert result == 2
    assert buffers == [b"ab", b"answer"]
    assert bus.chips[0x23].heard_of == ["start", b"ab", "start r", 6, "stop"]


def test_messages_may_go_to_several_chips(bus, file):
    _, buffers = rdwr(file, (0x20, 0, b"\x01"), (0x22, 0, b"\x00xy"), (0x20, 1, bytes(2)))

    assert buffers[2] == b"\x22\x11"
    assert bus.chips[0x22].cells[:2] == b"xy"


def test_every_chip_that_took_part_hears_the_stop_also_after_an_error(bus, file):
    with raises_errno(errno.ENXIO):
        rdwr(file, (0x23, 0, b"ab"), (0x33, 0, b"c"))

    assert bus.chips[0x23].heard_of[-1] == "stop"


def test_limits_of_rdwr(file):
    for count in 0, 43:
        with raises_errno(errno.EINVAL):
            rdwr(file, *[(0x20, 0, b"\x01")] * count)
    assert rdwr(file, *[(0x20, 0, b"\x01")] * 42)[0] == 42
    with raises_errno(errno.EINVAL):
        file.combined(SimpleNamespace(msgs=None, nmsgs=1))
    with raises_errno(errno.EINVAL):
        rdwr(file, (0x20, 0, bytes(8193)))
    assert rdwr(file, (0x23, 1, bytes(8192)))[0] == 1


def test_recv_len_reads_a_block_whose_length_the_chip_sends(file):
    _, buffers = rdwr(file, (0x20, 0, b"\x04"), (0x20, abi.M_RD | abi.M_RECV_LEN, b"\x01" + bytes(40)))

    assert buffers[1][:7] == b"\x05hello\0"


@pytest.mark.parametrize(
    ("flags", "buffer"),
    [(abi.M_RECV_LEN, b"\x01" + bytes(40)), (abi.M_RECV_LEN | 1, bytes(41)), (abi.M_RECV_LEN | 1, b"\x02" + bytes(32))],
)
def test_recv_len_needs_a_read_with_a_count_and_room(file, flags, buffer):
    with raises_errno(errno.EINVAL):
        rdwr(file, (0x20, flags, buffer))


@pytest.mark.parametrize("length", [0, 33])
def test_a_block_length_that_smbus_does_not_allow_is_eproto(bus, file, length):
    bus.chips[0x23].answer = bytes([length]) + bytes(40)
    file.set_address(0x23)

    with raises_errno(errno.EPROTO):
        smbus(file, 1, abi.BLOCK_DATA)


@pytest.mark.parametrize("flag", [abi.M_TEN, abi.M_RECV_LEN, abi.M_NOSTART])
def test_what_the_adapter_cannot_do_is_eopnotsupp(flag):
    file = I2cBus(Words()).open(0)

    with raises_errno(errno.EOPNOTSUPP):
        rdwr(file, (0x20, flag | abi.M_RD, b"\x01" + bytes(40)))


def test_nostart_goes_on_in_the_same_message():
    bus = I2cBus(Scribe(), functionality=ALL | abi.FUNC_NOSTART)

    _, buffers = rdwr(
        bus.open(0),
        (0x23, 0, b"ab"),
        (0x23, abi.M_NOSTART, b"cd"),
        (0x23, abi.M_RD, bytes(3)),
        (0x23, abi.M_RD | abi.M_NOSTART, bytes(3)),
    )

    assert bus.chips[0x23].heard_of == ["start", b"abcd", "start r", 6, "stop"]
    assert buffers[2:] == [b"ans", b"wer"]


def test_ignore_nak_passes_over_an_absent_chip_where_the_adapter_can():
    plain, mangling = I2cBus(), I2cBus(functionality=ALL | abi.FUNC_PROTOCOL_MANGLING)

    assert rdwr(mangling.open(0), (0x33, abi.M_IGNORE_NAK, b"a"))[0] == 1
    with raises_errno(errno.ENXIO):
        rdwr(plain.open(0), (0x33, abi.M_IGNORE_NAK, b"a"))


def test_ten_bit_chips_answer_ten_bit_messages_alone():
    class Wide(Words):
        address: int = 0x120
        ten_bit = True

    bus = I2cBus(Wide(), functionality=ALL | abi.FUNC_10BIT_ADDR)
    file = bus.open(0)
    file.set_ten_bit(1)
    file.set_address(0x120)
    file.write(b"\x01")

    assert file.read(2) == b"\x22\x11"
    with raises_errno(errno.ENXIO):
        rdwr(file, (0x120, 0, b"\x01"))


# ---- SMBus


def test_smbus_transactions_of_every_size(bus, file):
    file.set_address(0x20)
    words = bus.chips[0x20]

    smbus(file, 0, abi.QUICK, data=None)
    smbus(file, 0, abi.BYTE, 3, data=None)
    assert smbus(file, 1, abi.BYTE)[:1] == b"\x5a"
    assert smbus(file, 1, abi.BYTE_DATA, 3)[:2] == b"\x5a\0"
    smbus(file, 0, abi.BYTE_DATA, 3, b"\x66")
    assert words.byte == 0x66
    assert smbus(file, 1, abi.WORD_DATA, 1)[:3] == b"\x22\x11\0"
    smbus(file, 0, abi.WORD_DATA, 1, b"\xcd\xab")
    assert words.one == 0xABCD
    assert smbus(file, 0, abi.PROC_CALL, 2, b"\x01\x02")[:2] == b"\x01\x02"
    assert smbus(file, 1, abi.BLOCK_DATA, 4)[:7] == b"\x05hello\0"
    assert smbus(file, 1, abi.I2C_BLOCK_DATA, 1, b"\x04")[:5] == b"\x04\xcd\xab\xcd\xab"


def test_smbus_blocks_are_written_as_the_kernel_writes_them(bus, file):
    file.set_address(0x23)
    heard = bus.chips[0x23].heard_of

    smbus(file, 0, abi.I2C_BLOCK_DATA, 7, b"\x03abcd")
    smbus(file, 0, abi.I2C_BLOCK_BROKEN, 7, b"\x03abcd")
    smbus(file, 0, abi.BLOCK_DATA, 7, b"\x03abcd")
    bus.chips[0x23].answer = b"\x02hi"
    assert smbus(file, 0, abi.BLOCK_PROC_CALL, 7, b"\x03abcd")[:4] == b"\x02hic"

    assert [one for one in heard if isinstance(one, bytes)] == [b"\x07abc"] * 2 + [b"\x07\x03abc"] * 2


def test_the_old_block_read_asks_for_32_bytes(bus, file):
    file.set_address(0x23)

    assert smbus(file, 1, abi.I2C_BLOCK_BROKEN, 0)[:8] == b"\x20answer\xff"


@pytest.mark.parametrize("size", [abi.BLOCK_DATA, abi.BLOCK_PROC_CALL, abi.I2C_BLOCK_DATA])
def test_a_block_of_more_than_32_bytes_is_einval(file, size):
    file.set_address(0x20)

    with raises_errno(errno.EINVAL):
        smbus(file, 0, size, 0, b"\x21")


def test_smbus_arguments_that_i2c_dev_refuses(file):
    file.set_address(0x20)

    for size in 9, 1000:
        with raises_errno(errno.EINVAL):
            smbus(file, 0, size)
    with raises_errno(errno.EINVAL):
        smbus(file, 2, abi.BYTE)
    with raises_errno(errno.EINVAL):
        smbus(file, 1, abi.BYTE, data=None)


def test_an_smbus_only_adapter_refuses_messages_and_what_it_has_no_function_for():
    file = I2cBus(Words(), functionality=0x00780000).open(0)
    file.set_address(0x20)

    for call in (lambda: file.read(1), lambda: file.write(b"a"), lambda: rdwr(file, (0x20, 0, b"a"))):
        with raises_errno(errno.EOPNOTSUPP):
            call()
    with raises_errno(errno.EOPNOTSUPP):
        smbus(file, 0, abi.QUICK, data=None)
    assert smbus(file, 1, abi.WORD_DATA, 1)[:2] == b"\x22\x11"


# ---- packet error codes


def test_crc8_is_the_one_of_smbus():
    assert crc8(b"123456789") == 0xF4
    assert crc8(b"6789", crc8(b"12345")) == 0xF4


def test_packet_error_codes_of_a_chip_that_has_them(bus, file):
    file.set_address(0x21)
    file.set_pec(1)
    chip = bus.chips[0x21]

    assert smbus(file, 1, abi.WORD_DATA, 1)[:2] == b"\x22\x11"
    assert smbus(file, 1, abi.BYTE_DATA, 3)[:1] == b"\x5a"
    assert smbus(file, 1, abi.BLOCK_DATA, 4)[:6] == b"\x05hello"
    smbus(file, 0, abi.WORD_DATA, 1, b"\xcd\xab")
    assert chip.one == 0xABCD
    assert smbus(file, 0, abi.PROC_CALL, 2, b"\x01\x02")[:2] == b"\x01\x02"


def test_a_chip_with_packet_error_codes_works_without_them_too(bus, file):
    file.set_address(0x21)

    smbus(file, 0, abi.WORD_DATA, 1, b"\xcd\xab")
    assert smbus(file, 1, abi.WORD_DATA, 1)[:2] == b"\xcd\xab"


def test_a_chip_without_packet_error_codes_is_ebadmsg(file):
    file.set_address(0x20)
    file.set_pec(1)

    with raises_errno(errno.EBADMSG):
        smbus(file, 1, abi.WORD_DATA, 1)
    assert smbus(file, 1, abi.I2C_BLOCK_DATA, 1, b"\x02")[:3] == b"\x02\x22\x11"


def test_a_chip_does_not_take_a_write_with_a_wrong_packet_error_code(bus, file):
    file.set_address(0x21)

    with raises_errno(errno.EIO):
        file.write(b"\x01\xcd\xab\x00")
    assert bus.chips[0x21].one == 0x1122


@given(command=st.sampled_from([1, 2]), value=st.integers(0, 0xFFFF))
def test_a_word_survives_the_way_there_and_back_with_packet_error_codes(command, value):
    file = I2cBus(Checked()).open(0)
    file.set_address(0x21)
    file.set_pec(1)

    smbus(file, 0, abi.WORD_DATA, command, value.to_bytes(2, "little"))

    assert smbus(file, 1, abi.WORD_DATA, command)[:2] == value.to_bytes(2, "little")


# ---- busy chips


def test_a_busy_chip_does_not_acknowledge_until_its_time_is_over(bus, file):
    table = Tabletop.plug(bus)
    file.set_address(0x22)

    bus.chips[0x22].busy_for(0.005)
    with raises_errno(errno.ENXIO):
        file.write(b"\x00")
    table.advance(0.004)
    bus.chips[0x22].busy_for(0.005)
    table.advance(0.004)
    with raises_errno(errno.ENXIO):
        file.write(b"\x00")
    table.advance(0.001)
    assert file.write(b"\x00") == 1


def test_a_chip_whose_adapter_was_pulled_while_it_was_busy_answers_when_it_is_back(bus, file):
    Tabletop.plug(bus)
    file.set_address(0x22)
    bus.chips[0x22].busy_for(0.005)

    bus.unplugged()
    Tabletop.plug(bus)

    assert file.write(b"\x00") == 1


def test_a_chip_that_is_not_plugged_keeps_nobody_waiting():
    chip = Cells()

    chip.busy_for(5)

    assert chip.started(0x22, False)

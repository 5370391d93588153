"""Binary attributes: offsets, sizes and ends, as sysfs_kf_bin_read and sysfs_kf_bin_write have them."""

import os

import pytest

from devshim import BinaryAttribute, Device, Session

PATH = "/sys/devices/platform/board/rom"


class Board(Device):
    def __init__(self):
        super().__init__()
        self.content = bytearray(b"0123456789")

    def surroundings(self, node, major, minor):
        return {
            PATH: BinaryAttribute(self.read_rom, self.write_rom, len(self.content)),
            f"{PATH}-open": BinaryAttribute(self.read_rom, mode=0o644),
        }

    def read_rom(self, offset, size):
        return bytes(self.content[offset : offset + size])

    def write_rom(self, data, offset):
        self.content[offset : offset + len(data)] = data


@pytest.fixture
def board():
    with Session() as session:
        yield session.plug("/dev/board", Board())


def test_it_has_its_own_size(board):
    assert os.stat(PATH).st_size == 10
    with open(PATH, "rb") as file:
        assert file.seek(0, os.SEEK_END) == 10
        assert file.read() == b""


def test_reads_go_to_the_device_at_their_offset_and_end_with_it(board):
    with open(PATH, "rb", buffering=0) as file:
        assert (file.read(4), file.read(4), file.read(4), file.read(4)) == (b"0123", b"4567", b"89", b"")
        assert os.pread(file.fileno(), 99, 8) == b"89"
        board.content[0:1] = b"x"
        assert os.pread(file.fileno(), 2, 0) == b"x1"


def test_writes_go_to_their_offset_and_no_further_than_the_end(board):
    with open(PATH, "r+b", buffering=0) as file:
        assert file.write(b"ab") == 2
        assert file.write(b"cd") == 2
        assert os.pwrite(file.fileno(), b"wxyz", 8) == 2
        assert board.content == b"abcd4567wx"
        with pytest.raises(OSError, match="File too large"):
            os.pwrite(file.fileno(), b"!", 10)


def test_one_without_a_size_ends_where_the_device_says(board):
    with open(f"{PATH}-open", "r+b", buffering=0) as file:
        assert (file.read(), os.stat(file.fileno()).st_size) == (b"0123456789", 0)
        with pytest.raises(OSError, match="Input/output error"):
            file.write(b"!")


def test_its_mode_is_what_it_can_do_and_holds_for_root(board):
    assert os.stat(PATH).st_mode & 0o777 == 0o644
    readable = BinaryAttribute(lambda offset, size: b"")
    assert readable.mode == 0o444
    with pytest.raises(PermissionError):
        readable.open(os.O_WRONLY)

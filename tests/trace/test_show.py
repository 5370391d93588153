"""An event as a line of text: each call, each outcome, and bytes as C writes them."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devshim.trace.event import Event
from devshim.trace.show import c_string, line


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Event("open", "/dev/x", 3, flags=0o2 | 0o4000, mode=0o640), "open(/dev/x, O_RDWR|O_NONBLOCK, 0640) = 3"),
        (
            Event("open", "/dev/x", error="EBUSY", result=-1),
            "open(/dev/x, O_RDONLY) = -1 EBUSY (Device or resource busy)",
        ),
        (Event("inherit", "/dev/x", 4, flags=1), "inherit(/dev/x, O_WRONLY) = 4"),
        (Event("read", "/dev/x", 3, data=b"it's\n", size=64, result=5), 'read(/dev/x, "it\'s\\n", 64) = 5'),
        (Event("pread", "/dev/x", 3, data=b"", size=8, offset=512), 'pread(/dev/x, "", 8, 512) = 0'),
        (Event("write", "/dev/x", 3, data=b'"\\\0\xff', result=2), 'write(/dev/x, "\\"\\\\\\x00\\xff", 4) = 2'),
        (Event("lseek", "/dev/x", 3, offset=-5, operation="SEEK_END", result=7), "lseek(/dev/x, -5, SEEK_END) = 7"),
        (Event("poll", "/dev/x", 3, asked=5, ready=1), "poll(/dev/x, POLLIN|POLLOUT) = POLLIN"),
        (Event("poll", "/dev/x", 3, asked=1, timeout=0.25), "poll(/dev/x, POLLIN, 0.25 s) = 0 (time-out)"),
        (Event("ioctl", "/dev/x", 3, request=0x5401, after=[b"ab"]), 'ioctl(/dev/x, 0x5401, => "ab") = 0'),
        (Event("ioctl", "/dev/x", 3, request=7, label="GO", argument=16), "ioctl(/dev/x, GO, 0x10) = 0"),
        (Event("ioctl", "/dev/x", 3, request=7, label="GO", new_file=5), "ioctl(/dev/x, GO) = 0 (file 5)"),
        (
            Event("ioctl", "/dev/x", 3, request=7, before=[b"a", None], after=[None, b"b"], incomplete=True),
            'ioctl(/dev/x, 0x7, ["a", -] => [-, "b"] /* incomplete */) = 0',
        ),
        (Event("close", "/dev/x", 3), "close(/dev/x) = 0"),
        (
            Event("mmap", "/dev/x", 3, size=4096, offset=0, operation="PROT_READ"),
            "mmap(/dev/x, 4096, 0, PROT_READ) = 0",
        ),
        (Event("flock", "/dev/x", 3, operation="LOCK_EX"), "flock(/dev/x, LOCK_EX) = 0"),
        (Event("read", "/dev/x", 3, size=1, finished=False, result=-1), 'read(/dev/x, "", 1) = ?'),
    ],
)
def test_each_call_has_its_line(event, text):
    assert line(event) == text


def test_the_number_of_the_file_stands_before_the_node_where_it_is_wanted():
    event = Event("close", "/dev/x", 3)

    assert line(event, files=True) == "close(3</dev/x>) = 0"
    assert line(Event("open", "/dev/x", error="EIO", result=-1), files=True).startswith("open(/dev/x, ")


def test_an_ioctl_is_put_into_words_by_who_can():
    event = Event("ioctl", "/dev/x", 3, request=7, before=[b"\5"])

    assert line(event, decode=lambda one: f"{{speed={one.before[0][0]}}}") == "ioctl(/dev/x, 0x7, {speed=5}) = 0"


@given(st.binary(max_size=40))
def test_bytes_are_what_c_and_python_make_of_them(data):
    assert ast.literal_eval(f'b"{c_string(data)}"') == data
    assert c_string(data).isprintable()

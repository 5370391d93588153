"""Kept memory: what one call names, the answer to a later one fills; in every placement of the host."""

import ctypes
from pathlib import Path

import pytest
from host.own_devices import attached, opened
from ioctlwire import segments
from model.kept_model import Keeper, Order

from devshim import IOR, IOW, Device, ioctl
from devshim.host.kept import with_fills
from devshim.host.segments import KEPT, SEGMENTS
from devshim.model.ioctl import BadDescription
from devshim.model.kept import Kept
from devshim.model.request import Request

MODEL = Path(__file__).with_name("kept_model.py")
ORDER, FETCH = IOW("K", 1, Order), IOR("K", 2, ctypes.c_uint64)


@pytest.mark.parametrize("options", [(), ("--in-process",)], ids=["a host of its own", "in the program's process"])
def test_memory_named_earlier_is_filled_later(devshim_run, program, options: tuple[str, ...]) -> None:
    outcome = devshim_run(program("kept"), "/dev/kept0", devices=[f"/dev/kept0={MODEL}:Keeper"], options=options)

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


def test_calls_of_the_test_s_own_process_are_filled_too() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    data = (ctypes.c_uint8 * 9)()
    order = Order(9, 0, ctypes.addressof(data))
    fetched = ctypes.c_uint64()

    with attached(own0=Keeper()), opened() as fd:
        assert libc.ioctl(fd, ctypes.c_ulong(int(ORDER)), ctypes.byref(order)) == 0
        assert libc.ioctl(fd, ctypes.c_ulong(int(FETCH)), ctypes.byref(fetched)) == 0

    assert (fetched.value, order.done) == (ctypes.addressof(order), 9)
    assert bytes(data) == bytes(range(9, 18))


def test_bytes_for_kept_memory_lie_aligned_behind_the_answer() -> None:
    out = segments(b"abcdefgh", b"xyz")

    filled = with_fills(out, [(0x1000, b"12345"), (0x2000, b"")])

    count, first = SEGMENTS.unpack_from(filled)
    address, length, second = KEPT.unpack_from(filled, first)
    assert (count, first % 8, address, length) == (2, 0, 0x1000, 5)
    assert filled[first + KEPT.size :][:5] == b"12345"
    assert KEPT.unpack_from(filled, second) == (0x2000, 0, 0)
    assert filled[SEGMENTS.size : len(out)] == out[SEGMENTS.size :]


def test_nothing_is_filled_beyond_what_was_named() -> None:
    with pytest.raises(ValueError, match="5 bytes at 4 of 8"):
        Kept(0x1000, 8).filled(b"12345", 4)


@pytest.mark.parametrize(
    ("request_number", "keyword"), [(IOR("K", 1, Order), "keeps"), (IOW("K", 1, ctypes.c_uint64), "fills")]
)
def test_a_description_that_cannot_keep_or_fill_is_refused(request_number: Request, keyword: str) -> None:
    with pytest.raises(BadDescription, match=f"{keyword}=True"):
        ioctl(request_number, access="r" if keyword == "keeps" else "w", **{keyword: True})


def test_a_handler_that_keeps_takes_the_memory_as_its_last_argument() -> None:
    with pytest.raises(BadDescription, match=r"must take \(self, argument, memory\)"):

        class Wrong(Device):
            @ioctl(ORDER, keeps=True)
            def order(self, order):
                pass


def test_filled_by_a_handler_that_did_not_say_so_is_a_failure(devshim_run, tmp_path: Path) -> None:
    model = tmp_path / "wrong.py"
    model.write_text(
        "from ctypes import *\nfrom devshim import *\nfrom devshim.model.kept import Filled\n"
        "class Wrong(Device):\n    @ioctl(IOWR('K', 3, c_uint64), keeps=True)\n"
        "    def get(self, value, memory): return Filled(None, [memory.argument.filled(b'1')])\n"
    )
    call = "import fcntl; fcntl.ioctl(open('/dev/wrong0', 'rb+', 0), 0xc0084b03, bytes(8))"

    outcome = devshim_run("python3", "-c", call, devices=[f"/dev/wrong0={model}"])

    assert "Wrong.get returned Filled: say fills=True in its @ioctl" in outcome.stderr

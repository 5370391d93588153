"""Whatever a program asks of an input device, it gets an answer or an errno; the model never raises anything else."""

from __future__ import annotations

import errno
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from inputprogram import ask, opened
from ioctlwire import MayFail

from devshim import Axis, Input
from devshim import input_codes as codes
from devshim.model import input_abi as abi
from devshim.model.input_file import CustomInputFile, InputFile
from devshim.model.ioctl import Handler
from devshim.model.request import size_of

ERRORS = (errno.EINVAL, errno.EFAULT, errno.ENOENT, errno.ENOSYS, errno.EBUSY, errno.ENOSPC, errno.EACCES)
MOST = 512
HANDLERS = sorted(set(InputFile.ioctls.values()), key=lambda handler: handler.number)
FLAT = [handler for handler in HANDLERS if not handler.steps and handler.value is None]


class Everything(Input):
    """All types of events."""

    uniq: str = "1"
    keys = (codes.KEY_A, codes.BTN_LEFT)
    keymap = {1: codes.KEY_A, 0x70005: codes.KEY_B}
    relative = (codes.REL_X,)
    axes = {
        codes.ABS_X: Axis(-9, 9, fuzz=4),
        codes.ABS_MT_SLOT: Axis(0, 3),
        codes.ABS_MT_TRACKING_ID: Axis(0, 65535),
    }
    misc = (codes.MSC_SCAN,)
    switches = (codes.SW_LID,)
    leds = (codes.LED_CAPSL,)
    sounds = (codes.SND_TONE,)
    effects = (codes.FF_RUMBLE, codes.FF_PERIODIC, codes.FF_SINE, codes.FF_GAIN)
    repeat = True


class Custom(Everything):
    """Samples of effects as well."""

    effects = (*Everything.effects, codes.FF_CUSTOM)


def requests(handler: Handler) -> st.SearchStrategy[tuple[int, int]]:
    """A request that the handler answers, and the bytes that its number claims."""
    number = st.sampled_from([number for number, _ in handler.matches])
    index = st.integers(0, 63 if handler.first is not None else 0)
    if not handler.sized:
        return st.tuples(number, st.just(size_of(handler.number)))
    sizes = st.integers(0, MOST)
    return st.builds(
        lambda number, index, size: ((handler.number + index % 64 if handler.first else number) | size << 16, size),
        number, index, sizes,
    )  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_bytes_in_any_request(data):
    file = opened(Everything())
    for _ in range(3):
        request, size = data.draw(st.sampled_from(FLAT).flatmap(requests))
        with MayFail(*ERRORS):
            ask(file, request, data.draw(st.binary(min_size=size, max_size=size)))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([abi.EVIOCGRAB, abi.EVIOCREVOKE, abi.EVIOCRMFF]), st.integers(0, (1 << 64) - 1))
def test_any_number_by_value(request, argument):
    with MayFail(*ERRORS):
        ask(opened(Everything()), request, argument=argument)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([abi.EVIOCGMASK, abi.EVIOCSMASK]), st.integers(0, 2**32 - 1) | st.integers(0, 40), st.data())
def test_any_mask(request, type, data):
    bits = data.draw(st.binary(max_size=200))
    file = opened(Everything())

    with MayFail(*ERRORS):
        ask(file, request, struct.pack("<IIQ", type, len(bits), 0x1000), bits)
    file.device.press(codes.KEY_A)
    file.device.move(codes.REL_X, 1)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=48, max_size=48), st.sampled_from([codes.FF_RUMBLE, codes.FF_PERIODIC, 0, 0xFFFF]), st.data())
def test_any_effect(content, type, data):
    file = opened(data.draw(st.sampled_from([Everything, Custom]))())
    effect = bytearray(content)
    struct.pack_into("<Hh", effect, 0, type, data.draw(st.sampled_from([-1, 0, -32768, 15])))
    pieces = []
    if isinstance(file, CustomInputFile):
        samples = data.draw(st.binary(max_size=64))
        struct.pack_into("<I", effect, 36, len(samples) // 2)
        pieces = [samples[: len(samples) // 2 * 2]]

    with MayFail(*ERRORS):
        ask(file, abi.EVIOCSFF, bytes(effect), *pieces)
    file.close()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_request_at_all(request):
    if request >> 8 & 0xFF == ord("E"):
        return
    with MayFail(*ERRORS):
        ask(opened(Everything()), request, bytes(size_of(request)) if size_of(request) else None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 800), st.integers(-(2**31), 2**31 - 1)), max_size=20))
def test_any_written_events(written):
    file = opened(Everything())

    data = b"".join(struct.pack("<qqHHi", 0, 0, *event) for event in written)
    assert file.write(data) == len(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_written_bytes(data):
    with MayFail(*ERRORS):
        opened(Everything()).write(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=24, max_size=24), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8))
def test_any_calibration(info, values):
    device = Everything()
    ask(opened(device), abi.EVIOCSABS & ~(0x3FFF << 16) | 24 << 16, info)

    for value in values:
        device.axis(codes.ABS_X, value)

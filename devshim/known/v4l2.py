"""Video4Linux: the requests of linux/videodev2.h"""

from __future__ import annotations

from devshim.known.record import BYTES, NewFile, known, packed, pointer, record, union
from devshim.known.v4l2_formats import (
    v4l2_dv_timings,
    v4l2_dv_timings_cap,
    v4l2_enum_dv_timings,
    v4l2_event,
    v4l2_event_subscription,
    v4l2_fmtdesc,
    v4l2_format,
    v4l2_fract,
    v4l2_frmivalenum,
    v4l2_frmsizeenum,
    v4l2_rect,
    v4l2_streamparm,
)
from devshim.model.argument import Access, Ctype

#: V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE and _OUTPUT_MPLANE; V4L2_MEMORY_USERPTR.
MPLANE, USERPTR = (9, 10), 2
userptr = pointer(BYTES, length=("memory", {}), access="w", optional=True, width=8, when=("memory", USERPTR))
v4l2_plane = record(
    "v4l2_plane",
    bytesused="u32",
    length="u32",
    m=union(mem_offset="u32", userptr="u64", fd="i32"),
    data_offset="u32",
    reserved="u32*11",
)
planes = pointer(v4l2_plane, length="length", optional=True, width=8, when=("type", *MPLANE))


def ext_controls(access: Access) -> Ctype:
    """Controls to get or to set.  A payload that is text or an array lies behind a pointer, and has a size."""
    payload = pointer(BYTES, length="size", access=access, width=8, when=("size", 1, 0xFFFFFFFF))
    control = packed(
        "v4l2_ext_control", id="u32", size="u32", reserved2="u32", _0=union(value="i32", value64="i64", ptr=payload)
    )
    return record(
        "v4l2_ext_controls",
        _0=union(ctrl_class="u32", which="u32"),
        count="u32",
        error_idx="u32",
        request_fd="i32",
        reserved="u32",
        controls=pointer(control, length="count", width=8),
    )


v4l2_capability = record(
    "v4l2_capability",
    driver="u8*16",
    card="u8*32",
    bus_info="u8*32",
    version="u32",
    capabilities="u32",
    device_caps="u32",
    reserved="u32*3",
)
v4l2_requestbuffers = record(
    "v4l2_requestbuffers", count="u32", type="u32", memory="u32", capabilities="u32", flags="u8", reserved="u8*3"
)
timeval = record("timeval", tv_sec="i64", tv_usec="i64")
v4l2_timecode = record(
    "v4l2_timecode", type="u32", flags="u32", frames="u8", seconds="u8", minutes="u8", hours="u8", userbits="u8*4"
)
v4l2_buffer = record(
    "v4l2_buffer",
    index="u32",
    type="u32",
    bytesused="u32",
    flags="u32",
    field="u32",
    timestamp=timeval,
    timecode=v4l2_timecode,
    sequence="u32",
    memory="u32",
    m=union(offset="u32", userptr=userptr, planes=planes, fd="i32"),
    length="u32",
    reserved2="u32",
    _0=union(request_fd="i32", reserved="u32"),
)
v4l2_exportbuffer = record(
    "v4l2_exportbuffer", type="u32", index="u32", plane="u32", flags="u32", fd=NewFile, reserved="u32*11"
)
v4l2_standard = record(
    "v4l2_standard", index="u32", id="u64", name="u8*24", frameperiod=v4l2_fract, framelines="u32", reserved="u32*4"
)
v4l2_input = record(
    "v4l2_input",
    index="u32",
    name="u8*32",
    type="u32",
    audioset="u32",
    tuner="u32",
    std="u64",
    status="u32",
    capabilities="u32",
    reserved="u32*3",
)
v4l2_control = record("v4l2_control", id="u32", value="i32")
v4l2_tuner = record(
    "v4l2_tuner",
    index="u32",
    name="u8*32",
    type="u32",
    capability="u32",
    rangelow="u32",
    rangehigh="u32",
    rxsubchans="u32",
    audmode="u32",
    signal="i32",
    afc="i32",
    reserved="u32*4",
)
v4l2_audio = record("v4l2_audio", index="u32", name="u8*32", capability="u32", mode="u32", reserved="u32*2")
v4l2_queryctrl = record(
    "v4l2_queryctrl",
    id="u32",
    type="u32",
    name="u8*32",
    minimum="i32",
    maximum="i32",
    step="i32",
    default_value="i32",
    flags="u32",
    reserved="u32*2",
)
v4l2_querymenu = packed("v4l2_querymenu", id="u32", index="u32", _0=union(name="u8*32", value="i64"), reserved="u32")
edid_to_get, edid_to_set = (
    record(
        "v4l2_edid",
        pad="u32",
        start_block="u32",
        blocks="u32",
        reserved="u32*5",
        edid=pointer(BYTES * 128, length="blocks", access=access, width=8),
    )
    for access in ("r", "w")
)
v4l2_output = record(
    "v4l2_output",
    index="u32",
    name="u8*32",
    type="u32",
    audioset="u32",
    modulator="u32",
    std="u64",
    capabilities="u32",
    reserved="u32*3",
)
v4l2_audioout = record("v4l2_audioout", index="u32", name="u8*32", capability="u32", mode="u32", reserved="u32*2")
v4l2_modulator = record(
    "v4l2_modulator",
    index="u32",
    name="u8*32",
    capability="u32",
    rangelow="u32",
    rangehigh="u32",
    txsubchans="u32",
    type="u32",
    reserved="u32*3",
)
v4l2_frequency = record("v4l2_frequency", tuner="u32", type="u32", frequency="u32", reserved="u32*8")
v4l2_cropcap = record("v4l2_cropcap", type="u32", bounds=v4l2_rect, defrect=v4l2_rect, pixelaspect=v4l2_fract)
v4l2_crop = record("v4l2_crop", type="u32", c=v4l2_rect)
v4l2_create_buffers = record(
    "v4l2_create_buffers",
    index="u32",
    count="u32",
    memory="u32",
    format=v4l2_format,
    capabilities="u32",
    flags="u32",
    reserved="u32*6",
)
v4l2_selection = record("v4l2_selection", type="u32", target="u32", flags="u32", r=v4l2_rect, reserved="u32*9")
v4l2_frequency_band = record(
    "v4l2_frequency_band",
    tuner="u32",
    type="u32",
    index="u32",
    capability="u32",
    rangelow="u32",
    rangehigh="u32",
    modulation="u32",
    reserved="u32*9",
)
v4l2_query_ext_ctrl = record(
    "v4l2_query_ext_ctrl",
    id="u32",
    type="u32",
    name="char*32",
    minimum="i64",
    maximum="i64",
    step="u64",
    default_value="i64",
    flags="u32",
    elem_size="u32",
    elems="u32",
    nr_of_dims="u32",
    dims="u32*4",
    reserved="u32*32",
)

# asks: what the application sets, by the API's specification; the driver fills in the rest.
DESCRIPTIONS = [
    known("VIDIOC_QUERYCAP", 0x80685600, v4l2_capability),
    known("VIDIOC_ENUM_FMT", 0xC0405602, v4l2_fmtdesc, asks="type"),
    known("VIDIOC_G_FMT", 0xC0D05604, v4l2_format, asks="type"),
    known("VIDIOC_S_FMT", 0xC0D05605, v4l2_format),
    known("VIDIOC_REQBUFS", 0xC0145608, v4l2_requestbuffers, asks="memory"),
    known("VIDIOC_QUERYBUF", 0xC0585609, v4l2_buffer),
    known("VIDIOC_G_FBUF", 0x8030560A),
    known("VIDIOC_S_FBUF", 0x4030560B),
    known("VIDIOC_OVERLAY", 0x4004560E, "i32"),
    known("VIDIOC_QBUF", 0xC058560F, v4l2_buffer),
    known("VIDIOC_EXPBUF", 0xC0405610, v4l2_exportbuffer),
    known("VIDIOC_DQBUF", 0xC0585611, v4l2_buffer),
    known("VIDIOC_STREAMON", 0x40045612, "i32"),
    known("VIDIOC_STREAMOFF", 0x40045613, "i32"),
    known("VIDIOC_G_PARM", 0xC0CC5615, v4l2_streamparm, asks="type"),
    known("VIDIOC_S_PARM", 0xC0CC5616, v4l2_streamparm),
    known("VIDIOC_G_STD", 0x80085617, "u64"),
    known("VIDIOC_S_STD", 0x40085618, "u64"),
    known("VIDIOC_ENUMSTD", 0xC0485619, v4l2_standard, asks="index"),
    known("VIDIOC_ENUMINPUT", 0xC050561A, v4l2_input, asks="index"),
    known("VIDIOC_G_CTRL", 0xC008561B, v4l2_control, asks="id"),
    known("VIDIOC_S_CTRL", 0xC008561C, v4l2_control),
    known("VIDIOC_G_TUNER", 0xC054561D, v4l2_tuner, asks="index"),
    known("VIDIOC_S_TUNER", 0x4054561E, v4l2_tuner),
    known("VIDIOC_G_AUDIO", 0x80345621, v4l2_audio),
    known("VIDIOC_S_AUDIO", 0x40345622, v4l2_audio),
    known("VIDIOC_QUERYCTRL", 0xC0445624, v4l2_queryctrl, asks="id"),
    known("VIDIOC_QUERYMENU", 0xC02C5625, v4l2_querymenu, asks="index"),
    known("VIDIOC_G_INPUT", 0x80045626, "i32"),
    known("VIDIOC_S_INPUT", 0xC0045627, "i32"),
    known("VIDIOC_G_EDID", 0xC0285628, edid_to_get),
    known("VIDIOC_S_EDID", 0xC0285629, edid_to_set),
    known("VIDIOC_G_OUTPUT", 0x8004562E, "i32"),
    known("VIDIOC_S_OUTPUT", 0xC004562F, "i32"),
    known("VIDIOC_ENUMOUTPUT", 0xC0485630, v4l2_output, asks="index"),
    known("VIDIOC_G_AUDOUT", 0x80345631, v4l2_audioout),
    known("VIDIOC_S_AUDOUT", 0x40345632, v4l2_audioout),
    known("VIDIOC_G_MODULATOR", 0xC0445636, v4l2_modulator, asks="index"),
    known("VIDIOC_S_MODULATOR", 0x40445637, v4l2_modulator),
    known("VIDIOC_G_FREQUENCY", 0xC02C5638, v4l2_frequency, asks="tuner"),
    known("VIDIOC_S_FREQUENCY", 0x402C5639, v4l2_frequency),
    known("VIDIOC_CROPCAP", 0xC02C563A, v4l2_cropcap, asks="type"),
    known("VIDIOC_G_CROP", 0xC014563B, v4l2_crop, asks="type"),
    known("VIDIOC_S_CROP", 0x4014563C, v4l2_crop),
    known("VIDIOC_G_JPEGCOMP", 0x808C563D),
    known("VIDIOC_S_JPEGCOMP", 0x408C563E),
    known("VIDIOC_QUERYSTD", 0x8008563F, "u64"),
    known("VIDIOC_TRY_FMT", 0xC0D05640, v4l2_format),
    known("VIDIOC_ENUMAUDIO", 0xC0345641, v4l2_audio, asks="index"),
    known("VIDIOC_ENUMAUDOUT", 0xC0345642, v4l2_audioout, asks="index"),
    known("VIDIOC_G_PRIORITY", 0x80045643, "u32"),
    known("VIDIOC_S_PRIORITY", 0x40045644, "u32"),
    known("VIDIOC_G_SLICED_VBI_CAP", 0xC0745645),
    known("VIDIOC_LOG_STATUS", 0x00005646),
    known("VIDIOC_G_EXT_CTRLS", 0xC0205647, ext_controls("r")),
    known("VIDIOC_S_EXT_CTRLS", 0xC0205648, ext_controls("w")),
    known("VIDIOC_TRY_EXT_CTRLS", 0xC0205649, ext_controls("w")),
    known("VIDIOC_ENUM_FRAMESIZES", 0xC02C564A, v4l2_frmsizeenum, asks="pixel_format"),
    known("VIDIOC_ENUM_FRAMEINTERVALS", 0xC034564B, v4l2_frmivalenum, asks="height"),
    known("VIDIOC_G_ENC_INDEX", 0x8818564C),
    known("VIDIOC_ENCODER_CMD", 0xC028564D),
    known("VIDIOC_TRY_ENCODER_CMD", 0xC028564E),
    known("VIDIOC_DBG_S_REGISTER", 0x4038564F),
    known("VIDIOC_DBG_G_REGISTER", 0xC0385650),
    known("VIDIOC_S_HW_FREQ_SEEK", 0x40305652),
    known("VIDIOC_S_DV_TIMINGS", 0xC0845657, v4l2_dv_timings),
    known("VIDIOC_G_DV_TIMINGS", 0xC0845658, v4l2_dv_timings),
    known("VIDIOC_DQEVENT", 0x80885659, v4l2_event),
    known("VIDIOC_SUBSCRIBE_EVENT", 0x4020565A, v4l2_event_subscription),
    known("VIDIOC_UNSUBSCRIBE_EVENT", 0x4020565B, v4l2_event_subscription),
    known("VIDIOC_CREATE_BUFS", 0xC100565C, v4l2_create_buffers),
    known("VIDIOC_PREPARE_BUF", 0xC058565D, v4l2_buffer),
    known("VIDIOC_G_SELECTION", 0xC040565E, v4l2_selection, asks="target"),
    known("VIDIOC_S_SELECTION", 0xC040565F, v4l2_selection),
    known("VIDIOC_DECODER_CMD", 0xC0485660),
    known("VIDIOC_TRY_DECODER_CMD", 0xC0485661),
    known("VIDIOC_ENUM_DV_TIMINGS", 0xC0945662, v4l2_enum_dv_timings, asks="pad"),
    known("VIDIOC_QUERY_DV_TIMINGS", 0x80845663, v4l2_dv_timings),
    known("VIDIOC_DV_TIMINGS_CAP", 0xC0905664, v4l2_dv_timings_cap, asks="pad"),
    known("VIDIOC_ENUM_FREQ_BANDS", 0xC0405665, v4l2_frequency_band, asks="index"),
    known("VIDIOC_DBG_G_CHIP_INFO", 0xC0C85666),
    known("VIDIOC_QUERY_EXT_CTRL", 0xC0E85667, v4l2_query_ext_ctrl, asks="id"),
]

"""Video4Linux, linux/videodev2.h: formats, timings, sizes and events"""

from __future__ import annotations

from devshim.known.record import packed, record, union

v4l2_fmtdesc = record(
    "v4l2_fmtdesc",
    index="u32",
    type="u32",
    flags="u32",
    description="u8*32",
    pixelformat="u32",
    mbus_code="u32",
    reserved="u32*3",
)
v4l2_pix_format = record(
    "v4l2_pix_format",
    width="u32",
    height="u32",
    pixelformat="u32",
    field="u32",
    bytesperline="u32",
    sizeimage="u32",
    colorspace="u32",
    priv="u32",
    flags="u32",
    _0=union(ycbcr_enc="u32", hsv_enc="u32"),
    quantization="u32",
    xfer_func="u32",
)
v4l2_plane_pix_format = packed("v4l2_plane_pix_format", sizeimage="u32", bytesperline="u32", reserved="u16*6")
v4l2_pix_format_mplane = packed(
    "v4l2_pix_format_mplane",
    width="u32",
    height="u32",
    pixelformat="u32",
    field="u32",
    colorspace="u32",
    plane_fmt=v4l2_plane_pix_format * 8,
    num_planes="u8",
    flags="u8",
    _0=union(ycbcr_enc="u8", hsv_enc="u8"),
    quantization="u8",
    xfer_func="u8",
    reserved="u8*7",
)
v4l2_rect = record("v4l2_rect", left="i32", top="i32", width="u32", height="u32")
v4l2_window = record(
    "v4l2_window",
    w=v4l2_rect,
    field="u32",
    chromakey="u32",
    clips="u64",
    clipcount="u32",
    bitmap="u64",
    global_alpha="u8",
)
v4l2_vbi_format = record(
    "v4l2_vbi_format",
    sampling_rate="u32",
    offset="u32",
    samples_per_line="u32",
    sample_format="u32",
    start="i32*2",
    count="u32*2",
    flags="u32",
    reserved="u32*2",
)
v4l2_sliced_vbi_format = record(
    "v4l2_sliced_vbi_format", service_set="u16", service_lines="u16*24*2", io_size="u32", reserved="u32*2"
)
v4l2_sdr_format = packed("v4l2_sdr_format", pixelformat="u32", buffersize="u32", reserved="u8*24")
v4l2_meta_format = packed("v4l2_meta_format", dataformat="u32", buffersize="u32")
v4l2_format = record(
    "v4l2_format",
    type="u32",
    fmt=union(
        pix=v4l2_pix_format,
        pix_mp=v4l2_pix_format_mplane,
        win=v4l2_window,
        vbi=v4l2_vbi_format,
        sliced=v4l2_sliced_vbi_format,
        sdr=v4l2_sdr_format,
        meta=v4l2_meta_format,
        raw_data="u8*200",
    ),
)
v4l2_fract = record("v4l2_fract", numerator="u32", denominator="u32")
v4l2_captureparm = record(
    "v4l2_captureparm",
    capability="u32",
    capturemode="u32",
    timeperframe=v4l2_fract,
    extendedmode="u32",
    readbuffers="u32",
    reserved="u32*4",
)
v4l2_outputparm = record(
    "v4l2_outputparm",
    capability="u32",
    outputmode="u32",
    timeperframe=v4l2_fract,
    extendedmode="u32",
    writebuffers="u32",
    reserved="u32*4",
)
v4l2_streamparm = record(
    "v4l2_streamparm", type="u32", parm=union(capture=v4l2_captureparm, output=v4l2_outputparm, raw_data="u8*200")
)
v4l2_frmsize_discrete = record("v4l2_frmsize_discrete", width="u32", height="u32")
v4l2_frmsize_stepwise = record(
    "v4l2_frmsize_stepwise",
    min_width="u32",
    max_width="u32",
    step_width="u32",
    min_height="u32",
    max_height="u32",
    step_height="u32",
)
v4l2_frmsizeenum = record(
    "v4l2_frmsizeenum",
    index="u32",
    pixel_format="u32",
    type="u32",
    _0=union(discrete=v4l2_frmsize_discrete, stepwise=v4l2_frmsize_stepwise),
    reserved="u32*2",
)
v4l2_frmival_stepwise = record("v4l2_frmival_stepwise", min=v4l2_fract, max=v4l2_fract, step=v4l2_fract)
v4l2_frmivalenum = record(
    "v4l2_frmivalenum",
    index="u32",
    pixel_format="u32",
    width="u32",
    height="u32",
    type="u32",
    _0=union(discrete=v4l2_fract, stepwise=v4l2_frmival_stepwise),
    reserved="u32*2",
)
v4l2_bt_timings = packed(
    "v4l2_bt_timings",
    width="u32",
    height="u32",
    interlaced="u32",
    polarities="u32",
    pixelclock="u64",
    hfrontporch="u32",
    hsync="u32",
    hbackporch="u32",
    vfrontporch="u32",
    vsync="u32",
    vbackporch="u32",
    il_vfrontporch="u32",
    il_vsync="u32",
    il_vbackporch="u32",
    standards="u32",
    flags="u32",
    picture_aspect=v4l2_fract,
    cea861_vic="u8",
    hdmi_vic="u8",
    reserved="u8*46",
)
v4l2_dv_timings = packed("v4l2_dv_timings", type="u32", _0=union(bt=v4l2_bt_timings, reserved="u32*32"))
v4l2_event_vsync = packed("v4l2_event_vsync", field="u8")
v4l2_event_ctrl = record(
    "v4l2_event_ctrl",
    changes="u32",
    type="u32",
    _0=union(value="i32", value64="i64"),
    flags="u32",
    minimum="i32",
    maximum="i32",
    step="i32",
    default_value="i32",
)
v4l2_event_frame_sync = record("v4l2_event_frame_sync", frame_sequence="u32")
v4l2_event_src_change = record("v4l2_event_src_change", changes="u32")
v4l2_event_motion_det = record("v4l2_event_motion_det", flags="u32", frame_sequence="u32", region_mask="u32")
timespec = record("timespec", tv_sec="i64", tv_nsec="i64")
v4l2_event = record(
    "v4l2_event",
    type="u32",
    u=union(
        vsync=v4l2_event_vsync,
        ctrl=v4l2_event_ctrl,
        frame_sync=v4l2_event_frame_sync,
        src_change=v4l2_event_src_change,
        motion_det=v4l2_event_motion_det,
        data="u8*64",
    ),
    pending="u32",
    sequence="u32",
    timestamp=timespec,
    id="u32",
    reserved="u32*8",
)
v4l2_event_subscription = record("v4l2_event_subscription", type="u32", id="u32", flags="u32", reserved="u32*5")
v4l2_enum_dv_timings = record("v4l2_enum_dv_timings", index="u32", pad="u32", reserved="u32*2", timings=v4l2_dv_timings)
v4l2_bt_timings_cap = packed(
    "v4l2_bt_timings_cap",
    min_width="u32",
    max_width="u32",
    min_height="u32",
    max_height="u32",
    min_pixelclock="u64",
    max_pixelclock="u64",
    standards="u32",
    capabilities="u32",
    reserved="u32*16",
)
v4l2_dv_timings_cap = record(
    "v4l2_dv_timings_cap", type="u32", pad="u32", reserved="u32*2", _0=union(bt=v4l2_bt_timings_cap, raw_data="u32*32")
)

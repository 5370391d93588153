"""Media controllers and their sub-devices: linux/media.h, linux/v4l2-subdev.h"""

from __future__ import annotations

from devshim.known.record import BYTES, NewFile, address, known, packed, pointer, record, union
from devshim.known.v4l2 import v4l2_standard
from devshim.known.v4l2_formats import v4l2_dv_timings, v4l2_dv_timings_cap, v4l2_enum_dv_timings, v4l2_fract, v4l2_rect

media_v2_entity = packed("media_v2_entity", id="u32", name="char*64", function="u32", flags="u32", reserved="u32*5")
media_v2_intf_devnode = packed("media_v2_intf_devnode", major="u32", minor="u32")
media_v2_interface = packed(
    "media_v2_interface",
    id="u32",
    intf_type="u32",
    flags="u32",
    reserved="u32*9",
    _0=union(devnode=media_v2_intf_devnode, raw="u32*16"),
)
media_v2_pad = packed("media_v2_pad", id="u32", entity_id="u32", flags="u32", index="u32", reserved="u32*4")
media_v2_link = packed("media_v2_link", id="u32", source_id="u32", sink_id="u32", flags="u32", reserved="u32*6")
media_device_info = record(
    "media_device_info",
    driver="char*16",
    model="char*32",
    serial="char*40",
    bus_info="char*32",
    media_version="u32",
    hw_revision="u32",
    driver_version="u32",
    reserved="u32*31",
)
media_entity_desc = record(
    "media_entity_desc",
    id="u32",
    name="char*32",
    type="u32",
    revision="u32",
    flags="u32",
    group_id="u32",
    pads="u16",
    links="u16",
    reserved="u32*4",
    _0=union(
        dev=record(major="u32", minor="u32"),
        alsa=record(card="u32", device="u32", subdevice="u32"),
        v4l=record(major="u32", minor="u32"),
        fb=record(major="u32", minor="u32"),
        dvb="i32",
        raw="u8*184",
    ),
)
# How many pads and links there are was said by MEDIA_IOC_ENUM_ENTITIES, not by this call: they are not followed.
media_links_enum = record(
    "media_links_enum", entity="u32", pads=address("entity"), links=address("entity"), reserved="u32*4"
)
media_pad_desc = record("media_pad_desc", entity="u32", index="u16", flags="u32", reserved="u32*2")
media_link_desc = record("media_link_desc", source=media_pad_desc, sink=media_pad_desc, flags="u32", reserved="u32*2")
media_v2_topology = packed(
    "media_v2_topology",
    topology_version="u64",
    num_entities="u32",
    reserved1="u32",
    ptr_entities=pointer(media_v2_entity, length="num_entities", access="r", optional=True, width=8),
    num_interfaces="u32",
    reserved2="u32",
    ptr_interfaces=pointer(media_v2_interface, length="num_interfaces", access="r", optional=True, width=8),
    num_pads="u32",
    reserved3="u32",
    ptr_pads=pointer(media_v2_pad, length="num_pads", access="r", optional=True, width=8),
    num_links="u32",
    reserved4="u32",
    ptr_links=pointer(media_v2_link, length="num_links", access="r", optional=True, width=8),
)
v4l2_subdev_capability = record("v4l2_subdev_capability", version="u32", capabilities="u32", reserved="u32*14")
v4l2_subdev_mbus_code_enum = record(
    "v4l2_subdev_mbus_code_enum", pad="u32", index="u32", code="u32", which="u32", flags="u32", reserved="u32*7"
)
v4l2_mbus_framefmt = record(
    "v4l2_mbus_framefmt",
    width="u32",
    height="u32",
    code="u32",
    field="u32",
    colorspace="u32",
    _0=union(ycbcr_enc="u16", hsv_enc="u16"),
    quantization="u16",
    xfer_func="u16",
    flags="u16",
    reserved="u16*10",
)
v4l2_subdev_format = record("v4l2_subdev_format", which="u32", pad="u32", format=v4l2_mbus_framefmt, reserved="u32*8")
v4l2_subdev_frame_interval = record("v4l2_subdev_frame_interval", pad="u32", interval=v4l2_fract, reserved="u32*9")
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
v4l2_subdev_crop = record("v4l2_subdev_crop", which="u32", pad="u32", rect=v4l2_rect, reserved="u32*8")
v4l2_subdev_selection = record(
    "v4l2_subdev_selection", which="u32", pad="u32", target="u32", flags="u32", r=v4l2_rect, reserved="u32*8"
)
v4l2_subdev_frame_size_enum = record(
    "v4l2_subdev_frame_size_enum",
    index="u32",
    pad="u32",
    code="u32",
    min_width="u32",
    max_width="u32",
    min_height="u32",
    max_height="u32",
    which="u32",
    reserved="u32*8",
)
v4l2_subdev_frame_interval_enum = record(
    "v4l2_subdev_frame_interval_enum",
    index="u32",
    pad="u32",
    code="u32",
    width="u32",
    height="u32",
    interval=v4l2_fract,
    which="u32",
    reserved="u32*8",
)

DESCRIPTIONS = [
    known("MEDIA_IOC_DEVICE_INFO", 0xC1007C00, media_device_info, "r"),
    known("MEDIA_IOC_ENUM_ENTITIES", 0xC1007C01, media_entity_desc, asks="id"),
    known("MEDIA_IOC_ENUM_LINKS", 0xC0287C02, media_links_enum),
    known("MEDIA_IOC_SETUP_LINK", 0xC0347C03, media_link_desc),
    known("MEDIA_IOC_G_TOPOLOGY", 0xC0487C04, media_v2_topology),
    known("MEDIA_IOC_REQUEST_ALLOC", 0x80047C05, NewFile),
    known("MEDIA_REQUEST_IOC_QUEUE", 0x7C80),
    known("MEDIA_REQUEST_IOC_REINIT", 0x7C81),
    known("VIDIOC_SUBDEV_QUERYCAP", 0x80405600, v4l2_subdev_capability),
    known("VIDIOC_SUBDEV_ENUM_MBUS_CODE", 0xC0305602, v4l2_subdev_mbus_code_enum),
    known("VIDIOC_SUBDEV_G_FMT", 0xC0585604, v4l2_subdev_format),
    known("VIDIOC_SUBDEV_S_FMT", 0xC0585605, v4l2_subdev_format),
    known("VIDIOC_SUBDEV_G_FRAME_INTERVAL", 0xC0305615, v4l2_subdev_frame_interval),
    known("VIDIOC_SUBDEV_S_FRAME_INTERVAL", 0xC0305616, v4l2_subdev_frame_interval),
    known("VIDIOC_SUBDEV_G_STD", 0x80085617, "u64"),
    known("VIDIOC_SUBDEV_S_STD", 0x40085618, "u64"),
    known("VIDIOC_SUBDEV_ENUMSTD", 0xC0485619, v4l2_standard),
    known("VIDIOC_SUBDEV_G_EDID", 0xC0285628, edid_to_get),
    known("VIDIOC_SUBDEV_S_EDID", 0xC0285629, edid_to_set),
    known("VIDIOC_SUBDEV_G_CROP", 0xC038563B, v4l2_subdev_crop),
    known("VIDIOC_SUBDEV_S_CROP", 0xC038563C, v4l2_subdev_crop),
    known("VIDIOC_SUBDEV_G_SELECTION", 0xC040563D, v4l2_subdev_selection),
    known("VIDIOC_SUBDEV_S_SELECTION", 0xC040563E, v4l2_subdev_selection),
    known("VIDIOC_SUBDEV_QUERYSTD", 0x8008563F, "u64"),
    known("VIDIOC_SUBDEV_ENUM_FRAME_SIZE", 0xC040564A, v4l2_subdev_frame_size_enum),
    known("VIDIOC_SUBDEV_ENUM_FRAME_INTERVAL", 0xC040564B, v4l2_subdev_frame_interval_enum),
    known("VIDIOC_SUBDEV_S_DV_TIMINGS", 0xC0845657, v4l2_dv_timings),
    known("VIDIOC_SUBDEV_G_DV_TIMINGS", 0xC0845658, v4l2_dv_timings),
    known("VIDIOC_SUBDEV_ENUM_DV_TIMINGS", 0xC0945662, v4l2_enum_dv_timings),
    known("VIDIOC_SUBDEV_QUERY_DV_TIMINGS", 0x80845663, v4l2_dv_timings),
    known("VIDIOC_SUBDEV_DV_TIMINGS_CAP", 0xC0905664, v4l2_dv_timings_cap),
]

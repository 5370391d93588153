"""Frame buffers: linux/fb.h"""

from __future__ import annotations

from ctypes import c_uint16

from devshim.known.record import known, pointer, record, value

fb_bitfield = record("fb_bitfield", offset="u32", length="u32", msb_right="u32")
fb_fix_screeninfo = record(
    "fb_fix_screeninfo",
    id="char*16",
    smem_start="u64",
    smem_len="u32",
    type="u32",
    type_aux="u32",
    visual="u32",
    xpanstep="u16",
    ypanstep="u16",
    ywrapstep="u16",
    line_length="u32",
    mmio_start="u64",
    mmio_len="u32",
    accel="u32",
    capabilities="u16",
    reserved="u16*2",
)
fb_var_screeninfo = record(
    "fb_var_screeninfo",
    xres="u32",
    yres="u32",
    xres_virtual="u32",
    yres_virtual="u32",
    xoffset="u32",
    yoffset="u32",
    bits_per_pixel="u32",
    grayscale="u32",
    red=fb_bitfield,
    green=fb_bitfield,
    blue=fb_bitfield,
    transp=fb_bitfield,
    nonstd="u32",
    activate="u32",
    height="u32",
    width="u32",
    accel_flags="u32",
    pixclock="u32",
    left_margin="u32",
    right_margin="u32",
    upper_margin="u32",
    lower_margin="u32",
    hsync_len="u32",
    vsync_len="u32",
    sync="u32",
    vmode="u32",
    rotate="u32",
    colorspace="u32",
    reserved="u32*4",
)
fb_con2fbmap = record("fb_con2fbmap", console="u32", framebuffer="u32")
colours = pointer(c_uint16, length="len")
fb_cmap = record(
    "fb_cmap",
    start="u32",
    len="u32",
    red=colours,
    green=colours,
    blue=colours,
    transp=pointer(c_uint16, length="len", optional=True),
)
fb_cmap = record("fb_cmap", start="u32", len="u32", red="u64", green="u64", blue="u64", transp="u64")
fb_vblank = record("fb_vblank", flags="u32", count="u32", vcount="u32", hcount="u32", reserved="u32*4")

DESCRIPTIONS = [
    known("FBIO_CURSOR", 0xC0684608),
    known("FBIOGET_VBLANK", 0x80204612, fb_vblank),
    known("FBIO_WAITFORVSYNC", 0x40044620, "u32"),
    known("FBIOGET_VSCREENINFO", 0x4600, fb_var_screeninfo, "r"),
    known("FBIOPUT_VSCREENINFO", 0x4601, fb_var_screeninfo, "rw"),
    known("FBIOGET_FSCREENINFO", 0x4602, fb_fix_screeninfo, "r"),
    known("FBIOGETCMAP", 0x4604, fb_cmap, "rw"),
    known("FBIOPUTCMAP", 0x4605, fb_cmap, "w"),
    known("FBIOPAN_DISPLAY", 0x4606, fb_var_screeninfo, "rw"),
    known("FBIOGET_CON2FBMAP", 0x460F, fb_con2fbmap, "rw"),
    known("FBIOPUT_CON2FBMAP", 0x4610, fb_con2fbmap, "w"),
    value("FBIOBLANK", 0x4611),
]

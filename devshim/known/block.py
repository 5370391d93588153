"""Disks: linux/fs.h, linux/blkpg.h, linux/blkzoned.h, linux/hdreg.h, linux/loop.h, linux/mmc/ioctl.h."""

from __future__ import annotations

from devshim.known.record import BYTES, family, known, pointer, record, trailing, value

hd_geometry = record("hd_geometry", heads="u8", sectors="u8", cylinders="u16", start="u64")
blkpg_partition = record("blkpg_partition", start="i64", length="i64", pno="i32", devname="char*64", volname="char*64")
blkpg_ioctl_arg = record(
    "blkpg_ioctl_arg", op="i32", flags="i32", datalen="i32", data=pointer(blkpg_partition, access="w")
)
blk_zone = record(
    "blk_zone", start="u64", len="u64", wp="u64", type="u8", cond="u8", non_seq="u8", reset="u8", resv="u8*4",
    capacity="u64", reserved="u8*24",
)  # fmt: skip
blk_zone_report = record(
    "blk_zone_report", sector="u64", nr_zones="u32", flags="u32", zones=trailing(blk_zone, length="nr_zones")
)
blk_zone_range = record("blk_zone_range", sector="u64", nr_sectors="u64")
loop_info = record(
    "loop_info", lo_number="i32", lo_device="u64", lo_inode="u64", lo_rdevice="u64", lo_offset="i32",
    lo_encrypt_type="i32", lo_encrypt_key_size="i32", lo_flags="i32", lo_name="char*64", lo_encrypt_key="u8*32",
    lo_init="u64*2", reserved="u8*4",
)  # fmt: skip
loop_info64 = record(
    "loop_info64", lo_device="u64", lo_inode="u64", lo_rdevice="u64", lo_offset="u64", lo_sizelimit="u64",
    lo_number="u32", lo_encrypt_type="u32", lo_encrypt_key_size="u32", lo_flags="u32", lo_file_name="char*64",
    lo_crypt_name="char*64", lo_encrypt_key="u8*32", lo_init="u64*2",
)  # fmt: skip
loop_config = record("loop_config", fd="u32", block_size="u32", info=loop_info64, __reserved="u64*8")
mmc_ioc_cmd = record(
    "mmc_ioc_cmd", write_flag="i32", is_acmd="i32", opcode="u32", arg="u32", response="u32*4", flags="u32",
    blksz="u32", blocks="u32", postsleep_min_us="u32", postsleep_max_us="u32", data_timeout_ns="u32",
    cmd_timeout_ms="u32", __pad="u32", data_ptr="u64",
)  # fmt: skip

DESCRIPTIONS = [
    *family("w", "i32", BLKROSET=0x125D),
    *family("r", "i32", BLKROGET=0x125E, BLKSSZGET=0x1268, BLKALIGNOFF=0x127A),
    *family("r", "u32", BLKIOMIN=0x1278, BLKIOOPT=0x1279, BLKPBSZGET=0x127B, BLKDISCARDZEROES=0x127C),
    *family("r", "u16", BLKSECTGET=0x1267, BLKROTATIONAL=0x127E),
    *family("r", "i64", BLKRAGET=0x1263, BLKFRAGET=0x1265, BLKGETSIZE=0x1260),
    *family("w", "u64*2", BLKDISCARD=0x1277, BLKSECDISCARD=0x127D, BLKZEROOUT=0x127F),
    value("BLKRASET", 0x1262, "u64"),
    value("BLKFRASET", 0x1264, "u64"),
    known("BLKRRPART", 0x125F),
    known("BLKFLSBUF", 0x1261),
    known("BLKPG", 0x1269, blkpg_ioctl_arg, "w"),
    # The numbers of these two carry the size of size_t, and they mean an int.
    known("BLKBSZGET", 0x80081270, "i32"),
    known("BLKBSZSET", 0x40081271, "i32"),
    known("BLKGETSIZE64", 0x80081272, "u64"),
    known("BLKGETDISKSEQ", 0x80081280, "u64"),
    known("BLKTRACESTART", 0x1274),
    known("BLKTRACESTOP", 0x1275),
    known("BLKTRACETEARDOWN", 0x1276),
    known("BLKREPORTZONE", 0xC0101282, blk_zone_report),
    known("BLKRESETZONE", 0x40101283, blk_zone_range),
    known("BLKGETZONESZ", 0x80041284, "u32"),
    known("BLKGETNRZONES", 0x80041285, "u32"),
    known("BLKOPENZONE", 0x40101286, blk_zone_range),
    known("BLKCLOSEZONE", 0x40101287, blk_zone_range),
    known("BLKFINISHZONE", 0x40101288, blk_zone_range),
    known("HDIO_GETGEO", 0x0301, hd_geometry, "r"),
    *family(
        "r",
        "u64",
        HDIO_GET_UNMASKINTR=0x0302,
        HDIO_GET_MULTCOUNT=0x0304,
        HDIO_GET_QDMA=0x0305,
        HDIO_GET_KEEPSETTINGS=0x0308,
        HDIO_GET_32BIT=0x0309,
        HDIO_GET_NOWERR=0x030A,
        HDIO_GET_DMA=0x030B,
        HDIO_GET_NICE=0x030C,
        HDIO_GET_WCACHE=0x030E,
        HDIO_GET_ACOUSTIC=0x030F,
        HDIO_GET_BUSSTATE=0x031A,
    ),
    known("HDIO_GET_IDENTITY", 0x030D, "u8*512", "r"),
    *(
        value(name, number, "u64")
        for name, number in {
            "HDIO_SET_MULTCOUNT": 0x0321,
            "HDIO_SET_UNMASKINTR": 0x0322,
            "HDIO_SET_KEEPSETTINGS": 0x0323,
            "HDIO_SET_32BIT": 0x0324,
            "HDIO_SET_NOWERR": 0x0325,
            "HDIO_SET_DMA": 0x0326,
            "HDIO_SET_NICE": 0x0329,
            "HDIO_SET_WCACHE": 0x032B,
            "HDIO_SET_ACOUSTIC": 0x032C,
        }.items()
    ),
    # Four bytes and, where the fourth says so, that many sectors in and out behind them.
    known(
        "HDIO_DRIVE_CMD",
        0x031F,
        record("", command="u8", sector="u8", feature="u8", nsector="u8", data=trailing(BYTES * 512, length="nsector")),
        "rw",
    ),
    known("HDIO_DRIVE_TASK", 0x031E, "u8*7", "rw"),
    value("LOOP_SET_FD", 0x4C00),
    known("LOOP_CLR_FD", 0x4C01),
    known("LOOP_SET_STATUS", 0x4C02, loop_info, "w"),
    known("LOOP_GET_STATUS", 0x4C03, loop_info, "r"),
    known("LOOP_SET_STATUS64", 0x4C04, loop_info64, "w"),
    known("LOOP_GET_STATUS64", 0x4C05, loop_info64, "r"),
    value("LOOP_CHANGE_FD", 0x4C06),
    known("LOOP_SET_CAPACITY", 0x4C07),
    value("LOOP_SET_DIRECT_IO", 0x4C08, "u64"),
    value("LOOP_SET_BLOCK_SIZE", 0x4C09, "u64"),
    known("LOOP_CONFIGURE", 0x4C0A, loop_config, "w"),
    value("LOOP_CTL_ADD", 0x4C80, "i64"),
    value("LOOP_CTL_REMOVE", 0x4C81, "i64"),
    known("LOOP_CTL_GET_FREE", 0x4C82),
    # Its data is as long as blksz times blocks, a product that a description cannot say.
    known("MMC_IOC_CMD", 0xC048B300, mmc_ioc_cmd),
]

"""SCSI commands passed through, and optical drives: scsi/sg.h, linux/bsg.h, linux/cdrom.h."""

from __future__ import annotations

from devshim.known.record import BYTES, address, family, known, pointer, record, union, value

sg_iovec = record("sg_iovec", iov_base=pointer(BYTES, length="iov_len", optional=True), iov_len="u64")
sg_io_hdr = record(
    "sg_io_hdr",
    interface_id="i32",
    dxfer_direction="i32",
    cmd_len="u8",
    mx_sb_len="u8",
    iovec_count="u16",
    dxfer_len="u32",
    # Data, or where iovec_count is not 0 a list of the pieces that it is in.
    _0=union(
        dxferp=pointer(BYTES, length="dxfer_len", optional=True, when=("iovec_count", 0)),
        vectors=pointer(sg_iovec, length="iovec_count", when=("iovec_count", 1, 0xFFFF)),
    ),
    cmdp=pointer(BYTES, length="cmd_len", access="w"),
    sbp=pointer(BYTES, length="mx_sb_len", access="r", optional=True),
    timeout="u32",
    flags="u32",
    pack_id="i32",
    usr_ptr=address("pack_id"),
    status="u8",
    masked_status="u8",
    msg_status="u8",
    sb_len_wr="u8",
    host_status="u16",
    driver_status="u16",
    resid="i32",
    duration="u32",
    info="u32",
)
#: A tag of its own: SG_IO of a bsg node has the number of SG_IO of a disk, and another argument.
sg_io_v4 = record(
    "sg_io_v4",
    **dict.fromkeys(("guard",), "i32"),
    **dict.fromkeys(("protocol", "subprotocol", "request_len"), "u32"),
    request=pointer(BYTES, length="request_len", access="w", width=8),
    request_tag="u64",
    **dict.fromkeys(("request_attr", "request_priority", "request_extra", "max_response_len"), "u32"),
    response=pointer(BYTES, length="max_response_len", access="r", optional=True, width=8),
    **dict.fromkeys(("dout_iovec_count", "dout_xfer_len", "din_iovec_count", "din_xfer_len"), "u32"),
    dout_xferp=pointer(BYTES, length="dout_xfer_len", access="w", optional=True, width=8, when=("dout_iovec_count", 0)),
    din_xferp=pointer(BYTES, length="din_xfer_len", access="r", optional=True, width=8, when=("din_iovec_count", 0)),
    timeout="u32",
    flags="u32",
    usr_ptr=address("timeout"),
    **dict.fromkeys(("spare_in", "driver_status", "transport_status", "device_status", "retry_delay"), "u32"),
    **dict.fromkeys(("info", "duration", "response_len"), "u32"),
    din_resid="i32",
    dout_resid="i32",
    generated_tag="u64",
    spare_out="u32",
    padding="u32",
)
sg_scsi_id = record(
    "sg_scsi_id",
    **dict.fromkeys(("host_no", "channel", "scsi_id", "lun", "scsi_type"), "i32"),
    h_cmd_per_lun="i16",
    d_queue_depth="i16",
    unused="i32*2",
)
request_sense = BYTES * 64
cdrom_addr = union("cdrom_addr", msf=record("cdrom_msf0", minute="u8", second="u8", frame="u8"), lba="i32")
cdrom_msf = record(
    "cdrom_msf",
    **dict.fromkeys(
        [
            "cdmsf_min0",
            "cdmsf_sec0",
            "cdmsf_frame0",
            "cdmsf_min1",
            "cdmsf_sec1",
            "cdmsf_frame1",
        ],
        "u8",
    ),
)
cdrom_ti = record("cdrom_ti", cdti_trk0="u8", cdti_ind0="u8", cdti_trk1="u8", cdti_ind1="u8")
cdrom_tochdr = record("cdrom_tochdr", cdth_trk0="u8", cdth_trk1="u8")
cdrom_volctrl = record("cdrom_volctrl", channel0="u8", channel1="u8", channel2="u8", channel3="u8")
#: The second byte holds two numbers of four bits, adr and ctrl.
cdrom_tocentry = record(
    "cdrom_tocentry", cdte_track="u8", adr_ctrl="u8", cdte_format="u8", cdte_addr=cdrom_addr, cdte_datamode="u8"
)
cdrom_subchnl = record(
    "cdrom_subchnl", cdsc_format="u8", cdsc_audiostatus="u8", adr_ctrl="u8", cdsc_trk="u8", cdsc_ind="u8",
    cdsc_absaddr=cdrom_addr, cdsc_reladdr=cdrom_addr,
)  # fmt: skip
cdrom_multisession = record("cdrom_multisession", addr=cdrom_addr, xa_flag="u8", addr_format="u8")
cdrom_mcn = record("cdrom_mcn", medium_catalog_number="char*14")
cdrom_blk = record("cdrom_blk", **{"from": "u32"}, len="u16")
cdrom_read_audio = record("cdrom_read_audio", addr=cdrom_addr, addr_format="u8", nframes="i32", buf=address("nframes"))
cdrom_generic_command = record(
    "cdrom_generic_command",
    cmd="u8*12",
    buffer=pointer(BYTES, length="buflen", optional=True),
    buflen="u32",
    stat="i32",
    sense=pointer(request_sense, access="r", optional=True),
    data_direction="u8",
    quiet="i32",
    timeout="i32",
    unused=address("stat"),
)
cdrom_timed_media_change_info = record("cdrom_timed_media_change_info", last_media_change="i64", media_flags="u64")

GENERIC = [
    *family("r", "i32", SG_GET_VERSION_NUM=0x2282, SG_GET_RESERVED_SIZE=0x2272, SG_EMULATED_HOST=0x2203),
    *family("r", "i32", SG_GET_LOW_DMA=0x227A, SG_GET_PACK_ID=0x227C, SG_GET_NUM_WAITING=0x227D),
    *family("r", "i32", SG_GET_SG_TABLESIZE=0x227F, SG_GET_COMMAND_Q=0x2270, SG_GET_KEEP_ORPHAN=0x2288),
    *family("w", "i32", SG_SET_RESERVED_SIZE=0x2275, SG_SET_FORCE_LOW_DMA=0x2279, SG_SET_FORCE_PACK_ID=0x227B),
    *family("w", "i32", SG_SCSI_RESET=0x2284, SG_SET_TIMEOUT=0x2201, SG_SET_COMMAND_Q=0x2271, SG_SET_DEBUG=0x227E),
    *family("w", "i32", SG_NEXT_CMD_LEN=0x2283, SG_SET_KEEP_ORPHAN=0x2287),
    known("SG_GET_TIMEOUT", 0x2202),
    known("SG_GET_SCSI_ID", 0x2276, sg_scsi_id, "r"),
    known("SCSI_IOCTL_TEST_UNIT_READY", 0x0002),
    known("SCSI_IOCTL_START_UNIT", 0x0005),
    known("SCSI_IOCTL_STOP_UNIT", 0x0006),
    known("SCSI_IOCTL_DOORLOCK", 0x5380),
    known("SCSI_IOCTL_DOORUNLOCK", 0x5381),
]
CDROM = [
    *(known(name, 0x5300 | nr) for name, nr in {
        "CDROMPAUSE": 0x01, "CDROMRESUME": 0x02, "CDROMSTOP": 0x07, "CDROMSTART": 0x08, "CDROMEJECT": 0x09,
        "CDROMRESET": 0x12, "CDROMCLOSETRAY": 0x19, "CDROM_DISC_STATUS": 0x27, "CDROM_CHANGER_NSLOTS": 0x28,
        "CDROM_GET_CAPABILITY": 0x31,
    }.items()),
    *(value(name, 0x5300 | nr) for name, nr in {
        "CDROMEJECT_SW": 0x0F, "CDROM_SET_OPTIONS": 0x20, "CDROM_CLEAR_OPTIONS": 0x21, "CDROM_SELECT_SPEED": 0x22,
        "CDROM_SELECT_DISC": 0x23, "CDROM_MEDIA_CHANGED": 0x25, "CDROM_DRIVE_STATUS": 0x26, "CDROM_LOCKDOOR": 0x29,
        "CDROM_DEBUG": 0x30,
    }.items()),
    known("CDROMPLAYMSF", 0x5303, cdrom_msf, "w"),
    known("CDROMPLAYTRKIND", 0x5304, cdrom_ti, "w"),
    known("CDROMREADTOCHDR", 0x5305, cdrom_tochdr, "r"),
    known("CDROMREADTOCENTRY", 0x5306, cdrom_tocentry, "rw"),
    known("CDROMVOLCTRL", 0x530A, cdrom_volctrl, "w"),
    known("CDROMSUBCHNL", 0x530B, cdrom_subchnl, "rw"),
    # As much as a frame has comes back, over the address that was handed in.
    known("CDROMREADMODE2", 0x530C, "u8*2336", "rw"),
    known("CDROMREADMODE1", 0x530D, "u8*2048", "rw"),
    # nframes times 2352 bytes, a product that a description cannot say.
    known("CDROMREADAUDIO", 0x530E, cdrom_read_audio, "w"),
    known("CDROMMULTISESSION", 0x5310, cdrom_multisession, "rw"),
    known("CDROM_GET_MCN", 0x5311, cdrom_mcn, "r"),
    known("CDROMVOLREAD", 0x5313, cdrom_volctrl, "r"),
    known("CDROMREADRAW", 0x5314, "u8*2352", "rw"),
    known("CDROMSEEK", 0x5316, cdrom_msf, "w"),
    known("CDROMPLAYBLK", 0x5317, cdrom_blk, "w"),
    known("CDROM_SEND_PACKET", 0x5393, cdrom_generic_command, "rw"),
    known("CDROM_NEXT_WRITABLE", 0x5394, "i64", "r"),
    known("CDROM_LAST_WRITTEN", 0x5395, "i64", "r"),
    known("CDROM_TIMED_MEDIA_CHANGE", 0x5396, cdrom_timed_media_change_info, "rw"),
]  # fmt: skip
DESCRIPTIONS = [known("SG_IO", 0x2285, sg_io_hdr, "rw"), *GENERIC, *CDROM]
BSG = [known("SG_IO", 0x2285, sg_io_v4, "rw"), *GENERIC]

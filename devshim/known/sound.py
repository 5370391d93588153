"""Sound: controls, PCM, timers, MIDI: sound/asound.h"""

from __future__ import annotations

from devshim.known.record import BYTES, address, known, pointer, record, trailing, union, value

snd_pcm_sync_id = union("snd_pcm_sync_id", id="u8*16", id16="u16*8", id32="u32*4")
snd_pcm_info = record(
    "snd_pcm_info",
    device="u32",
    subdevice="u32",
    stream="i32",
    card="i32",
    id="u8*64",
    name="u8*80",
    subname="u8*32",
    dev_class="i32",
    dev_subclass="i32",
    subdevices_count="u32",
    subdevices_avail="u32",
    sync=snd_pcm_sync_id,
    reserved="u8*64",
)
snd_mask = record("snd_mask", bits="u32*8")
snd_interval = record("snd_interval", min="u32", max="u32", flags="u32")
snd_pcm_hw_params = record(
    "snd_pcm_hw_params",
    flags="u32",
    masks=snd_mask * 3,
    mres=snd_mask * 5,
    intervals=snd_interval * 12,
    ires=snd_interval * 9,
    rmask="u32",
    cmask="u32",
    info="u32",
    msbits="u32",
    rate_num="u32",
    rate_den="u32",
    fifo_size="u64",
    reserved="u8*64",
)
snd_pcm_sw_params = record(
    "snd_pcm_sw_params",
    tstamp_mode="i32",
    period_step="u32",
    sleep_min="u32",
    avail_min="u64",
    xfer_align="u64",
    start_threshold="u64",
    stop_threshold="u64",
    silence_threshold="u64",
    silence_size="u64",
    boundary="u64",
    proto="u32",
    tstamp_type="u32",
    reserved="u8*56",
)
timespec = record("timespec", tv_sec="i64", tv_nsec="i64")
snd_pcm_status = record(
    "snd_pcm_status",
    state="i32",
    pad1=record(pad="u8*4"),
    trigger_tstamp=timespec,
    tstamp=timespec,
    appl_ptr="u64",
    hw_ptr="u64",
    delay="i64",
    avail="u64",
    avail_max="u64",
    overrange="u64",
    suspended_state="i32",
    audio_tstamp_data="u32",
    audio_tstamp=timespec,
    driver_tstamp=timespec,
    audio_tstamp_accuracy="u32",
    reserved="u8*20",
)
snd_pcm_mmap_status = record(
    "snd_pcm_mmap_status",
    state="i32",
    pad1="i32",
    hw_ptr="u64",
    tstamp=timespec,
    suspended_state="i32",
    audio_tstamp=timespec,
)
snd_pcm_mmap_control = record("snd_pcm_mmap_control", appl_ptr="u64", avail_min="u64")
snd_pcm_sync_ptr = record(
    "snd_pcm_sync_ptr",
    flags="u32",
    s=union(status=snd_pcm_mmap_status, reserved="u8*64"),
    c=union(control=snd_pcm_mmap_control, reserved="u8*64"),
)
snd_pcm_channel_info = record("snd_pcm_channel_info", channel="u32", offset="i64", first="u32", step="u32")
# How many bytes a frame has was said by HW_PARAMS, not by this call: the frames are not followed.
snd_xferi = record("snd_xferi", result="i64", buf=address("result"), frames="u64")
snd_xfern = record("snd_xfern", result="i64", bufs=address("result"), frames="u64")
snd_hwdep_info = record(
    "snd_hwdep_info", device="u32", card="i32", id="u8*64", name="u8*80", iface="i32", reserved="u8*64"
)
snd_hwdep_dsp_image = record(
    "snd_hwdep_dsp_image",
    index="u32",
    name="u8*64",
    image=pointer(BYTES, length="length", access="w"),
    length="u64",
    driver_data="u64",
)
snd_timer_id = record("snd_timer_id", dev_class="i32", dev_sclass="i32", card="i32", device="i32", subdevice="i32")
snd_timer_select = record("snd_timer_select", id=snd_timer_id, reserved="u8*32")
snd_timer_info = record(
    "snd_timer_info",
    flags="u32",
    card="i32",
    id="u8*64",
    name="u8*80",
    reserved0="u64",
    resolution="u64",
    reserved="u8*64",
)
snd_timer_params = record(
    "snd_timer_params", flags="u32", ticks="u32", queue_size="u32", reserved0="u32", filter="u32", reserved="u8*60"
)
snd_timer_status = record(
    "snd_timer_status", tstamp=timespec, resolution="u32", lost="u32", overrun="u32", queue="u32", reserved="u8*64"
)
snd_ctl_card_info = record(
    "snd_ctl_card_info",
    card="i32",
    pad="i32",
    id="u8*16",
    driver="u8*16",
    name="u8*32",
    longname="u8*80",
    reserved_="u8*16",
    mixername="u8*80",
    components="u8*128",
)
snd_ctl_elem_id = record(
    "snd_ctl_elem_id", numid="u32", iface="i32", device="u32", subdevice="u32", name="u8*44", index="u32"
)
snd_ctl_elem_list = record(
    "snd_ctl_elem_list",
    offset="u32",
    space="u32",
    used="u32",
    count="u32",
    pids=pointer(snd_ctl_elem_id, length="space", access="r", optional=True),
    reserved="u8*50",
)
snd_ctl_elem_info = record(
    "snd_ctl_elem_info",
    id=snd_ctl_elem_id,
    type="i32",
    access="u32",
    count="u32",
    owner="i32",
    value=union(
        integer=record(min="i64", max="i64", step="i64"),
        integer64=record(min="i64", max="i64", step="i64"),
        enumerated=record(items="u32", item="u32", name="char*64", names_ptr=address("items"), names_length="u32"),
        reserved="u8*128",
    ),
    reserved="u8*64",
)
snd_aes_iec958 = record("snd_aes_iec958", status="u8*24", subcode="u8*147", pad="u8", dig_subframe="u8*4")
snd_ctl_elem_value = record(
    "snd_ctl_elem_value",
    id=snd_ctl_elem_id,
    indirect="u32",
    value=union(
        integer=union(value="i64*128", value_ptr="u64"),
        integer64=union(value="i64*64", value_ptr="u64"),
        enumerated=union(item="u32*128", item_ptr="u64"),
        bytes=union(data="u8*512", data_ptr="u64"),
        iec958=snd_aes_iec958,
    ),
    reserved="u8*128",
)
snd_ctl_tlv = record("snd_ctl_tlv", numid="u32", length="u32", tlv=trailing(BYTES, length="length"))
snd_rawmidi_info = record(
    "snd_rawmidi_info",
    device="u32",
    subdevice="u32",
    stream="i32",
    card="i32",
    flags="u32",
    id="u8*64",
    name="u8*80",
    subname="u8*32",
    subdevices_count="u32",
    subdevices_avail="u32",
    reserved="u8*64",
)
snd_rawmidi_params = record(
    "snd_rawmidi_params",
    stream="i32",
    buffer_size="u64",
    avail_min="u64",
    no_active_sensing="u32",
    mode="u32",
    reserved="u8*12",
)
snd_rawmidi_status = record(
    "snd_rawmidi_status",
    stream="i32",
    pad1=record(pad="u8*4"),
    tstamp=timespec,
    avail="u64",
    xruns="u64",
    reserved="u8*16",
)

DESCRIPTIONS = [
    known("SNDRV_PCM_IOCTL_PVERSION", 0x80044100, "i32"),
    known("SNDRV_PCM_IOCTL_INFO", 0x81204101, snd_pcm_info),
    known("SNDRV_PCM_IOCTL_TSTAMP", 0x40044102, "i32"),
    known("SNDRV_PCM_IOCTL_TTSTAMP", 0x40044103, "i32"),
    known("SNDRV_PCM_IOCTL_USER_PVERSION", 0x40044104, "i32"),
    known("SNDRV_PCM_IOCTL_HW_REFINE", 0xC2604110, snd_pcm_hw_params),
    known("SNDRV_PCM_IOCTL_HW_PARAMS", 0xC2604111, snd_pcm_hw_params),
    known("SNDRV_PCM_IOCTL_HW_FREE", 0x4112),
    known("SNDRV_PCM_IOCTL_SW_PARAMS", 0xC0884113, snd_pcm_sw_params),
    known("SNDRV_PCM_IOCTL_STATUS", 0x80984120, snd_pcm_status),
    known("SNDRV_PCM_IOCTL_DELAY", 0x80084121, "i64"),
    known("SNDRV_PCM_IOCTL_HWSYNC", 0x4122),
    known("SNDRV_PCM_IOCTL_SYNC_PTR", 0xC0884123, snd_pcm_sync_ptr),
    known("SNDRV_PCM_IOCTL_STATUS_EXT", 0xC0984124, snd_pcm_status),
    known("SNDRV_PCM_IOCTL_CHANNEL_INFO", 0x80184132, snd_pcm_channel_info, "rw"),
    known("SNDRV_PCM_IOCTL_PREPARE", 0x4140),
    known("SNDRV_PCM_IOCTL_RESET", 0x4141),
    known("SNDRV_PCM_IOCTL_START", 0x4142),
    known("SNDRV_PCM_IOCTL_DROP", 0x4143),
    known("SNDRV_PCM_IOCTL_DRAIN", 0x4144),
    value("SNDRV_PCM_IOCTL_PAUSE", 0x40044145),
    known("SNDRV_PCM_IOCTL_REWIND", 0x40084146, "u64"),
    known("SNDRV_PCM_IOCTL_RESUME", 0x4147),
    known("SNDRV_PCM_IOCTL_XRUN", 0x4148),
    known("SNDRV_PCM_IOCTL_FORWARD", 0x40084149, "u64"),
    known("SNDRV_PCM_IOCTL_WRITEI_FRAMES", 0x40184150, snd_xferi, "rw"),
    known("SNDRV_PCM_IOCTL_READI_FRAMES", 0x80184151, snd_xferi, "rw"),
    known("SNDRV_PCM_IOCTL_WRITEN_FRAMES", 0x40184152, snd_xfern, "rw"),
    known("SNDRV_PCM_IOCTL_READN_FRAMES", 0x80184153, snd_xfern, "rw"),
    value("SNDRV_PCM_IOCTL_LINK", 0x40044160),
    known("SNDRV_PCM_IOCTL_UNLINK", 0x4161),
    known("SNDRV_HWDEP_IOCTL_PVERSION", 0x80044800, "i32"),
    known("SNDRV_HWDEP_IOCTL_INFO", 0x80DC4801, snd_hwdep_info),
    known("SNDRV_HWDEP_IOCTL_DSP_STATUS", 0x80404802),
    known("SNDRV_HWDEP_IOCTL_DSP_LOAD", 0x40604803, snd_hwdep_dsp_image),
    known("SNDRV_TIMER_IOCTL_PVERSION", 0x80045400, "i32"),
    known("SNDRV_TIMER_IOCTL_NEXT_DEVICE", 0xC0145401, snd_timer_id),
    known("SNDRV_TIMER_IOCTL_TREAD", 0x40045402, "i32"),
    known("SNDRV_TIMER_IOCTL_GINFO", 0xC0F85403),
    known("SNDRV_TIMER_IOCTL_GPARAMS", 0x40485404),
    known("SNDRV_TIMER_IOCTL_GSTATUS", 0xC0505405),
    known("SNDRV_TIMER_IOCTL_SELECT", 0x40345410, snd_timer_select),
    known("SNDRV_TIMER_IOCTL_INFO", 0x80E85411, snd_timer_info),
    known("SNDRV_TIMER_IOCTL_PARAMS", 0x40505412, snd_timer_params),
    known("SNDRV_TIMER_IOCTL_STATUS", 0x80605414, snd_timer_status),
    known("SNDRV_TIMER_IOCTL_START", 0x54A0),
    known("SNDRV_TIMER_IOCTL_STOP", 0x54A1),
    known("SNDRV_TIMER_IOCTL_CONTINUE", 0x54A2),
    known("SNDRV_TIMER_IOCTL_PAUSE", 0x54A3),
    known("SNDRV_TIMER_IOCTL_TREAD64", 0x400454A4, "i32"),
    known("SNDRV_CTL_IOCTL_PVERSION", 0x80045500, "i32"),
    known("SNDRV_CTL_IOCTL_CARD_INFO", 0x81785501, snd_ctl_card_info),
    known("SNDRV_CTL_IOCTL_ELEM_LIST", 0xC0505510, snd_ctl_elem_list),
    known("SNDRV_CTL_IOCTL_ELEM_INFO", 0xC1105511, snd_ctl_elem_info),
    known("SNDRV_CTL_IOCTL_ELEM_READ", 0xC4C85512, snd_ctl_elem_value),
    known("SNDRV_CTL_IOCTL_ELEM_WRITE", 0xC4C85513, snd_ctl_elem_value),
    known("SNDRV_CTL_IOCTL_ELEM_LOCK", 0x40405514, snd_ctl_elem_id),
    known("SNDRV_CTL_IOCTL_ELEM_UNLOCK", 0x40405515, snd_ctl_elem_id),
    known("SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS", 0xC0045516, "i32"),
    known("SNDRV_CTL_IOCTL_ELEM_ADD", 0xC1105517, snd_ctl_elem_info),
    known("SNDRV_CTL_IOCTL_ELEM_REPLACE", 0xC1105518, snd_ctl_elem_info),
    known("SNDRV_CTL_IOCTL_ELEM_REMOVE", 0xC0405519, snd_ctl_elem_id),
    known("SNDRV_CTL_IOCTL_TLV_READ", 0xC008551A, snd_ctl_tlv),
    known("SNDRV_CTL_IOCTL_TLV_WRITE", 0xC008551B, snd_ctl_tlv, "w"),
    known("SNDRV_CTL_IOCTL_TLV_COMMAND", 0xC008551C, snd_ctl_tlv),
    known("SNDRV_CTL_IOCTL_HWDEP_NEXT_DEVICE", 0xC0045520, "i32"),
    known("SNDRV_CTL_IOCTL_HWDEP_INFO", 0x80DC5521, snd_hwdep_info, "rw"),
    known("SNDRV_CTL_IOCTL_PCM_NEXT_DEVICE", 0x80045530, "i32", "rw"),
    known("SNDRV_CTL_IOCTL_PCM_INFO", 0xC1205531, snd_pcm_info),
    known("SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE", 0x40045532, "i32"),
    known("SNDRV_CTL_IOCTL_RAWMIDI_NEXT_DEVICE", 0xC0045540, "i32"),
    known("SNDRV_CTL_IOCTL_RAWMIDI_INFO", 0xC10C5541, snd_rawmidi_info),
    known("SNDRV_CTL_IOCTL_RAWMIDI_PREFER_SUBDEVICE", 0x40045542, "i32"),
    known("SNDRV_CTL_IOCTL_POWER", 0xC00455D0, "i32"),
    known("SNDRV_CTL_IOCTL_POWER_STATE", 0x800455D1, "i32"),
    known("SNDRV_RAWMIDI_IOCTL_PVERSION", 0x80045700, "i32"),
    known("SNDRV_RAWMIDI_IOCTL_INFO", 0x810C5701, snd_rawmidi_info, "rw"),
    known("SNDRV_RAWMIDI_IOCTL_USER_PVERSION", 0x40045702, "i32"),
    known("SNDRV_RAWMIDI_IOCTL_PARAMS", 0xC0305710, snd_rawmidi_params),
    known("SNDRV_RAWMIDI_IOCTL_STATUS", 0xC0385720, snd_rawmidi_status),
    known("SNDRV_RAWMIDI_IOCTL_DROP", 0x40045730, "i32"),
    known("SNDRV_RAWMIDI_IOCTL_DRAIN", 0x40045731, "i32"),
]

"""Real-time clocks, pulses per second, PTP clocks: linux/rtc.h, linux/pps.h, linux/ptp_clock.h"""

from __future__ import annotations

from devshim.known.record import known, record, union, value

# The numbers of the PPS requests carry the size of a pointer to what they point to.
pps_ktime = record("pps_ktime", sec="i64", nsec="i32", flags="u32")
pps_kinfo = record(
    "pps_kinfo",
    assert_sequence="u32",
    clear_sequence="u32",
    assert_tu=pps_ktime,
    clear_tu=pps_ktime,
    current_mode="i32",
)
pps_fdata = record("pps_fdata", info=pps_kinfo, timeout=pps_ktime)
pps_kparams = record("pps_kparams", api_version="i32", mode="i32", assert_off_tu=pps_ktime, clear_off_tu=pps_ktime)
pps_bind_args = record("pps_bind_args", tsformat="i32", edge="i32", consumer="i32")
rtc_time = record(
    "rtc_time",
    tm_sec="i32",
    tm_min="i32",
    tm_hour="i32",
    tm_mday="i32",
    tm_mon="i32",
    tm_year="i32",
    tm_wday="i32",
    tm_yday="i32",
    tm_isdst="i32",
)
rtc_wkalrm = record("rtc_wkalrm", enabled="u8", pending="u8", time=rtc_time)
rtc_pll_info = record(
    "rtc_pll_info",
    pll_ctrl="i32",
    pll_value="i32",
    pll_max="i32",
    pll_min="i32",
    pll_posmult="i32",
    pll_negmult="i32",
    pll_clock="i64",
)
rtc_param = record("rtc_param", param="u64", _0=union(uvalue="u64", svalue="i64", ptr="u64"), index="u32", __pad="u32")
ptp_clock_caps = record(
    "ptp_clock_caps",
    max_adj="i32",
    n_alarm="i32",
    n_ext_ts="i32",
    n_per_out="i32",
    pps="i32",
    n_pins="i32",
    cross_timestamping="i32",
    adjust_phase="i32",
    rsv="i32*12",
)
ptp_extts_request = record("ptp_extts_request", index="u32", flags="u32", rsv="u32*2")
ptp_clock_time = record("ptp_clock_time", sec="i64", nsec="u32", reserved="u32")
ptp_perout_request = record(
    "ptp_perout_request",
    _0=union(start=ptp_clock_time, phase=ptp_clock_time),
    period=ptp_clock_time,
    index="u32",
    flags="u32",
    _1=union(on=ptp_clock_time, rsv="u32*4"),
)
ptp_sys_offset = record("ptp_sys_offset", n_samples="u32", rsv="u32*3", ts=ptp_clock_time * 51)
ptp_pin_desc = record("ptp_pin_desc", name="char*64", index="u32", func="u32", chan="u32", rsv="u32*5")
ptp_sys_offset_precise = record(
    "ptp_sys_offset_precise",
    device=ptp_clock_time,
    sys_realtime=ptp_clock_time,
    sys_monoraw=ptp_clock_time,
    rsv="u32*4",
)
ptp_sys_offset_extended = record("ptp_sys_offset_extended", n_samples="u32", rsv="u32*3", ts=ptp_clock_time * 3 * 25)

DESCRIPTIONS = [
    known("RTC_AIE_ON", 0x7001),
    known("RTC_AIE_OFF", 0x7002),
    known("RTC_UIE_ON", 0x7003),
    known("RTC_UIE_OFF", 0x7004),
    known("RTC_PIE_ON", 0x7005),
    known("RTC_PIE_OFF", 0x7006),
    known("RTC_ALM_SET", 0x40247007, rtc_time),
    known("RTC_ALM_READ", 0x80247008, rtc_time),
    known("RTC_RD_TIME", 0x80247009, rtc_time),
    known("RTC_SET_TIME", 0x4024700A, rtc_time),
    known("RTC_IRQP_READ", 0x8008700B, "u64"),
    value("RTC_IRQP_SET", 0x4008700C, "u64"),
    known("RTC_EPOCH_READ", 0x8008700D, "u64"),
    value("RTC_EPOCH_SET", 0x4008700E, "u64"),
    known("RTC_WIE_ON", 0x700F),
    known("RTC_WKALM_SET", 0x4028700F, rtc_wkalrm),
    known("RTC_WIE_OFF", 0x7010),
    known("RTC_WKALM_RD", 0x80287010, rtc_wkalrm),
    known("RTC_PLL_GET", 0x80207011, rtc_pll_info),
    known("RTC_PLL_SET", 0x40207012, rtc_pll_info),
    known("RTC_PARAM_GET", 0x40187013, rtc_param, "rw"),
    known("RTC_VL_READ", 0x80047013, "u32"),
    known("RTC_PARAM_SET", 0x40187014, rtc_param),
    known("RTC_VL_CLR", 0x7014),
    known("PTP_CLOCK_GETCAPS", 0x80503D01, ptp_clock_caps),
    known("PTP_EXTTS_REQUEST", 0x40103D02, ptp_extts_request),
    known("PTP_PEROUT_REQUEST", 0x40383D03, ptp_perout_request),
    value("PTP_ENABLE_PPS", 0x40043D04),
    known("PTP_SYS_OFFSET", 0x43403D05, ptp_sys_offset, "rw"),
    known("PTP_PIN_GETFUNC", 0xC0603D06, ptp_pin_desc),
    known("PTP_PIN_SETFUNC", 0x40603D07, ptp_pin_desc),
    known("PTP_SYS_OFFSET_PRECISE", 0xC0403D08, ptp_sys_offset_precise),
    known("PTP_SYS_OFFSET_EXTENDED", 0xC4C03D09, ptp_sys_offset_extended),
    known("PTP_CLOCK_GETCAPS2", 0x80503D0A, ptp_clock_caps),
    known("PTP_EXTTS_REQUEST2", 0x40103D0B, ptp_extts_request),
    known("PTP_PEROUT_REQUEST2", 0x40383D0C, ptp_perout_request),
    value("PTP_ENABLE_PPS2", 0x40043D0D),
    known("PTP_SYS_OFFSET2", 0x43403D0E, ptp_sys_offset, "rw"),
    known("PTP_PIN_GETFUNC2", 0xC0603D0F, ptp_pin_desc),
    known("PTP_PIN_SETFUNC2", 0x40603D10, ptp_pin_desc),
    known("PTP_SYS_OFFSET_PRECISE2", 0xC0403D11, ptp_sys_offset_precise),
    known("PTP_SYS_OFFSET_EXTENDED2", 0xC4C03D12, ptp_sys_offset_extended),
    known("PPS_GETPARAMS", 0x800870A1, pps_kparams),
    known("PPS_SETPARAMS", 0x400870A2, pps_kparams),
    known("PPS_GETCAP", 0x800870A3, "i32"),
    known("PPS_FETCH", 0xC00870A4, pps_fdata),
    known("PPS_KC_BIND", 0x400870A5, pps_bind_args),
]

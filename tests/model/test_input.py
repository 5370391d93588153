"""Input devices: what passes and what is kept as in input core, and what each open gets as from evdev."""

import ctypes
import errno
import struct
import time

import pytest
from i2cprogram import raises_errno
from inputprogram import EVENT, ask, bits, changes, event, events, of_size, opened, told, with_times
from tabletop import Tabletop

from devshim import Axis, Input
from devshim import input_codes as codes
from devshim.model import input_abi as abi

SYN = (codes.EV_SYN, codes.SYN_REPORT, 0)
DROPPED = (codes.EV_SYN, codes.SYN_DROPPED, 0)


def key(code, value):
    return (codes.EV_KEY, code, value)


class Desk(Input):
    """Something of everything."""

    name: str = "Desk"
    phys: str = "desk/0"
    keys = (codes.KEY_A, codes.KEY_B, codes.BTN_LEFT)
    keymap = {0x1E: codes.KEY_A, 0x70005: codes.KEY_B}
    relative = (codes.REL_X, codes.REL_WHEEL)
    axes = {codes.ABS_X: Axis(-100, 100, fuzz=8, flat=3, resolution=10), codes.ABS_Y: Axis(0, 255, value=7)}
    misc = (codes.MSC_SCAN,)
    switches = (codes.SW_LID,)
    leds = (codes.LED_CAPSL, codes.LED_NUML)
    sounds = (codes.SND_BELL, codes.SND_TONE)
    properties = (codes.INPUT_PROP_POINTER, codes.INPUT_PROP_BUTTONPAD)

    def setup(self):
        self.told = []

    def led_changed(self, led, lit):
        self.told.append(("led", led, lit))

    def sound_changed(self, sound, value):
        self.told.append(("sound", sound, value))

    def opened(self):
        self.told.append("opened")

    def closed(self):
        self.told.append("closed")


class Typewriter(Input):
    """A key that repeats."""

    keys = (codes.KEY_A, codes.KEY_B)
    repeat = True


class Screen(Input):
    """Three fingers."""

    keys = (codes.BTN_TOUCH,)
    axes = {
        codes.ABS_MT_SLOT: Axis(0, 2),
        codes.ABS_MT_TRACKING_ID: Axis(0, 65535),
        codes.ABS_MT_POSITION_X: Axis(0, 799, fuzz=4),
    }


def mask(type, *wanted, size=8):
    """struct input_mask and what it points to."""
    return struct.pack("<IIQ", type, size, 1), abi.bitmap(wanted, size * 8)


# ---- Events


def test_each_change_is_a_report():
    desk = Desk()
    file = opened(desk)

    desk.press(codes.KEY_A)
    desk.move(codes.REL_X, -3)
    desk.axis(codes.ABS_X, 50)
    desk.switch(codes.SW_LID, True)
    desk.release(codes.KEY_A)

    assert events(file) == [
        key(codes.KEY_A, 1), SYN,
        (codes.EV_REL, codes.REL_X, -3), SYN,
        (codes.EV_ABS, codes.ABS_X, 50), SYN,
        (codes.EV_SW, codes.SW_LID, 1), SYN,
        key(codes.KEY_A, 0), SYN,
    ]  # fmt: skip


def test_a_tap_is_two_reports():
    desk = Desk()
    file = opened(desk)

    desk.tap(codes.BTN_LEFT)

    assert events(file) == [key(codes.BTN_LEFT, 1), SYN, key(codes.BTN_LEFT, 0), SYN]


def test_a_block_makes_one_report_of_several_changes_also_within_another():
    desk = Desk()
    file = opened(desk)

    with desk.report():
        desk.move(codes.REL_X, 1)
        with desk.report():
            desk.press(codes.BTN_LEFT)
        desk.move(codes.REL_WHEEL, 1)

    assert events(file)[-1] == SYN
    assert events(file) == []
    assert desk.pressed == {codes.BTN_LEFT}


def test_events_of_a_report_have_one_time():
    desk = Desk()
    file = opened(desk)

    with desk.report():
        desk.press(codes.KEY_A)
        desk.press(codes.KEY_B)

    assert len({when for when, *_ in with_times(file)}) == 1


def test_what_changes_nothing_is_not_reported():
    desk = Desk()
    desk.press(codes.KEY_A)
    file = opened(desk)

    desk.press(codes.KEY_A)
    desk.release(codes.KEY_B)
    desk.move(codes.REL_X, 0)
    desk.axis(codes.ABS_Y, 7)
    desk.switch(codes.SW_LID, False)
    desk.sync()

    assert events(file) == []


def test_a_repetition_is_no_change_of_the_key():
    desk = Desk()
    file = opened(desk)

    desk.event(codes.EV_KEY, codes.KEY_A, 2)
    desk.sync()

    assert changes(file) == [key(codes.KEY_A, 2)]
    assert not desk.pressed


def test_what_the_device_does_not_have_is_an_error_of_its_author_and_nothing_to_programs():
    desk = Desk()
    file = opened(desk)

    with pytest.raises(ValueError, match="Desk has no KEY_Z"):
        desk.press(codes.KEY_Z)
    with pytest.raises(ValueError, match="Desk has no ABS_Z"):
        desk.axis(codes.ABS_Z, 1)
    with pytest.raises(ValueError, match="no scancode 0x99"):
        desk.scan(0x99, True)
    desk.play([(codes.EV_KEY, codes.KEY_Z, 1), (codes.EV_PWR, 0, 1), (99, 0, 1), (codes.EV_SYN, 9, 1), SYN])

    assert events(file) == []


def test_noise_is_filtered_as_fuzz_says():
    desk = Desk()
    file = opened(desk)
    seen = []
    for value in (3, 5, 20, 23, 19, 40, 28):  # below half of fuzz: nothing; below fuzz: a quarter; below twice: half
        desk.axis(codes.ABS_X, value)
        seen.append(desk.positions.info[codes.ABS_X].value)

    assert seen == [0, 1, 20, 20, 20, 40, 34]
    assert [value for _, _, value in changes(file)] == [1, 20, 40, 34]


def test_a_scancode_comes_with_its_key():
    desk = Desk()
    file = opened(desk)

    desk.scan(0x70005, True)

    assert events(file) == [(codes.EV_MSC, codes.MSC_SCAN, 0x70005), key(codes.KEY_B, 1), SYN]


def test_a_report_that_grows_too_long_is_cut_as_input_core_cuts_it():
    desk = Desk()
    file = opened(desk)
    assert desk.most_events == 12  # SYN, two axes, two relative ones, 7 for keys

    with desk.report():
        for _ in range(15):
            desk.move(codes.REL_X, 1)

    seen = events(file)
    assert seen[12] == (codes.EV_SYN, codes.SYN_REPORT, 1)
    assert seen[-1] == SYN
    assert len(seen) == 17


def test_many_events_are_played_in_order():
    desk = Desk()
    file = opened(desk)

    desk.play([(codes.EV_REL, codes.REL_X, 1), SYN, (codes.EV_REL, codes.REL_X, 2), SYN])

    assert changes(file) == [(codes.EV_REL, codes.REL_X, 1), (codes.EV_REL, codes.REL_X, 2)]


# ---- Several opens


def test_each_open_gets_all_events_from_when_it_was_opened():
    desk = Desk()
    first = opened(desk)
    desk.press(codes.KEY_A)
    second = opened(desk)
    desk.press(codes.KEY_B)

    assert changes(first) == [key(codes.KEY_A, 1), key(codes.KEY_B, 1)]
    assert changes(second) == [key(codes.KEY_B, 1)]


def test_the_device_hears_of_its_first_open_and_its_last_close():
    desk = Desk()
    first, second = opened(desk), opened(desk)
    first.close()
    second.close()
    first.close()

    assert desk.told == ["opened", "closed"]
    assert desk.opens == 0


def test_a_grab_gives_all_events_to_one_open():
    desk = Desk()
    first, second = opened(desk), opened(desk)

    ask(first, abi.EVIOCGRAB, argument=1)
    desk.press(codes.KEY_A)
    with raises_errno(errno.EBUSY):
        ask(second, abi.EVIOCGRAB, argument=1)
    with raises_errno(errno.EBUSY):
        ask(first, abi.EVIOCGRAB, argument=1)
    with raises_errno(errno.EINVAL):
        ask(second, abi.EVIOCGRAB, argument=0)
    ask(first, abi.EVIOCGRAB, argument=0)
    desk.press(codes.KEY_B)

    assert changes(first) == [key(codes.KEY_A, 1), key(codes.KEY_B, 1)]
    assert changes(second) == [key(codes.KEY_B, 1)]


def test_a_grab_ends_with_its_open():
    desk = Desk()
    first, second = opened(desk), opened(desk)
    ask(first, abi.EVIOCGRAB, argument=1)

    first.close()
    ask(second, abi.EVIOCGRAB, argument=1)

    desk.press(codes.KEY_A)
    assert changes(second) == [key(codes.KEY_A, 1)]


def test_a_revoked_open_hangs_up_and_loses_its_grab():
    desk = Desk()
    first, second = opened(desk), opened(desk)
    ask(first, abi.EVIOCGRAB, argument=1)

    with raises_errno(errno.EINVAL):
        ask(first, abi.EVIOCREVOKE, argument=1)
    ask(first, abi.EVIOCREVOKE, argument=0)
    desk.press(codes.KEY_A)

    assert first._feed.hung_up
    assert events(first) == []
    assert changes(second) == [key(codes.KEY_A, 1)]


# ---- Programs that read too slowly


def test_a_full_queue_is_emptied_and_says_so():
    desk = Desk()
    file = opened(desk)
    assert desk.queue_size() == 128  # a power of two, at least eight reports of 12

    for _ in range(63):
        desk.move(codes.REL_X, 1)
    assert len(file._feed.unread) == 126 * EVENT.size
    desk.move(codes.REL_X, 2)  # the 128th event, its SYN_REPORT, fills the ring

    assert events(file) == [DROPPED, SYN]
    desk.move(codes.REL_X, 3)
    assert changes(file) == [(codes.EV_REL, codes.REL_X, 3)]


def test_what_comes_after_syn_dropped_is_the_latest():
    desk = Desk()
    file = opened(desk)
    for number in range(1, 1001):
        desk.move(codes.REL_X, number)

    seen = events(file)

    assert seen[0] == DROPPED
    assert seen[-2:] == [(codes.EV_REL, codes.REL_X, 1000), SYN]
    assert len(seen) < desk.queue_size()


def test_one_slow_program_does_not_hurt_another():
    desk = Desk()
    slow, quick = opened(desk), opened(desk)
    seen = []
    for number in range(1, 201):
        desk.move(codes.REL_X, number)
        seen += changes(quick)

    assert [value for *_, value in seen] == list(range(1, 201))
    assert DROPPED in events(slow)


def test_an_author_may_make_room_for_longer_reports():
    class Bulk(Desk):
        report_size = 1000

    assert Bulk().queue_size() == 8192


# ---- Time


@pytest.mark.parametrize("clock", [time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME])
def test_times_are_those_of_the_clock_that_the_program_chose(clock):
    desk = Desk()
    file, other = opened(desk), opened(desk)

    ask(file, abi.EVIOCSCLOCKID, struct.pack("<i", clock))
    before = time.clock_gettime_ns(clock) // 1000
    desk.press(codes.KEY_A)
    after = time.clock_gettime_ns(clock) // 1000

    assert all(before <= when <= after for when, *_ in with_times(file))
    assert with_times(other)[0][0] <= time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000


def test_another_clock_drops_what_has_the_old_ones_times():
    desk = Desk()
    file = opened(desk)
    desk.press(codes.KEY_A)

    ask(file, abi.EVIOCSCLOCKID, struct.pack("<i", time.CLOCK_MONOTONIC))
    assert events(file) == []  # until the next report
    desk.press(codes.KEY_B)

    assert events(file) == [DROPPED, key(codes.KEY_B, 1), SYN]


def test_the_same_clock_again_and_an_empty_queue_drop_nothing():
    desk = Desk()
    file = opened(desk)
    ask(file, abi.EVIOCSCLOCKID, struct.pack("<i", time.CLOCK_MONOTONIC))
    desk.press(codes.KEY_A)
    ask(file, abi.EVIOCSCLOCKID, struct.pack("<i", time.CLOCK_MONOTONIC))

    assert events(file) == [key(codes.KEY_A, 1), SYN]


def test_other_clocks_are_refused():
    file = opened(Desk())

    for clock in (2, 3, 4, 8, -1):
        with raises_errno(errno.EINVAL):
            ask(file, abi.EVIOCSCLOCKID, struct.pack("<i", clock))


# ---- What programs ask


def test_names_are_as_long_as_there_is_room_and_the_result_says_how_long():
    file = opened(Desk())

    assert ask(file, of_size(abi.EVIOCGNAME, 256), bytes(256)) == (5, [b"Desk\0" + bytes(251)])
    assert ask(file, of_size(abi.EVIOCGNAME, 3), b"???") == (3, [b"Des"])
    assert ask(file, of_size(abi.EVIOCGPHYS, 64), bytes(64))[0] == 7
    with raises_errno(errno.ENOENT):
        ask(file, of_size(abi.EVIOCGUNIQ, 64), bytes(64))


def test_identity_and_version():
    desk = Desk(bus=codes.BUS_USB, vendor="0x1234", product=0x5678, version=2)
    file = opened(desk)

    assert told(file, abi.EVIOCGID) == struct.pack("<4H", 3, 0x1234, 0x5678, 2)
    assert told(file, abi.EVIOCGVERSION) == struct.pack("<i", 0x10001)


def test_capabilities_by_type_have_the_kernels_lengths():
    file = opened(Desk())

    def asked(type, size=1024):
        return told(file, of_size(abi.EVIOCGBIT, size, type))

    assert bits(asked(0)) == [0, 1, 2, 3, 4, 5, 0x11, 0x12]
    assert bits(asked(codes.EV_KEY)) == [codes.KEY_A, codes.KEY_B, codes.BTN_LEFT]
    assert bits(asked(codes.EV_LED)) == [codes.LED_NUML, codes.LED_CAPSL]
    lengths = {type: len(asked(type)) for type in abi.COUNTS}
    assert lengths == {0: 8, 1: 96, 2: 8, 3: 8, 4: 8, 5: 8, 0x11: 8, 0x12: 8, 0x15: 16}
    assert asked(codes.EV_KEY, 4) == struct.pack("<I", 1 << codes.KEY_A)
    for type in (6, codes.EV_REP, codes.EV_PWR, 31):
        with raises_errno(errno.EINVAL):
            asked(type)


def test_properties():
    assert bits(told(opened(Desk()), of_size(abi.EVIOCGPROP, 16))) == [0, 2]


def test_states_are_those_of_the_device():
    desk = Desk()
    desk.press(codes.KEY_B)
    desk.switch(codes.SW_LID, True)
    file = opened(desk)
    file.write(event(codes.EV_LED, codes.LED_CAPSL, 1) + event(codes.EV_SND, codes.SND_BELL, 1))

    assert bits(told(file, of_size(abi.EVIOCGKEY, 96))) == [codes.KEY_B]
    assert bits(told(file, of_size(abi.EVIOCGSW, 8))) == [codes.SW_LID]
    assert bits(told(file, of_size(abi.EVIOCGLED, 2))) == [codes.LED_CAPSL]
    assert bits(told(file, of_size(abi.EVIOCGSND, 8))) == [codes.SND_BELL]


def test_asking_for_a_state_drops_the_events_that_led_to_it():
    desk = Desk()
    file = opened(desk)
    desk.press(codes.KEY_A)
    with desk.report():
        desk.press(codes.KEY_B)
        desk.move(codes.REL_X, 1)
    desk.release(codes.KEY_A)

    told(file, of_size(abi.EVIOCGKEY, 96))

    assert events(file) == [SYN, (codes.EV_REL, codes.REL_X, 1), SYN]  # a SYN_REPORT that comes first stays


def test_axes_are_read_and_calibrated():
    desk = Desk()
    file = opened(desk)
    desk.axis(codes.ABS_X, 60)

    def asked(axis):
        return struct.unpack("<6i", told(file, abi.EVIOCGABS - abi.EVIOCGABS % 256 + 0x40 + axis | 24 << 16))

    assert asked(codes.ABS_X) == (60, -100, 100, 8, 3, 10)
    assert asked(codes.ABS_Y) == (7, 0, 255, 0, 0, 0)
    assert asked(codes.ABS_BRAKE) == (0, 0, 0, 0, 0, 0)
    ask(file, of_size(abi.EVIOCSABS, 24, codes.ABS_X), struct.pack("<6i", 1, -2, 3, 4, 5, 6))
    assert asked(codes.ABS_X) == (1, -2, 3, 4, 5, 6)
    ask(file, of_size(abi.EVIOCSABS, 20, codes.ABS_X), struct.pack("<5i", 9, 8, 7, 6, 5))
    assert asked(codes.ABS_X) == (9, 8, 7, 6, 5, 0)


def test_an_axis_of_a_device_without_axes_is_refused():
    file = opened(Typewriter())

    for request in (of_size(abi.EVIOCGABS, 24), of_size(abi.EVIOCSABS, 24)):
        with raises_errno(errno.EINVAL):
            ask(file, request, bytes(24))


def test_unknown_requests_are_invalid_and_not_no_terminal():
    file = opened(Desk())

    for request in (0x5401, 0x541B, 0x4004_4599, 0x8004_45FF, 0x0000_4506):
        with raises_errno(errno.EINVAL):
            ask(file, request)


# ---- What programs write


def test_leds_and_sounds_reach_the_device_and_come_back_to_readers():
    desk = Desk()
    file, other = opened(desk), opened(desk)

    taken = file.write(event(codes.EV_LED, codes.LED_CAPSL, 1) + event(*SYN))
    file.write(event(codes.EV_LED, codes.LED_CAPSL, 1) + event(codes.EV_SND, codes.SND_TONE, 440) + event(*SYN))

    assert taken == 48
    assert desk.told[1:] == [("led", codes.LED_CAPSL, True), ("sound", codes.SND_TONE, 440)]
    seen = [(codes.EV_LED, codes.LED_CAPSL, 1), (codes.EV_SND, codes.SND_TONE, 440)]
    assert (changes(file), changes(other)) == (seen, seen)
    assert desk.lit == {codes.LED_CAPSL}


def test_what_is_written_without_a_sync_waits_for_the_next_report():
    desk = Desk()
    file = opened(desk)

    file.write(event(codes.EV_LED, codes.LED_CAPSL, 1))
    assert events(file) == []
    desk.press(codes.KEY_A)

    assert events(file) == [(codes.EV_LED, codes.LED_CAPSL, 1), key(codes.KEY_A, 1), SYN]


def test_writes_take_whole_events():
    file = opened(Desk())

    assert file.write(event(*SYN) + b"rest") == 24
    assert file.write(b"") == 0
    with raises_errno(errno.EINVAL):
        file.write(bytes(23))


# ---- Masks


def test_a_mask_hides_codes_and_empty_reports():
    desk = Desk()
    file = opened(desk)
    ask(file, abi.EVIOCSMASK, *mask(codes.EV_KEY, codes.KEY_B, size=96))

    desk.tap(codes.KEY_A)
    desk.tap(codes.KEY_B)

    assert events(file) == [key(codes.KEY_B, 1), SYN, key(codes.KEY_B, 0), SYN]


def test_a_mask_of_types_hides_types_but_never_syn():
    desk = Desk()
    file = opened(desk)
    ask(file, abi.EVIOCSMASK, *mask(codes.EV_SYN, codes.EV_REL))

    with desk.report():
        desk.press(codes.KEY_A)
        desk.move(codes.REL_X, 1)

    assert events(file) == [(codes.EV_REL, codes.REL_X, 1), SYN]


def test_masks_are_read_back_and_full_before_they_are_set():
    file = opened(Desk())

    def asked(type, size):
        return ask(file, abi.EVIOCGMASK, struct.pack("<IIQ", type, size, 1), bytes(size))[1][1]

    assert asked(codes.EV_REL, 12) == b"\xff" * 8 + bytes(4)
    ask(file, abi.EVIOCSMASK, *mask(codes.EV_REL, codes.REL_X))
    assert asked(codes.EV_REL, 8) == b"\x01" + bytes(7)
    assert asked(codes.EV_KEY, 4) == b"\xff" * 4
    assert asked(0x1F, 4) == bytes(4)


def test_masks_of_unknown_types_are_let_be_and_sizes_are_longs():
    file = opened(Desk())

    ask(file, abi.EVIOCSMASK, *mask(codes.EV_REP))
    assert not file.queue.masks
    with raises_errno(errno.EINVAL):
        ask(file, abi.EVIOCSMASK, struct.pack("<IIQ", codes.EV_KEY, 5, 1), bytes(5))


# ---- Keys: repeat and keymap


def test_a_key_that_stays_down_repeats_until_it_goes_up():
    writer = Typewriter()
    table = Tabletop.plug(writer, "/dev/input/event0")
    file = opened(writer)

    writer.press(codes.KEY_A)
    table.advance(0.249)
    assert changes(file) == [key(codes.KEY_A, 1)]
    table.advance(0.001 + 2 * 0.033 + 0.01)
    assert events(file) == [key(codes.KEY_A, 2), (codes.EV_SYN, codes.SYN_REPORT, 1)] * 3
    writer.press(codes.KEY_B)
    table.advance(0.26)
    assert changes(file) == [key(codes.KEY_B, 1), key(codes.KEY_B, 2)]
    writer.release(codes.KEY_A)
    table.advance(1)
    assert changes(file) == [key(codes.KEY_A, 0)]


def test_programs_set_the_times_of_repetition():
    writer = Typewriter()
    table = Tabletop.plug(writer, "/dev/input/event0")
    file = opened(writer)
    assert told(file, abi.EVIOCGREP) == struct.pack("<2I", 250, 33)

    ask(file, abi.EVIOCSREP, struct.pack("<2I", 500, 100))
    file.write(event(codes.EV_REP, codes.REP_PERIOD, 200))
    writer.press(codes.KEY_A)
    table.advance(0.7)

    assert told(file, abi.EVIOCGREP) == struct.pack("<2I", 500, 200)
    assert events(file)[:3] == [(codes.EV_REP, 0, 500), (codes.EV_REP, 1, 100), (codes.EV_REP, 1, 200)]
    assert writer.repetition == {codes.REP_DELAY: 500, codes.REP_PERIOD: 200}


def test_a_delay_of_nothing_means_no_repetition():
    writer = Typewriter()
    table = Tabletop.plug(writer, "/dev/input/event0")
    file = opened(writer)
    ask(file, abi.EVIOCSREP, struct.pack("<2I", 0, 0))
    writer.press(codes.KEY_A)
    events(file)

    table.advance(5)

    assert events(file) == []


def test_a_device_without_repeat_has_no_such_times():
    file = opened(Desk())

    for request in (abi.EVIOCGREP, abi.EVIOCSREP):
        with raises_errno(errno.ENOSYS):
            ask(file, request, bytes(8))


def entry(flags=0, length=4, index=0, keycode=0, scancode=0):
    return struct.pack("<BBHI32s", flags, length, index, keycode, scancode.to_bytes(4, "little"))


def test_the_keymap_is_read_by_scancode_and_by_index():
    file = opened(Desk())

    assert ask(file, abi.EVIOCGKEYCODE, struct.pack("<2I", 0x1E, 0)) == (0, [struct.pack("<2I", 0x1E, codes.KEY_A)])
    wanted = entry(index=1, keycode=codes.KEY_B, scancode=0x70005)
    assert ask(file, abi.EVIOCGKEYCODE_V2, entry(scancode=0x70005)) == (0, [wanted])
    assert ask(file, abi.EVIOCGKEYCODE_V2, entry(flags=1, length=0, index=1))[1][0][1:] == wanted[1:]
    for wrong in (entry(scancode=5), entry(length=3, scancode=0x1E), entry(flags=1, index=2)):
        with raises_errno(errno.EINVAL):
            ask(file, abi.EVIOCGKEYCODE_V2, wrong)


def test_a_program_gives_a_scancode_another_key():
    desk = Desk()
    file = opened(desk)
    desk.scan(0x70005, True)

    ask(file, abi.EVIOCSKEYCODE_V2, entry(scancode=0x1E, keycode=codes.KEY_ESC))
    desk.scan(0x1E, True)
    desk.scan(0x1E, False)
    ask(file, abi.EVIOCSKEYCODE, struct.pack("<2I", 0x1E, codes.KEY_F1))

    keys = bits(told(file, of_size(abi.EVIOCGBIT, 96, codes.EV_KEY)))
    assert codes.KEY_F1 in keys
    assert codes.KEY_ESC not in keys
    assert key(codes.KEY_ESC, 1) in changes(file)
    with raises_errno(errno.EINVAL):
        ask(file, abi.EVIOCSKEYCODE, struct.pack("<2I", 0x1E, codes.KEY_MAX + 1))


def test_a_key_that_the_keymap_loses_goes_up():
    desk = Desk()
    file = opened(desk)
    desk.scan(0x70005, True)
    events(file)

    ask(file, abi.EVIOCSKEYCODE, struct.pack("<2I", 0x70005, codes.KEY_F1))

    assert events(file) == [key(codes.KEY_B, 0), (codes.EV_SYN, codes.SYN_REPORT, 1)]
    assert not desk.pressed


# ---- Fingers


def test_slots_are_told_only_when_another_finger_changes():
    screen = Screen()
    file = opened(screen)

    def touch(slot, **values):
        with screen.report():
            screen.axis(codes.ABS_MT_SLOT, slot)
            for name, value in values.items():
                screen.axis(getattr(codes, f"ABS_MT_{name}"), value)

    touch(0, TRACKING_ID=5, POSITION_X=100)
    touch(1, TRACKING_ID=6)
    touch(1, TRACKING_ID=6)
    touch(2)
    touch(1, POSITION_X=101)
    touch(0, TRACKING_ID=-1)

    slot, contact, x = codes.ABS_MT_SLOT, codes.ABS_MT_TRACKING_ID, codes.ABS_MT_POSITION_X
    assert [(code, value) for _, code, value in changes(file)] == [
        (contact, 5), (x, 100), (slot, 1), (contact, 6), (x, 101), (slot, 0), (contact, -1),
    ]  # fmt: skip


def test_programs_ask_what_each_finger_does():
    screen = Screen()
    file = opened(screen)
    screen.axis(codes.ABS_MT_TRACKING_ID, 9)

    def asked(code, size):
        return ask(file, of_size(abi.EVIOCGMTSLOTS, size), struct.pack("<i", code).ljust(size, b"\0"))[1][0]

    assert struct.unpack("<4i", asked(codes.ABS_MT_TRACKING_ID, 16))[1:] == (9, -1, -1)
    assert struct.unpack("<2i", asked(codes.ABS_MT_TRACKING_ID, 8))[1:] == (9,)
    assert struct.unpack("<5i", asked(codes.ABS_MT_POSITION_X, 20))[1:] == (0, 0, 0, 0)
    for code in (codes.ABS_X, codes.ABS_MT_SLOT):
        with raises_errno(errno.EINVAL):
            asked(code, 16)
    with raises_errno(errno.EINVAL):
        ask(opened(Desk()), of_size(abi.EVIOCGMTSLOTS, 16), struct.pack("<4i", codes.ABS_MT_TRACKING_ID, 0, 0, 0))


def test_the_slot_axis_is_not_calibrated():
    with raises_errno(errno.EINVAL):
        ask(opened(Screen()), of_size(abi.EVIOCSABS, 24, codes.ABS_MT_SLOT), bytes(24))


# ---- Force feedback


class Wheel(Input):
    """A wheel that plays periodic effects, of any form."""

    effects = (codes.FF_PERIODIC, codes.FF_SINE, codes.FF_CUSTOM, codes.FF_CONSTANT, codes.FF_GAIN, codes.FF_AUTOCENTER)
    max_effects = 2

    def setup(self):
        self.told = []

    def ff_upload(self, effect, old):
        self.told.append(("upload", effect.id, effect.type, old and old.id))

    def ff_erase(self, number):
        self.told.append(("erase", number))

    def ff_play(self, effect, times):
        self.told.append(("play", effect.id, times))

    def ff_gain(self, gain):
        self.told.append(("gain", gain))

    def ff_autocenter(self, strength):
        self.told.append(("autocenter", strength))


def effect(type, number=-1, **members):
    made = abi.FfEffect(type, number)
    for name, value in members.items():
        setattr(made.u.periodic, name, value)
    return bytes(made)


def upload(file, data, samples=b""):
    return abi.FfEffect.from_buffer_copy(ask(file, abi.EVIOCSFF, data, samples or None)[1][0]).id


def test_effects_are_stored_played_and_erased():
    wheel = Wheel()
    file = opened(wheel)

    first = upload(file, effect(codes.FF_CONSTANT))
    second = upload(file, effect(codes.FF_PERIODIC, waveform=codes.FF_SINE, period=20))
    with raises_errno(errno.ENOSPC):
        upload(file, effect(codes.FF_CONSTANT))
    upload(file, effect(codes.FF_CONSTANT, first))
    file.write(event(codes.EV_FF, second, 3) + event(codes.EV_FF, 7, 1) + event(codes.EV_FF, codes.FF_GAIN, 0x8000))
    file.write(event(codes.EV_FF, codes.FF_AUTOCENTER, 5) + event(codes.EV_FF, codes.FF_GAIN, 0x10000) + event(*SYN))
    ask(file, abi.EVIOCRMFF, argument=second)

    assert (first, second) == (0, 1)
    assert wheel.told == [
        ("upload", 0, codes.FF_CONSTANT, None),
        ("upload", 1, codes.FF_PERIODIC, None),
        ("upload", 0, codes.FF_CONSTANT, 0),
        ("play", 1, 3), ("gain", 0x8000), ("autocenter", 5),
        ("play", 1, 0), ("erase", 1),
    ]  # fmt: skip
    assert (codes.EV_FF, 1, 3) in changes(file)


def test_effects_belong_to_the_open_that_stored_them_and_go_with_it():
    wheel = Wheel()
    mine, other = opened(wheel), opened(wheel)
    number = upload(mine, effect(codes.FF_CONSTANT))

    with raises_errno(errno.EACCES):
        upload(other, effect(codes.FF_CONSTANT, number))
    with raises_errno(errno.EACCES):
        ask(other, abi.EVIOCRMFF, argument=number)
    mine.close()

    assert not wheel.forces.effects
    with raises_errno(errno.EINVAL):
        ask(other, abi.EVIOCRMFF, argument=number)


def test_effects_that_the_device_cannot_play_are_refused():
    file = opened(Wheel())
    number = upload(file, effect(codes.FF_PERIODIC, waveform=codes.FF_SINE))

    for wrong in (
        effect(codes.FF_SPRING),
        effect(codes.FF_GAIN),
        effect(0),
        effect(codes.FF_PERIODIC, waveform=codes.FF_SQUARE),
        effect(codes.FF_CONSTANT, number),  # an effect keeps its type
        effect(codes.FF_CONSTANT, 5),
    ):
        with raises_errno(errno.EINVAL):
            upload(file, wrong)


def test_rumble_is_played_as_a_sine_where_that_is_all_there_is():
    wheel = Wheel()
    file = opened(wheel)
    rumble = abi.FfEffect(codes.FF_RUMBLE, -1)
    rumble.u.rumble.strong_magnitude, rumble.u.rumble.weak_magnitude = 0x6000, 0x3000

    number = upload(file, bytes(rumble))

    assert codes.FF_RUMBLE in bits(told(file, of_size(abi.EVIOCGBIT, 16, codes.EV_FF)))
    played = wheel.forces.effects[number]
    assert (played.type, played.u.periodic.waveform, played.u.periodic.magnitude) == (
        codes.FF_PERIODIC,
        codes.FF_SINE,
        0x2800,
    )


def test_samples_of_a_custom_waveform_are_fetched():
    wheel = Wheel()
    data = effect(codes.FF_PERIODIC, waveform=codes.FF_CUSTOM, custom_len=3, custom_data=0x1000)

    number = upload(opened(wheel), data, struct.pack("<3h", 1, -2, 3))

    assert list(wheel.forces.effects[number].u.periodic.custom_data) == [1, -2, 3]


def test_a_device_that_may_refuse_an_effect_keeps_nothing_of_it():
    class Weak(Wheel):
        def ff_upload(self, effect, old):
            raise OSError(errno.ENOMEM, "too strong")

    wheel = Weak()
    with raises_errno(errno.ENOMEM):
        upload(opened(wheel), effect(codes.FF_CONSTANT))

    assert not wheel.forces.effects


def test_without_force_feedback_there_are_no_effects():
    file = opened(Desk())

    assert told(file, abi.EVIOCGEFFECTS) == struct.pack("<i", 0)
    with raises_errno(errno.ENOSYS):
        ask(file, abi.EVIOCSFF, effect(codes.FF_RUMBLE))
    with raises_errno(errno.ENOSYS):
        ask(file, abi.EVIOCRMFF, argument=0)


def test_an_effect_of_another_size_is_a_bad_address():
    with raises_errno(errno.EFAULT):
        ask(opened(Wheel()), of_size(abi.EVIOCSFF, 44), bytes(44))


def test_layouts_are_those_of_the_kernels_headers():
    assert ctypes.sizeof(abi.FfEffect) == ctypes.sizeof(abi.FfCustomEffect) == 48
    assert abi.FfPeriodicEffect.custom_data.offset == abi.FfCustomPeriodicEffect.custom_data.offset == 24
    assert (ctypes.sizeof(abi.InputKeymapEntry), ctypes.sizeof(abi.MaskToSet)) == (40, 16)
    assert abi.EVENT_SIZE == EVENT.size == 24


# ---- Plugging


@pytest.mark.parametrize(
    ("node", "numbers"),
    [
        ("/dev/input/event0", (13, 64)),
        ("/dev/input/event31", (13, 95)),
        ("/dev/input/event40", (13, (1 << 16) + 40)),
        ("/dev/input/event256", (13, 256)),
        ("/dev/knob", (13, None)),
    ],
)
def test_device_numbers_follow_the_nodes_name(node, numbers):
    assert Desk().numbers(node) == numbers


def test_plugged_in_again_no_key_is_down():
    desk = Desk()
    Tabletop.plug(desk, "/dev/input/event0")
    desk.press(codes.KEY_A)

    Tabletop.plug(desk, "/dev/input/event0")

    assert not desk.pressed


def test_kinds_are_what_udev_makes_of_them():
    from devshim.devices import K120, Gt911, Xbox360
    from devshim.model.input_udev import kinds

    class Mouse(Input):
        keys = (codes.BTN_LEFT, codes.BTN_RIGHT)
        relative = (codes.REL_X, codes.REL_Y)

    class Pad(Input):
        keys = (codes.BTN_TOOL_FINGER, codes.BTN_TOUCH, codes.BTN_LEFT)
        axes = {codes.ABS_X: Axis(0, 9), codes.ABS_Y: Axis(0, 9)}

    class Tilt(Input):
        axes = {code: Axis(-9, 9) for code in (codes.ABS_X, codes.ABS_Y, codes.ABS_Z)}

    assert kinds(K120()) == ["ID_INPUT_KEY", "ID_INPUT_KEYBOARD"]
    assert kinds(Xbox360()) == ["ID_INPUT_JOYSTICK"]
    assert kinds(Gt911()) == ["ID_INPUT_TOUCHSCREEN", "ID_INPUT_KEY"]
    assert kinds(Mouse()) == ["ID_INPUT_MOUSE"]
    assert kinds(Pad()) == ["ID_INPUT_TOUCHPAD"]
    assert kinds(Tilt()) == ["ID_INPUT_ACCELEROMETER"]

"""GPIO chips: what programs, models and wires make of lines, with the errors of the kernel's gpiolib-cdev.c."""

import errno

import pytest
from gpioprogram import Program, ask, edges, read
from hypothesis import given, settings
from hypothesis import strategies as st
from i2cprogram import raises_errno
from tabletop import Tabletop

from devshim import GpioChip, Line, wire
from devshim.model import gpio_abi as abi
from devshim.model.device import POLLIN, WAIT
from devshim.model.gpio_abi import (
    ACTIVE_LOW,
    BIAS_DISABLED,
    BIAS_PULL_DOWN,
    BIAS_PULL_UP,
    EDGE_FALLING,
    EDGE_RISING,
    EDGES,
    EVENT_CLOCK_HTE,
    EVENT_CLOCK_REALTIME,
    FALLING_EDGE,
    INPUT,
    OPEN_DRAIN,
    OPEN_SOURCE,
    OUTPUT,
    RISING_EDGE,
    USED,
)
from devshim.model.gpio_file import GpioFile
from devshim.model.gpio_request import LineRequest
from devshim.model.gpio_v1 import LineEvents, LineHandle
from devshim.model.naming import NameTaken


class Panel(GpioChip):
    button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")
    hog = Line(5, "HOG", used="a driver", output=True, value=1)
    noted = 0

    @lamp.changed
    def note(self):
        self.noted += 1


@pytest.fixture
def panel():
    return Panel()


@pytest.fixture
def program(panel):
    return Program(panel)


# ---- A model and its lines


def test_a_chip_has_as_many_lines_as_the_declared_ones_need(panel):
    assert len(panel.lines) == 18
    assert [panel.lines[offset].name for offset in (3, 4, 5, 17)] == ["BUTTON", "", "HOG", "LAMP"]


def test_the_number_of_lines_is_a_parameter():
    assert len(Panel(number_of_lines=32).lines) == 32
    with pytest.raises(ValueError, match="number_of_lines=4, but its last line is 17"):
        Panel(number_of_lines=4)


def test_a_chip_without_lines_says_what_to_do():
    class Bare(GpioChip):
        pass

    with pytest.raises(ValueError, match="no lines; declare some, or set number_of_lines="):
        Bare()
    assert len(Bare(number_of_lines=2).lines) == 2


def test_lines_without_a_declaration_have_names_and_biases_from_lists():
    class Header(GpioChip):
        line_names = ("SDA", "SCL", "CLOCK")
        line_biases = ("up", "down", "up")
        clock = Line(2, "CLK")

    header = Header()

    assert [line.name for line in header.lines] == ["SDA", "SCL", "CLK"]
    assert [line.level for line in header.lines] == [1, 0, 0]


def test_a_line_is_found_by_its_name_or_offset(panel):
    assert panel.line("LAMP") is panel.lines[17]
    assert panel.line(17) is panel.lines[17]
    with pytest.raises(KeyError, match="no line 'LAMPE'; it has 18: BUTTON, HOG, LAMP"):
        panel.line("LAMPE")


def test_two_chips_of_one_class_have_lines_of_their_own():
    one, other = Panel(), Panel()

    one.button = 1

    assert (one.button, other.button) == (1, 0)


@pytest.mark.parametrize(
    ("lines", "problem", "words"),
    [
        ({"label": Line(1)}, NameTaken, "would hide GpioChip.label"),
        ({"wake": Line(1)}, NameTaken, "wake"),
        ({"a": Line(1), "b": Line(1)}, TypeError, "a and b are both line 1"),
        ({"a": Line()}, TypeError, "needs its offset"),
    ],
)
def test_lines_that_cannot_be_are_refused_when_the_class_is_made(lines, problem, words):
    with pytest.raises(problem, match=words):
        type("Bad", (GpioChip,), lines)


@pytest.mark.parametrize("arguments", [{"offset": -1}, {"offset": "3"}, {"value": 2}, {"pull": "left"}, {"only": "io"}])
def test_a_declaration_that_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match="Line"):
        Line(**{"offset": 1, **arguments})


def test_a_line_takes_0_1_and_none(panel):
    with pytest.raises(ValueError, match="0, 1 or None"):
        panel.button = 2


def test_an_undriven_line_keeps_its_level(panel):
    panel.button = 1
    panel.button = None

    assert panel.button == 1


def test_a_resistor_holds_a_line_that_nobody_drives():
    class Pulled(GpioChip):
        contact = Line(0, pull="up")

    chip = Pulled()
    assert chip.contact == 1

    chip.contact = 0
    assert chip.contact == 0
    chip.contact = None
    assert chip.contact == 1


def test_an_active_low_line_is_1_to_the_model_when_it_is_low():
    class Stop(GpioChip):
        stop = Line(0, "STOP_N", pull="up", active_low=True)

    chip = Stop()
    program = Program(chip)
    line = program.request(0)
    assert (chip.stop, program.get(line)) == (0, 1)

    chip.stop = 1

    assert (chip.stop, chip.lines[0].level, program.get(line)) == (1, 0, 0)


def test_a_model_hears_of_changes_by_the_program_by_the_test_and_by_others(panel, program):
    line = program.request(17, flags=OUTPUT, values=1)
    assert panel.noted == 1

    program.set(line, 1)
    assert panel.noted == 1

    program.set(line, 0)
    assert panel.noted == 2


def test_a_derived_class_hears_of_its_bases_lines():
    class Louder(Panel):
        lamp = Line(2, "LAMP")

        def note(self):
            self.noted += 10

    louder = Louder()
    louder.lamp = 1

    assert louder.noted == 10


# ---- Wires


def test_wired_lines_have_one_level(panel):
    other = Panel()
    wire(panel.lamp, other.button)
    program = Program(panel)

    line = program.request(17, flags=OUTPUT, values=1)
    assert other.button == 1

    program.set(line, 0)
    assert other.button == 0


def test_a_wire_may_join_lines_of_any_model():
    class Sensor:
        alert = Line(pull="up")

    sensor, panel = Sensor(), Panel()
    wire(sensor.alert, panel.lines[3], panel.lines[4])
    program = Program(panel)
    file = program.request(3, 4, flags=INPUT | EDGE_FALLING)
    assert panel.button == 1

    sensor.alert = 0

    assert edges(file) == [(FALLING_EDGE, 3, 1, 1), (FALLING_EDGE, 4, 2, 1)]


def test_joining_tells_those_whose_level_changes(panel):
    other = Panel()
    other.button = 1

    wire(panel.lamp, other.button)

    assert (panel.lamp, panel.noted) == (1, 1)


def test_where_equals_drive_one_wire_low_wins(panel):
    other = Panel()
    wire(panel.button, other.button)

    panel.button, other.button = 1, 0

    assert panel.button == 0


def test_a_wire_that_is_driven_back_by_a_listener_settles():
    class Stubborn(GpioChip):
        pin = Line(0)

        @pin.changed
        def back(self):
            self.pin = 0

    chip = Stubborn()
    other = Panel()
    wire(chip.pin, other.lamp)

    chip.pin = 1

    assert (chip.pin, other.lamp) == (0, 0)


def test_wire_says_what_it_takes(panel):
    with pytest.raises(TypeError, match=r"wire\(\) joins lines"):
        wire(panel.button, 17)


# ---- Chip and line information


def test_chip_info_has_the_nodes_name_the_label_and_the_number_of_lines(panel):
    program = Program(panel)

    info = program.ask(abi.GET_CHIPINFO, abi.GpiochipInfo())

    assert (info.name, info.label, info.lines) == (b"gpiochip0", b"panel", 18)


def test_line_info_tells_of_name_direction_and_user(program):
    hog, free = program.info(5), program.info(17)

    assert (hog.name, hog.consumer, hog.flags) == (b"HOG", b"a driver", USED | OUTPUT)
    assert (free.name, free.consumer, free.flags, free.offset) == (b"LAMP", b"", INPUT, 17)


def test_names_are_cut_as_the_kernel_cuts_them():
    class Long(GpioChip):
        line_names = ("N" * 40,)

    info = Program(Long(label="L" * 40)).info(0)

    assert info.name == b"N" * 31


@pytest.mark.parametrize("request_", [abi.V2_GET_LINEINFO, abi.V2_GET_LINEINFO_WATCH])
def test_line_info_of_no_line_or_with_padding_is_invalid(program, request_):
    with raises_errno(errno.EINVAL):
        program.ask(request_, abi.GpioV2LineInfo(offset=18))
    info = abi.GpioV2LineInfo(offset=1)
    info.padding[3] = 1
    with raises_errno(errno.EINVAL):
        program.ask(request_, info)


def test_line_info_of_version_1_translates_the_flags(program):
    program.handle(1, flags=1 << 1 | 1 << 2 | 1 << 3 | 1 << 5, values=(0,), consumer=b"old")

    info = program.ask(abi.GET_LINEINFO, abi.GpiolineInfo(line_offset=1))

    assert (info.consumer, info.flags) == (b"old", 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5)
    with raises_errno(errno.EINVAL):
        program.ask(abi.GET_LINEINFO, abi.GpiolineInfo(line_offset=99))


def test_a_request_without_a_name_is_shown_as_a_question_mark(program):
    program.request(1, consumer=b"")

    assert program.info(1).consumer == b"?"


def test_an_unknown_request_is_invalid_on_chips_and_on_requests(program):
    for file in (program.file, program.request(1), program.handle(2), program.events(4)):
        with raises_errno(errno.EINVAL):
            ask(file, 0x5401, b"")


# ---- Requests, version 2


def test_a_request_reads_and_drives_its_lines(panel, program):
    panel.button = 1
    line = program.request(3, 17, flags=INPUT, per_line=((OUTPUT, 0b10),), values=0b10)

    assert program.get(line, 0b11) == 0b11
    assert panel.lamp == 1
    program.set(line, 0, 0b10)
    assert program.get(line, 0b11) == 0b01
    assert panel.lamp == 0


def test_only_the_lines_in_the_mask_count(program):
    line = program.request(1, 2, flags=OUTPUT, values=0b11)

    assert program.get(line, 0b10) == 0b10
    for mask in (0, 0b100):
        with raises_errno(errno.EINVAL):
            program.get(line, mask)
        with raises_errno(errno.EINVAL):
            program.set(line, 0, mask)


def test_inputs_cannot_be_set(panel, program):
    line = program.request(1, 2, flags=OUTPUT, per_line=((INPUT, 0b10),))

    with raises_errno(errno.EPERM):
        program.set(line, 0b11, 0b11)

    assert panel.lines[1].level == 0


def test_active_low_turns_values_round(panel, program):
    line = program.request(17, flags=OUTPUT | ACTIVE_LOW, values=1)

    assert (panel.lamp, program.get(line), program.info(17).flags) == (0, 1, USED | OUTPUT | ACTIVE_LOW)
    program.set(line, 0)
    assert panel.lamp == 1


def test_a_line_as_it_is_keeps_direction_and_level(panel, program):
    program.request(17, flags=OUTPUT, values=1).close()

    line = program.request(17, flags=ACTIVE_LOW)

    assert (program.info(17).flags, program.get(line), panel.lamp) == (USED | OUTPUT | ACTIVE_LOW, 0, 1)


def test_a_taken_line_is_busy_until_the_requests_last_descriptor_closes(panel, program):
    line = program.request(1, 2, consumer=b"first")
    with raises_errno(errno.EBUSY):
        program.request(2)
    assert panel.lines[2].consumer == "first"

    line.close()

    assert panel.lines[2].consumer == ""
    program.request(2)


def test_a_line_of_the_kernels_is_busy(program):
    with raises_errno(errno.EBUSY):
        program.request(5)


@pytest.mark.parametrize(("offsets", "error"), [((1, 1), errno.EBUSY), ((1, 5), errno.EBUSY), ((1, 18), errno.EINVAL)])
def test_a_request_gets_all_lines_or_none(panel, program, offsets, error):
    with raises_errno(error):
        program.request(*offsets)

    assert panel.lines[1].holder is None
    program.request(1)


def test_a_request_has_1_to_64_lines_and_no_padding(program):
    for count in (0, 65):
        with raises_errno(errno.EINVAL):
            program.given(abi.V2_GET_LINE, abi.GpioV2LineRequest(num_lines=count))
    request = abi.GpioV2LineRequest(num_lines=1)
    request.padding[0] = 1
    with raises_errno(errno.EINVAL):
        program.given(abi.V2_GET_LINE, request)


@pytest.mark.parametrize(
    "flags",
    [
        USED, 1 << 13, 1 << 63, INPUT | OUTPUT, EDGE_RISING, OUTPUT | EDGE_FALLING, OPEN_DRAIN, INPUT | OPEN_SOURCE,
        OUTPUT | OPEN_DRAIN | OPEN_SOURCE, BIAS_PULL_UP, INPUT | BIAS_PULL_UP | BIAS_PULL_DOWN,
        INPUT | BIAS_DISABLED | BIAS_PULL_DOWN,
    ],
)  # fmt: skip
def test_flags_that_contradict_each_other_are_invalid(program, flags):
    with raises_errno(errno.EINVAL):
        program.request(1, flags=flags)
    line = program.request(1)
    with raises_errno(errno.EINVAL):
        program.configure(line, flags)


def test_hardware_timestamps_are_not_supported(program):
    with raises_errno(errno.EOPNOTSUPP):
        program.request(1, flags=INPUT | EDGE_RISING | EVENT_CLOCK_HTE)


def test_a_configuration_has_at_most_10_attributes_and_no_padding(program):
    for config in (abi.GpioV2LineConfig(num_attrs=11), abi.GpioV2LineConfig()):
        config.padding[4] = int(config.num_attrs == 0)
        with raises_errno(errno.EINVAL):
            program.given(abi.V2_GET_LINE, abi.GpioV2LineRequest(num_lines=1, config=config))


def test_of_two_attributes_for_one_line_the_first_counts(program):
    program.request(1, flags=0, per_line=((OUTPUT, 1), (INPUT, 1)))

    assert program.info(1).flags == USED | OUTPUT


def test_a_new_configuration_changes_lines_with_a_direction_and_leaves_the_others(panel, program):
    line = program.request(1, 2, flags=OUTPUT, values=0b11)

    program.configure(line, 0, per_line=((INPUT | ACTIVE_LOW, 0b01),))

    assert program.info(1).flags == USED | INPUT | ACTIVE_LOW
    assert program.info(2).flags == USED | OUTPUT
    assert panel.lines[2].level == 1


def test_a_line_keeps_its_last_output_and_its_direction_after_its_release(panel, program):
    program.request(17, flags=OUTPUT | ACTIVE_LOW, values=0).close()

    assert panel.lamp == 1
    assert program.info(17).flags == OUTPUT
    panel.lamp = 0  # nobody else is stronger than the output
    assert panel.lamp == 1


def test_a_bias_pulls_an_undriven_line_and_a_driver_is_stronger(panel, program):
    line = program.request(3, flags=INPUT | BIAS_PULL_UP)
    assert (program.get(line), program.info(3).flags) == (1, USED | INPUT | BIAS_PULL_UP)

    program.configure(line, INPUT | BIAS_PULL_DOWN)
    assert program.get(line) == 0
    panel.button = 1
    assert program.get(line) == 1


def test_a_chip_without_biases_takes_the_wish_without_effect():
    class Plain(Panel):
        biases = False

    program = Program(Plain())

    line = program.request(3, flags=INPUT | BIAS_PULL_UP)

    assert (program.get(line), program.info(3).flags) == (0, USED | INPUT | BIAS_PULL_UP)


def test_an_open_drain_lets_go_of_a_high_line(panel, program):
    line = program.request(17, flags=OUTPUT | OPEN_DRAIN, values=1)
    panel.lamp = 0
    assert program.get(line) == 0

    panel.lamp = 1
    assert program.get(line) == 1
    program.set(line, 0)
    assert (program.get(line), panel.lamp) == (0, 0)


def test_an_open_source_lets_go_of_a_low_line(panel, program):
    line = program.request(17, flags=OUTPUT | OPEN_SOURCE, values=0)
    panel.lamp = 1
    assert program.get(line) == 1

    panel.lamp = 0
    program.set(line, 1)
    assert panel.lamp == 1


def test_a_line_that_cannot_be_an_output_or_input_fails_with_eio():
    class Fixed(GpioChip):
        sense, relay = Line(0, only="input"), Line(1, only="output")

    program = Program(Fixed())

    assert program.info(1).flags == OUTPUT
    for offset, flags in ((0, OUTPUT), (1, INPUT)):
        with raises_errno(errno.EIO):
            program.request(offset, flags=flags)
        assert not program.info(offset).flags & USED


def test_a_model_hears_who_asks_for_its_lines():
    class Proud(Panel):
        log = ()

        def requested(self, line):
            self.log += (("requested", line.name, line.consumer),)

        def released(self, line):
            self.log += (("released", line.name, line.consumer),)

    chip = Proud()
    Program(chip).request(3, consumer=b"me").close()

    assert chip.log == (("requested", "BUTTON", "me"), ("released", "BUTTON", ""))


# ---- Edges


def test_edges_are_numbered_by_request_and_by_line(panel, program):
    file = program.request(3, 4, flags=INPUT | EDGES)

    panel.button = 1
    panel.lines[4].value = 1
    panel.button = 0

    assert edges(file) == [(RISING_EDGE, 3, 1, 1), (RISING_EDGE, 4, 2, 1), (FALLING_EDGE, 3, 3, 2)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (EDGE_RISING, [RISING_EDGE]),
        (EDGE_FALLING, [FALLING_EDGE]),
        (EDGE_RISING | ACTIVE_LOW, [RISING_EDGE]),
        (EDGES, [RISING_EDGE, FALLING_EDGE]),
        (EDGES | ACTIVE_LOW, [FALLING_EDGE, RISING_EDGE]),
        (0, []),
    ],
)
def test_only_the_edges_that_were_asked_for_come(panel, program, flags, expected):
    file = program.request(3, flags=INPUT | flags)

    panel.button = 1
    panel.button = 0

    assert [event[0] for event in edges(file)] == expected


def test_a_request_is_readable_while_events_wait_and_a_read_gives_whole_ones(panel, program):
    file = program.request(3, flags=INPUT | EDGES)
    assert file.poll() == 0
    assert file.read(4096) is WAIT

    panel.button = 1
    panel.button = 0

    assert file.poll() == POLLIN
    for size in (0, 47):
        with raises_errno(errno.EINVAL):
            file.read(size)
    assert len(file.read(95)) == 48
    assert len(file.read(4096)) == 48
    assert file.poll() == 0


def test_a_program_is_woken_by_an_edge(panel, program):
    program.request(3, flags=INPUT | EDGES)

    panel.button = 1

    assert program.table.wakes == 1


def test_timestamps_are_of_the_clock_that_was_asked_for(panel, program):
    monotonic = program.request(3, flags=INPUT | EDGES)
    realtime = program.request(4, flags=INPUT | EDGES | EVENT_CLOCK_REALTIME)

    panel.button = panel.lines[4].value = 1

    (first,), (second,) = (read(file, abi.GpioV2LineEvent) for file in (monotonic, realtime))
    assert second.timestamp_ns > 1_600_000_000 * 10**9 > first.timestamp_ns > 0
    assert program.info(4).flags & EVENT_CLOCK_REALTIME


def test_an_overflow_loses_the_oldest_events_and_the_numbers_tell(panel, program):
    file = program.request(3, flags=INPUT | EDGES)

    for number in range(20):
        panel.button = 1 - number % 2

    assert [event[2] for event in edges(file)] == list(range(5, 21))


@pytest.mark.parametrize(("lines", "asked", "kept"), [(1, 0, 16), (3, 0, 64), (1, 2, 2), (1, 5, 8), (1, 5000, 1024)])
def test_a_buffer_has_room_for_a_power_of_two(panel, program, lines, asked, kept):
    file = program.request(*(3, 6, 7)[:lines], flags=INPUT | EDGES, depth=asked)

    for number in range(kept + 1):
        panel.button = 1 - number % 2

    assert [event[2] for event in edges(file)] == list(range(2, kept + 2))


def test_a_buffer_of_one_event_cannot_be_made_where_edges_are_asked_for(program):
    with raises_errno(errno.EINVAL):
        program.request(3, flags=INPUT | EDGES, depth=1)
    program.request(3, flags=INPUT, depth=1)


def test_edges_can_be_asked_for_later_and_taken_back(panel, program):
    file = program.request(3, flags=INPUT)
    panel.button = 1
    program.configure(file, INPUT | EDGES)
    panel.button = 0
    program.configure(file, INPUT)
    panel.button = 1

    assert edges(file) == [(FALLING_EDGE, 3, 1, 1)]


def test_a_debounced_line_changes_when_it_has_been_quiet(panel, program):
    file = program.request(3, flags=INPUT | EDGES, debounce=5000)
    attribute = program.info(3).attrs[0]
    assert (program.info(3).num_attrs, attribute.id, attribute.debounce_period_us) == (1, abi.ATTRIBUTE_DEBOUNCE, 5000)

    for level in (1, 0, 1):
        panel.button = level
        program.table.advance(0.004)
    assert (program.get(file), edges(file)) == (0, [])
    program.table.advance(0.001)

    assert (program.get(file), edges(file)) == (1, [(RISING_EDGE, 3, 1, 1)])


def test_a_glitch_is_no_edge_of_a_debounced_line(panel, program):
    file = program.request(3, flags=INPUT | EDGES, debounce=5000)

    panel.button = 1
    panel.button = 0
    program.table.advance(1)

    assert edges(file) == []


def test_debounce_can_be_taken_back_and_is_for_inputs(panel, program):
    file = program.request(3, flags=INPUT | EDGES, debounce=5000)
    panel.button = 1
    program.configure(file, INPUT | EDGES)

    assert (program.get(file), program.info(3).num_attrs) == (1, 0)
    program.table.advance(1)
    assert edges(file) == []
    for flags in (0, OUTPUT):
        with raises_errno(errno.EINVAL):
            program.configure(file, flags, debounce=1)


def test_a_chip_without_interrupts_has_no_edges():
    class Slow(Panel):
        interrupts = False

    program = Program(Slow())

    with raises_errno(errno.ENXIO):
        program.request(3, flags=INPUT | EDGES)
    with raises_errno(errno.ENODEV):
        program.events(3)
    program.request(3, flags=INPUT)


def test_a_closed_request_finds_no_more_edges(panel, program):
    file = program.request(3, flags=INPUT | EDGES)
    file.close()

    panel.button = 1

    assert panel.lines[3].edges is None


# ---- Version 1


def test_a_handle_reads_and_drives_its_lines(panel, program):
    handle = program.handle(17, 2, flags=2, values=(7, 0))
    data = program.ask(abi.HANDLE_GET_LINE_VALUES, abi.GpiohandleData(), handle)
    assert list(data.values[:3]) == [1, 0, 0]

    program.ask(abi.HANDLE_SET_LINE_VALUES, abi.GpiohandleData((0, 5)), handle)

    assert (panel.lamp, panel.lines[2].level) == (0, 1)


def test_a_handle_of_inputs_cannot_be_set(program):
    with raises_errno(errno.EPERM):
        program.ask(abi.HANDLE_SET_LINE_VALUES, abi.GpiohandleData(), program.handle(1, flags=1))


def test_a_handle_is_set_up_anew_with_a_direction(panel, program):
    handle = program.handle(17, flags=1)

    program.ask(abi.HANDLE_SET_CONFIG, abi.GpiohandleConfig(flags=2, default_values=(1,)), handle)

    assert panel.lamp == 1
    for flags in (0, 1 << 2, 1 << 8, 3):
        with raises_errno(errno.EINVAL):
            program.ask(abi.HANDLE_SET_CONFIG, abi.GpiohandleConfig(flags=flags), handle)


@pytest.mark.parametrize("flags", [1 << 8, 3, 1 | 1 << 3, 2 | 1 << 3 | 1 << 4, 1 << 5, 1 | 1 << 5 | 1 << 6])
def test_a_handle_with_flags_that_contradict_each_other_is_invalid(program, flags):
    with raises_errno(errno.EINVAL):
        program.handle(1, flags=flags)


def test_a_handle_has_1_to_64_lines_that_are_free(program):
    for lines in (0, 65):
        with raises_errno(errno.EINVAL):
            program.given(abi.GET_LINEHANDLE, abi.GpiohandleRequest(lines=lines))
    with raises_errno(errno.EBUSY):
        program.handle(1, 5)
    program.handle(1).close()
    program.handle(1)


def test_a_handle_cannot_be_read(program):
    with raises_errno(errno.EINVAL):
        program.handle(1).read(16)


def test_an_event_file_gives_edges_and_the_value(panel, program):
    file = program.events(3)

    panel.button = 1
    panel.button = 0
    panel.button = 1

    assert [event.id for event in read(file, abi.GpioeventData)] == [RISING_EDGE, FALLING_EDGE, RISING_EDGE]
    assert program.ask(abi.HANDLE_GET_LINE_VALUES, abi.GpiohandleData(), file).values[0] == 1
    with raises_errno(errno.EINVAL):
        program.ask(abi.HANDLE_SET_LINE_VALUES, abi.GpiohandleData(), file)
    with raises_errno(errno.EINVAL):
        file.read(15)


def test_an_event_file_loses_the_newest_events(panel, program):
    file = program.events(3, edges=2)

    for number in range(40):
        panel.button = 1 - number % 2

    assert len(read(file, abi.GpioeventData)) == 16


@pytest.mark.parametrize(
    ("offset", "flags", "edge_flags", "error"),
    [
        (18, 1, 3, errno.EINVAL), (3, 1 << 8, 3, errno.EINVAL), (3, 1, 4, errno.EINVAL), (3, 2, 3, errno.EINVAL),
        (3, 1 | 1 << 3, 3, errno.EINVAL), (3, 1 | 1 << 5 | 1 << 6, 3, errno.EINVAL), (5, 1, 3, errno.EBUSY),
    ],
)  # fmt: skip
def test_an_event_request_that_cannot_be(program, offset, flags, edge_flags, error):
    with raises_errno(error):
        program.events(offset, flags, edge_flags)


# ---- Watching lines


def changes(program):
    return [
        (event.event_type, event.info.offset, event.info.consumer, event.info.flags)
        for event in read(program.file, abi.GpioV2LineInfoChanged)
    ]


def test_a_watched_line_tells_of_requests_configurations_and_releases(program):
    assert program.watch(17).name == b"LAMP"
    assert program.file.poll() == 0
    other = Program(program.chip)

    line = other.request(17, 3, flags=OUTPUT, consumer=b"me")
    other.configure(line, INPUT)
    line.close()

    assert changes(program) == [
        (abi.CHANGED_REQUESTED, 17, b"me", USED | OUTPUT),
        (abi.CHANGED_CONFIG, 17, b"me", USED | INPUT),
        (abi.CHANGED_RELEASED, 17, b"", INPUT),
    ]
    assert changes(other) == []


def test_a_line_is_watched_once_and_until_it_is_unwatched(program):
    program.watch(17)
    with raises_errno(errno.EBUSY):
        program.watch(17)

    program.unwatch(17)
    program.request(17)

    assert changes(program) == []
    with raises_errno(errno.EBUSY):
        program.unwatch(17)
    with raises_errno(errno.EINVAL):
        program.unwatch(18)


def test_one_file_watches_with_one_version(program):
    program.watch(17)
    with raises_errno(errno.EPERM):
        program.ask(abi.GET_LINEINFO_WATCH, abi.GpiolineInfo(line_offset=3))
    other = Program(program.chip)
    other.ask(abi.GET_LINEINFO_WATCH, abi.GpiolineInfo(line_offset=3))
    with raises_errno(errno.EPERM):
        other.watch(17)


def test_changes_come_in_the_version_in_which_the_line_is_watched(program):
    program.ask(abi.GET_LINEINFO_WATCH, abi.GpiolineInfo(line_offset=3))

    program.handle(3, flags=2, consumer=b"me").close()

    with raises_errno(errno.EINVAL):
        program.file.read(103)
    requested, released = read(program.file, abi.GpiolineInfoChanged)
    assert (requested.event_type, requested.info.flags, requested.info.consumer) == (1, 3, b"me")
    assert (released.event_type, released.info.flags, released.info.line_offset) == (2, 2, 3)
    assert released.timestamp >= requested.timestamp > 0


def test_a_read_of_version_1_needs_room_for_one_of_version_2_to_go_on(program):
    program.ask(abi.GET_LINEINFO_WATCH, abi.GpiolineInfo(line_offset=3))
    program.handle(3).close()

    assert len(program.file.read(300)) == 104
    assert len(program.file.read(300)) == 104
    assert program.file.read(300) is WAIT


def test_32_changes_are_kept_and_the_newest_are_lost(program):
    program.watch(17)

    for _ in range(20):
        program.request(17).close()

    assert [change[0] for change in changes(program)] == [abi.CHANGED_REQUESTED, abi.CHANGED_RELEASED] * 16


def test_a_failed_request_is_seen_by_those_who_watch_as_taken_and_given_back(program):
    program.watch(1)

    with raises_errno(errno.EBUSY):
        program.request(1, 5)

    assert [change[0] for change in changes(program)] == [abi.CHANGED_REQUESTED, abi.CHANGED_RELEASED]


def test_a_chip_has_no_positions(program):
    with raises_errno(errno.ESPIPE):
        program.file.pread(288, 0)
    with raises_errno(errno.ESPIPE):
        program.file.pwrite(b"", 0)


def test_closing_the_chip_leaves_requests_alone(panel, program):
    line = program.request(3)
    program.file.close()
    panel.button = 1

    assert program.get(line) == 1
    assert panel.files == []


# ---- Plugging


def test_what_was_held_before_the_chip_was_pulled_is_free_when_it_is_back(panel, program):
    old = program.request(3, flags=INPUT | EDGES)
    panel.unplugged()
    panel.attached(Tabletop("/dev/gpiochip0"))

    new = Program(panel).request(3)
    old.close()

    assert panel.lines[3].holder is new


def test_the_node_has_a_major_of_its_own_and_the_chips_number(panel):
    assert panel.numbers("/dev/gpiochip7") == (766, 7)
    assert panel.numbers("/dev/panel") == (766, None)


def test_what_libgpiod_looks_for_lies_around_the_node(panel):
    around = panel.surroundings("/dev/gpiochip7", 766, 7)

    assert around["/sys/devices/platform/panel.7/gpiochip7/dev"] == b"766:7\n"
    assert around["/sys/bus/gpio/devices/gpiochip7"] == "../../../devices/platform/panel.7/gpiochip7"
    assert around["/sys/dev/char/766:7"] == "../../devices/platform/panel.7/gpiochip7"
    assert around["/sys/devices/platform/panel.7/gpiochip7/subsystem"] == "../../../../bus/gpio"


# ---- Hostile arguments

REQUESTS = sorted({*GpioFile.ioctls, *LineRequest.ioctls, *LineHandle.ioctls, *LineEvents.ioctls})
small = st.integers(0, 20)
words = st.one_of(small, st.sampled_from([1 << bit for bit in range(32)]), st.integers(0, 2**32 - 1))


@st.composite
def arguments(draw):
    """A request and its argument: zeros, mostly, with words of all kinds in places of all kinds."""
    request = draw(st.sampled_from(REQUESTS))
    size = request >> 16 & 0x3FFF
    argument = bytearray(draw(st.sampled_from([b"\0", b"\0", b"\xff", b"\x01"])) * size)
    for at, word in draw(st.lists(st.tuples(st.integers(0, size // 4 - 1), words), max_size=12)):
        argument[at * 4 : at * 4 + 4] = word.to_bytes(4, "little")
    counted = {592: 560, 364: 356}.get(size)
    if counted is not None and draw(st.booleans()):  # a number of lines that can be
        argument[counted : counted + 4] = draw(st.integers(0, 4)).to_bytes(4, "little")
    return request, bytes(argument)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(arguments(), st.tuples(st.just(None), st.integers(0, 30))), max_size=25))
def test_no_argument_brings_a_chip_down(calls):
    panel = Panel()
    program = Program(panel)
    files, errors = [program.file], set()

    for request, argument in calls:
        try:
            if request is None:
                panel.lines[argument % 18].value = argument % 2
                files[argument % len(files)].read(argument * 48)
                program.table.advance(0.01)
                if argument == 30 and len(files) > 1:
                    files.pop().close()
                continue
            for file in list(files):
                new = ask(file, request, argument)[1]
                files += [new] if new is not None else []
        except OSError as problem:
            errors.add(problem.errno)

    assert errors <= {errno.EINVAL, errno.EBUSY, errno.EPERM, errno.EOPNOTSUPP}
    for file in files:
        file.close()
    assert [line.offset for line in panel.lines if line.holder is not None] == []
    assert panel.files == []

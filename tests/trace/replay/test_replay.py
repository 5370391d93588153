"""A trace answers instead of a device: what is matched, what comes when, and what is a mismatch."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import call, ioctl, opened, read, write_trace, wrote
from harness import Outcome

NODE = "/dev/thing0"
GET, SET, DO = "0x80044d01", "0x40044d02", "0xc0084d03"
KEY_A, KEY_UP = "01001e0001000000", "01001e0000000000"

Run = Callable[..., Outcome]


@pytest.fixture
def replay(tmp_path: Path, devshim_verb: Run) -> Run:
    """Return a function that replays events of NODE to lines of Python, in which `fd` is open on it."""

    def run(events: list[object], program: str, *options: str, node: str = NODE, **how: object) -> Outcome:
        trace = write_trace(tmp_path / "thing.trace", node, events)  # type: ignore[arg-type]
        script = tmp_path / "program.py"
        script.write_text(PROGRAM.format(node=node) + program)
        return devshim_verb("replay", trace, *options, "--", sys.executable, script, **how)

    return run


PROGRAM = """\
import errno, fcntl, os, select, struct, threading, time
def get(request=0x80044d01, fd=None):
    return struct.unpack("i", fcntl.ioctl(FD if fd is None else fd, request, bytes(4)))[0]
def set(value):
    return fcntl.ioctl(FD, 0x40044d02, struct.pack("i", value))
def do(value):
    return struct.unpack("2i", fcntl.ioctl(FD, 0xc0084d03, struct.pack("2i", value, 0)))[1]
def failing(what, *args):
    try: what(*args)
    except OSError as problem: return errno.errorcode[problem.errno]
FD = fd = os.open("{node}", os.O_RDWR)
"""


def number(value: int) -> str:
    return value.to_bytes(4, "little").hex()


def states(*values: int) -> list[object]:
    return [ioctl(GET, after=number(value)) for value in values]


def test_an_ioctl_gets_its_recorded_answer(replay: Run) -> None:
    outcome = replay([opened(NODE), *states(7)], "print(get())")
    assert (outcome.stdout, outcome.returncode, outcome.stderr) == ("7\n", 0, "")


def test_a_positive_result_and_an_errno_come_back(replay: Run) -> None:
    events = [
        opened(NODE),
        ioctl(DO, "0100000000000000", "0100000005000000", result=3),
        ioctl(SET, "09000000", error="ERANGE"),
    ]
    program = "b = bytearray(struct.pack('2i', 1, 0)); print(fcntl.ioctl(fd, 0xc0084d03, b), b[4], failing(set, 9))"
    assert replay(events, program).stdout == "3 5 ERANGE\n"


def test_a_status_that_changes_while_it_is_polled_changes_so_again(replay: Run) -> None:
    assert replay([opened(NODE), *states(1, 1, 2)], "print(get(), get(), get())").stdout == "1 1 2\n"


def test_a_status_polled_more_often_than_recorded_stays_as_it_was_last(replay: Run) -> None:
    outcome = replay([opened(NODE), *states(1, 2)], "print(*[get() for _ in range(6)])")
    assert (outcome.stdout, outcome.returncode) == ("1 2 2 2 2 2\n", 0)


def test_a_status_polled_less_often_is_that_of_its_time(replay: Run) -> None:
    events = [opened(NODE), *states(1, 1, 1), ioctl(SET, "05000000"), *states(5)]
    assert replay(events, "print(get()); set(5); print(get())").stdout == "1\n5\n"


def test_after_a_command_an_old_answer_is_no_answer(replay: Run) -> None:
    outcome = replay([opened(NODE), *states(1), ioctl(SET, "05000000")], "get(); set(5); print(failing(get))")
    assert outcome.stdout == "EIO\n"
    assert outcome.returncode == 1


def test_an_answer_that_commands_never_changed_may_be_asked_for_at_any_time(replay: Run) -> None:
    events = [opened(NODE), *states(4), ioctl(SET, "01000000"), *states(4), ioctl(SET, "02000000")]
    assert replay(events, "get(); set(1); get(); set(2); print(get())").stdout == "4\n"


def test_an_exchange_may_be_repeated_until_something_is_commanded(replay: Run) -> None:
    events = [opened(NODE), ioctl(DO, "0100000000000000", "0100000005000000"), ioctl(SET, "01000000")]
    outcome = replay(events, "print(do(1), do(1), do(1)); set(1); print(failing(do, 1))")
    assert outcome.stdout == "5 5 5\nEIO\n"


def test_bytes_that_the_device_overwrites_are_not_compared(replay: Run) -> None:
    events = [opened(NODE), ioctl(DO, "01000000aabbccdd", "0100000005000000")]
    program = "b = bytearray(struct.pack('2i', 1, 77)); fcntl.ioctl(fd, 0xc0084d03, b); print(b[4])"
    assert replay(events, program).stdout == "5\n"


def test_a_mismatch_names_the_line_both_sides_and_the_way_out(replay: Run) -> None:
    outcome = replay([opened(NODE), ioctl(SET, "05000000", name="SET"), *states(3)], "print(failing(set, 6))")
    assert outcome.stdout == "EIO\n"
    assert outcome.returncode == 1
    said = outcome.stderr
    assert "thing.trace:3: mismatch: " in said
    assert "byte 0 is 0x06, recorded 0x05" in said
    assert 'the program: ioctl(/dev/thing0, 0x40044d02, "\\x06\\x00\\x00\\x00")' in said
    assert 'the trace:   ioctl(/dev/thing0, SET, "\\x05\\x00\\x00\\x00") = 0' in said
    assert "thing.trace:4: ioctl(/dev/thing0" in said
    assert "--loose" in said and "--match" in said and "--on-miss" in said
    assert all(line.startswith(("devshim: ", "  ")) for line in said.splitlines())


def test_a_mismatch_in_a_described_argument_names_the_member(replay: Run, tmp_path: Path) -> None:
    described = {
        "request": SET, "name": "SET_SPEED", "access": "w",
        "argument": {"struct": "Speed", "size": 4, "members": [["rpm", 0, "u16"], ["way", 2, "u16"]]},
    }  # fmt: skip
    events = [{"ioctl": described}, opened(NODE), ioctl(SET, "05000100")]
    outcome = replay(events, "print(failing(set, 0x10006))")
    assert "SET_SPEED: recorded rpm: 5, now 6" in outcome.stderr


def test_the_exit_code_of_a_mismatch_can_be_chosen(replay: Run) -> None:
    assert replay([opened(NODE)], "failing(set, 1)", "--error-exitcode", "7").returncode == 7


def test_loose_matches_in_any_order(replay: Run) -> None:
    events = [opened(NODE), ioctl(SET, "01000000"), ioctl(SET, "02000000"), *states(3)]
    assert replay(events, "set(2); print(get()); set(1)").returncode == 1
    assert replay(events, "set(2); print(get()); set(1)", "--loose").stdout == "3\n"
    assert replay(events, "set(2); print(get()); set(1)", "--loose").returncode == 0


def test_strict_wants_each_call_in_its_order(replay: Run) -> None:
    events = [opened(NODE), *states(1), ioctl(SET, "01000000")]
    assert replay(events, "get(); set(1)", "--strict").returncode == 0
    assert replay(events, "print(failing(set, 1))", "--strict").stdout == "EIO\n"
    assert replay(events, "get(); print(failing(get))", "--strict").stdout == "EIO\n"


def test_strict_keeps_the_order_of_several_files(replay: Run) -> None:
    start = [opened(NODE), opened(NODE, 2), ioctl(SET, "01000000"), ioctl(GET, after="02000000", file=2)]
    events = [*start, ioctl(SET, "03000000"), ioctl(GET, after="04000000", file=2)]
    overlapping = [*start, ioctl(SET, "03000000"), ioctl(GET, after="04000000", file=2, since=4)]
    program = "two = os.open('/dev/thing0', os.O_RDWR)\n"
    assert replay(events, program + "set(1); get(fd=two); set(3); get(fd=two)", "--strict").returncode == 0
    assert replay(events, program + "set(1); get(fd=two); get(fd=two); set(3)", "--strict").returncode == 1
    assert replay(overlapping, program + "set(1); get(fd=two); get(fd=two); set(3)", "--strict").returncode == 0
    assert replay(events, program + "get(fd=two); get(fd=two); set(1); set(3)").returncode == 0


def test_a_matcher_of_the_users_decides(replay: Run, tmp_path: Path) -> None:
    matcher = tmp_path / "matcher.py"
    matcher.write_text("def same(recorded, call):\n    return True if recorded.request == call.request else None\n")
    events = [opened(NODE), ioctl(SET, "01000000")]
    assert replay(events, "set(99)").returncode == 1
    assert replay(events, "set(99)", "--match", str(matcher)).returncode == 0


def test_data_comes_by_message_and_in_parts_where_there_is_less_room(replay: Run) -> None:
    events = [opened(NODE), read("first"), read("second")]
    assert (
        replay(events, "print(os.read(fd, 3), os.read(fd, 3), os.read(fd, 100))").stdout == "b'fir' b'st' b'second'\n"
    )


def test_data_comes_after_what_the_program_did_before(replay: Run) -> None:
    events = [opened(NODE), wrote("ask"), read("answer")]
    program = """
print(select.select([fd], [], [], 0)[0])
os.write(fd, b"ask")
print(select.select([fd], [], [], 0)[0] == [fd], os.read(fd, 100))
"""
    assert replay(events, program).stdout == "[]\nTrue b'answer'\n"


def test_another_message_than_recorded_is_a_mismatch(replay: Run) -> None:
    outcome = replay([opened(NODE), wrote("ask"), read("answer")], "print(failing(os.write, fd, b'asx'))")
    assert outcome.stdout == "EIO\n"
    assert "byte 2 is 0x78 'x', recorded 0x6b 'k'" in outcome.stderr


def test_end_of_file_and_errors_of_reads_come_back_as_often_as_they_are_asked_for(replay: Run) -> None:
    ended = replay([opened(NODE), read("all"), read()], "print([os.read(fd, 9) for _ in range(3)])")
    assert ended.stdout == "[b'all', b'', b'']\n"
    lost = replay(
        [opened(NODE), read("all"), read(error="ENODEV")],
        "os.read(fd, 9); print(failing(os.read, fd, 9), failing(os.read, fd, 9))",
    )
    assert lost.stdout == "ENODEV ENODEV\n"


def test_a_read_beyond_the_recording_ends_with_an_errno_and_never_hangs(replay: Run) -> None:
    outcome = replay([opened(NODE), read("all")], "os.read(fd, 9); print(failing(os.read, fd, 9))", timeout=60)
    assert outcome.stdout == "EIO\n"
    assert "the program waits for data, and the trace has no more" in outcome.stderr
    assert outcome.returncode == 1


def test_a_read_beyond_a_recording_that_is_cut_off_says_where(tmp_path: Path, devshim_verb: Run) -> None:
    trace = write_trace(tmp_path / "thing.trace", NODE, [opened(NODE), read("all"), read("lost")])
    lines = trace.read_bytes().splitlines(keepends=True)
    last = next(at for at, text in enumerate(lines) if b"lost" in text)
    trace.write_bytes(b"".join(lines[:last]) + lines[last][:-5])
    program = PROGRAM.format(node=NODE) + "os.read(fd, 9); print(failing(os.read, fd, 9))"

    outcome = devshim_verb("replay", trace, "--", sys.executable, "-c", program, timeout=60)

    assert (outcome.stdout, outcome.returncode) == ("EIO\n", 1)
    assert f"the trace has no more; its last line, {last + 1}, is cut off\n" in outcome.stderr


def test_a_reader_that_never_asks_is_told_what_it_left_out(replay: Run) -> None:
    outcome = replay([opened(NODE), wrote("ask"), read("answer")], "print(failing(os.read, fd, 9))", timeout=60)
    assert outcome.stdout == "EIO\n"
    assert "comes only after it does this" in outcome.stderr
    assert 'the trace:   write(/dev/thing0, "ask", 3) = 3' in outcome.stderr


ALARM = """
import signal
class Alarm(Exception): pass
def ring(*_): raise Alarm
signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
"""


def test_a_read_in_which_the_recorded_program_was_killed_waits_for_ever(replay: Run) -> None:
    events = [opened(NODE), read("all"), read(finished=False)]
    program = "print(os.read(fd, 9))" + ALARM + "try: os.read(fd, 9)\nexcept Alarm: print('waited')"
    outcome = replay(events, program, timeout=60)
    assert (outcome.stdout, outcome.returncode) == ("b'all'\nwaited\n", 0)
    assert "thing.trace:4: the recorded program was ended in this read; the replay waits there" in outcome.stderr


def test_a_poll_in_which_the_recorded_program_was_killed_waits_for_ever(replay: Run) -> None:
    events = [opened(NODE), read("all"), call("poll", asked="POLLIN", finished=False)]
    program = "os.read(fd, 9); p = select.poll(); p.register(fd, select.POLLIN)" + ALARM
    program += "try: p.poll()\nexcept Alarm: print('waited')"
    outcome = replay(events, program, timeout=60)
    assert (outcome.stdout, outcome.returncode) == ("waited\n", 0)


def test_what_came_after_a_time_out_comes_after_one(replay: Run) -> None:
    events = [opened(NODE), call("poll", asked="POLLIN", timeout=0.2), read("late")]
    program = "p = select.poll(); p.register(fd, select.POLLIN); print(p.poll(200), p.poll(5000) != [], os.read(fd, 9))"
    assert replay(events, program).stdout == "[] True b'late'\n"


def test_nonblocking_reads_find_nothing_where_they_found_nothing(replay: Run) -> None:
    events = [opened(NODE), read(error="EAGAIN"), read("late")]
    program = (
        "os.set_blocking(fd, False); print(failing(os.read, fd, 9)); select.select([fd], [], []); print(os.read(fd, 9))"
    )
    assert replay(events, program).stdout == "EAGAIN\nb'late'\n"
    assert replay(events, "print(os.read(fd, 9))").stdout == "b'late'\n"


def test_speed_recorded_lets_data_wait_as_long_as_it_did(replay: Run) -> None:
    events = [opened(NODE, time=0.0, took=0.0), read("late", time=0.0, took=0.4)]
    program = "t = time.monotonic(); os.read(fd, 9); print(time.monotonic() - t > {})"
    assert replay(events, program.format(0.3), "--speed", "recorded").stdout == "True\n"
    assert replay(events, program.format(0.15), "--speed", "2").stdout == "True\n"
    assert replay(events, program.format(0.3)).stdout == "False\n"


def test_two_threads_may_swap(replay: Run) -> None:
    events = [opened(NODE)]
    events += [ioctl(SET, number(value), thread=1 + value // 100) for value in (1, 100, 2, 101)]
    program = """
def other():
    set(100); set(101)
thread = threading.Thread(target=other); thread.start(); thread.join()
set(1); set(2)
"""
    assert replay(events, program).returncode == 0
    assert replay(events, "set(2)").returncode == 1


def test_files_are_told_apart_by_the_order_and_flags_of_their_opens(replay: Run) -> None:
    events = [
        opened(NODE), opened(NODE, 2, "O_RDONLY"), ioctl(GET, after="01000000"), ioctl(GET, after="02000000", file=2),
        opened(NODE, 0, "O_RDWR|O_EXCL", error="EBUSY"),
    ]  # fmt: skip
    program = """
two = os.open("/dev/thing0", os.O_RDONLY)
print(get(fd=two), get())
print(failing(os.open, "/dev/thing0", os.O_RDWR | os.O_EXCL), failing(os.open, "/dev/thing0", os.O_RDWR))
"""
    assert replay(events, program).stdout == "2 1\nEBUSY None\n"


def test_two_processes_share_a_file_and_have_their_own(replay: Run) -> None:
    events = [
        opened(NODE),
        wrote("one"),
        wrote("two", process=2),
        opened(NODE, 2, process=2),
        read("mine", file=2, process=2),
    ]
    program = """
os.write(fd, b"one")
if os.fork() == 0:
    os.write(fd, b"two"); own = os.open("/dev/thing0", os.O_RDWR); os.write(1, os.read(own, 9)); os._exit(0)
print(os.wait()[1], flush=True)
"""
    assert replay(events, program).stdout == "mine0\n"


def test_a_file_that_an_ioctl_makes_is_replayed_from_its_own_events(replay: Run) -> None:
    events = [
        opened(NODE), ioctl("0xc0084d04", "0700000000000000", "0700000009000000", new=2, place=4),
        read("event", file=2), ioctl("0x00004d05", result=5, new=3), ioctl(GET, after="2a000000", file=3),
    ]  # fmt: skip
    program = """
made = bytearray(struct.pack("2i", 7, 0)); fcntl.ioctl(fd, 0xc0084d04, made)
line = struct.unpack("2i", made)[1]
print(os.read(line, 9), line != 9)
print(get(fd=fcntl.ioctl(fd, 0x4d05, 0)))
"""
    assert replay(events, program).stdout == "b'event' True\n42\n"


def test_what_a_request_lets_come_wakes_who_polls_also_where_it_makes_a_file(replay: Run) -> None:
    events = [opened(NODE), ioctl("0x00004d05", result=5, new=2), read("changed")]
    program = """
poll = select.poll(); poll.register(fd, select.POLLIN)
print(poll.poll(0)); fcntl.ioctl(fd, 0x4d05, 0); print(poll.poll(20000) == [(fd, select.POLLIN)], os.read(fd, 9))
"""
    assert replay(events, program).stdout == "[]\nTrue b'changed'\n"


def test_memory_of_a_request_whose_number_has_no_size_is_learned_from_the_trace(replay: Run) -> None:
    events = [opened(NODE), ioctl("0x00005499", "01000000", "02000000"), ioctl("0x00005498", after="2a")]
    program = """
b = bytearray(4); b[0] = 1; fcntl.ioctl(fd, 0x5499, b); print(b[0])
b = bytearray(1); fcntl.ioctl(fd, 0x5498, b); print(b[0])
"""
    assert replay(events, program).stdout == "2\n42\n"


def test_descriptions_and_nodes_may_stand_further_on_in_the_trace(replay: Run) -> None:
    described = {
        "request": "0xc0104d06", "name": "XFER", "access": "rw",
        "argument": {"struct": "Xfer", "size": 16, "members": [
            ["len", 0, "u32"], ["buf", 8, {"to": "u8", "width": 8, "access": "rw", "length": "len"}]]},
    }  # fmt: skip
    events = [
        opened(NODE), *states(1), {"ioctl": described},
        ioctl("0xc0104d06", ["03000000000000000100000000000000", "616263"], [None, "58595a"]),
        {"node": "/dev/other0"}, opened("/dev/other0", 2), read("other", file=2),
    ]  # fmt: skip
    program = """
import ctypes
room = ctypes.create_string_buffer(b"abc", 3)
get(); fcntl.ioctl(fd, 0xc0104d06, struct.pack("IxxxxQ", 3, ctypes.addressof(room))); print(room.raw)
print(os.read(os.open("/dev/other0", os.O_RDWR), 9))
"""
    assert replay(events, program).stdout == "b'XYZ'\nb'other'\n"


def test_input_events_come_in_whole_records_however_many_fit(replay: Run) -> None:
    node = "/dev/input/event77"
    both = bytes(16) + bytes.fromhex(KEY_A) + bytes(16) + bytes.fromhex(KEY_UP)
    program = "print(len(os.read(fd, 30)), len(os.read(fd, 4096)))"
    assert replay([opened(node), read(both)], program, node=node).stdout == "24 24\n"
    assert replay([opened(node), read(both)], "print(failing(os.read, fd, 23))", node=node).stdout == "EINVAL\n"


def test_padding_and_buffers_that_are_only_filled_are_not_compared(replay: Run) -> None:
    node = "/dev/i2c-7"
    asked, data = "0100aaaa03000000" + "0100000000000000", "bbbb"
    events = [opened(node), ioctl("0x00000703", value=72), ioctl("0x00000720", [asked, data], [None, "1900"])]
    program = """
import ctypes
room = ctypes.create_string_buffer(b"\\1\\2", 2)
fcntl.ioctl(fd, 0x703, 72)
fcntl.ioctl(fd, 0x720, struct.pack("BBHIQ", 1, 0, 0x1234, 3, ctypes.addressof(room))); print(room.raw)
"""
    assert replay(events, program, node=node).stdout == "b'\\x19\\x00'\n"


def test_unused_events_are_told_and_fail_the_run_where_that_is_asked_for(replay: Run) -> None:
    events = [opened(NODE), *states(1), ioctl(SET, "01000000"), ioctl(SET, "02000000")]
    told = replay(events, "get()")
    assert told.returncode == 0
    assert "thing.trace:4: 2 events of the trace were not used; the first: ioctl(/dev/thing0" in told.stderr
    assert replay(events, "get()", "--fail-on-unused").returncode == 1
    assert replay(events, "get(); set(1); set(2)", "--fail-on-unused").returncode == 0


def test_a_model_answers_what_the_trace_does_not_have(replay: Run, tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(MODEL)
    events = [opened(NODE), *states(1), ioctl(SET, "01000000")]
    program = "print(get()); set(1); print(get()); set(9); print(get()); print(os.read(fd, 9))"
    outcome = replay(events, program, "--on-miss", str(model))
    assert (outcome.stdout, outcome.returncode) == ("1\n40\n9\nb'model'\n", 0)


def test_from_an_event_on_the_model_answers_all(replay: Run, tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(MODEL)
    outcome = replay(
        [opened(NODE), *states(1, 2, 3)], "print(get(), get(), get())", "--on-miss", str(model), "--until", "3"
    )
    assert outcome.stdout == "1 2 40\n"


MODEL = """
from ctypes import c_int32
from devshim import Device, ioctl, IOR, IOW
class Thing(Device):
    value = 40
    @ioctl(IOR("M", 1, c_int32))
    def get(self): return c_int32(self.value)
    @ioctl(IOW("M", 2, c_int32))
    def set(self, value): self.value = value.value
    def read(self, size): return b"model"
"""


def test_a_program_that_is_killed_leaves_a_replay_that_ends(replay: Run) -> None:
    program = "os.write(fd, b'ask'); os.kill(os.getpid(), 9)"
    outcome = replay([opened(NODE), wrote("ask"), read("answer")], program, timeout=60)
    assert outcome.returncode == 137
    assert "one event of the trace was not used" in outcome.stderr


def test_many_threads_ask_at_once(replay: Run) -> None:
    events = [opened(NODE), *[ioctl(GET, after="01000000", thread=1 + number % 4) for number in range(400)]]
    program = """
found = []
threads = [threading.Thread(target=lambda: found.extend(get() for _ in range(100))) for _ in range(4)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(len(found), sum(found))
"""
    assert replay(events, program).stdout == "400 400\n"

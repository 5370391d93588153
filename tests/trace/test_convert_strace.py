"""What strace shows of a program becomes a trace: calls, descriptors, memory as far as it is shown, what is around."""

import os
import textwrap

import pytest
from harness import run, run_devshim_verb

from devshim.known import find_for
from devshim.model.device import Link
from devshim.trace.convert.recording import ConversionError
from devshim.trace.convert.request_names import request_of
from devshim.trace.convert.strace import is_strace, read
from devshim.trace.convert.strace_line import BadLine, Lines, split
from devshim.trace.convert.strace_struct import memory_shown
from devshim.trace.event import SysFile
from devshim.trace.format.lines import event_object


@pytest.fixture
def convert(tmp_path):
    """The events of a transcript as objects, the recording, and what it had to say."""

    def events(text, memory="", **options):
        (tmp_path / "a.strace").write_text(textwrap.dedent(text).lstrip())
        if memory:
            (tmp_path / "ioctl.jsonl").write_text(textwrap.dedent(memory).lstrip())
        recording = read(tmp_path / "a.strace", **options)
        list(recording.events())
        return [event_object(event) for event in recording.events()], recording

    return events


def test_calls_follow_their_file_through_dup_fork_and_exec(convert):
    found, recording = convert(
        """
        100 execve("/usr/bin/talk", ["talk"], 0x7ffd /* 3 vars */) = 0
        100 openat(AT_FDCWD, "/dev/ttyUSB0", O_RDWR|O_NOCTTY|O_CLOEXEC) = 3
        100 openat(AT_FDCWD, "/dev/null", O_RDWR) = 4
        100 write(4, "\\x6e\\x6f", 2) = 2
        100 dup2(3, 9) = 9
        100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 101
        101 write(9, "\\x41\\x54\\x0d", 3) = 3
        101 execve("/usr/bin/cat", ["cat"], 0x7ffd /* 3 vars */) = 0
        101 read(3, 0x7ffd, 4) = -1 EBADF (Bad file descriptor)
        101 read(9, "OK\\r\\n", 4096) = 4
        100 close(3) = 0
        100 +++ exited with 0 +++
        """
    )

    assert found == [
        {"call": "open", "file": 1, "node": "/dev/ttyUSB0", "flags": "O_RDWR|O_CLOEXEC|O_NOCTTY"},
        {"call": "write", "file": 1, "process": 2, "text": "AT\r"},
        {"call": "read", "file": 1, "process": 2, "size": 4096, "text": "OK\r\n"},
        {"call": "close", "file": 1},
    ]
    assert recording.header.program == "talk"
    assert recording.header.nodes["/dev/ttyUSB0"].kind == "tty"


def test_unfinished_calls_errors_vectors_and_positions_are_told(convert):
    found, _ = convert(
        """
        [pid 7] openat(AT_FDCWD, "/dev/sdz", O_RDONLY) = 3
        [pid 7] read(3,  <unfinished ...>
        [pid 8] openat(AT_FDCWD, "/dev/sdz", O_WRONLY) = -1 EACCES (Permission denied)
        [pid 7] <... read resumed>"\\x00\\x01"..., 2) = 2
        [pid 7] pread64(3, "\\x05", 1, 512) = 1
        [pid 7] writev(3, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=1}], 2) = 3
        [pid 7] lseek(3, 100, SEEK_CUR) = 612
        [pid 7] read(3, 0x55, 9) = -1 EIO (Input/output error)
        [pid 7] read(3, <unfinished ...>
        """
    )

    assert [(one["call"], one.get("error"), one.get("finished", True)) for one in found] == [
        ("open", None, True), ("open", "EACCES", True), ("read", None, True), ("pread", None, True),
        ("write", None, True), ("lseek", None, True), ("read", "EIO", True),
    ]  # fmt: skip
    assert found[3] == {"call": "pread", "file": 1, "size": 1, "offset": 512, "hex": "05"}
    assert found[4] == {"call": "write", "file": 1, "text": "abc"}


def test_waiting_is_one_event_for_each_device(convert):
    found, _ = convert(
        """
        open("/dev/ttyS7", O_RDWR) = 3
        open("/dev/ttyS8", O_RDWR) = 4
        poll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN|POLLOUT}], 2, 250) = 1 ([{fd=4, revents=POLLOUT}])
        pselect6(5, [3 4], NULL, NULL, {tv_sec=1, tv_nsec=500000000}, NULL) = 0 (Timeout)
        epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0
        epoll_wait(5, [{events=EPOLLIN, data={u32=3, u64=3}}], 16, -1) = 1
        """
    )

    assert found[2:] == [
        {"call": "poll", "file": 1, "asked": "POLLIN", "timeout": 0.25},
        {"call": "poll", "file": 2, "asked": "POLLIN|POLLOUT", "ready": "POLLOUT", "timeout": 0.25, "result": 1},
        {"call": "poll", "file": 1, "asked": "POLLIN", "timeout": 1.5},
        {"call": "poll", "file": 2, "asked": "POLLIN", "timeout": 1.5},
        {"call": "poll", "file": 1, "asked": "POLLIN", "ready": "POLLIN", "result": 1},
    ]


def test_times_count_from_the_first_line(convert):
    found, _ = convert(
        """
        12:00:00.500000 open("/dev/ttyS7", O_RDWR) = 3 <0.000250>
        12:00:02.000000 close(3) = 0 <0.000010>
        """
    )

    assert [(one["time"], one["took"]) for one in found] == [(0.0, 0.00025), (1.5, 0.00001)]


def test_an_ioctl_whose_memory_strace_shows_is_whole_and_one_whose_memory_it_does_not_show_is_incomplete(convert):
    found, _ = convert(
        """
        open("/dev/input/event3", O_RDONLY) = 3
        ioctl(3, EVIOCGID, {bustype=0x3, vendor=0x46d, product=0xc31c, version=0x110}) = 0
        ioctl(3, EVIOCGVERSION, [0x10001]) = 0
        ioctl(3, EVIOCGNAME(80), "Logitech"...) = 18
        ioctl(3, EVIOCGRAB, 1) = -1 EBUSY (Device or resource busy)
        """
    )

    assert found[1:] == [
        {"call": "ioctl", "file": 1, "request": "0x80084502", "name": "EVIOCGID", "out": "03006d041cc31001"},
        {"call": "ioctl", "file": 1, "request": "0x80044501", "name": "EVIOCGVERSION", "out": "01000100"},
        {"call": "ioctl", "file": 1, "request": "0x80504506", "name": "EVIOCGNAME", "incomplete": True, "result": 18},
        {"call": "ioctl", "file": 1, "request": "0x40044590", "name": "EVIOCGRAB", "value": 1, "error": "EBUSY"},
    ]


def test_a_file_beside_it_tells_the_memory(convert):
    found, _ = convert(
        """
        openat(AT_FDCWD, "/dev/i2c-1", O_RDWR) = 3
        ioctl(3, _IOC(_IOC_NONE, 0x7, 0x20, 0), 0x7ffe064b8770) = 0
        """,
        """
        {"path": "/dev/i2c-1", "req": "0x0720", "ret": 0, "in": "0120c82002000000d0aeb07afe7f0000", \
"nested_in": [{"what": "i2c_smbus_data[0]", "hex": "ffff"}], "out": "0120c82002000000d0aeb07afe7f0000", \
"nested_out": [{"what": "i2c_smbus_data[0]", "hex": "a5ff"}]}
        """,
    )

    assert found[1]["in"] == ["01200000020000000100000000000000", "00"]
    assert found[1]["out"] == [None, "a5"]


def test_a_descriptor_that_an_ioctl_made_is_a_file_of_its_own(convert):
    found, _ = convert(
        """
        openat(AT_FDCWD, "/dev/kvm", O_RDWR) = 3
        ioctl(3, KVM_CREATE_VM, 0) = 4
        ioctl(4, KVM_CREATE_VCPU, 0) = 5
        ioctl(5, KVM_RUN, 0) = -1 EINTR (Interrupted system call)
        close(5) = 0
        """
    )

    assert [(one["call"], one["file"], one.get("new")) for one in found] == [
        ("open", 1, None), ("ioctl", 1, 2), ("ioctl", 2, 3), ("ioctl", 3, None), ("close", 3, None),
    ]  # fmt: skip


def test_what_was_read_of_sys_and_the_links_on_the_way_stand_around_the_node(convert):
    _, recording = convert(
        """
        1 stat("/dev/gpiochip0", {st_mode=S_IFCHR|0660, st_rdev=makedev(0xfe, 0), ...}) = 0
        1 openat(AT_FDCWD, "/sys/bus/gpio/devices/gpiochip0/dev", O_RDONLY) = 3</sys/devices/platform/soc/gpiochip0/dev>
        1 read(3</sys/devices/platform/soc/gpiochip0/dev>, "254:0\\n", 15) = 6
        1 readlink("/sys/devices/platform/soc/gpiochip0/subsystem", "../../../../bus/gpio", 99) = 20
        1 openat(AT_FDCWD, "/dev/gpiochip0", O_RDWR) = 4</dev/gpiochip0>
        """
    )

    node = recording.header.nodes["/dev/gpiochip0"]
    assert (node.rdev, node.mode) == ((254, 0), 0o660)
    assert node.surroundings == {
        "/sys/bus/gpio/devices/gpiochip0": Link("../../../devices/platform/soc/gpiochip0"),
        "/sys/devices/platform/soc/gpiochip0/dev": b"254:0\n",
        "/sys/devices/platform/soc/gpiochip0/subsystem": Link("../../../../bus/gpio"),
    }


def test_ordinary_nodes_are_taken_in_where_they_are_named(convert):
    text = 'openat(AT_FDCWD, "/dev/urandom", O_RDONLY) = 3\nread(3, "\\x01\\x02", 2) = 2\n'

    assert convert(text)[0] == []
    assert [one["call"] for one in convert(text, wanted=("/dev/urandom",))[0]] == ["open", "read"]


def test_data_that_strace_cut_is_filled_up_and_said(convert):
    found, recording = convert('open("/dev/sdz", 0) = 3\nread(3, "\\x01\\x02"..., 4) = 4\n')

    assert found[1]["hex"] == "01020000"
    assert recording.lost == 1
    assert "strace cut data short" in recording.said()[0]


def test_text_that_is_not_straces_is_refused(convert):
    with pytest.raises(ConversionError, match=r"a\.strace:101: this is not strace's output"):
        convert("nonsense\n" * 300)
    assert not is_strace("hello\nworld\n")
    assert is_strace('12 openat(AT_FDCWD, "/x", O_RDONLY) = 3\n')


@pytest.mark.parametrize("line", ['read(3, "abc', "read(3, [1, 2", "read(3", "read(3)", 'read(3</dev/x, "a", 1) = 1'])
def test_a_broken_line_is_an_error(line):
    with pytest.raises(BadLine):
        Lines().feed(line, 1)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("pselect6(4, [3], NULL) = 1", "the call's arguments are not as strace writes them"),
        ("ioctl(3, 030690, 0x7ffd) = 0", "the call's arguments are not as strace writes them"),
        ("openat(AT_FDCWD) = 4", "the call's arguments are not as strace writes them"),
        ('read(3, "abc", 2) = 3', "no trace can hold this call: read: 3 bytes came of 2 that were asked for"),
        ('write(3, "ab", 3) = 3', "no trace can hold this call: write: result 3, but there are 2 bytes"),
        ('read(3, "abc", 3) = 099999999999999999999999', "the call's arguments are not as strace writes them"),
        ("read(3, 0x7ffd, 3) = -1", "no trace can hold this call: read: result -1, but there are 0 bytes"),
        ("fsync(3) = -1 EEK", "no trace can hold this call: fsync: error: 'EEK' is no errno's name, such as EIO"),
        ("what\x07 is this", "it is not strace's; take the output of: strace -f -xx -s 65535 -o FILE PROGRAM"),
    ],
)
def test_a_damaged_line_is_told_and_the_others_are_converted_all_the_same(convert, line, why) -> None:
    found, recording = convert(f'openat(AT_FDCWD, "/dev/ttyUSB0", O_RDWR) = 3\n{line}\nwrite(3, "AT", 2) = 2\n')

    assert [event["call"] for event in found] == ["open", "write"]
    assert recording.said() == [f"a.strace:2: {why}"]
    assert recording.lost == 1


def test_a_node_that_a_trace_cannot_name_is_left_out(convert) -> None:
    found, recording = convert('openat(AT_FDCWD, "/dev/tty\\x07", O_RDWR) = 3\nwrite(3, "AT", 2) = 2\n')

    assert (found, recording.header.nodes) == ([], {})


def test_commas_in_strings_comments_and_paths_part_no_arguments():
    arguments, _ = split('3</dev/a,b<char 1:2>>, "x, \\"y", {a=[1, 2], b=0x3 /* A, B */})', 0)

    assert arguments == ["3</dev/a,b<char 1:2>>", '"x, \\"y"', "{a=[1, 2], b=0x3 /* A, B */}"]


@pytest.mark.parametrize(
    ("shown", "node", "number"),
    [
        ("0x5401 /* TCGETS */", "/dev/ttyS0", 0x5401),
        ("TCGETS or SNDCTL_TMR_TIMEBASE", "/dev/ttyS0", 0x5401),
        ("_IOC(_IOC_READ, 0x45, 0x6, 0x100)", "/dev/ttyS0", 0x81004506),
        ("_IOC(_IOC_READ|_IOC_WRITE, 0xb4, 0xb, 0x48)", "/dev/ttyS0", 0xC048B40B),
        ("EVIOCGBIT(EV_KEY, 96)", "/dev/input/event0", 0x80604521),
        ("EVIOCGABS(0x35)", "/dev/input/event0", 0x80004575),
        ("SPI_IOC_MESSAGE(32)", "/dev/spidev0.0", 0x40206B00),
        ("ACME_BREW", "/dev/acme", None),
    ],
)
def test_a_request_is_known_by_its_name(shown, node, number):
    assert request_of(shown, find_for(node)) == number


def test_a_structure_is_read_as_strace_writes_it():
    described = find_for("/dev/video0")
    shown = memory_shown(
        described.find(0xC034564B),
        "{index=1, pixel_format=v4l2_fourcc('Y', 'U', 'Y', 'V') /* X */, width=320, height=180 => "
        "type=0x1 /* V4L2_FRMIVAL_TYPE_DISCRETE */, discrete=1/30}",
    )

    assert shown is not None
    assert shown.complete
    assert shown.before[:20].hex() == "01000000595559564001" + "0000b4000000" + "00000000"
    assert shown.after[16:28].hex() == "01000000010000001e000000"


def test_a_structure_with_something_unclear_is_incomplete():
    described = find_for("/dev/ttyS0", "tty")

    assert memory_shown(described.find(0x5401), "{B9600 opost isig icanon echo ...}") is not None
    assert not memory_shown(described.find(0x5401), "{B9600 opost isig icanon echo ...}").complete
    assert memory_shown(described.find(0x5401), "0x7ffd0") is None
    assert memory_shown(described.find(0x5401), "{c_iflags=0x1}").complete is False


@pytest.mark.client("strace", "stty")
def test_what_strace_records_here_is_replayed_to_the_same_program(tmp_path):
    controller, terminal = os.openpty()
    node = os.ttyname(terminal)
    stty = ["stty", "-F", node, "-a"]
    traced = run(["strace", "-f", "-v", "-xx", "-X", "raw", "-s", "65535", "-o", str(tmp_path / "s"), *stty])
    os.close(controller)
    os.close(terminal)
    if traced.returncode:
        pytest.skip(f"strace cannot trace here: {traced.stderr.strip()}")

    made = run_devshim_verb("convert", "--node", node, tmp_path / "s", tmp_path / "stty.trace")
    replayed = run_devshim_verb("replay", tmp_path / "stty.trace", "--", *stty)

    assert made.returncode == 0, made.stderr
    assert (replayed.stdout, replayed.returncode) == (traced.stdout, 0), replayed.stderr


def test_files_of_sys_that_failed_or_refused_are_told_even_where_no_node_was_opened(convert):
    _, recording = convert(
        """
        7 openat(AT_FDCWD, "/sys/devices/platform/thing.0/export", O_RDONLY) = -1 EACCES (Permission denied)
        7 openat(AT_FDCWD, "/sys/devices/platform/thing.0/delay", O_RDONLY) = 3</sys/devices/platform/thing.0/delay>
        7 read(3</sys/devices/platform/thing.0/delay>, 0x7ff, 4096) = -1 EIO (Input/output error)
        7 close(3</sys/devices/platform/thing.0/delay>) = 0
        7 openat(AT_FDCWD, "/sys/devices/platform/thing.0/scale", O_WRONLY) = 3</sys/devices/platform/thing.0/scale>
        7 write(3</sys/devices/platform/thing.0/scale>, "7", 1) = -1 EINVAL (Invalid argument)
        7 write(3</sys/devices/platform/thing.0/scale>, "8", 1) = 1
        """
    )
    (node,) = recording.header.nodes.values()
    assert (node.path, node.kind) == ("/sys/devices/platform/thing.0", "sysfs")
    assert node.surroundings == {
        f"{node.path}/delay": SysFile(failure="EIO"),
        f"{node.path}/export": SysFile(mode=0o200),
        f"{node.path}/scale": SysFile(b"", 0o644, "", {b"7": "EINVAL", b"8": ""}),
    }


def test_a_way_up_from_behind_a_link_leads_to_where_the_transcript_says(convert):
    _, recording = convert(
        """
        7 openat(AT_FDCWD, "/sys/block/sdc/device/../../idVendor", O_RDONLY) = 3</sys/devices/usb1/1-4/idVendor>
        7 read(3</sys/devices/usb1/1-4/idVendor>, "46f4\\n", 4096) = 5
        7 close(3</sys/devices/usb1/1-4/idVendor>) = 0
        """
    )
    (node,) = recording.header.nodes.values()
    assert node.surroundings["/sys/devices/usb1/1-4/idVendor"] == b"46f4\n"
    assert node.surroundings["/sys/block/sdc/device"] == Link("../../devices/usb1/1-4/untold/untold")


def test_a_member_that_a_call_changed_stands_between_those_that_it_filled_in():
    description = find_for("/dev/video0").find(0xC0445624)
    shown = memory_shown(description, '{id=0x80980000 => 0x980900, type=0x1, name="Brightness", minimum=0, flags=0}')
    assert shown is not None
    assert (shown.before[:4].hex(), shown.after[:18].hex()) == ("00009880", "0009980001000000" + b"Brightness".hex())

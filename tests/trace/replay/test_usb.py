"""USB devices recorded and replayed: programs of libusb get what the device gave, transfer by transfer."""

from pathlib import Path

import pytest
from harness import run_devshim_verb

NODE = "/dev/bus/usb/095/002"
CLIENTS = Path(__file__).parents[2]

MODEL = """
from devshim import Endpoint, Interface, UsbDevice, control

class Counter(UsbDevice):
    product: str = "Counter"
    interfaces = [Interface(endpoints=[Endpoint(0x81), Endpoint(0x01), Endpoint(0x82, "interrupt", 8, 10)])]
    count = 0

    def bulk_out(self, endpoint, data):
        if data == b"stall":
            raise OSError(32, "stalled")
        self.count += 1
        self.send(0x81, b"%d: " % self.count + data)
        self.send(0x82, b"event %d" % self.count)

    @control(0xC0, 1)
    def counted(self, setup):
        return bytes([self.count])

    @control(0x40, 2)
    def set_count(self, setup, data):
        self.count = setup.value
"""

START = """
import sys
from usbfs import *
usb = Usbfs()
event = usb.submit(Urb(INTERRUPT, 0x82, 8))
def ask():
    urb = usb.submit(Urb(CONTROL, 0, setup(0xC0, 1, 0, 0, 4) + bytes(4)))
    while usb.reap(waits=True) != urb.address:
        pass
    return urb.buffer.raw[8]
"""

RECORDED = (
    START
    + """
print(ask(), usb.bulk(0x01, b"hello"))
got = usb.submit(Urb(BULK, 0x81, 64))
print(usb.reap(waits=True) in (got.address, event.address), usb.reap(waits=True) in (got.address, event.address))
print(got.data, event.data, ask())
usb.control(0x40, 2, 9)
print(ask(), usb.bulk(0x01, b"again"), usb.bulk(0x81, 64))
try:
    usb.bulk(0x01, b"stall")
except OSError as problem:
    print(problem.errno)
"""
)

ANOTHER_WAY = (
    START
    + """
got = usb.submit(Urb(BULK, 0x81, 64))
print(ask(), ask())
print(usb.ready())
sent = usb.submit(Urb(BULK, 0x01, b"hello"))
print(sorted(usb.reap(waits=True) for _ in range(3)) == sorted((sent.address, got.address, event.address)))
print(got.data, event.data, sent.raw.actual_length)
usb.control(0x40, 2, 9)
print(ask())
"""
)


def play(verb: str, *words: str | Path, client: str, python: str = "python3"):
    """A client's output under `devshim record` or `devshim replay`."""
    program = (python, "-c", client)
    return run_devshim_verb(verb, *words, "--", *program, env={"PYTHONPATH": str(CLIENTS)})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A recording, and what its client printed."""
    folder = tmp_path_factory.mktemp("usb")
    (folder / "counter.py").write_text(MODEL)
    trace = folder / "counter.trace"
    outcome = play("record", "-d", f"{NODE}={folder}/counter.py", "-o", trace, client=RECORDED)
    assert outcome.returncode == 0, outcome.stderr
    return trace, outcome.stdout


def test_what_was_recorded_is_what_the_program_saw(recorded: tuple[Path, str]) -> None:
    trace, printed = recorded

    shown = run_devshim_verb("show", trace).stdout

    assert printed.splitlines() == [
        "0 b'hello'", "True True", "b'1: hello' b'event 1' 1", "9 b'again' b'10: again'", "32",
    ]  # fmt: skip
    assert 'USBDEVFS_REAPURB, => {urb={type=3, endpoint=129, status=0, flags=0, data_in="1: hello"' in shown
    assert 'data_in="event 1"' in shown
    assert "sound: " in run_devshim_verb("verify", trace).stdout


def test_a_replay_gives_the_same(recorded: tuple[Path, str]) -> None:
    trace, printed = recorded

    outcome = play("replay", trace, client=RECORDED)

    assert (outcome.stdout, outcome.stderr, outcome.returncode) == (printed, "", 0)


def test_data_come_once_the_program_has_sent_what_it_had_sent_before(recorded: tuple[Path, str]) -> None:
    outcome = play("replay", recorded[0], client=ANOTHER_WAY)

    assert outcome.stdout.splitlines() == ["0 0", "0", "True", "b'1: hello' b'event 1' 5", "9"]
    assert "events of the trace were not used" in outcome.stderr


def test_other_bytes_are_a_mismatch_that_shows_both_sides(recorded: tuple[Path, str]) -> None:
    outcome = play("replay", recorded[0], client=START + "usb.bulk(0x01, b'other')")

    assert outcome.returncode != 0
    assert "mismatch" in outcome.stderr and "hello" in outcome.stderr and "other" in outcome.stderr


UMOCKDEV = """\
P: /devices/pci0000:00/0000:00:14.0/usb1/1-4
N: bus/usb/001/011=12010002000000400912010001000001020309022000010100800007
E: BUSNUM=001
E: DEVNAME=/dev/bus/usb/001/011
E: DEVNUM=011
E: DEVTYPE=usb_device
E: MAJOR=189
E: MINOR=10
E: SUBSYSTEM=usb
A: busnum=1\\n
A: dev=189:10\\n
A: devnum=11\\n
H: descriptors=120100020000004009120100000100000001{CONFIGURATION}
"""
CONFIGURATION = "0902200001010080320904000002ff000000 07058102400000 07050102400000".replace(" ", "")

IOCTLS = """\
@DEV /dev/bus/usb/001/011
USBDEVFS_CONNECTINFO 0 11 0
USBDEVFS_GET_CAPABILITIES 0 7D000000
USBDEVFS_REAPURB 0 2 0 0 0 12 4 0 C001000000000400DEADBEEF
USBDEVFS_REAPURB 0 3 1 0 0 3 3 0 010203
 USBDEVFS_REAPURB 0 3 129 0 0 64 5 0 68656C6C6F
  USBDEVFS_REAPURB 0 3 129 -32 0 64 0 0
"""

CLIENT = """
from usbfs import *
usb = Usbfs("/dev/bus/usb/001/011")
print(usb.control(0xC0, 1, 0, 0, 4).hex())
first, second = usb.submit(Urb(BULK, 0x81, 64)), usb.submit(Urb(BULK, 0x81, 64))
print(usb.ready())
usb.bulk(0x01, bytes([1, 2, 3]))
print(usb.reap() == first.address, usb.reap() == second.address)
print(first.data, second.raw.status)
"""


def test_urbs_that_umockdev_recorded_are_converted_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "u.umockdev").write_text(UMOCKDEV.replace("{CONFIGURATION}", CONFIGURATION))
    (tmp_path / "u.ioctl").write_text(IOCTLS)
    trace = tmp_path / "u.trace"
    converted = run_devshim_verb("convert", tmp_path / "u.umockdev", tmp_path / "u.ioctl", trace)
    assert converted.returncode == 0, converted.stderr

    outcome = play("replay", trace, client=CLIENT)

    assert outcome.stdout.splitlines() == ["deadbeef", "0", "True True", "b'hello' -32"], outcome.stderr
    assert outcome.returncode == 0


def test_a_line_that_is_no_urb_is_named(tmp_path: Path) -> None:
    (tmp_path / "u.ioctl").write_text("@DEV /dev/bus/usb/001/011\nUSBDEVFS_REAPURB 0 3 129 0 0\n")

    outcome = run_devshim_verb("convert", tmp_path / "u.ioctl", tmp_path / "u.trace")

    assert outcome.returncode != 0
    assert "u.ioctl:2: USBDEVFS_REAPURB 0 3 129 0 0: 8 numbers and the bytes" in outcome.stderr


@pytest.mark.client("dfu-util")
def test_dfu_util_recorded_with_a_model_is_replayed_without_one(tmp_path: Path) -> None:
    firmware, trace = tmp_path / "firmware.bin", tmp_path / "dfu.trace"
    firmware.write_bytes(bytes(range(250)) * 12)
    script = "dfu-util -a 0 -s 0x08000000 -D $1 && dfu-util -a 0 -s 0x08000000:3000 -U $2 && cmp $1 $2"
    words = ("--", "sh", "-c", script, "sh", firmware)
    recorded = run_devshim_verb("record", "-d", f"{NODE}=stm32_dfu", "-o", trace, *words, tmp_path / "first.bin")
    assert recorded.returncode == 0, recorded.stderr

    outcome = run_devshim_verb("replay", trace, *words, tmp_path / "second.bin")

    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "second.bin").read_bytes() == firmware.read_bytes()
    assert "devshim:" not in outcome.stderr

"""Client libraries that are not ours, in the very process that holds the devices, and beside it."""

import ctypes
import fcntl
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from devshim import WAIT, Device
from devshim.devices import K120, Acme, Bme280, GpioPanel, Gps, Modem, Tmp102
from devshim.session.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()
    assert session.failures == []


def test_pyserial_talks_to_a_modem(session: Session) -> None:
    serial = pytest.importorskip("serial")
    session.plug("/dev/ttyUSB0", Modem())
    with serial.Serial("/dev/ttyUSB0", 115200, timeout=60) as port:
        port.write(b"AT\r")
        assert port.read_until(b"OK\r\n").endswith(b"\r\nOK\r\n")
        assert port.cts in (True, False)
    assert {"open", "read", "write", "ioctl", "close"} <= {call.name for call in session.calls}


def test_pyserial_reads_a_gps_whose_time_the_test_steps(session: Session) -> None:
    serial = pytest.importorskip("serial")
    session.clock.manual()
    gps = session.plug("/dev/ttyUSB0", Gps())
    with serial.Serial("/dev/ttyUSB0", timeout=60) as port:
        gps.latitude = -33.5
        session.clock.step(1)
        assert b",3330.0000,S," in port.readline()


def test_smbus2_reads_two_chips(session: Session) -> None:
    smbus2 = pytest.importorskip("smbus2")
    sensor = session.plug("/dev/i2c-1", Tmp102(celsius=80))
    session.plug("/dev/i2c-1", Bme280(address=0x76))
    with smbus2.SMBus(1) as bus:
        assert bus.read_byte_data(0x48, 0) == 80
        assert bus.read_byte_data(0x76, 0xD0) == 0x60
        sensor.celsius = -1
        assert bus.read_word_data(0x48, 0) == 0x00FF
        with pytest.raises(OSError, match="No such device or address"):
            bus.read_byte(0x50)
    read = [call for call in sensor.calls if call.label == "I2C_SMBUS"]
    assert [call.error for call in read] == [None, None, None, "ENXIO"]


def test_gpiod_waits_for_a_button(session: Session) -> None:
    gpiod = pytest.importorskip("gpiod")
    panel = session.plug("/dev/gpiochip0", GpioPanel())
    edges = gpiod.LineSettings(edge_detection=gpiod.line.Edge.BOTH)
    offset = type(panel).button.offset
    with gpiod.request_lines("/dev/gpiochip0", consumer="test", config={offset: edges}) as request:
        assert not request.wait_edge_events(timedelta(0))
        panel.button = 1 - panel.button
        assert request.wait_edge_events(timedelta(seconds=5))
        assert [event.line_offset for event in request.read_edge_events()] == [offset]


def test_evdev_reads_a_key(session: Session) -> None:
    evdev = pytest.importorskip("evdev")
    keyboard = session.plug("/dev/input/event7", K120())
    assert evdev.list_devices() == ["/dev/input/event7"]
    device = evdev.InputDevice("/dev/input/event7")
    try:
        keyboard.press(evdev.ecodes.KEY_A)
        assert select.select([device], [], [], 5)[0]
        assert (evdev.ecodes.EV_KEY, evdev.ecodes.KEY_A, 1) in [(e.type, e.code, e.value) for e in device.read()]
    finally:
        device.close()


@pytest.mark.client("gpiodetect")
@pytest.mark.client("i2cget")
def test_programs_beside_it_see_the_same_devices(session: Session) -> None:
    sensor = session.plug("/dev/i2c-1", Tmp102(celsius=80))
    session.plug("/dev/gpiochip0", GpioPanel())
    assert subprocess.run(["i2cget", "-y", "1", "0x48"], capture_output=True, timeout=60).stdout == b"0x50\n"
    assert "gpiochip0" in session.run("gpiodetect").stdout
    script = "import smbus2\nwith smbus2.SMBus(1) as bus: bus.write_word_data(0x48, 1, 0xA161)"
    session.run(sys.executable, "-c", script)
    assert sensor.shutdown == 1


class Slow(Device):
    """Has nothing to say until the test says so."""

    text = b""

    def read(self, size: int) -> object:
        return self.text or WAIT


def test_a_read_that_holds_the_interpreter_waits_without_stopping_it(session: Session) -> None:
    slow = session.plug("/dev/slow", Slow())
    libc = ctypes.PyDLL(None, use_errno=True)  # calls without releasing the GIL, as some extensions do
    buffer = ctypes.create_string_buffer(8)
    fd = os.open("/dev/slow", os.O_RDONLY)
    got: list[int] = []

    def say() -> None:
        session.until(lambda: any(call.name == "read" for call in slow.calls), timeout=60)
        with session.lock:
            slow.text = b"at last"
            slow.wake()

    speaker = threading.Thread(target=say)
    speaker.start()
    try:
        got.append(libc.read(fd, buffer, 8))
    finally:
        speaker.join()
        os.close(fd)
    assert got == [7] and buffer.value == b"at last"


def test_lists_statuses_and_ioctls_are_those_of_the_devices(session: Session) -> None:
    assert "acme0" not in os.listdir("/dev")
    session.plug("/dev/acme0", Acme())
    assert "acme0" in os.listdir("/dev")
    assert os.major(os.stat("/dev/acme0").st_rdev) >= 512
    with open("/dev/acme0", "rb", buffering=0) as file, pytest.raises(OSError, match="Inappropriate ioctl"):
        fcntl.ioctl(file, 0x5413, bytes(8))
    session.unplug("/dev/acme0")
    assert not os.path.exists("/dev/acme0")

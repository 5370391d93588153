"""devshim stub: the model that it writes answers its program as the recorded device did, without the trace."""

import ast
import subprocess
import sys

import pytest
from harness import devshim_environment, run_devshim, run_devshim_verb
from tracetext import LINES, write_trace

MODEM = """
import serial
port = serial.Serial('/dev/ttyUSB0', 115200, timeout=10)
for command in (b'AT\\r', b'AT+CSQ\\r', b'AT+NONSENSE\\r', b'ATI\\r'):
    port.write(command)
    print(port.read_until(b'R\\r\\n' if b'NON' in command else b'K\\r\\n'))
"""
METER = """
import minimalmodbus
meter = minimalmodbus.Instrument('/dev/ttyUSB0', 1)
meter.serial.baudrate = 9600
print(meter.read_register(0, 1), meter.read_registers(0, 2))
"""
CARD = """
import errno, fcntl, os
card = os.open('/dev/dx8', os.O_RDWR)
print(fcntl.ioctl(card, 0x80187800, bytes(24)))
print(fcntl.ioctl(card, 0x40047801, (500).to_bytes(4, 'little')), fcntl.ioctl(card, 0x7802, 3))
for channel in (33, 2):
    try: print(fcntl.ioctl(card, 0x7802, channel))
    except OSError as error: print(errno.errorcode[error.errno])
for _ in range(3):
    fcntl.ioctl(card, 0x7804)
    print(fcntl.ioctl(card, 0x80047805, bytes(4)), os.read(card, 100))
"""
FLASH = "import spidev; spi = spidev.SpiDev(); spi.open(0, 0); print(spi.xfer2([0x9f, 0, 0, 0]), spi.xfer([5, 0]))"
EEPROM = """
from smbus2 import SMBus, i2c_msg
bus = SMBus(1)
print(bus.read_byte_data(0x50, 3), bus.read_i2c_block_data(0x50, 0, 8), bus.read_byte(0x50))
write, read = i2c_msg.write(0x50, [0]), i2c_msg.read(0x50, 4)
bus.i2c_rdwr(write, read)
print(list(read))
try: bus.read_byte(0x51)
except OSError as error: print(error)
"""
PAD = "import evdev; pad = evdev.InputDevice('/dev/input/event0'); print(pad.name, pad.capabilities(verbose=True))"
PYTHON = [sys.executable, "-c"]

CASES = {
    "text on a terminal": ("/dev/ttyUSB0", "modem", [*PYTHON, MODEM]),
    "frames on a terminal": ("/dev/ttyUSB0", "modbus_meter", [*PYTHON, METER]),
    "a terminal that speaks unasked": ("/dev/ttyUSB0", "gps", ["head", "-2", "/dev/ttyUSB0"]),
    "ioctls and reads": ("/dev/dx8", "acme", [*PYTHON, CARD]),
    "ioctls whose size varies": ("/dev/input/event0", "xbox360", [*PYTHON, PAD]),
    "an SPI chip": ("/dev/spidev0.0", "w25q128", [*PYTHON, FLASH]),
    "an I2C bus": ("/dev/i2c-1", "at24c02", [*PYTHON, EEPROM]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_program_gets_from_the_stub_what_it_got_from_the_device(tmp_path, case):
    node, model, program = CASES[case]
    trace, stub = tmp_path / "a.trace", tmp_path / "mine.py"
    recorded = run_devshim_verb("record", "-d", f"{node}={model}", "-o", trace, "--", *program)
    assert recorded.returncode == 0, recorded.stderr
    written = run_devshim_verb("stub", trace, "-o", stub)
    assert written.returncode == 0, written.stderr
    trace.unlink()

    found = run_devshim(*program, devices=[f"{node}={stub}"])

    assert found.stdout == recorded.stdout != ""
    assert found.returncode == 0, found.stderr


@pytest.mark.client("i2cdetect", "i2cdump")
def test_i2c_tools_find_the_same_chips_and_registers(tmp_path):
    for name, program in {"found": ["i2cdetect", "-y", "1"], "held": ["i2cdump", "-y", "1", "0x76", "b"]}.items():
        trace, stub = tmp_path / f"{name}.trace", tmp_path / f"{name}.py"
        recorded = run_devshim_verb("record", "-d", "/dev/i2c-1=bme280", "-o", trace, "--", *program)
        run_devshim_verb("stub", trace, "-o", stub)

        assert run_devshim(*program, devices=[f"/dev/i2c-1={stub}"]).stdout == recorded.stdout


DISK = (
    '{"call": "open", "file": 1, "node": "/dev/vdx", "flags": "O_RDONLY"}',
    '{"call": "ioctl", "file": 1, "request": "0x80081272", "name": "BLKGETSIZE64", "out": "0010000000000000"}',
    '{"call": "lseek", "file": 1, "offset": 1024, "whence": "SEEK_SET", "result": 1024}',
    f'{{"call": "read", "file": 1, "size": 512, "hex": "{(b"A disk" + bytes(506)).hex()}"}}',
    '{"call": "pread", "file": 1, "size": 4, "offset": 2048, "text": "more"}',
    '{"call": "close", "file": 1}',
)


def test_a_disk_holds_what_was_read_of_it(tmp_path):
    header = '{"format": "devtrace/1", "nodes": [{"node": "/dev/vdx", "kind": "block", "rdev": "254:0"}]}'
    stub = tmp_path / "disk.py"
    stub.write_text(run_devshim_verb("stub", write_trace(tmp_path / "a.trace", DISK, header)).stdout)
    program = (
        "import os; disk = os.open('/dev/vdx', os.O_RDWR); print(os.lseek(disk, 0, os.SEEK_END));"
        "print(os.pread(disk, 6, 1024), os.pread(disk, 4, 2048), os.pread(disk, 2, 0));"
        "os.pwrite(disk, b'new', 0); os.lseek(disk, 0, 0); print(os.read(disk, 5))"
    )

    found = run_devshim(sys.executable, "-c", program, devices=[f"/dev/vdx={stub}"])

    assert found.stdout.splitlines() == ["4096", "b'A disk' b'more' b'\\x00\\x00'", "b'new\\x00\\x00'"], found.stderr


LINES_OF_A_CHIP = (
    '{"call": "open", "file": 1, "node": "/dev/chip", "flags": "O_RDWR"}',
    '{"call": "ioctl", "file": 1, "request": "0x0000ae01", "name": "MAKE_PART", "value": 0, "result": 9, "new": 2}',
    '{"call": "ioctl", "file": 2, "request": "0x80045001", "name": "GET_LEVEL", "out": "07000000"}',
    '{"call": "ioctl", "file": 2, "request": "0x80045001", "name": "GET_LEVEL", "out": "08000000"}',
    '{"call": "read", "file": 2, "size": 8, "text": "part"}',
    '{"call": "ioctl", "file": 1, "request": "0x0000ae02", "name": "STOP", "value": 5, "error": "EBUSY"}',
)


def test_files_that_an_ioctl_makes_have_a_class_of_their_own(tmp_path):
    stub = tmp_path / "chip.py"
    stub.write_text(stub_of(tmp_path, LINES_OF_A_CHIP))
    program = (
        "import fcntl, os; chip = os.open('/dev/chip', os.O_RDWR); part = fcntl.ioctl(chip, 0xae01, 0);"
        "levels = [fcntl.ioctl(part, 0x80045001, bytes(4))[0] for _ in range(3)];"
        "print(levels, os.read(part, 9))\n"
        "try: fcntl.ioctl(chip, 0xae02, 5)\n"
        "except OSError as error: print(error)"
    )

    found = run_devshim(sys.executable, "-c", program, devices=[f"/dev/chip={stub}"])

    assert found.stdout.splitlines() == ["[7, 8, 8] b'part'", "[Errno 16] Device or resource busy"], found.stderr


def stub_of(tmp_path, lines, **how) -> str:
    done = run_devshim_verb("stub", write_trace(tmp_path / "a.trace", lines, **how))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_stub_is_code_that_one_can_read(tmp_path):
    source = stub_of(tmp_path, LINES)

    ast.parse(source)
    assert '@command(r"AT")\n    def at(self):\n        return "\\r\\nOK"' in source
    assert 'replies = {b"\\x00": [b"\\x19\\x00"]}' in source
    assert "class TtyUSB0(Serial)" in source
    assert "class I2c1(I2cBus)" in source
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "E9,F,I", "--isolated", "-"],
        input=source, capture_output=True, text=True, env=devshim_environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0 or "No module named ruff" in done.stderr, done.stdout


def test_answers_that_change_come_in_their_order_and_the_last_one_stays(tmp_path):
    asks = [
        line
        for level in ("10", "20", "20", "20")
        for line in (
            '{"call": "write", "file": 1, "text": "LEVEL?\\r\\n"}',
            f'{{"call": "read", "file": 1, "size": 9, "text": "{level}\\r\\n"}}',
        )
    ]

    source = stub_of(tmp_path, [LINES[0], *asks])

    assert 'return in_turn(self, "LEVEL?", ["10", "20"])' in source


def test_hostile_text_in_a_trace_stays_text_in_the_stub(tmp_path):
    evil = '\\"\\"\\"\\nimport os; os.abort()\\n\\"\\"\\"'
    lines = [
        LINES[0],
        f'{{"call": "write", "file": 1, "text": "{evil}\\r"}}',
        f'{{"call": "read", "file": 1, "size": 99, "text": "{evil}\\r\\n"}}',
        '{"call": "open", "file": 3, "node": "/dev/x\\"\\"\\"y", "flags": "O_RDWR"}',
        '{"call": "ioctl", "file": 3, "request": "0x1", "name": "a\\"); abort(\\"", "value": 3}',
    ]

    tree = ast.parse(stub_of(tmp_path, lines))

    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {name for name in called if "abort" in name}
    assert {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import)} <= {"import errno", "import os"}

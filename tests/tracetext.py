"""A trace that tests write by hand: a modem on a terminal and a sensor on an I2C bus."""

from collections.abc import Iterable
from pathlib import Path

HEADER = (
    '{"format": "devtrace/1", "by": "me", "made": "hand", "program": "prog", "nodes": ['
    '{"node": "/dev/ttyUSB0", "kind": "tty", "rdev": "188:0", "mode": "0660"}, {"node": "/dev/i2c-1", "rdev": "89:1"}]}'
)

LINES = (
    '{"call": "open", "file": 1, "node": "/dev/ttyUSB0", "flags": "O_RDWR|O_NOCTTY", "time": 0.0, "took": 0.00002}',
    '{"call": "open", "file": 2, "node": "/dev/i2c-1", "flags": "O_RDWR", "time": 0.001, "took": 0.00001}',
    '{"call": "open", "node": "/dev/i2c-1", "flags": "O_RDONLY", "error": "EACCES", "time": 0.0011, "took": 0.000005}',
    '{"call": "write", "file": 1, "text": "AT\\r", "time": 0.002, "took": 0.00003}',
    '{"call": "poll", "file": 1, "asked": "POLLIN", "ready": "POLLIN", "timeout": 1.5, "time": 0.003, "took": 0.012}',
    '{"call": "read", "file": 1, "size": 64, "text": "\\r\\nOK\\r\\n", "time": 0.016, "took": 0.00001}',
    '{"call": "ioctl", "file": 2, "process": 2, "request": "0x00000703", "value": 72, "time": 0.02, "took": 0.000002}',
    '{"call": "ioctl", "file": 2, "process": 2, "request": "0x720", '
    '"in": ["01000000030000000100000000000000", "0000"], '
    '"out": [null, "1900"], "time": 0.021, "took": 0.0004}',
    '{"call": "ioctl", "file": 2, "process": 2, "thread": 2, "request": "0x720", '
    '"in": ["01010000030000000100000000000000", "0000"], "error": "ENXIO", "time": 0.022, "took": 0.0001}',
    '{"call": "close", "file": 2, "process": 2, "time": 0.023, "took": 0.000001}',
    '{"call": "read", "file": 1, "size": 64, "finished": false, "time": 0.024}',
)
END = '{"end": "finished", "events": %d}'


def write_trace(path: Path, lines: Iterable[str] = LINES, header: str = HEADER, end: str | None = END) -> Path:
    """Write a trace and return its path; end None: as a killed recorder leaves it."""
    lines = list(lines)
    calls = sum(line.startswith('{"call"') for line in lines)
    last = [] if end is None else [end % calls if "%d" in end else end]
    path.write_text("".join(f"{line}\n" for line in (header, *lines, *last)))
    return path

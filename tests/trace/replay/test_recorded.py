"""What a recording does not hold whole, and recordings of replays; test_catalogue_recordings.py has the clients."""

from pathlib import Path

import pytest
from harness import run_devshim_verb
from recordings import record

READ_EEPROM = ("i2ctransfer", "-y", "1", "w1@0x50", "0", "r16")


def test_a_stream_that_its_reader_left_in_the_middle_is_replayed_as_far(tmp_path: Path) -> None:
    trace = tmp_path / "gps.trace"
    program = ("sh", "-c", "head -n 2 /dev/ttyUSB0")
    recorded = record(trace, *program, devices=["/dev/ttyUSB0=gps"])
    replayed = run_devshim_verb("replay", trace, "--", *program)
    assert recorded.stdout.startswith("$GPRMC")
    assert (replayed.stdout, replayed.returncode) == (recorded.stdout, 0)


@pytest.mark.client("i2ctransfer")
def test_a_replay_can_be_recorded_and_the_recording_replayed(tmp_path: Path) -> None:
    first, second = tmp_path / "first.trace", tmp_path / "second.trace"
    record(first, *READ_EEPROM, devices=["/dev/i2c-1=at24c02"])
    again = record(second, *READ_EEPROM, devices=[f"/dev/i2c-1={first}"])
    last = run_devshim_verb("replay", second, "--", *READ_EEPROM)
    assert again.stdout == last.stdout != ""

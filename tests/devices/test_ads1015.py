"""The ADS1015: what libiio's programs say of it, and samples of several inputs."""

import struct

import pytest
from harness import run_devshim, run_devshim_verb

from devshim.devices import Ads1015


@pytest.mark.parametrize(("volts", "raw"), [(0.0, 0), (1.0, 1000), (-1.0, -1000), (5.0, 2047), (-5.0, -2048)])
def test_counts_stop_at_the_ends_of_the_range(volts, raw):
    assert Ads1015(volts0=volts).in_voltage0_raw == raw


@pytest.mark.client("iio_info")
def test_iio_info_finds_it_with_its_trigger():
    shown = run_devshim("iio_info", devices=["/dev/iio:device0=ads1015"]).stdout

    assert "iio:device0: ads1015 (buffer capable)" in shown
    assert "voltage3:  (input, index: 7, format: le:s12/16>>4)" in shown
    assert "Current trigger: trigger0(ads1015-dev0)" in shown


@pytest.mark.client("iio_readdev")
@pytest.mark.client("xxd")
def test_iio_readdev_reads_samples_of_the_channels_that_it_asks_for():
    script = "iio_readdev -b 64 -s 256 ads1015 voltage0 voltage3 timestamp | xxd -p"
    outcome = run_devshim("bash", "-c", script, devices=["/dev/iio:device0=ads1015,volts3=-0.5"])

    samples = list(struct.iter_unpack("<hh4xq", bytes.fromhex(outcome.stdout)))
    assert len(samples) == 256
    assert {sample[:2] for sample in samples} == {(500 << 4, -500 << 4)}
    times = [time for _, _, time in samples]
    assert times == sorted(times)


@pytest.mark.client("iio_readdev")
@pytest.mark.client("xxd")
def test_what_was_recorded_of_it_is_replayed_with_all_that_sys_showed(tmp_path):
    program = "bash", "-c", "iio_readdev -b 16 -s 32 ads1015 voltage0 voltage1 | xxd -p"
    trace = tmp_path / "adc.trace"

    recorded = run_devshim_verb("record", "-o", trace, "-d", "/dev/iio:device0=ads1015", "--", *program)
    replayed = run_devshim_verb("replay", trace, "--", *program)

    assert len(bytes.fromhex(recorded.stdout)) == 128
    assert (replayed.stdout, replayed.returncode) == (recorded.stdout, 0)

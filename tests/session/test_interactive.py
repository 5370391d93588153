"""A person at the prompt: devices that stay plugged from one statement to the next."""

import subprocess
import sys

import pytest
from harness import devshim_environment

AT_THE_PROMPT = """
import devshim, os, subprocess
from devshim.devices import Gps, Tmp102
bench = devshim.Session()
sensor = bench.plug("/dev/i2c-1", Tmp102(celsius=80))
print(subprocess.run(["i2cget", "-y", "1", "0x48"], capture_output=True, text=True).stdout)
sensor.celsius = 20
os.system("i2cget -y 1 0x48")
with devshim.plugged({"/dev/ttyUSB0": Gps()}):
    print(open("/dev/ttyUSB0", "rb", buffering=0).read(6))
    print(sorted(bench.devices))

print(sorted(bench.devices))
1 // 0
print([call.name for call in bench.calls][:1])
"""


@pytest.mark.client("i2cget")
@pytest.mark.parametrize("how", [("-i",), ("-m", "code", "-q")])
def test_statements_share_what_is_plugged_and_the_end_of_the_input_ends_it(how: tuple[str, ...]) -> None:
    person = subprocess.run(
        [sys.executable, *how],
        input=AT_THE_PROMPT,
        capture_output=True,
        text=True,
        timeout=60,
        env=devshim_environment(),
    )
    said = person.stdout.replace(">>> ", "").replace("... ", "").split("\n")
    wanted = ["0x50", "0x14", "b'$GPRMC'", "['/dev/i2c-1', '/dev/ttyUSB0']", "['/dev/i2c-1']", "['open']"]
    assert [line for line in said if line in wanted] == wanted
    assert "ZeroDivisionError" in person.stderr
    assert person.returncode == 0

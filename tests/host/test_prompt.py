"""Threads of the host that are to be heard at once."""

import subprocess
import sys

from harness import devshim_environment

LOOK = """
from devshim.host._channel import be_prompt
be_prompt()
print(open("/proc/self/timerslack_ns").read())
"""


def test_they_wait_no_longer_than_they_asked_for() -> None:
    """The kernel's own 50 µs would be added to every wait for the GIL."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, env=devshim_environment())

    assert (done.stdout.strip(), done.stderr) == ("1000", "")

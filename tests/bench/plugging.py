"""Measures plugging from Python: plugging.py COUNT.  Prints nanoseconds a device, of the first and last quarter.

The devices are serial ports on USB: of all families those with the most around them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main(count: int) -> None:
    """Plug, measure, print as timing.h does."""
    import devshim

    quarter = max(1, count // 4)
    with devshim.Session() as session:
        session.plug("/dev/ttyUSB9999", devshim.Serial())
        began = [time.perf_counter_ns()]
        for number in range(4 * quarter):
            session.plug(f"/dev/ttyUSB{number}", devshim.Serial())
            if (number + 1) % quarter == 0:
                began.append(time.perf_counter_ns())
    print("first", (began[1] - began[0]) / quarter)
    print("last", (began[4] - began[3]) / quarter)
    print("all", (began[4] - began[0]) / (4 * quarter))


if __name__ == "__main__":
    main(int(sys.argv[1]))

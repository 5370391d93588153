"""python3 -m devshim: the same as the command `devshim`."""

import os
import sys

if sys.hexversion < 0x030B0000:  # in a checkout nothing has looked at it before
    version = ".".join(map(str, sys.version_info[:3]))
    sys.stderr.write(f"devshim: Python {version} is too old: 3.11 or later is needed ({sys.executable})\n")
    sys.stderr.flush()
    os._exit(125)

from devshim.cli import main

main()

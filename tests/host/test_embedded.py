"""The host inside the program: what it takes to bring it in, which each program pays at its first open."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

DEAR = {
    "asyncio",
    "dataclasses",
    "enum",
    "inspect",
    "pathlib",
    "re",
    "socket",
    "threading",
    "traceback",
    "typing",
    "yaml",
}
"""Modules of the standard library that cost as much as all of the host, or bring those in that do; and PyYAML."""

LOAD = """
import sys
sys.path.append(sys.argv[1])
from devshim.host import embedded
from devshim import modelfile, spec
from devshim.cli import options
spec.build([spec.parse("/dev/plain=" + sys.argv[2])])
modelfile.declared([], [sys.argv[2]], True)
print(*sys.modules)
"""


def test_a_plain_model_brings_nothing_in_that_is_dear_to_import(tmp_path: Path) -> None:
    model = tmp_path / "plain.py"
    model.write_text("from devshim import Device\n\nclass Plain(Device):\n    def read(self, size): return b'1'\n")
    command = [sys.executable, "-I", "-S", "-c", LOAD, str(ROOT), str(model)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout.split()
    assert DEAR & set(loaded) == set()
    assert len(loaded) < 130

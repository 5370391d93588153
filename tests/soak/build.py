"""Compiles the soak's C programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
SOURCES = {"actors": ("actors.c", "operations.c", "requests.c"), "busy": ("busy.c",), "victim": ("victim.c",)}


def build(name: str, folder: Path, *flags: str) -> Path:
    """Compile a program into folder and return its path.  Raises CalledProcessError, with the compiler's words."""
    program = folder / name
    sources = [str(PROGRAMS / source) for source in SOURCES[name]]
    compiler = os.environ.get("CC", "cc").split()
    words = [*compiler, "-O1", "-g", "-Wall", "-Wextra", *flags, *sources, "-pthread", "-o", str(program)]
    subprocess.run(words, check=True, timeout=120)
    return program

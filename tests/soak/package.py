"""A copy of the package in a folder of its own, as it is or built with other compiler flags, such as sanitizers'."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from harness import ROOT, devshim_environment


class Package:
    """A copy of devshim/ below folder; `environment` and `folder` as working directory make Python import it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {"PYTHONPATH": str(folder)}
        ignored = shutil.ignore_patterns("__pycache__", "devices", "traces")
        shutil.copytree(ROOT / "devshim", folder / "devshim", ignore=ignored)
        (folder / "devices").symlink_to(ROOT / "devices")
        (folder / "devshim/devices").symlink_to(ROOT / "devices")

    @property
    def whole_environment(self) -> dict[str, str]:
        """For those who start devshim themselves."""
        return devshim_environment(self.environment)

    def build_shim(self, *flags: str) -> None:
        """Compile the shim anew.  Raises CalledProcessError, with the compiler's words on stderr."""
        shim = self.folder / "devshim/shim"
        sources = sorted(map(str, shim.glob("*.c")))
        ours, link = ((shim / name).read_text().split() for name in ("compile_flags.txt", "link_flags.txt"))
        library = str(shim / "libdevshim.so")
        self._compile([*ours, *flags, "-shared", *link, "-o", library, *sources, "-ldl", "-lpthread"])

    def build_host(self, *flags: str) -> None:
        """Compile the host's C module anew, likewise."""
        self._build_module("host/_channel", "*.c", *flags)

    def build_reader(self, *flags: str) -> None:
        """Compile the C module that reads traces anew, likewise."""
        self._build_module("trace/format/_pattern", "_pattern.c", *flags)

    def _build_module(self, name: str, sources: str, *flags: str) -> None:
        module = self.folder / "devshim" / f"{name}.abi3.so"
        include = [f"-I{self.folder / 'devshim/shim'}", f"-I{sysconfig.get_path('include')}"]
        ours = ["-std=gnu11", "-O1", "-g", "-fPIC", "-shared", "-fvisibility=hidden", "-DPy_LIMITED_API=0x030B0000"]
        self._compile([*ours, *include, *flags, "-o", str(module), *sorted(map(str, module.parent.glob(sources)))])

    def _compile(self, words: Sequence[str]) -> None:
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, *words], check=True, timeout=300)

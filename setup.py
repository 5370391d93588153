"""Builds what pyproject.toml cannot say: the preload library, and C modules for the stable ABI."""

import os
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SHIM = Path("devshim/shim")
FLAGS = (SHIM / "compile_flags.txt").read_text().split()
LINK_FLAGS = (SHIM / "link_flags.txt").read_text().split()
HEADERS = sorted(map(str, SHIM.glob("*.h")))
PRELOAD = Extension("devshim.shim.libdevshim", sorted(map(str, SHIM.glob("*.c"))), depends=HEADERS)
STABLE: dict[str, Any] = {
    "extra_compile_args": ["-std=gnu11", "-O2", "-fvisibility=hidden"],
    "define_macros": [("Py_LIMITED_API", "0x030B0000")],
    "py_limited_api": True,
}
CHANNEL = Extension(
    "devshim.host._channel",
    sorted(map(str, Path("devshim/host").glob("*.c"))),
    include_dirs=[str(SHIM)],
    depends=[*HEADERS, *sorted(map(str, Path("devshim/host").glob("*.h")))],
    **STABLE,
)
PATTERN = Extension("devshim.trace.format._pattern", ["devshim/trace/format/_pattern.c"], **STABLE)


class BuildAll(build_ext):
    """The preload library is no Python module: it has a plain file name and must not see Python's own flags."""

    def get_ext_filename(self, fullname: str) -> str:
        if fullname.rpartition(".")[2] == "libdevshim":
            return os.path.join(*fullname.split(".")[:-1], "libdevshim.so")
        return super().get_ext_filename(fullname)

    def build_extension(self, ext: Extension) -> None:
        if ext is not PRELOAD:
            super().build_extension(ext)
            return
        compiler = os.environ.get("CC", "cc").split()
        target = self.get_ext_fullpath(ext.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # Python's CFLAGS carry _FILE_OFFSET_BITS or _FORTIFY_SOURCE on some systems, and the shim must have neither.
        link = ["-shared", *LINK_FLAGS, "-o", target, *ext.sources, "-ldl", "-lpthread"]
        self.spawn([*compiler, *FLAGS, *link])


class AbiWheel(bdist_wheel):
    """One wheel for every CPython from 3.11 on: the C modules keep to the stable ABI."""

    def finalize_options(self) -> None:
        self.py_limited_api = "cp311"
        super().finalize_options()


setup(ext_modules=[PRELOAD, CHANNEL, PATTERN], cmdclass={"build_ext": BuildAll, "bdist_wheel": AbiWheel})

"""Which client programs are here, and what to install for those that are not."""

import glob
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("clients.txt")
REQUIRED = os.environ.get("DEVSHIM_REQUIRE_CLIENTS") == "1"
MISSING = "needs a client that is not installed: "
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")  # i2c-tools live there, and an ordinary user's PATH lacks them


@dataclass(frozen=True)
class Client:
    """One line of clients.txt."""

    name: str
    package: str
    file: str | None

    @property
    def required(self) -> bool:
        """Whether `make clients` can install it."""
        return self.package != "-"

    def find(self) -> str | None:
        """Return the client's path, or None where it is missing."""
        if self.file:
            return next(iter(glob.glob(self.file)), None)
        return pyenv_python(self.name) or shutil.which(self.name)


@cache
def clients() -> dict[str, Client]:
    """Return all known clients by name; a line that is not one raises ValueError with its number."""
    known = {}
    for number, line in enumerate(LIST.read_text().splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) not in (2, 3) or words[0] in known:
            raise ValueError(f"{LIST}:{number}: not 'name package [file]', or named twice: {line!r}")
        known[words[0]] = Client(words[0], words[1], words[2] if len(words) == 3 else None)
    return known


def require(name: str) -> str:
    """Return the client's path; where it is missing, skip the test, or fail it if clients are required."""
    known = clients().get(name)
    if known is None:
        raise pytest.UsageError(f"{name!r} is not in tests/clients.txt")
    path = known.find()
    if path is None and REQUIRED and known.required:
        pytest.fail(f"{MISSING}{name}; run: make clients", pytrace=False)
    if path is None:
        pytest.skip(MISSING + name)
    return path


def pyenv_python(name: str) -> str | None:
    """Return an interpreter such as python3.9 from pyenv's versions: on PATH pyenv has a command that may refuse."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    version = name.removeprefix("python")
    if version == name or not os.access(root, os.X_OK):  # it may be another user's
        return None
    found = sorted(root.glob(f"versions/{version}.*/bin/{name}"))
    return str(found[-1]) if found else None


def add_system_folders(path: str) -> str:
    """Return PATH with the folders in which administrators' programs lie."""
    folders = path.split(os.pathsep)
    return os.pathsep.join([*folders, *(folder for folder in SYSTEM_FOLDERS if folder not in folders)])

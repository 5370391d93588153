"""The host inside the program: what it takes to bring it in, which each program pays at its first open."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome

from devshim import embedding

pytestmark = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")

Run = Callable[..., Outcome]

PLAIN = """
import sys
from devshim import Device

class Plain(Device):
    def read(self, size):
        told = [(name, getattr(module, "__file__", ""), type(getattr(module, "__loader__", None)).__name__)
                for name, module in sys.modules.items()]
        return "\\n".join("|".join(map(str, words)) for words in told).encode()
"""

DEAR = {
    *("_ctypes", "asyncio", "collections", "collections.abc", "contextlib", "ctypes", "dataclasses", "enum"),
    *("functools", "heapq", "importlib", "importlib.util", "inspect", "operator", "pathlib", "re", "resource"),
    *("socket", "threading", "traceback", "types", "typing", "warnings", "weakref", "yaml"),
}
"""Modules of the standard library that cost as much as many of ours, or bring those in that do; and PyYAML."""

NOT_FOR_ALL = {
    *("devshim.host.attributes", "devshim.host.general", "devshim.host.memory", "devshim.host.table"),
    *("devshim.host.tty", "devshim.host.uevents", "devshim.host.views", "devshim.model.argument"),
    *("devshim.model.attribute", "devshim.model.ioctl", "devshim.model.request", "devshim.waiter"),
}
"""Some of ours that a device without ioctls, files in /sys or a terminal has no need of."""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A model that imports nothing but its base class, and tells what is loaded: name, file, kind of loader."""
    model = tmp_path / "plain.py"
    model.write_text(PLAIN)
    return model


def loaded(run: Run, model: Path, first: str = "true") -> dict[str, tuple[str, str]]:
    """File and kind of loader of the modules in a program that opens the model's device after a command."""
    script = f"{first} && dd if=/dev/plain0 bs=131072 count=1 2>/dev/null"
    outcome = run("sh", "-c", script, devices=[f"/dev/plain0={model}"], options=["--in-process"])
    assert (outcome.stderr, outcome.returncode) == ("", 0)
    rows = [line.split("|") for line in outcome.stdout.split("\n")]
    return {name: (file, loader) for name, file, loader in rows}


def test_a_plain_model_brings_nothing_in_that_is_dear_to_import(devshim_run: Run, plain: Path) -> None:
    modules = loaded(devshim_run, plain)
    ours = [name for name in modules if name.startswith("devshim")]
    of_c = [name for name, (file, _) in modules.items() if file.endswith(".so")]

    assert DEAR & set(modules) == set()
    assert NOT_FOR_ALL & set(modules) == set()
    assert len(ours) <= 52
    assert len(of_c) <= 5
    assert len(modules) <= 100


def test_modules_of_the_image_know_their_files(devshim_run: Run, plain: Path) -> None:
    modules = loaded(devshim_run, plain)
    assert modules["devshim.host.host"][0] == str(Path(embedding.__file__).parent / "host/host.py")


def test_without_the_image_modules_are_imported_as_ever(devshim_run: Run, plain: Path) -> None:
    with_image = loaded(devshim_run, plain, 'test -s "$DEVSHIM_RUN/image"')
    modules = loaded(devshim_run, plain, 'rm "$DEVSHIM_RUN/image"')
    ways = {loader for name, (_, loader) in modules.items() if name.startswith("devshim")}

    assert ways == {"SourceFileLoader", "ExtensionFileLoader"}
    assert set(with_image) == set(modules)


def changed(what: str) -> str:
    """A shell's command that makes of the image's bytes `d` what an expression says."""
    code = f"import sys; p = sys.argv[1]; d = open(p, 'rb').read(); n = {what}; assert n != d; open(p, 'wb').write(n)"
    return f'"{sys.executable}" -I -S -c "{code}" "$DEVSHIM_RUN/image"'


def test_modules_are_taken_from_the_image(devshim_run: Run, tmp_path: Path) -> None:
    model = tmp_path / "told.py"
    model.write_text(
        "import devshim.host.lock\nfrom devshim import Device\n\n"
        "class Told(Device):\n    def read(self, size):\n        return devshim.host.lock.__doc__.encode()\n"
    )
    first = changed("d.replace(b'whole interpreter', b'IMAGE interpreter')")
    outcome = devshim_run(
        *("sh", "-c", f"{first} && dd if=/dev/told0 bs=4096 count=1 status=none"),
        devices=[f"/dev/told0={model}"],
        options=["--in-process"],
    )
    assert (outcome.stderr, outcome.returncode) == ("", 0)
    assert "IMAGE interpreter" in outcome.stdout


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("b''", id="empty"),
        pytest.param("d[:4]", id="cut-in-its-length"),
        pytest.param("d[:3000]", id="cut-in-its-head"),
        pytest.param("d[:len(d) // 2]", id="cut-in-the-middle"),
        pytest.param("d[:-1]", id="cut-at-its-end"),
        pytest.param("b'rubbish ' * 100000", id="rubbish"),
        pytest.param("d[:len(d) // 2] + bytes(len(d) - len(d) // 2)", id="half-of-it-zeros"),
        pytest.param(
            "d.replace(sys.modules['_frozen_importlib_external'].MAGIC_NUMBER, b'abcd')", id="another-python-s"
        ),
    ],
)
def test_a_damaged_image_is_done_without(devshim_run: Run, plain: Path, what: str) -> None:
    modules = loaded(devshim_run, plain, changed(what))
    ways = {loader for name, (_, loader) in modules.items() if name.startswith("devshim")}

    assert ways <= {"SourceFileLoader", "ExtensionFileLoader", "Loader"}
    assert "devshim.host.host" in modules


def test_a_model_finds_the_interpreter_as_its_own_installation_has_it(devshim_run: Run, tmp_path: Path) -> None:
    names = "prefix", "exec_prefix", "base_prefix", "base_exec_prefix", "platlibdir"
    model = tmp_path / "told.py"
    model.write_text(
        "import os, sys, json\nfrom devshim import Device\n\n"
        "class Told(Device):\n    def read(self, size):\n"
        f"        found = [getattr(sys, name) for name in {names}]\n"
        "        return '\\n'.join([*found, os.__file__, json.__file__, sys._stdlib_dir or '']).encode()\n"
    )
    outcome = devshim_run(
        *("dd", "if=/dev/told0", "bs=4096", "count=1", "status=none"),
        devices=[f"/dev/told0={model}"],
        options=["--in-process"],
    )
    library = os.path.dirname(os.__file__)
    bases = [sys.base_prefix, sys.base_exec_prefix] * 2
    assert outcome.stdout.split("\n") == [*bases, sys.platlibdir, os.__file__, json.__file__, library]

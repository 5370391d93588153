"""The wheel and the sdist: whole, for any CPython from 3.11 on, and working in an empty environment elsewhere."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", minversion="77", reason="needs setuptools 77 or later: make test brings it")

ROOT = Path(__file__).parents[1]
BUILT_OR_MADE = shutil.ignore_patterns(".*", "*.so", "*.so.new", "__pycache__", "build", "dist", "*.egg-info")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, made from a copy of the tree without anything built in it."""
    folder = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, folder / "tree", symlinks=True, ignore=BUILT_OR_MADE)
    shutil.copytree(ROOT / ".ci", folder / "tree/.ci")
    build("build_sdist", folder / "tree", folder)
    return next(folder.glob("devshim-*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the unpacked source archive alone."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
        archive.extractall(folder)
    build("build_wheel", next(folder.glob("devshim-*")), folder)
    return next(folder.glob("devshim-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds this wheel alone: `devshim run` needs none of its dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, timeout=120)
    return folder / "bin"


def test_sdist_holds_what_a_packager_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {"LICENSE", "README.md", "Makefile", ".ci/run", "devshim/shim/wire.h", "devshim/host/_channel.c"}
    wanted |= {"devshim/trace/format/_pattern.c"}
    wanted |= {"devices/gps.py", "tests/conftest.py", "tests/clients.txt"}
    wanted |= {"devshim/shim/compile_flags.txt", "devshim/shim/link_flags.txt"}
    assert wanted <= names
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc"))]


def test_wheel_holds_the_libraries_the_catalogue_and_the_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {"devshim/shim/libdevshim.so", "devshim/host/_channel.abi3.so", "devshim/py.typed"}
    wanted |= {"devshim/trace/format/_pattern.abi3.so"}
    wanted |= {f"devshim/schemas/{path.name}" for path in (ROOT / "devshim/schemas").glob("*.json")}
    wanted |= {f"devshim/devices/{path.name}" for path in (ROOT / "devices").glob("*.py")}
    assert wanted <= names
    assert not [name for name in names if name.startswith("tests/") or name.endswith((".c", ".h"))]


def test_wheel_fits_every_cpython_from_3_11_on(wheel: Path) -> None:
    assert "-cp311-abi3-linux_" in wheel.name


def test_wheel_in_an_empty_environment_runs_a_device_by_name(elsewhere: Path, tmp_path: Path) -> None:
    outcome = devshim(elsewhere, tmp_path, "run", "-d", "/dev/ttyUSB0=gps", "--", "head", "-n", "1", "/dev/ttyUSB0")

    assert outcome.stdout.startswith("$GP"), outcome.stderr
    assert outcome.returncode == 0


def test_wheel_in_an_empty_environment_lists_the_catalogue(elsewhere: Path, tmp_path: Path) -> None:
    dependencies = Path(importlib.util.find_spec("yaml").origin).parents[1]  # a path alone does not bring devshim along

    outcome = devshim(elsewhere, tmp_path, "devices", PYTHONPATH=str(dependencies))

    assert outcome.returncode == 0, outcome.stderr
    assert "gps" in outcome.stdout
    assert "tmp102" in outcome.stdout


def build(step: str, tree: Path, out: Path) -> None:
    code = f"import sys; from setuptools import build_meta; build_meta.{step}(sys.argv[1])"
    built = subprocess.run(
        [sys.executable, "-c", code, str(out)], cwd=tree, capture_output=True, text=True, timeout=300, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr


def devshim(folder: Path, cwd: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        [str(folder / "devshim"), *words],
        cwd=cwd,
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

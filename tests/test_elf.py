"""Reading of ELF headers, held against readelf on real programs."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devshim.elf import Elf, NotElf

BUILDS = {
    "pie": (),
    "no-pie": ("-no-pie",),
    "static": ("-static",),
    "static-pie": ("-static-pie",),
    "shared": ("-shared", "-fPIC"),
}
Compile = Callable[..., Path]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Return build(*flags): a small program compiled with these flags."""

    def build(*flags: str, compiler: str = "cc") -> Path:
        folder = tmp_path_factory.mktemp("elf")
        source = folder / "reader.c"
        source.write_text(
            "#include <fcntl.h>\n#include <unistd.h>\n"
            'int main(void) { char byte; return read(open("/dev/zero", O_RDONLY), &byte, 1) != 1; }\n'
        )
        subprocess.run([compiler, source, *flags, "-o", folder / "reader"], check=True)
        return folder / "reader"

    return build


@pytest.mark.parametrize("flags", BUILDS.values(), ids=BUILDS)
def test_agrees_with_readelf(compiled: Compile, flags: tuple[str, ...]) -> None:
    path = compiled(*flags)
    readelf = subprocess.run(["readelf", "-lWds", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    interpreter = re.search(r"interpreter: (\S+)]", readelf)
    dynamic = readelf.partition("Symbol table '.dynsym'")[2].partition("Symbol table")[0]

    elf = Elf.read(str(path))

    assert elf.interpreter == (interpreter and interpreter[1])
    assert elf.needed == re.findall(r"\(NEEDED\).*\[(.*)]", readelf)
    assert elf.dynamic == ("Dynamic section at" in readelf)
    assert elf.imports == {name.partition("@")[0] for name in re.findall(r" UND (\S+)", dynamic)}


@pytest.mark.parametrize(
    ("build", "independent"), [("pie", True), ("no-pie", False), ("static-pie", True), ("static", False)]
)
def test_tells_whether_a_program_can_be_loaded_anywhere(compiled: Compile, build: str, independent: bool) -> None:
    assert Elf.read(str(compiled(*BUILDS[build]))).position_independent is independent


@pytest.mark.client("gcc-32")
def test_reads_32_bit_files(compiled: Compile) -> None:
    elf = Elf.read(str(compiled("-m32")))

    assert elf.machine_name == "i386, 32-bit"
    assert elf.interpreter == "/lib/ld-linux.so.2"
    assert {"open", "read"} <= elf.imports


def test_a_stripped_program_keeps_what_the_loader_needs(compiled: Compile) -> None:
    elf = Elf.read(str(compiled("-s")))

    assert elf.symbols == set()
    assert {"open", "read"} <= elf.imports


def test_a_text_is_no_elf_file(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello")

    with pytest.raises(NotElf, match=r"text: no ELF file"):
        Elf.read(str(text))


@given(cut=st.integers(4, 4000), at=st.integers(4, 3999), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, byte: int
) -> None:
    content = bytearray(Path(sys.executable).read_bytes()[:cut])
    if at < len(content):
        content[at] = byte
    damaged = tmp_path_factory.mktemp("damaged") / "file"
    damaged.write_bytes(content)

    with contextlib.suppress(NotElf):
        Elf.read(str(damaged))

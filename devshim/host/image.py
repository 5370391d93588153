"""The image: the code of all modules that a host has taken, in one file, for the programs that bring a host in.

To look for modules and to read them one by one costs a program's first open as much as to run them.  The run's own
host, which has plugged the same devices, writes the image into the run's directory; so it is never older than the
modules.  What is not in it, or damaged there, is imported as ever.

    8 bytes     the length of what comes next: magic number of Python's compiled files, and entries, as marshal has them
    codes       of the modules, one behind the other
"""

# No __future__: it would be looked for where all modules are, before the image is there.
import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, ExtensionFileLoader, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

    #: Of a module by its name: whether it is a package, its file, its compiled file, and where among the codes its own
    #: lies and ends; nowhere, where it is made of C.
    Entries = dict[str, tuple[bool, str, str | None, int, int]]

#: Modules of ours that a command takes, and no host in a program.
COMMANDS = {
    *("devshim.cli.run", "devshim.embedding", "devshim.engine", "devshim.hostprocess", "devshim.processes"),
    "devshim.waiter",
}
#: Python's own that each host takes; of those that were there before ours most are not for us (*.pth of site).
ALWAYS = {"__future__", "_struct", "fcntl", "mmap", "select", "struct"}

LENGTH = 8
HEAD = 16  # bytes before the code in a compiled file: magic number, flags, time and size of the source (PEP 552)


def write(path: str) -> None:
    """Write the modules of this process that a host takes, ours and Python's own; nothing, where there is no room."""
    import os

    from devshim.host import embedded  # noqa: F401  what programs need beyond this process's modules
    from devshim.rundirectory import unlink

    ours = os.path.dirname(os.path.dirname(__file__)) + os.sep
    python = os.path.dirname(os.__file__) + os.sep
    entries: Entries = {}
    codes: list[bytes] = []
    end = 0
    names = list(sys.modules)  # each after those that it needs: importlib puts what is loaded at the end
    for name in [*ALWAYS.intersection(names), *names[names.index("devshim") :]]:
        spec: Any = getattr(sys.modules[name], "__spec__", None)
        origin = getattr(spec, "origin", None) or ""
        if not origin.startswith((ours, python)) or "site-packages" in origin[len(python) :] or name in COMMANDS:
            continue
        code = code_of(spec)
        if code is not None:
            start, end = end, end + len(code)
            entries[name] = spec.submodule_search_locations is not None, origin, spec.cached, start, end
            codes.append(code)
    head = marshal.dumps((MAGIC_NUMBER, entries))
    try:
        with open(path, "wb") as file:
            file.write(b"".join((len(head).to_bytes(LENGTH, "little"), head, *codes)))
    except OSError:
        unlink(path)


def code_of(spec: "Any") -> bytes | None:
    """A module's code as marshal has it, b"" for one made of C; None where it was loaded in another way than most."""
    if type(spec.loader) is ExtensionFileLoader:
        return b""
    if type(spec.loader) is not SourceFileLoader:
        return None
    return compiled(spec.origin, spec.cached) or marshal.dumps(spec.loader.get_code(spec.name))


def compiled(source: str, path: str | None) -> bytes | None:
    """The code in a compiled file, where that is of the source as it is now."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            content = file.read()
        status = posix.stat(source)
    except OSError:
        return None
    changed = int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF
    head = MAGIC_NUMBER + bytes(4) + b"".join(number.to_bytes(4, "little") for number in changed)
    return content[HEAD:] if content[:HEAD] == head else None


Module = type(sys)
Code = type(compiled.__code__)


def spec_of(name: str, loader: "Any", package: bool, origin: str, cached: str | None) -> ModuleSpec:
    """A module's spec, as importlib makes it."""
    spec = ModuleSpec(name, loader, origin=origin, is_package=package)
    spec.has_location = True
    spec.cached = cached
    if package:
        spec.submodule_search_locations = [origin.rpartition("/")[0]]
    return spec


class Image:
    """An image that is open for a while: finds modules in it, each once, before all else that looks for modules."""

    def __init__(self, descriptor: int, codes: int, entries: "Entries") -> None:
        self._descriptor = descriptor
        self._codes = codes
        self._entries = entries

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        """How to load a module; None for one that is not there (any more)."""
        entry = self._entries.pop(name, None)
        if entry is None:
            return None
        package, origin, cached, start, end = entry
        if start == end:
            return spec_of(name, ExtensionFileLoader(name, origin), package, origin, cached)
        loader = Loader(name, origin)
        loader.code = self._code(start, end)
        return spec_of(name, loader, package, origin, cached)

    def load(self) -> None:
        """Load our modules in the order in which they were, each after those that it needs.

        So none of them is looked for when another one imports it, which takes longer than to run it.
        """
        for name, (package, origin, cached, start, end) in list(self._entries.items()):
            if start == end or not name.startswith("devshim") or name == __name__:
                continue
            parent, _, child = name.rpartition(".")
            if parent and parent not in sys.modules:  # a package that needs its own modules: that is left to it
                continue
            del self._entries[name]
            code = self._code(start, end)
            if code is None:
                continue
            spec = spec_of(name, SourceFileLoader(name, origin), package, origin, cached)
            module = Module(name)
            module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, origin
            module.__package__ = name if package else parent
            if package:
                module.__path__ = spec.submodule_search_locations or []
            vars(module)["__cached__"] = cached
            sys.modules[name] = module
            try:
                exec(code, vars(module))
            except BaseException:
                del sys.modules[name]
                raise
            if parent:
                setattr(sys.modules[parent], child, module)

    def _code(self, start: int, end: int) -> "CodeType | None":
        """A module's code; None where it is damaged."""
        try:
            code = marshal.loads(posix.pread(self._descriptor, end - start, self._codes + start))
        except (EOFError, ValueError, TypeError):
            return None
        return code if type(code) is Code else None

    def close(self) -> None:
        """Let modules be found as ever."""
        sys.meta_path.remove(self)
        posix.close(self._descriptor)


class Loader(SourceFileLoader):
    """Loads a module of the image; in all else like the loader that the module would have had."""

    code: "CodeType | None" = None

    def get_code(self, name: str) -> "CodeType | None":
        """The module's code: the image's for the first time, where that is whole."""
        code, self.code = self.code, None
        return code or super().get_code(name)


def use(descriptor: int, codes: int, entries: "Entries") -> Image:
    """Import from an open image until close(); where its codes begin, and what its head says of them."""
    image = Image(descriptor, codes, entries)
    sys.meta_path.insert(0, image)
    image.load()
    return image

"""Checks that devshim works on this machine: what it is built of, and what it needs from the kernel."""

from __future__ import annotations

import ctypes
import errno
import importlib
import importlib.util
import mmap
import os
import platform
import resource
import subprocess
from collections.abc import Callable, Iterator

from devshim import rundirectory, target
from devshim.cli.caught import Finding
from devshim.elf import Elf, NotElf
from devshim.errors import REBUILD, DevshimError

REINSTALL = f"{REBUILD}: pip install --force-reinstall devshim"
MOUNT_PTS = "nothing is mounted at /dev/pts: mount -t devpts devpts /dev/pts (in a chroot: mount --bind /dev/pts ...)"
SANDBOX = "a container's or sandbox's seccomp filter forbids it: allow it there (docker: --security-opt seccomp=...)"

FUTEX_CALL = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "i686": 240, "armv7l": 240}
"""Number of futex(2); asm/unistd.h of each machine."""
FUTEX_WAKE = 1
MADV_WIPEONFORK = 18

OPTIONAL = {
    "yaml": ("PyYAML", "devices and settings in YAML"),
    "jsonschema": ("jsonschema", "checks of YAML files"),
    "serial": ("pyserial", "devices at a URL, such as socket://host:port"),
}
"""Module to its package, and what it is for."""


def check() -> Iterator[Finding]:
    """Go through everything that a run needs."""
    yield from system()
    yield from shim()
    yield from host()
    for name, attempt in KERNEL.items():
        yield tried(name, attempt)
    yield without_shim()
    yield from run_directory()
    yield from surroundings()
    yield from packages()


def system() -> Iterator[Finding]:
    """Look at Python and libc."""
    name, version = platform.libc_ver()
    text = f"Python {platform.python_version()}, Linux {platform.release()} on {platform.machine()}, {name} {version}"
    if name != "glibc":
        yield Finding(False, text, "devshim needs glibc; on Alpine, use a Debian container")
    elif tuple(int(part) for part in version.split(".")[:2]) < (2, 28):
        yield Finding(False, text, "devshim needs glibc 2.28 or newer")
    else:
        yield Finding(True, text)


def shim() -> Iterator[Finding]:
    """Load the shim into a program that does nothing."""
    if not os.path.exists(target.SHIM):
        yield Finding(False, f"the shim is not there: {target.SHIM}", REINSTALL)
        return
    try:
        elf = Elf.read(target.SHIM)
    except NotElf as error:
        yield Finding(False, f"the shim is damaged: {error}", REINSTALL)
        return
    program = target.find_program("true", os.environ)
    environment = {**os.environ, "LD_PRELOAD": target.SHIM}
    result = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode or result.stderr:
        yield Finding(False, f"the shim cannot be loaded: {result.stderr.strip() or result.returncode}", REINSTALL)
    else:
        yield Finding(True, f"the shim loads ({elf.machine_name}, {len(elf.exports)} functions): {target.SHIM}")


def host() -> Iterator[Finding]:
    """Import the host with the C modules."""
    for module in ("devshim.host._channel", "devshim.host.main", "devshim.trace.format._pattern"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            yield Finding(False, f"the host cannot be loaded: {error}", REINSTALL)
            return
    yield Finding(True, "the host loads")


def tried(name: str, attempt: Callable[[], object]) -> Finding:
    """Try something that the kernel must do for us."""
    try:
        attempt()
    except OSError as error:
        lacks_mount = attempt is pty and error.errno in (errno.ENOENT, errno.ENODEV)
        return Finding(False, f"{name}: {error.strerror}", MOUNT_PTS if lacks_mount else SANDBOX)
    return Finding(True, name)


def memfd() -> None:
    """Make and close an anonymous file."""
    os.close(os.memfd_create("devshim-doctor"))


def pidfd() -> None:
    """Open this process as a descriptor."""
    os.close(os.pidfd_open(os.getpid()))


def futex() -> None:
    """Wake nobody."""
    number = FUTEX_CALL.get(platform.machine())
    if number is not None:
        word = ctypes.c_uint32(0)
        libc_call("syscall", number, ctypes.byref(word), FUTEX_WAKE, 1, None, None, 0)


def own_memory() -> None:
    """Read this process's memory as the shim reads the program's."""

    class Iovec(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    source, copy = ctypes.create_string_buffer(b"devshim"), ctypes.create_string_buffer(8)
    here, there = (Iovec(ctypes.addressof(buffer), 8) for buffer in (copy, source))
    libc_call("process_vm_readv", os.getpid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


def wipe_on_fork() -> None:
    """Make a page that a forked child sees empty."""
    with mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as page:
        page.madvise(MADV_WIPEONFORK)


def pty() -> None:
    """Make a pseudo-terminal, the carrier of serial ports."""
    for descriptor in os.openpty():
        os.close(descriptor)


def libc_call(name: str, *arguments: object) -> None:
    """Call a function of libc; OSError where it returns -1."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


KERNEL: dict[str, Callable[[], object]] = {
    "anonymous shared memory (memfd_create)": memfd,
    "process descriptors (pidfd_open)": pidfd,
    "fast waiting (futex)": futex,
    "reading of a process's own memory (process_vm_readv)": own_memory,
    "pages wiped on fork (MADV_WIPEONFORK)": wipe_on_fork,
    "pseudo-terminals (openpty)": pty,
}
"""What the kernel must do, and how it is tried."""


def without_shim() -> Finding:
    """Try what programs need that no library can be loaded into."""
    from devshim.cli.seccomp import caution, problem

    why = problem() or caution() or None
    text = "supervision of system calls (seccomp), for static programs, Go and musl"
    return Finding(True, text if why is None else f"{text}, works here in part or not at all: {why}")


def run_directory() -> Iterator[Finding]:
    """Make and remove a run's directory."""
    try:
        path = rundirectory.make_run_directory(os.environ)
    except DevshimError as error:
        yield Finding(False, str(error))
        return
    rundirectory.remove_run_directory(path)
    parent = os.path.dirname(os.path.dirname(path))
    yield Finding(True, f"a run's directory can be made in {parent}")
    left = len([name for name in os.listdir(parent) if rundirectory.is_around(name)])
    if left:  # making one swept up what was dead
        yield Finding(
            True, f"{left} run director{'y' if left == 1 else 'ies'} in {parent}: living runs', or another user's"
        )


def surroundings() -> Iterator[Finding]:
    """Look at the environment and the limits."""
    if os.environ.get("DEVSHIM_RUN"):
        yield Finding(False, "this shell runs inside a devshim run, where no other can be started", "leave it first")
    if os.environ.get("LD_PRELOAD"):
        yield Finding(True, f"LD_PRELOAD is set, and will be kept behind the shim: {os.environ['LD_PRELOAD']}")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files != resource.RLIM_INFINITY and files < 1024:
        text = f"at most {files} open files: the host needs one for each open device and each process"
        yield Finding(False, text, "raise the hard limit: ulimit -Hn, or nofile in /etc/security/limits.conf")


def packages() -> Iterator[Finding]:
    """Look for the packages that some options need."""
    for module, (package, purpose) in OPTIONAL.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(True, f"{package} is not installed, needed only for {purpose}", f"pip install {package}")
        else:
            yield Finding(True, f"{package} is installed, for {purpose}")

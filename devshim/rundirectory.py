"""The run's directory: made, locked while somebody of the run lives, removed, and swept up where nobody could.

Every `devshim run` passes here, so nothing is imported that Python has not loaded anyway.

    PARENT/devshim-1a2b3c4d/            what others can see; its name is no secret
        owner                           locked, shared, by whoever removes the run in the end: flock(2)
        0123456789abcdef.../            the run's; the name is its secret
"""

from __future__ import annotations

import os
import stat

from devshim.target import failed, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PARENT = 107 - len(f"/devshim-{'0' * 8}/{'0' * 32}/socket")
"""In bytes; the path of a Unix socket, sun_path of unix(7), has room for 107 and its closing NUL."""

AROUND = "devshim-"
"""How the name begins of the directory around a run's: what others can see of it."""

LEAST_ROOM = 1 << 20
"""Bytes; a container's /dev/shm may be small, and full of others' memory."""

OWNER = "owner"
"""The file whose lock tells that a run lives.  The kernel lets go of it with the last process that held it, however
that ended, and whoever has its process id now."""

_held: dict[str, int] = {}  # the descriptor of the lock, by the run's directory


def make_run_directory(environment: Mapping[str, str]) -> str:
    """Make the run's private directory and return its path; this process then holds its lock.

    Below $TMPDIR if that is set and short enough for the path of a socket, else below /dev/shm, which is memory, where
    there is room, else below /tmp.  Its name cannot be guessed, and its mode, 0711, and that of the directory around
    it, which everybody can see there, let pass only who knows the name: a daemon that dropped its uid does, other users
    do not.  What dead runs have left there is removed.

    Raises TargetFailed where it cannot be made, ShimNotBuilt.
    """
    parent = run_directory_parent(environment)
    while True:
        path = os.path.join(parent, f"{AROUND}{os.urandom(4).hex()}", os.urandom(16).hex())
        around = os.path.dirname(path)
        try:
            os.mkdir(around, 0o711)
            if not hold(path, os.O_CREAT | os.O_EXCL):
                continue
            os.mkdir(path, 0o711)
            for directory in (around, path):
                os.chmod(directory, 0o711)  # whatever the umask took away
        except OSError as error:
            remove_run_directory(path, quietly=True)
            raise failed(
                f"cannot make the run's directory in {parent}: {error.strerror}; set TMPDIR to another one"
            ) from error
        except BaseException:
            remove_run_directory(path)
            raise
        sweep(parent)
        return path


def run_directory_parent(environment: Mapping[str, str]) -> str:
    """The directory for run directories, absolute because the program may change its own."""
    chosen = environment.get("TMPDIR")
    if chosen:
        chosen = os.path.abspath(chosen)
        if len(os.fsencode(chosen)) <= LONGEST_PARENT:
            return chosen
    return "/dev/shm" if has_room("/dev/shm") else "/tmp"


def has_room(directory: str) -> bool:
    """Tell whether a run's directory can be made there, with what is commonly in it."""
    if not os.access(directory, os.W_OK | os.X_OK):
        return False
    free = os.statvfs(directory)
    return free.f_bavail * free.f_frsize >= LEAST_ROOM


# ---- Whose life it is -----------------------------------------------------------------------------------


def hold(path: str, create: int = 0) -> bool:
    """Have the run in this directory count as living while this process and its forks do, until let_go().

    False where a sweep took it for dead just before.  Raises OSError, ShimNotBuilt.
    """
    try:
        descriptor = os.open(owner_of(path), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | create, 0o600)
    except FileNotFoundError:
        if create and os.path.isdir(os.path.dirname(os.path.dirname(path))):
            return False
        raise
    if not lock_file(descriptor, alone=False) or os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return False
    _held[path] = descriptor
    return True


def lock_of(path: str) -> int:
    """The descriptor that holds a run's lock in this process; -1 where it holds none."""
    return _held.get(path, -1)


def let_go(path: str) -> None:
    """Hold a run no longer: it lives as long as the others do."""
    descriptor = _held.pop(path, -1)
    if descriptor >= 0:
        os.close(descriptor)


def owner_of(path: str) -> str:
    """The file that is locked while the run in this directory lives."""
    return os.path.join(os.path.dirname(path), OWNER)


def lock_file(descriptor: int, alone: bool) -> bool:
    """Lock an open file: shared, or alone if that can be had at once; False where it cannot.  Raises ShimNotBuilt."""
    try:
        from devshim.host._channel import lock_file as lock
    except ImportError as error:
        from devshim.errors import REBUILD, ShimNotBuilt

        raise ShimNotBuilt(f"the host's C module cannot be loaded ({error}): {REBUILD}") from error
    return lock(descriptor, alone)


def sweep(parent: str) -> None:
    """Remove what our own user's dead runs have left in a directory: kill -9 of all who would have removed it."""
    try:
        with os.scandir(parent) as entries:
            found = [entry.path for entry in entries if is_around(entry.name)]
    except OSError:
        return  # may be entered but not listed
    for around in found:
        try:
            sweep_one(around)
        except OSError:
            continue  # another user's, or somebody else is at it


def is_around(name: str) -> bool:
    """Tell whether a name is one that make_run_directory() gives."""
    digits = name.removeprefix(AROUND)
    return len(digits) == 8 and name != digits and not digits.strip("0123456789abcdef")


def sweep_one(around: str) -> None:
    """Remove a directory around a run if nobody holds its lock.  Raises OSError where it is not ours to remove."""
    status = os.lstat(around)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return
    try:
        owner = os.open(os.path.join(around, OWNER), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        os.rmdir(around)  # died between two steps; fails where there is something in it, which is not ours then
        return
    try:
        if lock_file(owner, alone=True):
            remove_around(around)
    finally:
        os.close(owner)


# ---- Removing ------------------------------------------------------------------------------------------


def remove_run_directory(path: str, quietly: bool = False) -> None:
    """Remove the run's directory with all that is in it; say so where that cannot be, unless somebody else tries, too.

    What somebody else removes meanwhile is no failure.
    """
    try:
        remove_all(path)
    except OSError:
        let_go(path)  # its descriptor may be the one that was lacking
        try:
            remove_all(path)
        except OSError as error:
            if not quietly:
                say(f"cannot remove {error.filename or path}: {error.strerror}")
    let_go(path)


def remove_all(path: str) -> None:
    """Remove the run's directory and the one around it.  Raises OSError."""
    around = os.path.dirname(path)
    remove_tree(path)
    if is_around(os.path.basename(around)):
        remove_around(around)


def remove_around(around: str) -> None:
    """Remove the directory around a run, what tells of its life last, so that a sweep can go on where this was ended.

    Raises OSError.
    """
    try:
        names = os.listdir(around)
    except FileNotFoundError:
        return
    for name in names:
        if name != OWNER:
            remove_tree(os.path.join(around, name))
    unlink(os.path.join(around, OWNER))
    remove_tree(around)


def remove_tree(path: str) -> None:
    """Remove a directory with all that is in it, which somebody else may be removing, too.  Raises OSError."""
    try:
        os.chmod(path, 0o700)  # a directory of the device tree may be read-only, as sysfs's are
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.path)
                else:
                    unlink(entry.path)
        os.rmdir(path)
    except FileNotFoundError:
        return


def unlink(path: str) -> None:
    """Remove a file that somebody else may be removing, too."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return

"""What outlives a session whose process was killed, for as long as it takes to clean up after it.

A shell waits for the end of a pipe that this process alone holds open.  It is told of the session's directory and of
the process groups that were started, and what it still has on its list when the pipe ends it ends, or removes.  The
group of a program that was being started just then it finds by the run that the program's environment names; until
that has executed, it shows its parent's environment, so it is looked for more than once.  The shell is nobody's child,
so that a test which waits for its children does not wait for it, and has a session of its own, so that Ctrl-C does not
reach it.
"""

from __future__ import annotations

import itertools
import os

SHELL = "/bin/sh"
SCRIPT = r"""
exec 3<&0 </dev/null
{
    while IFS= read -r line; do
        case $line in
        +*) set -- "$@" "${line#+}" ;;
        .) set -- ;;
        -*) for held do shift; [ "$held" = "${line#-}" ] || set -- "$@" "$held"; done ;;
        esac
    done
    for held do
        case $held in
        group=*) kill -s KILL -- "-${held#group=}" ;;
        starting=*)
            run=${held#starting=}
            for again in 1 2 3; do
                for found in $(grep -aslF "DEVSHIM_RUN=${run#* }" /proc/[0-9]*/environ); do
                    found=${found#/proc/}
                    kill -s KILL -- "-${found%/environ}"
                done
                sleep 1
            done
            ;;
        left=*) [ -e "/proc/${held#left=}" ] || kill -s KILL -- "-${held#left=}" ;;
        esac
    done
    for held do
        case $held in
        /*) chmod -R u+rwX -- "$held"; rm -rf -- "$held" ;;
        esac
    done
} <&3 3<&- &
"""


class Survivor:
    """Removes directories, and kills groups, after this process, if that dies before it says that they have gone.

    Where there is no shell it does nothing; what is left is then for the next run to sweep up.
    """

    def __init__(self) -> None:
        self._starting, self._pipe = 0, -1
        self._numbers = itertools.count()
        if os.getpid() == 1:
            return  # a container ends with this process, and nobody else would take in who has ended before it
        try:
            theirs, self._pipe = os.pipe()
        except OSError:
            return
        try:
            nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
            streams = [(os.POSIX_SPAWN_DUP2, theirs, 0), *nothing]
            path = {"PATH": os.environ.get("PATH", os.defpath)}
            self._starting = os.posix_spawn(SHELL, ["sh", "-c", SCRIPT], path, file_actions=streams, setsid=True)
        except OSError:
            self.abandon()
        finally:
            os.close(theirs)

    def started(self) -> None:
        """Wait until it is nobody's child; a while after it was made, because by then there is nothing to wait for."""
        if self._starting:
            os.waitpid(self._starting, 0)
            self._starting = 0

    @property
    def listens(self) -> bool:
        """Whether it is there."""
        return self._pipe >= 0

    def directory(self, path: str) -> None:
        """A directory was made."""
        self._tell(f"+{path}")

    def starting(self, run: str) -> str:
        """A program of this run is about to be started, as the leader of a group; returns what begun() takes."""
        number = next(self._numbers)
        self._tell(f"+starting={number} {run}")
        return f"starting={number} {run}"

    def begun(self, starting: str, leader: int | None) -> None:
        """Its process group has begun; or it could not be started (None)."""
        if leader is not None:
            self._tell(f"+group={leader}")
        self._tell(f"-{starting}")

    def leader_ends(self, leader: int, others: bool) -> None:
        """A group's leader is about to be waited for: then its number is the group's only while others are in it."""
        if others:
            self._tell(f"+left={leader}")
        self._tell(f"-group={leader}")

    def nothing_left(self) -> None:
        """All has gone of which it was told."""
        self._tell(".")

    def abandon(self) -> None:
        """Let go of the pipe."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _tell(self, line: str) -> None:
        if self._pipe < 0 or "\n" in line:
            return
        try:
            os.write(self._pipe, os.fsencode(line) + b"\n")
        except BrokenPipeError:
            self.abandon()  # somebody has killed it


_ours: Survivor | None = None


def survivor() -> Survivor:
    """This process's: one for all its sessions, because it costs more than half a session."""
    global _ours
    if _ours is None or not _ours.listens:
        _ours = Survivor()
    return _ours


def _forked() -> None:
    """In every child that this process forks: the parent's end alone shall end the pipe."""
    global _ours
    if _ours is not None:
        _ours.abandon()
        _ours = None


os.register_at_fork(after_in_child=_forked)

"""--deny and --only-plugged: which real nodes are refused, and how."""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.deny import Rule


class Guard:
    """The rules of one run."""

    def __init__(self, deny: list[Rule], only_plugged: bool) -> None:
        self.deny = deny
        self.only_plugged = only_plugged

    def refusal(self, path: str) -> tuple[int, str] | None:
        """The errno with which opening a path fails, and the rule that says so; None where it may be opened."""
        from fnmatch import fnmatchcase

        for pattern, error in self.deny:
            if fnmatchcase(path, pattern):
                return error, f"--deny {pattern}"
        return (errno.ENOENT, "--only-plugged") if self.only_plugged else None

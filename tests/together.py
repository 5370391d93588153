"""Files whose tests one worker of pytest-xdist runs: what they share, such as a wheel that is built, is made once.

By their names, because the groups of xdist_group marks have no effect from pytest 9.2 on (pytest-xdist issue 1386).
"""

from xdist.scheduler import LoadGroupScheduling

FILES = ("tests/test_packaging.py", "tests/targets/test_coreutils.py", "tests/targets/test_mod_wsgi.py")


class Together(LoadGroupScheduling):
    """Hands out single tests, but these files as one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in FILES else nodeid

"""Failures of models: each is counted, its traceback shown the first time."""

from __future__ import annotations

from devshim.host.tracebacks import model_traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.log import Log


class Blame:
    """Knows which failures the user has seen."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._times: dict[tuple[str, str], int] = {}

    def failed(self, where: str, call: str, exception: BaseException, outcome: str = "") -> str:
        """Something of an author's raised what is no OSError; returns the line that counts as a failure of the run.

        where: whose it is.  outcome: what the program gets of it, if anything.
        """
        trace = model_traceback(exception)
        times = self._times.get((where, trace), 0)
        self._times[where, trace] = times + 1
        if not times:
            self._log.message(f"{where} failed in {call}{outcome and '; ' + outcome}\n{trace}")
        return f"{where}: {call}: {type(exception).__name__}: {exception}"

    def again(self) -> list[str]:
        """One message for each failure that came more than once."""
        return [
            f"{where} failed so {times} times in all: {trace.splitlines()[-1]}"
            for (where, trace), times in self._times.items()
            if times > 1
        ]

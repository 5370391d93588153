"""Hooks: puts Python functions in the place of those that the program calls in its libraries."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devshim.errors import SpecError
from devshim.host import _channel
from devshim.host.lock import lock
from devshim.model.hook import NO_DEFAULT, Hook, array, ctype, reference

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from devshim.host.blame import Blame

    class Judge(Protocol):
        """Who hears of functions that fail: a Host, or what stands for one."""

        blame: Blame
        failures: list[str]


_kept: dict[Any, tuple[Any, Any, Hooked]] = {}  # what C code has the address of lives as long as the process


def _forked() -> None:
    """In a fork child, where this thread is the only one."""
    if not lock.held():
        lock.reset()


os.register_at_fork(after_in_child=_forked)


def install(judge: Judge, hooks: Iterable[Hook]) -> None:
    """Have the functions called from now on.  Raises SpecError for a library or function that is not there."""
    for hook in hooks:
        key = hook.library, hook.symbol, hook.result, tuple(map(ctype, hook.parameters))
        if key not in _kept:
            prototype, original = original_of(hook)
            hooked = Hooked(original)
            _kept[key] = original, prototype(hooked.call), hooked
        original, made, hooked = _kept[key]
        hooked.answer_by(judge, hook)
        try:
            inward = _channel.hook(hook.symbol, address(original), address(made), words_of(hook))
            hooked.original = type(original)(inward)
        except OSError as problem:
            raise SpecError(f"{hook.where}: cannot be replaced: {problem.strerror}") from None


def original_of(hook: Hook) -> tuple[Any, Any]:
    """The type of a library's function, and the function.  Raises SpecError where there is none."""
    try:
        library = ctypes.CDLL(hook.library)
    except OSError as problem:
        raise SpecError(f"{hook.where}: {problem}") from None
    prototype = ctypes.CFUNCTYPE(hook.result, *map(ctype, hook.parameters), use_errno=True)
    try:
        return prototype, prototype((hook.symbol, library))
    except AttributeError:
        raise SpecError(f"{hook.where}: the library has no such function") from None


def words_of(hook: Hook) -> int:
    """How many words of a program's stack its arguments take at the most: all, were none in a register."""
    return sum(-(-ctypes.sizeof(ctype(one)) // ctypes.sizeof(ctypes.c_void_p)) for one in hook.parameters)


def address(function: Any) -> int:
    """Where a function of ctypes lies."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class Hooked:
    """A hook in force: turns what the program passes into what the Python function takes, and contains its failures."""

    judge: Judge
    hook: Hook
    _plain: bool

    def __init__(self, original: Callable[..., Any]) -> None:
        self.original = original

    def answer_by(self, judge: Judge, hook: Hook) -> None:
        """From now on this hook's Python function is called, and its failures are that one's."""
        self.judge, self.hook = judge, hook
        self._plain = not any(isinstance(one, (array, reference)) for one in hook.parameters)

    def call(self, *passed: Any) -> Any:
        """Answer one call of the program; _thunks.c sees to it that a thread is in one at a time, and stands aside."""
        try:
            values = passed if self._plain else self.values(passed)
            if self.hook.original:
                returned = self.hook.function(*values, Original(self.original, passed, values))
            else:
                returned = self.hook.function(*values)
            return self.checked(returned)
        except BaseException as problem:  # also SystemExit: there is nobody above us who could take it
            self.tell(problem)
            return self.original(*passed) if self.hook.default is NO_DEFAULT else self.hook.default

    def values(self, passed: tuple[Any, ...]) -> list[Any]:
        """The Python function's arguments."""
        hook = self.hook

        def known(name: str) -> Any:
            at = hook.names.index(name)
            return value(hook.parameters[at], passed[at])

        def value(parameter: Any, given: Any) -> Any:
            if isinstance(parameter, reference):
                return parameter.value(given)
            return parameter.view(given, known) if isinstance(parameter, array) else given

        return [value(parameter, given) for parameter, given in zip(hook.parameters, passed, strict=True)]

    def checked(self, returned: Any) -> Any:
        """What goes back to the program.  Raises TypeError where it is not of the declared type."""
        result = self.hook.result
        if result is None:
            return None
        if returned is None:
            raise TypeError(f"it returned None: it must return a {result.__name__}; is a return missing?")
        if isinstance(returned, result):
            return getattr(returned, "value", returned)
        return getattr(result(returned), "value", returned)

    def tell(self, problem: BaseException) -> None:
        """Count a failure of the run; its traceback is shown the first time."""
        outcome = "the library's own answers" if self.hook.default is NO_DEFAULT else f"it gets {self.hook.default!r}"
        where = f"{self.hook.symbol} of {self.hook.library}"
        with lock:
            self.judge.failures.append(self.judge.blame.failed(self.hook.function.__name__, where, problem, outcome))


class Original:
    """The library's own function, as the Python one gets it."""

    def __init__(self, function: Callable[..., Any], passed: tuple[Any, ...], values: Any) -> None:
        self._function = function
        self._passed = passed
        self._values = values

    def __call__(self, *values: Any) -> Any:
        """Call it with these arguments, or with those of the program where there are none.

        An argument that is what the function was given goes on as the program passed it; another memoryview, bytearray
        or array of NumPy by its address, which must be writable.
        """
        if not values:
            return self._function(*self._passed)
        if len(values) != len(self._passed):
            raise TypeError(f"original() takes no arguments, or {len(self._passed)}")
        return self._function(*map(self._pass, values, self._values, self._passed))

    def _pass(self, value: Any, given: Any, passed: Any) -> Any:
        if value is given:
            return passed
        if isinstance(value, (int, float, bytes, str)) or value is None or not hasattr(type(value), "__len__"):
            return value
        return ctypes.addressof(ctypes.c_char.from_buffer(memoryview(value).cast("B")))

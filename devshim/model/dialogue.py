"""What a serial device says to what it hears: @command lines, binary frames, and answers with pauses between."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from devshim.model.serial import Serial
    from devshim.model.timing import Timer

    Method = TypeVar("Method", bound=Callable[..., Any])


class Pause:
    """A stretch of silence among the answers that a command yields."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def pause(seconds: float) -> Pause:
    """Let so many seconds pass before the next answer: `yield pause(0.5)`."""
    return Pause(seconds)


class Command:
    """A method that answers lines of text; made by @command.  As an attribute of an instance it is the method."""

    def __init__(self, pattern: re.Pattern[str], method: Callable[..., Any]) -> None:
        # @command above @command: one method for several patterns, the upper one first.
        below = method if isinstance(method, Command) else None
        self.patterns = (pattern, *(below.patterns if below else ()))
        self.method: Callable[..., Any] = below.method if below else method
        self.name = self.method.__name__
        self.__doc__ = self.method.__doc__
        self.__wrapped__ = self.method

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method.__get__(instance, owner)


class BadPattern(ValueError):
    """A command's pattern is no regular expression, or not the one that was meant."""


def compile_pattern(pattern: str, flags: int) -> re.Pattern[str]:
    """A command's pattern, compiled.  Raises BadPattern with the way out."""
    as_it_stands = re.escape(pattern).replace("\\ ", " ")
    try:
        compiled = re.compile(pattern, flags)
    except re.error as problem:
        raise BadPattern(
            f'@command("{pattern}"): no regular expression ({problem}); for that very line write r"{as_it_stands}"'
        ) from None
    if optional := re.search(r"(?<!\\)([A-Za-z])\?$", pattern):
        letter = optional[1]
        raise BadPattern(
            f'@command("{pattern}"): this "?" makes the {letter} optional; for a question mark write '
            f'r"{pattern[:-1]}\\?", for an optional {letter} write [{letter}]?'
        )
    return compiled


def command(pattern: str, flags: int = 0) -> Callable[[Method], Method]:
    """Answer each line that the whole pattern matches (re.fullmatch; flags as for re.compile).

    The pattern's groups are the method's arguments, named groups by their names; a group that took no part is
    None.  The method returns one answer (see Serial.say) or yields several, with pause(seconds) between.
    Raises BadPattern for a pattern that is none, and for one that most likely means its last "?" as it stands.
    """
    compiled = compile_pattern(pattern, flags)

    def decorate(method: Method) -> Method:
        return Command(compiled, method)  # type: ignore[return-value]  # on an instance it is the method

    return decorate


def collect_commands(cls: type) -> tuple[tuple[re.Pattern[str], str], ...]:
    """(pattern, method's name) of all commands of a class, the most derived class's first.

    A method of the same name in a derived class answers in its base's stead, to the same lines unless it has
    patterns of its own.
    """
    found: dict[str, Command] = {}
    for klass in cls.__mro__:
        for name, value in vars(klass).items():
            if isinstance(value, Command):
                found.setdefault(name, value)
    return tuple((pattern, name) for name, value in found.items() for pattern in value.patterns)


class LineSplitter:
    """Cuts what arrives into lines.

    A newline of CR and LF, in whatever order and number, stands for any of CR, LF, CR LF: the program's
    terminal settings (OPOST, ONLCR) decide which of them goes over the wire.  Any other newline must match.
    """

    def __init__(self) -> None:
        self.rest = b""
        self.after_cr = False

    def feed(self, data: bytes, newline: bytes) -> list[bytes]:
        """Return the lines that data completes, without their ends."""
        if newline.strip(b"\r\n"):
            *lines, self.rest = (self.rest + data).split(newline)
            return lines
        if self.after_cr and data[:1] == b"\n":
            data = data[1:]
        self.after_cr = data[-1:] == b"\r"
        *lines, self.rest = (self.rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return lines

    def clear(self) -> None:
        """Forget an unfinished line."""
        self.rest, self.after_cr = b"", False


class Answers:
    """Gives a device's answers one after another: what comes while one is being given waits for its end."""

    def __init__(self, device: Serial) -> None:
        self.device = device
        self.running: Iterator[Any] | None = None
        self.waiting: deque[Callable[[], Any]] = deque()
        self.timer: Timer | None = None

    def ask(self, *questions: Callable[[], Any]) -> None:
        """Ask now, or when the answer that is being given is over."""
        self.waiting.extend(questions)
        if self.running is None:
            self.run()

    def run(self) -> None:
        """Say all that can be said now; a pause lets a timer go on.  What one question raises costs no other."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        try:
            self.proceed()
        except BaseException:
            if self.waiting and self.device.node is not None:
                self.timer = self.device.after(0, self.run)
            raise

    def proceed(self) -> None:
        """Say all that can be said now, or until something raises."""
        while True:
            if self.running is None:
                if not self.waiting:
                    return
                self.begin(self.waiting.popleft()())
            elif self.step():
                return

    def begin(self, answer: Any) -> None:
        """Say one answer, or begin to say several."""
        if isinstance(answer, Iterable) and not isinstance(answer, (str, bytes, bytearray, memoryview)):
            self.running = iter(answer)
        else:
            self.device.say(answer)

    def step(self) -> bool:
        """Say the next of several answers; True where it is a pause."""
        assert self.running is not None
        answers, self.running = self.running, None  # stays so where the model raises
        try:
            answer = next(answers)
        except StopIteration:
            return False
        if isinstance(answer, Pause):
            self.running = answers
            self.timer = self.device.after(answer.seconds, self.run)
            return True
        self.device.say(answer)
        self.running = answers
        return False

    def clear(self) -> None:
        """Forget everything that was still to be said."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.running = None
        self.waiting.clear()


class Frames:
    """Cuts what arrives into binary frames: by the device's frame(), by silence, or by whichever comes first."""

    def __init__(self, device: Serial) -> None:
        self.device = device
        self.buffer = b""
        self.timer: Timer | None = None

    def feed(self, data: bytes) -> None:
        """Hand the frames that data completes to the device."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.buffer += data
        while self.buffer:
            received, self.buffer = self.buffer, b""  # dropped where the model raises
            length = self.device.frame(received)
            if length == 0 or length > len(received):
                self.buffer = received
                break
            self.buffer = received[abs(length) :]
            if length > 0:
                self.end(received[:length])
        seconds = self.device.silence_seconds
        if self.buffer and seconds is not None:
            # The program hands over at once what takes its time on a wire, so that counts too.
            self.timer = self.device.after(len(self.buffer) * self.device.character_time + seconds, self.silent)

    def silent(self) -> None:
        """The line was silent for long enough: what is there is a frame."""
        self.timer = None
        frame, self.buffer = self.buffer, b""
        self.end(frame)

    def end(self, frame: bytes) -> None:
        """Let the device answer one frame."""
        self.device._answers.ask(lambda: self.device.framed(frame))

    def clear(self) -> None:
        """Forget an unfinished frame."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.buffer = None, b""

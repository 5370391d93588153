"""Files that were opened alike: which recorded one a file of the program is shows in what is done with it."""

from __future__ import annotations

from devshim.trace.replay.matching import same_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.trace.event import Event
    from devshim.trace.replay.course import Course
    from devshim.trace.replay.device import ReplayDevice
    from devshim.trace.replay.file import ReplayFile

#: Calls after which a file stays the one that it was taken for.
MOST_PAST = 16


def rebind(file: ReplayFile, call: Event) -> Event | None:
    """Take a file for another recorded one, where that fits all that was done with it and this call, too.

    Threads and processes that open one node race; only what they do then tells them apart.  Returns the recorded event
    of the call, None where no other fits.
    """
    device, opened, past = file.recorded, file.opened, file.past
    if past is None or opened is None or device.replay.rules.strict or device.replay.rules.loose:
        return None
    for other in device.files:
        theirs = other.opened
        if other is not file and other.past is not None and theirs is not None and same_flags(theirs, opened):
            mine, event = advanced(device, theirs, past, call)
            if mine is None or event is None:
                continue
            exchanged, _ = advanced(device, opened, other.past)
            if exchanged is not None:
                take_over(other, exchanged, opened)
                take_over(file, mine, theirs)
                return event
    for theirs in device.opens.ahead():
        if theirs.error is None and same_flags(theirs, opened):
            mine, event = advanced(device, theirs, past, call)
            if mine is not None and event is not None:
                device.opens.exchange(theirs, opened)
                device.replay.source.renew(opened)
                take_over(file, mine, theirs)
                return event
    return begin_again(file, call)


def begin_again(file: ReplayFile, call: Event) -> Event | None:
    """Take a file for one that was opened before, once more; what it was taken for is left to a later open.

    If that never comes, the program did not do what was recorded: so the replay says at its end.
    """
    device, opened, past = file.recorded, file.opened, file.past or []
    replay = device.replay
    assert opened is not None
    for theirs in device.opens.before():
        if theirs is opened or not same_flags(theirs, opened):
            continue
        mine, event = advanced(device, theirs, past, call)
        if mine is None or event is None:
            continue
        if any(course is file.course for _, course in replay.courses):
            device.opens.put_back(opened)
            replay.source.renew(opened)
            replay.left_for_later(opened, theirs)
        else:
            replay.opened_again(theirs)
        take_over(file, mine, theirs, again=True)
        return event
    return None


def advanced(
    device: ReplayDevice, opened: Event, past: list[Event], call: Event | None = None
) -> tuple[Course | None, Event | None]:
    """A recorded file's course after some calls and one more, with that one's event; (None, None) if it differs."""
    course = device.fresh_course(opened)
    if any(course.take(one) is None for one in past):
        return None, None
    event = course.take(call) if call is not None else None
    return (None, None) if call is not None and event is None else (course, event)


def take_over(file: ReplayFile, course: Course, opened: Event, again: bool = False) -> None:
    """A file is another recorded one from now on; again: one that was opened before, and is once more."""
    file.course.steady.good = False
    courses = file.replay.courses
    courses[:] = [one for one in courses if one[1] is not file.course]
    file.replay.order.remove(file.recorded.path, file.course)
    file.course, file.number, file.opened = course, opened.file, opened
    if again:
        file.replay.add_again(opened.file, course)
    else:
        file.replay.add_course(opened.file, course, file.recorded.path)

"""Answers are given again as long as they hold, and are not kept for ever."""

from devshim.trace.event import Event
from devshim.trace.replay.answers import MOST_KNOWN, Answers


def asked(number: int, answer: int = 0) -> Event:
    """An ioctl that hands in a number and gets another."""
    return Event("ioctl", "/dev/a", 1, request=0xC0084D02, before=[b"%08d" % number], after=[b"%08d" % answer])


def test_the_latest_questions_are_remembered_and_the_oldest_are_not() -> None:
    answers = Answers()
    for number in range(5 * MOST_KNOWN):
        answers.remember(asked(number, number + 1))
    latest = answers.holds(asked(5 * MOST_KNOWN - MOST_KNOWN))
    assert latest is not None
    assert latest.after == [b"%08d" % (4 * MOST_KNOWN + 1)]
    assert answers.last(asked(0)) is None
    assert len(answers._known) + len(answers._older) <= 2 * MOST_KNOWN


def test_an_older_answer_is_replaced_by_the_latest_to_the_same_question() -> None:
    answers = Answers()
    for number in range(MOST_KNOWN + 1):
        answers.remember(asked(number, 1))
    answers.remember(asked(0, 2))
    held = answers.holds(asked(0))
    assert held is not None
    assert held.after == [b"%08d" % 2]

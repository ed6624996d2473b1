"""What the page of the line shows, made from what waits. Knows no request and asks no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from goldsmith.train.expected import Expected
from goldsmith.train.tables import KIND
from goldsmith.train.waiting import InLine
from goldsmith.web import format as formats
from goldsmith.web.pages import Page

SOURCES = {"training": "as one like it took before", "rehearsal": "as its rehearsal told"}


@dataclass(frozen=True)
class QueueLine:
    """A job that waits, in words."""

    job_id: str
    place: int
    title: str
    href: str
    """Empty for what another organisation waits for."""
    begins: str
    takes: str
    can_rise: bool
    can_fall: bool


@dataclass(frozen=True)
class QueuePage(Page):
    """What waits for this machine."""

    template: ClassVar[str] = "train/queue.html"
    current: ClassVar[str] = "training"
    lines: tuple[QueueLine, ...]
    num_slots: int


def queue_page(found: Sequence[InLine], num_slots: int) -> QueuePage:
    """The page of the line."""
    return QueuePage("What waits for this machine", tuple(queue_line(each) for each in found), num_slots)


def queue_line(one: InLine) -> QueueLine:
    """One that waits, in words."""
    href = f"/{'training' if one.kind == KIND else 'activity'}/{one.job_id}" if one.is_own else ""
    return QueueLine(
        job_id=one.job_id,
        place=one.place,
        title=one.title,
        href=href,
        begins=begins_words(one),
        takes=takes_words(one.expected, is_training=one.kind == KIND),
        can_rise=one.can_rise,
        can_fall=one.can_fall,
    )


def begins_words(one: InLine) -> str:
    """When it is likely to begin: the time, or that nobody knows."""
    where = f" on {one.wanted_slot.replace('gpu', 'GPU ')}" if one.wanted_slot else ""
    if one.begins_in_s is None:
        return f"When it begins{where} is not known"
    if one.begins_in_s < 1:
        return f"Begins{where} in a moment"
    return f"Likely to begin{where} in {formats.about(one.begins_in_s)}, at {formats.moment(one.begins_at)}"


def takes_words(expected: Expected | None, *, is_training: bool = True) -> str:
    """How long it is likely to take, and who says so."""
    if expected is None:
        return "Nothing tells how long it takes" + ("; a rehearsal would" if is_training else "")
    return f"Takes {formats.about(expected.seconds)}, {SOURCES[expected.source]}"

"""What a guest's change means for the organizer: his answers (RFC 6638 3.2.2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.convert.lines import Line
from gateway.dav.scheduling import itip
from gateway.dav.scheduling.meeting import NEEDS_ACTION, SERVER, Meeting
from gateway.dav.scheduling.organizing import Message

_ANSWERS: Final = ("ACCEPTED", "DECLINED", "TENTATIVE")
_DECLINED: Final = "DECLINED"


def answers(
    old: Meeting | None, new: Meeting | None, own: Collection[str], now: float, *, forced: bool = False
) -> list[Message]:
    """The replies of a change: made (no ``old``), changed, or deleted (no ``new``). ``own`` are the guest's addresses."""
    meeting = new or old
    if meeting is None or meeting.organizer_agent != SERVER or not meeting.organizer:
        return []
    if new is None:
        return [] if meeting.is_cancelled else _declined(meeting, own, now)
    if old is not None and old.is_cancelled:
        return []
    found = _changed(old, new, own)
    if forced and not found and "" in new.components:
        found = {"": new.status_of(own)}
    gone = _gone(old, new) if old is not None else {}
    replies = [_reply(new, key, None, status, own, now) for key, status in found.items()]
    if old is not None:
        replies += [_reply(old, key, place, _DECLINED, own, now) for key, place in gone.items()]
    return [each for each in replies if each is not None]


def _changed(old: Meeting | None, new: Meeting, own: Collection[str]) -> dict[str, str]:
    """The answers that are new, by component."""
    found: dict[str, str] = {}
    whole = new.status_of(own)
    before = old.status_of(own) if old is not None else NEEDS_ACTION
    if "" in new.components and whole != before and whole in _ANSWERS:
        found[""] = whole
    for key in new.components:
        if not key:
            continue
        status = new.status_of(own, key)
        known = old.status_of(own, key) if old is not None and key in old.components else before
        if status in _ANSWERS and status != known and status != found.get(""):
            found[key] = status
    return found


def _gone(old: Meeting, new: Meeting) -> dict[str, Line]:
    """The instances that a guest took out of his copy of a series: he will not be there."""
    return {key: line for key, line in new.excluded.items() if key not in old.excluded}


def _declined(meeting: Meeting, own: Collection[str], now: float) -> list[Message]:
    """The replies of who deletes a meeting."""
    keys = [""] if "" in meeting.components else list(meeting.components)
    keys = [key for key in keys if meeting.status_of(own, key) != _DECLINED]
    replies = (_reply(meeting, key, None, _DECLINED, own, now) for key in keys)
    return [each for each in replies if each is not None]


def _reply(
    meeting: Meeting, key: str, place: Line | None, status: str, own: Collection[str], now: float
) -> Message | None:
    component = itip.instance(meeting, key, place or Line("RECURRENCE-ID", key)) if key else meeting.main
    attendee = meeting.line_of(own, key) or meeting.line_of(own)
    if attendee is None or status not in _ANSWERS:
        return None
    return Message("REPLY", (meeting.organizer,), itip.answer(meeting, component, attendee, status, now))

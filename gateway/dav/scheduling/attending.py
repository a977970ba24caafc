"""What a guest's change means for the organizer: his answers (RFC 6638 3.2.2). Whom he sends in his place is invited.

RFC 5546 3.2.2.3: the organizer hears that he sends somebody; whom he sends gets the invitation from him, and tells both
what his own answer is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from gateway.convert.ical.delegation import DELEGATED, delegates, delegators, in_place_of
from gateway.convert.lines import Component, Line
from gateway.dav.scheduling import itip
from gateway.dav.scheduling.meeting import NEEDS_ACTION, SERVER, Meeting
from gateway.dav.scheduling.organizing import Message

_ANSWERS: Final = ("ACCEPTED", "DECLINED", "TENTATIVE", DELEGATED)


class _Answer(NamedTuple):
    """What a guest has said."""

    status: str
    """PARTSTAT; "" for who is not invited."""
    delegates: tuple[str, ...] = ()
    """Whom he sends."""


_DECLINED: Final = _Answer("DECLINED")


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
    invitations = _passed_on(old, new, found, own, now)
    if forced and not found and "" in new.components:
        found = {"": _said(new, own)}
    gone = _gone(old, new) if old is not None else {}
    replies = [_reply(new, key, None, said, own, now) for key, said in found.items()]
    if old is not None:
        replies += [_reply(old, key, place, _DECLINED, own, now) for key, place in gone.items()]
    return [each for each in (*replies, *invitations) if each is not None]


def _said(meeting: Meeting | None, own: Collection[str], key: str = "") -> _Answer:
    """A guest's answer; to send nobody is none."""
    if meeting is None:
        return _Answer(NEEDS_ACTION)
    status, line = meeting.status_of(own, key), meeting.line_of(own, key)
    if status != DELEGATED or line is None:
        return _Answer(status)
    sent = tuple(each for each in delegates(line) if each not in own)
    return _Answer(DELEGATED, sent) if sent else _Answer(NEEDS_ACTION)


def _changed(old: Meeting | None, new: Meeting, own: Collection[str]) -> dict[str, _Answer]:
    """The answers that are new, by component."""
    found: dict[str, _Answer] = {}
    whole, before = _said(new, own), _said(old, own)
    if "" in new.components and whole != before and whole.status in _ANSWERS:
        found[""] = whole
    for key in new.components:
        if not key:
            continue
        said = _said(new, own, key)
        known = _said(old, own, key) if old is not None and key in old.components else before
        if said.status in _ANSWERS and said not in (known, found.get("")):
            found[key] = said
    return found


def _passed_on(
    old: Meeting | None, new: Meeting, said: dict[str, _Answer], own: Collection[str], now: float
) -> list[Message]:
    """The invitations to those whom a guest sends since this change."""
    components: dict[str, list[str]] = {}
    for key, answer in said.items():
        known = _said(old, own, key if old is not None and key in old.components else "").delegates
        for address in answer.delegates:
            if address not in known and address != new.organizer:
                components.setdefault(address, []).append(key)
    found: list[Message] = []
    for address, keys in components.items():
        meeting = _with_guest(new, address, keys, own)
        view = meeting.view_of(address)
        if view is not None:
            found.append(Message("REQUEST", (address,), itip.request(meeting, view, now)))
    return found


def _with_guest(meeting: Meeting, address: str, keys: Collection[str], own: Collection[str]) -> Meeting:
    """The meeting with somebody among the guests of these components, in the place of their guest."""
    components: list[Component] = []
    for key, each in meeting.components.items():
        sender = meeting.line_of(own, key)
        lines = list(each.lines)
        if key in keys and sender is not None and address not in meeting.attendees(key):
            lines.append(in_place_of(sender, address))
        components.append(Component(each.name, lines, each.children))
    return Meeting(meeting.calendar, components)


def _gone(old: Meeting, new: Meeting) -> dict[str, Line]:
    """The instances that a guest took out of his copy of a series: he will not be there."""
    return {key: line for key, line in new.excluded.items() if key not in old.excluded}


def _declined(meeting: Meeting, own: Collection[str], now: float) -> list[Message]:
    """The replies of who deletes a meeting; not of who has sent somebody else, or does not come anyway."""
    keys = [""] if "" in meeting.components else list(meeting.components)
    keys = [key for key in keys if _said(meeting, own, key).status not in (_DECLINED.status, DELEGATED)]
    replies = (_reply(meeting, key, None, _DECLINED, own, now) for key in keys)
    return [each for each in replies if each is not None]


def _reply(
    meeting: Meeting, key: str, place: Line | None, said: _Answer, own: Collection[str], now: float
) -> Message | None:
    component = itip.instance(meeting, key, place or Line("RECURRENCE-ID", key)) if key else meeting.main
    attendee = meeting.line_of(own, key) or meeting.line_of(own)
    if attendee is None or said.status not in _ANSWERS:
        return None
    to = dict.fromkeys((meeting.organizer, *(each for each in delegators(attendee) if each not in own)))
    return Message("REPLY", tuple(to), itip.answer(meeting, component, attendee, said.status, now))

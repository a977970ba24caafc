"""Who the owner of a calendar is in a meeting: its organizer, a guest, or nobody (RFC 6638 3.1)."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from gateway.convert.ical import propids as ids
from gateway.convert.ical.values import number
from gateway.dav.scheduling.meeting import Meeting
from gateway.mapi.content import MessageContent
from gateway.mapi.times import to_unix

_DAY = 86_400


class Role(Enum):
    """The owner's part."""

    NONE = "none"
    ORGANIZER = "organizer"
    GUEST = "guest"


def role_in(meeting: Meeting | None, own: Collection[str]) -> Role:
    """The part of somebody with these addresses (in small letters)."""
    if meeting is None:
        return Role.NONE
    if meeting.organizer in own:
        return Role.ORGANIZER
    is_guest = any(meeting.line_of(own, key) is not None for key in meeting.components)
    return Role.GUEST if is_guest else Role.NONE


def is_over(content: MessageContent | None, now: float) -> bool:
    """Whether an event, with all its instances, has ended."""
    if content is None:
        return False
    recurring = bool(content.props.get(ids.RECUR))
    end = number(content.props, ids.CLIP_END if recurring else ids.END) or number(content.props, ids.START)
    # A clip end is a day as if it were UTC.
    return end is not None and to_unix(end) + (2 * _DAY if recurring else 0) < now


def may_come(last: int, now: float) -> bool:
    """Whether an event that ends at a Unix time, perhaps a day that was taken for one in UTC, may not be over yet."""
    return last + 2 * _DAY >= now

"""What an organizer's change means for his guests: who gets which message (RFC 6638 3.2.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.convert.lines import Line
from gateway.dav.scheduling import itip
from gateway.dav.scheduling.meeting import Meeting, View

#: With more instances than this cancelled at once, the whole series is sent instead.
_MOST_INSTANCES: Final = 5


@dataclass(frozen=True, slots=True)
class Message:
    """One iTIP message and those who get it (addresses in small letters)."""

    method: str
    recipients: tuple[str, ...]
    text: bytes


@dataclass(frozen=True, slots=True)
class _News:
    """What one guest has to hear."""

    request: View | None = None
    cancelled: View | None = None
    """What he was invited to, and is not any more."""
    instances: frozenset[str] = frozenset()
    """Single instances that are called off for him."""


def messages(
    old: Meeting | None,
    new: Meeting | None,
    own: Collection[str],
    now: float,
    forced: Collection[str] = (),
) -> list[Message]:
    """The messages of a change: made (no ``old``), changed, or deleted (no ``new``).

    ``own`` are the organizer's addresses, ``forced`` the guests whom the client wants to be told again.
    """
    groups: dict[_News, list[str]] = {}
    before = old.invited(own) if old is not None else []
    after = new.invited(own) if new is not None else []
    for guest in dict.fromkeys((*after, *before)):
        was = old.view_of(guest) if old is not None and guest in before else None
        is_now = new.view_of(guest) if new is not None and guest in after else None
        news = _news(old, new, was, is_now, forced=guest in forced)
        if news != _News() and not _is_others(old, new, guest, before, after):
            groups.setdefault(news, []).append(guest)
    sequence = max(new.sequence if new else 0, old.sequence + 1 if old else 0)
    return [each for news, guests in groups.items() for each in _of(old, new, news, guests, sequence, now)]


def _is_others(
    old: Meeting | None, new: Meeting | None, guest: str, before: list[str], after: list[str]
) -> bool:
    """Whether somebody stays invited but is not the server's to tell any more, or was not before he left."""
    stays = new is not None and guest not in after and new.view_of(guest) is not None
    return stays or (old is not None and guest not in before and guest not in after)


def _news(
    old: Meeting | None, new: Meeting | None, was: View | None, is_now: View | None, *, forced: bool
) -> _News:
    if is_now is None or new is None or new.is_cancelled:
        return _News(cancelled=was if old is not None and not old.is_cancelled else None)
    if was is None or old is None:
        return _News(request=is_now)
    gone = _gone(old, new, was, is_now)
    if forced or len(gone) > _MOST_INSTANCES or _changed(old, new, was, is_now):
        return _News(request=is_now, instances=frozenset() if is_now.whole else gone)
    return _News(instances=gone)


def _gone(old: Meeting, new: Meeting, was: View, is_now: View) -> frozenset[str]:
    """The instances that were somebody's and are not any more."""
    if was.whole and is_now.whole:
        return frozenset((new.excluded.keys() - old.excluded.keys() | is_now.without) - was.without)
    if was.whole:
        return frozenset()  # the series is taken back as a whole
    return was.instances - is_now.instances


def _changed(old: Meeting, new: Meeting, was: View, is_now: View) -> bool:
    """Whether somebody must be told what he is invited to."""
    if was.whole != is_now.whole or old.is_cancelled != new.is_cancelled:
        return True
    if is_now.whole and (old.meaning() != new.meaning() or old.excluded.keys() - new.excluded.keys()):
        return True
    if was.without - is_now.without - new.excluded.keys():
        return True
    for key in was.instances & is_now.instances:
        if old.meaning(key) != new.meaning(key):
            return True
    if any(not new.is_plain(key) for key in is_now.instances - was.instances):
        return True
    back = was.instances - is_now.instances - is_now.without - new.excluded.keys() if is_now.whole else ()
    return any(not old.is_plain(key) for key in back)


def _of(
    old: Meeting | None, new: Meeting | None, news: _News, guests: list[str], sequence: int, now: float
) -> Iterator[Message]:
    to = tuple(guests)
    if news.cancelled is not None and old is not None:
        yield Message("CANCEL", to, itip.cancellation(old, news.cancelled, to, sequence, now))
    if old is not None:
        for key in sorted(news.instances):
            text = itip.cancelled_instance(old, key, _place(old, new, key), to, sequence, now)
            yield Message("CANCEL", to, text)
    if news.request is not None and new is not None:
        yield Message("REQUEST", to, itip.request(new, news.request, now))


def _place(old: Meeting, new: Meeting | None, key: str) -> Line:
    """The RECURRENCE-ID of an instance that is gone."""
    for meeting in filter(None, (old, new)):
        component = meeting.components.get(key)
        line = component.first("RECURRENCE-ID") if component is not None else meeting.excluded.get(key)
        if line is not None:
            return line
    return Line("RECURRENCE-ID", key)

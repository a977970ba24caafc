"""What HTTP says of meetings: schedule tags in headers and preconditions, and their deletion (RFC 6638 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Final

from gateway.dav import hrefs, writing
from gateway.dav.errors import Answer, Refused
from gateway.dav.places import Place
from gateway.dav.rights import letters
from gateway.dav.scheduling import mailboxes, tag
from gateway.dav.scheduling.arrivals import INTERVAL
from gateway.dav.scheduling.put import Change, addresses_of
from gateway.dav.scheduling.roles import may_come
from gateway.dav.scheduling.scheduler import Scheduler
from gateway.dav.scope import RequestScope
from gateway.mapi.content import MessageContent

if TYPE_CHECKING:
    from gateway.dav.collection import Collection, StoredItem

#: What may change when a user is busy, by the number of parts of the path: a collection, an item.
_CHANGING: Final = {2: ("DELETE", "PROPPATCH"), 3: ("PUT", "DELETE", "MOVE", "COPY")}

#: Meetings of a deleted calendar that are read in one call.
_PORTION: Final = 100


def take_arrivals(scope: RequestScope, method: str, path: str) -> None:
    """See to what came in before the user's own collections are shown, or an item that the Inbox was about."""
    parts = hrefs.split_path(path)
    if not parts or parts[0] != scope.user:
        return
    if method in ("PROPFIND", "REPORT"):
        scope.take_arrivals(0.0 if len(parts) > 1 and parts[1] == mailboxes.INBOX else INTERVAL)
    elif method in ("GET", "HEAD"):
        scope.take_arrivals(inf)


def note_written(scope: RequestScope, method: str, path: str, status: int) -> None:
    """See to it that others learn when the user is busy, after a change of his own collections."""
    parts = hrefs.split_path(path)
    if method not in _CHANGING.get(len(parts), ()) or status >= 300 or parts[0] != scope.user:
        return
    place = scope.place(parts[0], parts[1])
    if place is None or (place.is_own and place.kind.name == "calendar"):
        scope.calendar_changed()


def tag_headers(scope: RequestScope, path: str, body: bytes) -> dict[str, str]:
    """The Schedule-Tag of an item that is answered."""
    parts = hrefs.split_path(path)
    if not scope.shared.schedules or len(parts) != 3 or b"ATTENDEE" not in body:
        return {}
    place = scope.place(parts[0], parts[1])
    if place is None or place.kind.name != "calendar":
        return {}
    found = tag.tag_of(body, addresses_of(scope.rendering(place).ical))
    return {tag.HEADER: found} if found else {}


def tagger(scope: RequestScope, place: Place) -> Callable[[str], str] | None:
    """What gives the tags of a collection's items; None where there are no meetings."""
    if not scope.shared.schedules or place.kind.name != "calendar":
        return None
    own = cache(lambda: addresses_of(scope.rendering(place).ical))
    return lambda text: tag.tag_of(text.encode(), own())


def check_tag(collection: Collection, item: StoredItem | None, headers: Mapping[str, str]) -> None:
    """If-Schedule-Tag-Match (RFC 6638 8.3; Refused)."""
    wanted = headers.get("if-schedule-tag-match", "")
    if not wanted:
        return
    own = addresses_of(collection.scope.rendering(collection.place).ical)
    found = tag.tag_of(item.serialize().encode(), own) if item is not None else ""
    if not tag.matches(wanted, found):
        raise Refused(412, "", "the meeting is not (any more) the one that you mean")


def delete(
    scope: RequestScope, collection: Collection, item: StoredItem, headers: Mapping[str, str]
) -> Answer | None:
    """DELETE of a meeting; None for an item that is none."""
    place = collection.place
    if not scope.shared.schedules or place.kind.name != "calendar" or "w" not in letters(place):
        return None
    writing.refuse_private(place, item.entry)
    existing = scope.content(place, item.entry)
    if existing is None or not existing.recipients:
        return None
    scheduler = Scheduler(scope, headers)
    change = scheduler.deletion(place, existing)
    scheduler.carry_out(change, lambda: writing.delete_entry(scope, place, item.entry))
    return Answer(204)


def delete_collection(collection: Collection, headers: Mapping[str, str]) -> None:
    """DELETE of a calendar: guests and organizers are told as if each meeting in it was deleted (RFC 6638 3.2.3.2)."""
    scope, place = collection.scope, collection.place
    writing.home_to_delete_from(place)
    scheduler = Scheduler(scope, headers)
    messages: list[MessageContent] = []
    if scheduler.is_scheduled(place):
        entries = [*collection.need_times().by_key.values()]  # at once: the reactor may change them
        coming = [each for each in entries if may_come(each.last, scheduler.now)]
        for start in range(0, len(coming), _PORTION):
            for existing in scope.contents(place, coming[start : start + _PORTION]):
                messages += scheduler.deletion(place, existing).messages
    scheduler.carry_out(Change(None, messages), lambda: writing.delete_place(scope, place))
    scope.stale()

"""PUT of one item (RFC 4791 5.3.2, RFC 6352 6.3.2): what must hold, what is stored, what is said to others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from gateway.convert.errors import OrganizersOnly, ParseError
from gateway.dav import hrefs, writing
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.components import check_body
from gateway.dav.errors import Answer, Refused
from gateway.dav.rights import letters
from gateway.dav.scheduling import resources, tag
from gateway.dav.scheduling.scheduler import Scheduler


def put(collection: Collection, href: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Store a body, merged into what is there. ``headers`` have names in small letters.

    The answer has no ETag: what is stored is never byte for byte what was sent (RFC 4791 5.3.4).
    """
    place = collection.place
    if not hrefs.is_name(href):
        raise Refused(403, "", "no item can have this name")
    if "w" not in letters(place):
        raise Refused(403, "D:need-privileges", "you may not write here")
    writing.refuse_mailbox(place)
    item = collection.item(href)
    check_conditions(collection, item, headers)
    _, uid = check_body(place.kind, body)
    conflict = f"{place.kind.precondition}:no-uid-conflict"
    if item is None and uid and uid in collection.listing.by_uid:
        raise Refused(409, conflict, quote(f"/{collection.path}/{collection.listing.by_uid[uid].href}"))
    if item is not None:
        if uid and uid != item.entry.uid:
            raise Refused(409, conflict, "an item keeps its UID")
        writing.refuse_private(place, item.entry)
    return _stored(collection, href, item, body, headers)


def _stored(
    collection: Collection, href: str, item: StoredItem | None, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Store the body as a new item, or in the place of one, and send what it says to others."""
    scope, place = collection.scope, collection.place
    existing = scope.content(place, item.entry) if item is not None else None
    scheduler = Scheduler(scope, headers)
    change = scheduler.put(place, existing, body, partial(_converted, collection))
    content: Any = change.content
    if item is None:
        scheduler.carry_out(change, lambda: writing.create(scope, place, href, content))
    else:
        scheduler.carry_out(change, lambda: writing.replace(scope, place, item.entry, content))
    return Answer(201 if item is None else 204, {tag.HEADER: change.tag} if change.tag else {})


def _converted(collection: Collection, body: bytes, existing: Any) -> Any:
    """The item of a body (Refused with the precondition that it breaks)."""
    place, scope = collection.place, collection.scope
    try:
        return scope.rendering(place).read(body, existing, scope.shared.now())
    except OrganizersOnly as error:
        raise Refused(403, "C:allowed-attendee-scheduling-object-change", str(error)) from error
    except ParseError as error:
        kind = "valid-calendar-data" if place.kind.is_calendar else "valid-address-data"
        raise Refused(403, f"{place.kind.precondition}:{kind}", str(error)) from error


def check_conditions(collection: Collection, item: StoredItem | None, headers: Mapping[str, str]) -> None:
    """If-Match, If-None-Match (RFC 9110 13.1) and If-Schedule-Tag-Match (RFC 6638 8.3; Refused)."""
    match, none_match = headers.get("if-match", ""), headers.get("if-none-match", "")
    if match and (item is None or not matches(match, item.entry.etag)):
        raise Refused(412, "", "the item is not (any more) the one that you mean")
    if none_match and item is not None and matches(none_match, item.entry.etag):
        raise Refused(412, "", "there is an item already")
    resources.check_tag(collection, item, headers)


def matches(header: str, etag: str) -> bool:
    """Whether a list of ETags has one; clients forget the quotes."""
    wanted = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in wanted or etag in wanted or etag.strip('"') in wanted

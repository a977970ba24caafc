"""PUT of one item (RFC 4791 5.3.2, RFC 6352 6.3.2): what must hold, what is stored, what is said to others."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from gateway.convert.errors import OrganizersOnly, ParseError
from gateway.dav import attachments, hrefs, writing
from gateway.dav.asked import Asked, matches
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.components import check_body
from gateway.dav.entries import Entry
from gateway.dav.errors import Answer, Refused
from gateway.dav.rights import letters
from gateway.dav.scheduling import resources, tag
from gateway.dav.scheduling.put import Convert
from gateway.dav.scheduling.scheduler import Scheduler
from gateway.dav.texts import load_whole
from gateway.mapi.content import MessageContent
from gateway.mapiclient.message import LoadedMessage


def put(collection: Collection, href: str, asked: Asked) -> Answer:
    """Store a body, merged into what is there.

    The answer has no ETag: what is stored is never byte for byte what was sent (RFC 4791 5.3.4). A client that does
    not want to ask again says so (RFC 8144 3).
    """
    place, body, headers = collection.place, asked.body, asked.headers
    if not hrefs.is_name(href):
        raise Refused(403, "", "no item can have this name")
    if "w" not in letters(place):
        raise Refused(403, "D:need-privileges", "you may not write here")
    writing.refuse_mailbox(place)
    if len(body) > collection.scope.shared.options.max_resource:
        raise Refused(403, f"{place.kind.precondition}:max-resource-size", "the item is too large")
    item, loaded = collection.look(href)
    if item is None:
        collection.refuse_hidden(href)
    try:
        check_conditions(collection, item, headers)
    except Refused as error:
        if item is None or not asked.representation:
            raise
        return representation(item, Answer(error.status))
    _, uid = check_body(place.kind, body)
    if item is None and uid and uid in collection.listing.by_uid:
        collection.refuse_uid(uid, "the collection has an item of this UID already")
    if item is not None:
        if uid and uid != item.entry.uid:
            collection.refuse_uid(uid, "an item keeps its UID", href)
        writing.refuse_private(place, item.entry)
        loaded = loaded or _loaded(collection, item.entry)
    done = _stored(collection, href, item, loaded, asked)
    if not asked.representation:
        return done
    stored = Collection(collection.scope, collection.path.partition("/")[0], place).item(href)
    return representation(stored, done) if stored is not None else done


def _loaded(collection: Collection, entry: Entry) -> LoadedMessage | None:
    scope = collection.scope
    return scope.wait(lambda: load_whole(scope.session_of(collection.place), entry))


def _stored(
    collection: Collection, href: str, item: StoredItem | None, loaded: LoadedMessage | None, asked: Asked
) -> Answer:
    """Store the body as a new item, or in the place of one, and send what it says to others."""
    scope, place = collection.scope, collection.place
    existing = loaded.content if loaded is not None else None
    scheduler = Scheduler(scope, asked.headers)
    body = attachments.without_gone(asked.body, existing)
    change = scheduler.put(place, existing, body, converter(collection, existing))
    content: Any = change.content
    if item is None:
        scheduler.carry_out(change, lambda: writing.create(scope, place, href, content))
    else:
        # What is sent takes its time: whether the item is still the same is asked once more after it.
        seen = None if change.messages else loaded
        scheduler.carry_out(change, lambda: writing.replace(scope, place, item.entry, content, seen))
    # The files of a new item have no addresses yet: its text, and so its tag, are others when it is read.
    told = change.tag if item is not None or not content.attachments else ""
    return Answer(201 if item is None else 204, {tag.HEADER: told} if told else {})


def converter(collection: Collection, existing: MessageContent | None) -> Convert:
    """What makes items of texts that clients put in the place of ``existing`` (Refused with the broken precondition)."""
    named = attachments.Named(collection, existing) if collection.place.kind.is_calendar else None
    return partial(_converted, collection, named)


def _converted(
    collection: Collection, named: attachments.Named | None, body: bytes, existing: MessageContent | None
) -> MessageContent:
    """The item of a body."""
    place, scope = collection.place, collection.scope
    try:
        content = scope.rendering(place).read(body, existing, scope.shared.now(), named)
        return content if named is None else attachments.keyed(content)
    except OrganizersOnly as error:
        raise Refused(403, "C:allowed-attendee-scheduling-object-change", str(error)) from error
    except ParseError as error:
        kind = "valid-calendar-data" if place.kind.is_calendar else "valid-address-data"
        raise Refused(403, f"{place.kind.precondition}:{kind}", str(error)) from error


def check_conditions(collection: Collection, item: StoredItem | None, headers: Mapping[str, str]) -> None:
    """If-Match, If-None-Match, If-Unmodified-Since (RFC 9110 13.1) and If-Schedule-Tag-Match (RFC 6638 8.3; Refused)."""
    match, none_match = headers.get("if-match", ""), headers.get("if-none-match", "")
    if match and (item is None or not matches(match, item.entry.etag)):
        raise Refused(412, "", "the item is not (any more) the one that you mean")
    if none_match and item is not None and matches(none_match, item.entry.etag):
        raise Refused(412, "", "there is an item already")
    if item is not None and not match and _changed_since(item, headers.get("if-unmodified-since", "")):
        raise Refused(412, "", "the item has changed since")
    resources.check_tag(collection, item, headers)


def _changed_since(item: StoredItem, header: str) -> bool:
    """Whether an item is younger than a date says; what is no date says nothing (RFC 9110 13.1.4)."""
    try:
        return parsedate_to_datetime(str(item.last_modified)) > parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return False


def representation(item: StoredItem, answer: Answer) -> Answer:
    """An answer that tells the item as it is now."""
    collection: Any = item.collection
    answer.status = 200 if answer.status == 204 else answer.status
    answer.headers |= {
        "Content-Type": collection.place.kind.content_type,
        "Content-Location": quote(f"/{collection.path}/{item.href}"),
        "ETag": item.entry.etag,
        "Preference-Applied": "return=representation",
        "Vary": "Prefer",
    }
    answer.body = item.serialize().encode()
    return answer

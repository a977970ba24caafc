"""MOVE and COPY of items (RFC 4918 9.8, 9.9): an item is always in one place or the other, whatever fails."""

from __future__ import annotations

from typing import Final

from gateway.dav import hrefs, writing
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.entries import Entry
from gateway.dav.errors import Refused
from gateway.dav.places import Place
from gateway.dav.rights import letters
from gateway.dav.scope import RequestScope
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapiclient.message import copy_messages, delete_messages

_CONFLICT: Final = "no-uid-conflict"


def check(source: StoredItem, target: Collection, href: str, *, overwrite: bool, keep: bool) -> None:
    """Whether an item may go there (Refused); ``keep`` leaves it where it is too."""
    origin = source.place_collection
    place, kind = target.place, target.place.kind
    writing.refuse_private(origin.place, source.entry)
    writing.refuse_mailbox(origin.place)
    writing.refuse_mailbox(place)
    if not hrefs.is_name(href):
        raise Refused(403, "", "no item can have this name")
    if "w" not in letters(place) or not (keep or "w" in letters(origin.place)):
        raise Refused(403, "D:need-privileges", "you may not write here")
    if source.entry.component not in kind.components:
        wrong = "supported-calendar-component" if kind.is_calendar else "supported-address-data"
        raise Refused(
            403, f"{kind.precondition}:{wrong}", f"this collection holds {', '.join(kind.components)}"
        )
    same_place = origin.place.source_key == place.source_key
    existing = target.item(href)
    if existing is not None and same_place and existing.entry.source_key == source.entry.source_key:
        raise Refused(403, "", "source and destination are the same")
    if existing is not None and not overwrite:
        raise Refused(412, "", "there is an item already")
    if existing is not None and existing.entry.uid != source.entry.uid:
        raise Refused(409, f"{kind.precondition}:{_CONFLICT}", "an item keeps its UID")
    other = target.listing.by_uid.get(source.entry.uid)
    if existing is None and other is not None and (keep or not same_place):
        raise Refused(
            409, f"{kind.precondition}:{_CONFLICT}", f"the collection has this UID under {other.href}"
        )


def transfer(source: StoredItem, target: Collection, href: str, *, keep: bool) -> bool:
    """Move or copy what `check` allowed; True when something was replaced."""
    origin = source.place_collection
    scope, entry, existing = origin.scope, source.entry, target.item(href)
    if not keep and _same_store(origin.place, target.place):
        scope.wait(lambda: _moved(scope, origin.place, entry, target.place, href))
    else:
        _copied(scope, origin.place, entry, target.place, href, keep=keep)
    if existing is not None:
        scope.wait(lambda: writing.delete_entry(scope, target.place, existing.entry))
    return existing is not None


def _same_store(one: Place, other: Place) -> bool:
    return (
        one.home is not None and other.home is not None and one.home.store.entryid == other.home.store.entryid
    )


async def _moved(scope: RequestScope, source: Place, entry: Entry, target: Place, href: str) -> None:
    """Have the store move it, which is one transaction; a new name is given before, and taken back if that fails."""
    renamed = entry.href != href or entry.href == hrefs.key_href(entry.source_key, source.kind.suffix)
    if renamed:
        await writing.rename(scope, source, entry, href)
    if source.source_key == target.source_key:
        return
    try:
        done = await copy_messages(scope.session_of(source), [entry.entryid], target.entryid, move=True)
        if not done:
            raise NoAccess("the item could not be moved")
    except BaseException:
        if renamed:
            await writing.rename(scope, source, entry, entry.href)
        raise


def _copied(scope: RequestScope, source: Place, entry: Entry, target: Place, href: str, *, keep: bool) -> None:
    """Save all of it as a new item; only when that is done the old one goes."""
    content = scope.content(source, entry)
    if content is None:
        raise NotFound("the item is gone")
    content.props.pop(pr.PR_SOURCE_KEY, None)
    content.props.pop(pr.PR_ENTRYID, None)
    scope.wait(lambda: writing.create(scope, target, href, content))
    if not keep and not scope.wait(lambda: delete_messages(scope.session_of(source), [entry.entryid])):
        raise NoAccess("the item was copied, but could not be taken away from where it was")

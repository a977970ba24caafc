"""MOVE and COPY (RFC 4918 9.8, 9.9): an item is always in one place or the other, whatever fails; collections are renamed."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.dav import hrefs, writing
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.entries import Entry
from gateway.dav.errors import Refused
from gateway.dav.places import Place
from gateway.dav.rights import letters
from gateway.dav.scheduling import resources
from gateway.dav.scope import RequestScope
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError, NoAccess, NotFound
from gateway.mapi.propnames import DAV_FOLDER_NAME
from gateway.mapi.props import NamedProps
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.message import copy_messages, delete_messages, set_props


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
    if existing is None:
        target.refuse_hidden(href)
    if existing is not None and same_place and existing.entry.source_key == source.entry.source_key:
        raise Refused(403, "", "source and destination are the same")
    if existing is not None and not overwrite:
        raise Refused(412, "", "there is an item already")
    if existing is not None and not (place.is_owned or place.rights & Rights.DELETE_ANY):
        raise Refused(403, "D:need-privileges", "you may not take away what is there")
    if existing is not None and existing.entry.uid != source.entry.uid:
        target.refuse_uid(source.entry.uid, "an item keeps its UID", href)
    other = target.listing.by_uid.get(source.entry.uid)
    if existing is None and other is not None and (keep or not same_place):
        target.refuse_uid(source.entry.uid, "the collection has an item of this UID already")


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
    copy = scope.wait(lambda: writing.create(scope, target, href, content))
    if not keep:
        scope.wait(lambda: _taken_away(scope, source, entry, target, copy))


async def _taken_away(scope: RequestScope, source: Place, entry: Entry, target: Place, copy: bytes) -> None:
    """Take the moved item away; where that is not allowed its copy goes again (NoAccess)."""
    try:
        if not await delete_messages(scope.session_of(source), [entry.entryid]):
            raise NoAccess("the item cannot be taken away from where it is")
    except MapiError:
        await delete_messages(scope.session_of(target), [copy])
        raise


def relocate(source: Collection, path: str, there: object, headers: Mapping[str, str]) -> None:
    """Give a collection of the user's own another address in his home, in the place of ``there`` (Refused).

    What was there is deleted (RFC 4918 9.9.3): of its meetings people are told.
    """
    scope, place, parts = source.scope, source.place, hrefs.split_path(path)
    if not place.is_own or place.kind.is_mailbox:
        raise Refused(403, "D:need-privileges", "only your own collections can be moved")
    if len(parts) != 2 or parts[0] != scope.user or not hrefs.is_name(parts[1]):
        where = "C:calendar-collection-location-ok" if place.kind.is_calendar else ""
        raise Refused(403, where, "collections lie directly in your own home")
    if there is not None and not isinstance(there, Collection):
        raise Refused(403, "", "this place is taken")
    if there is not None and there.place.source_key == place.source_key:
        raise Refused(403, "", "source and destination are the same")
    if there is not None:
        if not there.place.is_own:
            raise Refused(403, "D:need-privileges", "the collection there is not yours")
        resources.delete_collection(there, headers)
    scope.wait(lambda: _relocated(scope, place, parts[1]))
    scope.stale()


async def _relocated(scope: RequestScope, place: Place, name: str) -> None:
    """The folder with another name for clients; its title stays."""
    session, store = scope.session_of(place), place.home.store.entryid if place.home else b""
    props: NamedProps = {DAV_FOLDER_NAME: name}
    await set_props(session, store, place.entryid, place.server_id, props, object_type=ObjectType.FOLDER)

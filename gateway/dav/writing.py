"""Writing: items and folders made, changed, moved and deleted. Coroutines over the store; no HTTP in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gateway.dav import hrefs, properties
from gateway.dav.entries import Entry
from gateway.dav.errors import Refused
from gateway.dav.kinds import CONTAINER_CLASSES, Kind
from gateway.dav.places import Home, Place, store_guid
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import Collision, NoAccess, NotFound
from gateway.mapi.propnames import DAV_FOLDER_NAME, DAV_RESOURCE_NAME
from gateway.mapi.props import NamedProps
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.folder import create_folder, delete_folder, load_props, move_folder
from gateway.mapiclient.message import (
    LoadedMessage,
    copy_messages,
    delete_messages,
    save_new_message,
    set_props,
)
from gateway.mapiclient.replacing import Outdated, replace_message

if TYPE_CHECKING:
    from gateway.dav.scope import RequestScope

_MOST_NAMES: Final = 100


def refuse_private(place: Place, entry: Entry) -> None:
    """Private items of others cannot be changed (Refused)."""
    if entry.private and not place.sees_private:
        raise Refused(403, "D:need-privileges", "the item is private")


def refuse_mailbox(place: Place) -> None:
    """Only the server puts messages into the mailboxes for scheduling, and nothing is taken out but deleted (Refused)."""
    if place.kind.is_mailbox:
        raise Refused(403, "", "only the server moves messages for scheduling")


# Items


async def create(scope: RequestScope, place: Place, href: str, content: MessageContent) -> bytes:
    """Put a new item into a collection, under the client's name; its entry id."""
    content.props[DAV_RESOURCE_NAME] = hrefs.stored_name(href, place.kind.suffix)
    session = scope.session_of(place)
    saved = await save_new_message(session, place.entryid, store_guid(place), content)
    if pr.PR_CHANGE_KEY in saved.props and pr.PR_SOURCE_KEY in saved.props:
        props = content.props | saved.props | {pr.PR_ENTRYID: saved.entryid}
        await scope.shared.listings.saved(session, place, props)
    return saved.entryid


async def replace(
    scope: RequestScope,
    place: Place,
    entry: Entry,
    content: MessageContent,
    seen: LoadedMessage | None = None,
) -> None:
    """Give an item other content (Outdated when it is not any more the one that was listed, or gone).

    ``seen`` is the item of somebody who read it a moment ago; without it the store is asked once more.
    """
    store = place.home.store.entryid if place.home else b""
    before = bytes.fromhex(entry.etag.strip('"'))
    session = scope.session_of(place)
    try:
        saved = await replace_message(
            session, store, entry.entryid, content, before, seen.tree if seen else None
        )
    except NotFound:
        raise Outdated from None
    if pr.PR_CHANGE_KEY in saved:
        props = content.props | saved | {pr.PR_ENTRYID: entry.entryid, pr.PR_SOURCE_KEY: entry.source_key}
        await scope.shared.listings.saved(session, place, props)


async def delete_entry(scope: RequestScope, place: Place, entry: Entry) -> None:
    """Move an item to its owner's wastebasket; where there is none, or no right, it can still be recovered."""
    session = scope.session_of(place)
    basket = place.home.wastebasket if place.home else b""
    if basket and await _moved(scope, place, entry, basket):
        return
    if not await delete_messages(session, [entry.entryid]):
        raise NoAccess("the item could not be deleted")


async def _moved(scope: RequestScope, place: Place, entry: Entry, target: bytes) -> bool:
    try:
        return await copy_messages(scope.session_of(place), [entry.entryid], target, move=True)
    except (NoAccess, NotFound):
        return False


async def rename(scope: RequestScope, place: Place, entry: Entry, href: str) -> None:
    """Give an item another href."""
    session = scope.session_of(place)
    _, server_id = await load_props(session, entry.entryid)
    props: NamedProps = {DAV_RESOURCE_NAME: hrefs.stored_name(href, place.kind.suffix)}
    store = place.home.store.entryid if place.home else b""
    await set_props(session, store, entry.entryid, server_id, props)


# Folders


async def create_place(scope: RequestScope, name: str, kind: Kind, props: Mapping[str, str]) -> None:
    """Make a folder in the user's own store for a client's new collection."""
    home = await scope.homes.own()
    session = home.store.session
    title = props.get("D:displayname", "").strip() or name
    entryid = await _new_folder(scope, home.store.ipm_subtree, title)
    _, server_id = await load_props(session, entryid)
    changes: NamedProps = {
        pr.PR_CONTAINER_CLASS: CONTAINER_CLASSES[kind.name],
        DAV_FOLDER_NAME: name,
        **properties.stored_of(props),
    }
    comment = props.get("C:calendar-description") or props.get("CR:addressbook-description")
    if comment:
        changes[pr.PR_COMMENT] = comment
    try:
        await set_props(session, home.store.entryid, entryid, server_id, changes, object_type=ObjectType.FOLDER)
    except BaseException:
        await delete_folder(session, entryid, hard=True)
        raise


async def _new_folder(scope: RequestScope, parent: bytes, title: str) -> bytes:
    """A new folder of a name that is free: clients may give two calendars the same one."""
    for number in range(1, _MOST_NAMES):
        try:
            return await create_folder(scope.session, parent, _numbered(title, number))
        except Collision:
            continue
    raise Collision(f"there are too many folders {title!r}")


def _numbered(title: str, number: int) -> str:
    return title if number == 1 else f"{title} {number}"


async def change_place(scope: RequestScope, place: Place, props: Mapping[str, str]) -> None:
    """Make a collection have these properties."""
    if place.home is None:
        raise NoAccess("the global address book cannot be changed")
    changes = properties.changes_of(place, props)
    if not changes:
        return
    session, store = scope.session_of(place), place.home.store.entryid
    await set_props(session, store, place.entryid, place.server_id, changes, object_type=ObjectType.FOLDER)


async def change_personal(scope: RequestScope, place: Place, props: Mapping[str, str]) -> None:
    """Make another's collection have these properties for the user alone; they lie in his own store."""
    if place.home is None:
        raise NoAccess("the global address book cannot be changed")
    own = await scope.homes.own()
    await scope.homes.places(0.0)
    personal = {**scope.homes.personal, place.source_key.hex(): properties.personal_of(place, props)}
    kept = properties.personal_text({key: value for key, value in personal.items() if value})
    session, entryid = own.store.session, own.store.ipm_subtree
    _, server_id = await load_props(session, entryid)
    await set_props(session, own.store.entryid, entryid, server_id, kept, object_type=ObjectType.FOLDER)


def home_to_delete_from(place: Place) -> Home:
    """The home of a collection that its owner can be without (Refused)."""
    if place.home is None or place.is_default:
        wrong = "C:default-calendar-needed" if place.kind.is_calendar else "D:cannot-modify-protected-property"
        raise Refused(403, wrong, f"{place.title} cannot be deleted")
    return place.home


async def delete_place(scope: RequestScope, place: Place) -> None:
    """Move a collection to the wastebasket of its store, or delete it where there is none (NoAccess, Refused)."""
    basket, session = home_to_delete_from(place).wastebasket, scope.session_of(place)
    if not basket:
        await delete_folder(session, place.entryid, folders=True)
        return
    for number in range(1, _MOST_NAMES):
        try:
            await move_folder(session, place.entryid, basket, _numbered(place.title, number))
        except Collision:
            continue
        return
    await delete_folder(session, place.entryid, folders=True)

r"""Special folders: which folder of a store plays which part in mail (RFC 6154), from the store's properties.

The store names sent items and deleted items on its own object; drafts, the archive and junk on the Inbox and on the
root folder (MS-OXOSFLD 2.2.3, 2.2.4). A part is given to a folder by naming it there, so that every other program sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.props import Props, PropTag
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import set_props
from gateway.mapiclient.store import Store

SENT: Final = "\\Sent"
TRASH: Final = "\\Trash"
DRAFTS: Final = "\\Drafts"
JUNK: Final = "\\Junk"
ARCHIVE: Final = "\\Archive"

#: Position of the junk folder in PR_ADDITIONAL_REN_ENTRYIDS (MS-OXOSFLD 2.2.4).
_JUNK_INDEX: Final = 4
_ON_STORE: Final[dict[str, PropTag]] = {
    SENT: pr.PR_IPM_SENTMAIL_ENTRYID,
    TRASH: pr.PR_IPM_WASTEBASKET_ENTRYID,
}
_ON_INBOX: Final[dict[str, PropTag]] = {DRAFTS: pr.PR_IPM_DRAFTS_ENTRYID, ARCHIVE: pr.PR_IPM_ARCHIVE_ENTRYID}
#: Parts that a folder can be given; the store has no folders that show all or all flagged messages.
USES: Final = frozenset({*_ON_STORE, *_ON_INBOX, JUNK})


class UseImpossible(Exception):
    """A mailbox cannot be given this special use; the text says why."""


def special_folders(store: Props, inbox: Props) -> dict[bytes, str]:
    """Entry id to special-use attribute, from the properties of a store and of its Inbox."""
    found: dict[bytes, str] = {}
    others: Sequence[bytes] = inbox.get(pr.PR_ADDITIONAL_REN_ENTRYIDS) or ()
    for entryid, use in (
        *((store.get(tag), use) for use, tag in _ON_STORE.items()),
        *((inbox.get(tag), use) for use, tag in _ON_INBOX.items()),
        (others[_JUNK_INDEX] if len(others) > _JUNK_INDEX else None, JUNK),
    ):
        if entryid:
            found.setdefault(entryid, use)
    return found


async def designate(store: Store, inbox: bytes, use: str, folder: bytes) -> None:
    """Make a folder the one with this use (one of `USES`), in place of another; an empty entry id makes it none."""
    if use in _ON_STORE:
        tag = _ON_STORE[use]
        await store.set_props({tag: folder})
        store.props[tag] = folder
        return
    for holder in (inbox, store.root):
        props, server_id = await load_props(store.session, holder)
        await set_props(
            store.session,
            store.entryid,
            holder,
            server_id,
            _named(use, folder, props),
            object_type=ObjectType.FOLDER,
        )


def _named(use: str, folder: bytes, props: Props) -> Props:
    """What a folder that names special folders must say."""
    if use in _ON_INBOX:
        return {_ON_INBOX[use]: folder}
    others = list(props.get(pr.PR_ADDITIONAL_REN_ENTRYIDS) or ())
    others += [b""] * (_JUNK_INDEX + 1 - len(others))
    others[_JUNK_INDEX] = folder
    return {pr.PR_ADDITIONAL_REN_ENTRYIDS: tuple(others)}

"""Stores: a user's own, somebody else's, the public one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapi.ids import without_server
from gateway.mapi.props import NamedProps, PropKey, Props
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import set_props
from gateway.mapiclient.wire.calls_folder import GetReceiveFolder
from gateway.mapiclient.wire.calls_store import (
    GetPublicStore,
    GetStore,
    GetStoreReply,
    ResolveStore,
    ResolveUserStore,
)

_PRIVATE: Final = 1
_ARCHIVE: Final = 4


class Special(StrEnum):
    """The folders of a private store that every client knows."""

    ROOT = "root"
    SUBTREE = "subtree"
    INBOX = "inbox"
    OUTBOX = "outbox"
    SENT = "sent"
    TRASH = "trash"
    DRAFTS = "drafts"
    JUNK = "junk"
    CALENDAR = "calendar"
    CONTACTS = "contacts"
    TASKS = "tasks"
    NOTES = "notes"
    JOURNAL = "journal"
    FINDER = "finder"
    VIEWS = "views"
    COMMON_VIEWS = "common-views"


#: Where each is named (MS-OXOSFLD 2.2, with Kopano's store object in the place of the logon).
_ON_STORE: Final = {
    Special.SUBTREE: pr.PR_IPM_SUBTREE_ENTRYID,
    Special.OUTBOX: pr.PR_IPM_OUTBOX_ENTRYID,
    Special.SENT: pr.PR_IPM_SENTMAIL_ENTRYID,
    Special.TRASH: pr.PR_IPM_WASTEBASKET_ENTRYID,
    Special.FINDER: pr.PR_FINDER_ENTRYID,
    Special.VIEWS: pr.PR_VIEWS_ENTRYID,
    Special.COMMON_VIEWS: pr.PR_COMMON_VIEWS_ENTRYID,
}
_ON_INBOX: Final = {
    Special.DRAFTS: pr.PR_IPM_DRAFTS_ENTRYID,
    Special.CALENDAR: pr.PR_IPM_APPOINTMENT_ENTRYID,
    Special.CONTACTS: pr.PR_IPM_CONTACT_ENTRYID,
    Special.TASKS: pr.PR_IPM_TASK_ENTRYID,
    Special.NOTES: pr.PR_IPM_NOTE_ENTRYID,
    Special.JOURNAL: pr.PR_IPM_JOURNAL_ENTRYID,
}
_JUNK_INDEX: Final = 4


@dataclass(frozen=True, slots=True)
class Store:
    """An opened store with its properties."""

    session: Caller
    entryid: bytes
    root: bytes
    guid: bytes
    props: Props
    server_id: int

    @classmethod
    async def default(cls, session: Caller) -> Store:
        """The session user's own store (NotFound when there is none)."""
        return await cls._load(*await session.follow(GetStore()))

    @classmethod
    async def of_user(cls, session: Caller, name: str, *, archive: bool = False) -> Store:
        """Another user's store, or archive, by login name (NotFound). Opening needs no right, looking inside does."""
        call = ResolveUserStore(user_name=name, store_type_mask=_ARCHIVE if archive else _PRIVATE)
        session, found = await session.follow(call)
        return await cls.by_entryid(session, found.store_id)

    @classmethod
    async def of_guid(cls, session: Caller, guid: bytes) -> Store:
        """The store of a GUID, 16 bytes (NotFound)."""
        session, found = await session.follow(ResolveStore(store_guid=guid))
        return await cls.by_entryid(session, found.store_id)

    @classmethod
    async def public(cls, session: Caller) -> Store:
        """The public store (NotFound when the server has none)."""
        return await cls._load(*await session.follow(GetPublicStore()))

    @classmethod
    async def by_entryid(cls, session: Caller, entryid: bytes) -> Store:
        """The store of an entry id."""
        return await cls._load(*await session.follow(GetStore(entryid=without_server(entryid))))

    @classmethod
    async def _load(cls, session: Caller, found: GetStoreReply) -> Store:
        props, server_id = await load_props(session, found.store_id)
        return cls(session, found.store_id, found.root_id, found.guid, props, server_id)

    @property
    def ipm_subtree(self) -> bytes:
        """The top of the visible tree (NotFound when the store is not set up)."""
        found: bytes | None = self.props.get(pr.PR_IPM_SUBTREE_ENTRYID)
        if not found:
            raise NotFound("the store has no visible folder tree")
        return found

    async def receive_folder(self, message_class: str = "IPM") -> bytes:
        """The folder that receives messages of a class: the Inbox for mail (NotFound in public stores)."""
        reply = await self.session.call(GetReceiveFolder(store_id=self.entryid, message_class=message_class))
        if reply.receive_folder is None or not reply.receive_folder.entryid:
            raise NotFound(f"no folder receives {message_class}")
        return reply.receive_folder.entryid

    async def special_folders(self) -> dict[Special, bytes]:
        """Which folder plays which part, those that there are. Two calls."""
        found = {Special.ROOT: self.root} | {
            part: self.props[tag] for part, tag in _ON_STORE.items() if self.props.get(tag)
        }
        with suppress(NotFound):
            found[Special.INBOX] = await self.receive_folder()
        # The root names the same ones, for those who may not look into the Inbox.
        for holder in (found.get(Special.INBOX), self.root):
            try:
                props = (await load_props(self.session, holder))[0] if holder else {}
            except (NoAccess, NotFound):
                continue
            others: Sequence[bytes] = props.get(pr.PR_ADDITIONAL_REN_ENTRYIDS) or ()
            named = {part: props[tag] for part, tag in _ON_INBOX.items() if props.get(tag)}
            if len(others) > _JUNK_INDEX and others[_JUNK_INDEX]:
                named[Special.JUNK] = others[_JUNK_INDEX]
            if named:
                return named | found
        return found

    async def set_props(self, props: NamedProps | Props, deleted: Iterable[PropKey] = ()) -> None:
        """Change properties of the store object itself (out of office, say)."""
        await set_props(
            self.session, b"", self.entryid, self.server_id, props, deleted, object_type=ObjectType.STORE
        )

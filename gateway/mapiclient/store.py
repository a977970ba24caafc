"""Stores: a user's own, somebody else's, the public one."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.wire.calls_folder import GetReceiveFolder
from gateway.mapiclient.wire.calls_store import GetPublicStore, GetStore, GetStoreReply, ResolveUserStore


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
        return await cls._load(session, await session.call(GetStore()))

    @classmethod
    async def of_user(cls, session: Caller, name: str) -> Store:
        """Another user's store by login name (NotFound)."""
        found = await session.call(ResolveUserStore(user_name=name))
        return await cls.by_entryid(session, found.store_id)

    @classmethod
    async def public(cls, session: Caller) -> Store:
        """The public store (NotFound when the server has none)."""
        return await cls._load(session, await session.call(GetPublicStore()))

    @classmethod
    async def by_entryid(cls, session: Caller, entryid: bytes) -> Store:
        """The store of an entry id."""
        return await cls._load(session, await session.call(GetStore(entryid=entryid)))

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

"""Answers about stores: whose is which, names and types, making and removing them."""

from __future__ import annotations

from typing import Final

from gateway.mapi.errors import ErrorCode, InvalidParameter, NotFound
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.calls_store import (
    CreateStore,
    GetPublicStore,
    GetServerDetails,
    GetServerDetailsReply,
    GetStore,
    GetStoreName,
    GetStoreNameReply,
    GetStoreReply,
    GetStoreType,
    GetStoreTypeReply,
    HookStore,
    PurgeCache,
    PurgeDeferredUpdates,
    PurgeDeferredUpdatesReply,
    PurgeSoftDelete,
    RemoveStore,
    ResolvePseudoUrl,
    ResolvePseudoUrlReply,
    ResolveStore,
    ResolveStoreReply,
    ResolveUserStore,
    TestGet,
    TestGetReply,
    TestPerform,
    TestSet,
    UnhookStore,
)
from gateway.storeserver import accounts, containers, deleting, locate, stores
from gateway.storeserver.accounts import SYSTEM_ID, Account
from gateway.storeserver.context import Context, Quick, entryid_of, required
from gateway.storeserver.dispatch import quick, reads, writes
from gateway.storeserver.locate import Store

OVERRIDE_HOME: Final = 16
"""OPENSTORE_OVERRIDE_HOME_MDB, in flags and in the flags field of store entry ids."""
_PUBLIC_OVERRIDE: Final = 1
_PRIVATE_MASK, _PUBLIC_MASK, _ARCHIVE_MASK = 1, 2, 4
_GUID_SIZE: Final = 16


def server_path(context: Context) -> str:
    """The name of this server as clients carry it around."""
    return f"pseudo://{context.tx.options.name}"


def _flagged(entryid: bytes, flags: int) -> bytes:
    """A store entry id with its flags field set."""
    return entryid[:26] + flags.to_bytes(2, "little") + entryid[28:]


def _store_reply(context: Context, store: Store) -> GetStoreReply:
    root = stores.root_of(context.tx, store)
    return GetStoreReply(0, store.entryid, root.entryid, store.guid, server_path(context))


@reads(GetStore)
def get_store(context: Context, call: GetStore) -> GetStoreReply:
    """The session user's store, or the one given."""
    if call.entryid is None:
        return _store_reply(context, stores.store_of(context.tx, context.actor.user_id))
    return _store_reply(context, locate.store_by_entryid(context.tx, entryid_of(call.entryid)))


@reads(GetStoreName)
def get_store_name(context: Context, call: GetStoreName) -> GetStoreNameReply:
    """The name of a store as clients show it."""
    store = locate.store_by_entryid(context.tx, entryid_of(call.entryid))
    return GetStoreNameReply(containers.store_name(context.tx, store))


@reads(GetStoreType)
def get_store_type(context: Context, call: GetStoreType) -> GetStoreTypeReply:
    """Private, public or archive."""
    return GetStoreTypeReply(locate.store_by_entryid(context.tx, entryid_of(call.entryid)).type)


@reads(GetPublicStore)
def get_public_store(context: Context, call: GetPublicStore) -> GetStoreReply:
    """The public store."""
    reply = _store_reply(context, stores.public_store(context.tx))
    if not call.flags & _PUBLIC_OVERRIDE:
        return reply
    return GetStoreReply(0, _flagged(reply.store_id, call.flags & 0xFFFF), reply.root_id, reply.guid)


@reads(ResolveStore)
def resolve_store(context: Context, call: ResolveStore) -> ResolveStoreReply:
    """The store of a GUID, and its owner; orphans are for administrators."""
    if len(call.store_guid) != _GUID_SIZE:
        raise InvalidParameter("a store GUID has 16 bytes")
    store = locate.store_by_guid(context.tx, call.store_guid)
    entryid = _flagged(store.entryid, OVERRIDE_HOME)
    if store.orphan:
        accounts.require_admin(context.actor)
        return ResolveStoreReply(0, b"", entryid, store.guid)
    owner = stores.owner_account(context.tx, context.actor, store)
    return ResolveStoreReply(owner.id, owner.entryid, entryid, store.guid)


@reads(ResolveUserStore)
def resolve_user_store(context: Context, call: ResolveUserStore) -> ResolveStoreReply:
    """A user's store, by login name."""
    owner = accounts.account_named(context.tx, required(call.user_name, "szUserName"))
    store = _store_of(context, owner, call.store_type_mask or _PRIVATE_MASK | _PUBLIC_MASK)
    override = bool(call.flags & OVERRIDE_HOME)
    entryid = _flagged(store.entryid, OVERRIDE_HOME) if override else store.entryid
    path = None if override else server_path(context)
    return ResolveStoreReply(owner.id, owner.entryid, entryid, store.guid, 0, path)


def _store_of(context: Context, owner: Account, mask: int) -> Store:
    for bit, type_ in ((_PRIVATE_MASK, 0), (_PUBLIC_MASK, 1), (_ARCHIVE_MASK, 2)):
        if mask & bit:
            try:
                return stores.store_of(context.tx, owner.id, type_)
            except NotFound:
                continue
    raise NotFound(f"{owner.name} has no such store")


@reads(ResolvePseudoUrl)
def resolve_pseudo_url(context: Context, call: ResolvePseudoUrl) -> ResolvePseudoUrlReply:
    """There is only this server, so every name leads here."""
    return ResolvePseudoUrlReply(required(call.pseudo_url, "lpszPseudoUrl"), True)


@quick(GetServerDetails)
def get_server_details(context: Quick, call: GetServerDetails) -> GetServerDetailsReply:
    """A server that is alone has no list of servers."""
    return GetServerDetailsReply((), int(ErrorCode.NETWORK_ERROR))


@writes(CreateStore)
def create_store(context: Context, call: CreateStore) -> Result:
    """Make an empty store."""
    owner = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    stores.create_empty(context.tx, context.actor, call.store_type, owner, call.store_id, call.root_id)
    return Result()


def _owner(context: Context, entryid: bytes | None) -> Account:
    accounts.require_admin(context.actor)
    owner = accounts.account_by_entryid(context.tx, entryid_of(required(entryid, "sUserId")))
    if owner.id == SYSTEM_ID:
        raise InvalidParameter("SYSTEM's store stays where it is")
    return owner


@writes(HookStore)
def hook_store(context: Context, call: HookStore) -> Result:
    """Give an orphaned store to a user."""
    owner = _owner(context, call.user_entryid)
    stores.hook(context.tx, context.actor, call.store_type, owner, call.store_guid)
    return Result()


@writes(UnhookStore)
def unhook_store(context: Context, call: UnhookStore) -> Result:
    """Make a user's store an orphan."""
    stores.unhook(context.tx, context.actor, call.store_type, _owner(context, call.user_entryid))
    return Result()


@writes(RemoveStore)
def remove_store(context: Context, call: RemoveStore) -> Result:
    """Delete an orphaned store."""
    stores.remove(context.tx, context.actor, call.store_guid)
    return Result()


@quick(PurgeSoftDelete)
async def purge_soft_delete(context: Quick, call: PurgeSoftDelete) -> Result:
    """Remove what was deleted long ago, in steps between which others write."""
    server, session = context.server, context.session

    def step(inner: Context) -> bool:
        inner.require_system()
        return deleting.purge(inner.tx, inner.actor, call.days)

    while await server.in_writer(session, step):
        pass
    return Result()


@reads(PurgeDeferredUpdates)
def purge_deferred_updates(context: Context, call: PurgeDeferredUpdates) -> PurgeDeferredUpdatesReply:
    """Nothing is ever deferred here."""
    context.require_system()
    raise NotFound("there are no deferred updates")


@reads(PurgeCache)
def purge_cache(context: Context, call: PurgeCache) -> Result:
    """There is no cache that outlives a call."""
    context.require_system()
    return Result()


@quick(TestPerform)
def test_perform(context: Quick, call: TestPerform) -> Result:
    """Test hooks are off."""
    return Result(int(ErrorCode.NO_ACCESS))


@quick(TestSet)
def test_set(context: Quick, call: TestSet) -> Result:
    """Test hooks are off."""
    return Result(int(ErrorCode.NO_ACCESS))


@quick(TestGet)
def test_get(context: Quick, call: TestGet) -> TestGetReply:
    """Test hooks are off."""
    return TestGetReply(None, int(ErrorCode.NO_ACCESS))

"""Columns that are the same for every row of a table: its folder, its store, the store's owner, the session's user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.mapi import proptags as p
from gateway.mapi.props import Props, PropTag
from gateway.mapi.tables import ObjectType
from gateway.storeserver import locate
from gateway.storeserver.accounts import Actor, account_by_id, accounts_by_id
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Folder, Store

STORE_TAGS: Final = frozenset(
    {
        p.PR_STORE_ENTRYID,
        p.PR_STORE_RECORD_KEY,
        p.PR_MAPPING_SIGNATURE,
        p.PR_USER_NAME,
        p.PR_USER_ENTRYID,
        p.PR_MAILBOX_OWNER_NAME,
        p.PR_MAILBOX_OWNER_ENTRYID,
        p.PR_EC_MAILBOX_OWNER_ACCOUNT,
    }
)
MESSAGE_TAGS: Final = STORE_TAGS | {
    p.PR_PARENT_ENTRYID,
    p.PR_PARENT_SOURCE_KEY,
    p.PR_PARENT_DISPLAY,
    p.PR_EC_PARENT_HIERARCHYID,
    p.PR_OBJECT_TYPE,
    p.PR_CONTENT_COUNT,
}


def of_store(tx: Transaction, actor: Actor, store: Store) -> Props:
    """What every row of a table in this store has."""
    user = account_by_id(tx, actor.user_id)
    props: Props = {
        p.PR_STORE_ENTRYID: store.entryid,
        p.PR_STORE_RECORD_KEY: store.guid,
        p.PR_MAPPING_SIGNATURE: tx.server_guid,
        p.PR_USER_NAME: user.name,
        p.PR_USER_ENTRYID: user.entryid,
    }
    for owner in accounts_by_id(tx, [store.owner_id]):
        props[p.PR_MAILBOX_OWNER_NAME] = owner.full_name
        props[p.PR_MAILBOX_OWNER_ENTRYID] = owner.entryid
        props[p.PR_EC_MAILBOX_OWNER_ACCOUNT] = owner.name
    return props


def of_messages(tx: Transaction, actor: Actor, folder: Folder, wanted: Collection[PropTag]) -> Props:
    """What every message of a folder has, as far as it is wanted."""
    props: Props = {
        p.PR_PARENT_ENTRYID: folder.entryid,
        p.PR_PARENT_SOURCE_KEY: folder.source_key,
        p.PR_PARENT_DISPLAY: folder.name,
        p.PR_EC_PARENT_HIERARCHYID: folder.id,
        p.PR_OBJECT_TYPE: int(ObjectType.MESSAGE),
        p.PR_CONTENT_COUNT: 1,
    }
    if not STORE_TAGS.isdisjoint(wanted):
        props |= of_store(tx, actor, locate.store_by_id(tx, folder.store_id))
    return {tag: value for tag, value in props.items() if tag in wanted}

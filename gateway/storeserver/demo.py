"""Demo accounts: ``demo`` and ``demo2`` (the password is the name), with something of everything in their stores.

demo2 lets demo read its Inbox and its calendar.
"""

from __future__ import annotations

from typing import Final

from gateway.mapi import proptags as p
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import Prop
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import containers, folders, identity, names, objects, rights, stores
from gateway.storeserver import democontent as content
from gateway.storeserver.accounts import (
    SYSTEM,
    Account,
    Actor,
    NewAccount,
    account_named,
    actor_of,
    create_account,
)
from gateway.storeserver.database import StoreDatabase, Transaction
from gateway.storeserver.locate import Store, folder_by_entryid

DEMO: Final = NewAccount("demo", "Demo User", "demo@example.test", "demo")
DEMO2: Final = NewAccount("demo2", "Second Demo User", "demo2@example.test", "demo2")


def fill(database: StoreDatabase) -> None:
    """Create the public store and the demo accounts with their content, whatever of these is not there yet."""
    with database.write() as tx:
        try:
            stores.public_store(tx)
        except NotFound:
            stores.create_public(tx)
    for new in (DEMO, DEMO2):
        with database.write() as tx:
            _account(tx, new)


def _account(tx: Transaction, new: NewAccount) -> None:
    try:
        account_named(tx, new.name)
    except NotFound:
        account = create_account(tx, SYSTEM, new)
        _Mailbox(tx, account, stores.create_private(tx, account)).fill(second=new is DEMO2)


class _Mailbox:
    """Puts things into one new store."""

    def __init__(self, tx: Transaction, account: Account, store: Store) -> None:
        self._tx = tx
        self._account = account
        self._actor: Actor = actor_of(account)
        self._store = store
        self._inbox = stores.receive_folder(tx, store.entryid, "IPM.Note")[0]
        inbox = folder_by_entryid(tx, self._inbox)
        self._special = containers.folder_props(tx, self._actor, inbox, rights.ALL)
        self._special |= containers.store_props(tx, self._actor, store)
        keywords = names.ids_of(tx, [KEYWORDS.name], create=True)[0]
        self._keywords = (0x8500 + keywords) << 16 | KEYWORDS.type

    def fill(self, *, second: bool) -> None:
        me = content.Person(self._account.full_name, self._account.email)
        now = self._tx.now
        for mail in content.mails(me, now, second=second):
            self._put(self._folder(mail.folder), content.mail_tree(mail, self._keywords))
        calendar, contacts, tasks = (
            self._special[tag]
            for tag in (p.PR_IPM_APPOINTMENT_ENTRYID, p.PR_IPM_CONTACT_ENTRYID, p.PR_IPM_TASK_ENTRYID)
        )
        for props in content.appointments(now, second=second):
            self._put(calendar, _item(props, self._random()))
        for props in content.contacts(second=second):
            self._put(contacts, _item(props, self._random()))
        for props in content.tasks(now, second=second):
            self._put(tasks, _item(props, self._random()))
        if second:
            reader = account_named(self._tx, DEMO.name)
            for entryid in (self._inbox, calendar):
                folder = folder_by_entryid(self._tx, entryid)
                rights.grant(self._tx, folder.id, reader.id, int(Rights.REVIEWER))

    def _random(self) -> bytes:
        return self._tx.random(16)

    def _folder(self, path: str) -> bytes:
        """The folder of a path: a special folder's tag name, or names below the visible tree."""
        special: dict[str, bytes] = {
            "": self._inbox,
            "Sent": self._special[p.PR_IPM_SENTMAIL_ENTRYID],
            "Drafts": self._special[p.PR_IPM_DRAFTS_ENTRYID],
        }
        if path in special:
            return special[path]
        entryid: bytes = self._special[p.PR_IPM_SUBTREE_ENTRYID]
        for name in path.split("/"):
            entryid = folders.create_folder(self._tx, self._actor, entryid, name, open_if_exists=True)
        return entryid

    def _put(self, folder: bytes, tree: ObjectTree) -> None:
        entryid = identity.new_entryid(self._tx, self._store.guid, ObjectType.MESSAGE)
        objects.save_object(self._tx, self._actor, folder, entryid, tree)


def _item(props: list[Prop], search_key: bytes) -> ObjectTree:
    return ObjectTree(
        obj_type=ObjectType.MESSAGE,
        mod_props=[*props, (p.PR_SEARCH_KEY, search_key), (p.PR_MESSAGE_FLAGS, 1)],
    )

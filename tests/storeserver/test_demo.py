"""The demo accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.errors import LogonFailed, NoAccess
from gateway.storeserver import accounts, demo, folder_rows, locate, objects, rows, stores
from gateway.storeserver.database import StoreDatabase
from tests.support.storecore import OPTIONS


def test_the_demo_accounts_have_something_of_everything(tmp_path: Path) -> None:
    database = StoreDatabase(tmp_path, options=OPTIONS)
    demo.fill(database)
    demo.fill(database)
    with database.read() as tx:
        user = accounts.authenticate(tx, "demo", "demo")
        with pytest.raises(LogonFailed):
            accounts.authenticate(tx, "demo2", "demo")
        actor = accounts.actor_of(user)
        store = stores.store_of(tx, user.id)
        tree = dict(objects.load_object(tx, actor, store.entryid).mod_props)[p.PR_IPM_SUBTREE_ENTRYID]
        found = folder_rows.folder_rows(
            tx,
            actor,
            locate.folder_by_entryid(tx, tree).id,
            [p.PR_DISPLAY_NAME, p.PR_CONTENT_COUNT],
            recursive=True,
        )
        counts = {props[p.PR_DISPLAY_NAME]: props[p.PR_CONTENT_COUNT] for _, props in found}
    assert counts["Inbox"] == 3
    assert counts["Orders"] == counts["Lists"] == counts["Sent Items"] == counts["Drafts"] == 1
    assert counts["Calendar"] == 4
    assert counts["Contacts"] == 3
    assert counts["Tasks"] == 2
    database.close()


def test_demo2_shares_its_inbox_and_calendar_only(tmp_path: Path) -> None:
    database = StoreDatabase(tmp_path, options=OPTIONS)
    demo.fill(database)
    with database.read() as tx:
        reader = accounts.actor_of(accounts.account_named(tx, "demo"))
        store = stores.store_of(tx, accounts.account_named(tx, "demo2").id)
        props = dict(objects.load_object(tx, reader, store.entryid).mod_props)
        subtree = locate.folder_by_entryid(tx, props[p.PR_IPM_SUBTREE_ENTRYID])
        found = folder_rows.folder_rows(tx, reader, subtree.id, [p.PR_DISPLAY_NAME], recursive=True)
        assert {row[p.PR_DISPLAY_NAME] for _, row in found} == {"Inbox", "Calendar"}
        inbox = stores.receive_folder(tx, store.entryid, "IPM")[0]
        number = locate.folder_by_entryid(tx, inbox).id
        listed = rows.message_rows(tx, reader, number, [p.PR_SUBJECT])
        assert [row[p.PR_SUBJECT] for _, row in listed] == ["A shared Inbox", "Minutes of the meeting"]
        with pytest.raises(NoAccess):
            objects.load_object(tx, reader, props[p.PR_IPM_SENTMAIL_ENTRYID])
    database.close()

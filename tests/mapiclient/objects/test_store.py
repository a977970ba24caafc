"""Stores: one's own, others', the public one, and their special folders."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import Session, Special, Store, folder


def test_the_own_store_has_its_special_folders(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        assert parse_object_entryid(store.entryid).store == store.guid
        found = await store.special_folders()
        assert set(found) == set(Special)
        assert len(set(found.values())) == len(found)
        for entryid in found.values():
            assert parse_object_entryid(entryid).type == ObjectType.FOLDER
        props, _ = await folder.load_props(session, found[Special.CALENDAR])
        assert props[pr.PR_CONTAINER_CLASS] == "IPF.Appointment"

    as_ann(work)


def test_a_store_is_found_by_owner_by_guid_and_by_entry_id(as_both: Any) -> None:
    async def work(ann: Session, bob: Session) -> None:
        own = await Store.default(bob)
        by_name = await Store.of_user(ann, "bob")
        by_guid = await Store.of_guid(ann, own.guid)
        by_entryid = await Store.by_entryid(ann, own.entryid)
        assert own.guid == by_name.guid == by_guid.guid == by_entryid.guid
        assert own.root == by_name.root == by_guid.root
        assert own.guid != (await Store.default(ann)).guid

    as_both(work)


def test_who_or_what_does_not_exist_is_not_found(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        with pytest.raises(NotFound):
            await Store.of_user(session, "nobody")
        with pytest.raises(NotFound):
            await Store.of_user(session, "ann", archive=True)
        with pytest.raises(NotFound):
            await Store.of_guid(session, b"x" * 16)

    as_ann(work)


def test_the_public_store_has_a_tree_but_no_inbox(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.public(session)
        assert store.ipm_subtree
        found = await store.special_folders()
        assert Special.INBOX not in found
        assert found[Special.SUBTREE] == store.ipm_subtree

    as_ann(work)


def test_properties_of_the_store_are_set_and_removed(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        await store.set_props({pr.PR_EC_OUTOFOFFICE: True, pr.PR_EC_OUTOFOFFICE_MSG: "away & gone"})
        props = (await Store.default(session)).props
        assert (props[pr.PR_EC_OUTOFOFFICE], props[pr.PR_EC_OUTOFOFFICE_MSG]) == (True, "away & gone")
        await store.set_props({}, [pr.PR_EC_OUTOFOFFICE_MSG])
        assert pr.PR_EC_OUTOFOFFICE_MSG not in (await Store.default(session)).props

    as_ann(work)

"""Folders: created, renamed, moved, copied, searched, shared, emptied, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.errors import Collision, FolderCycle, MapiError, NoAccess, NotEmpty
from gateway.mapi.props import Props
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapiclient import Session, Store, Table, directory, folder
from gateway.mapiclient.table import rows_of
from gateway.mapiclient.wire.structs import NewFolder


async def tree(session: Session, root: bytes) -> dict[str, Props]:
    columns = (pr.PR_ENTRYID, pr.PR_DISPLAY_NAME, pr.PR_PARENT_ENTRYID, pr.PR_EC_HIERARCHYID)
    return {row[pr.PR_DISPLAY_NAME]: row for row in await rows_of(Table.hierarchy(session, root, columns))}


def test_a_folder_lives_and_dies(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        top = await folder.create_folder(session, store.ipm_subtree, "Top", comment="what for")
        one, two = await folder.create_folders(session, top, [NewFolder("One"), NewFolder("Two")])
        with pytest.raises(Collision):
            await folder.create_folder(session, top, "ONE")
        assert await folder.create_folder(session, top, "one", open_if_exists=True) == one
        rows = await tree(session, top)
        assert {rows["One"][pr.PR_ENTRYID], rows["Two"][pr.PR_ENTRYID]} == {one, two}

        number = rows["One"][pr.PR_EC_HIERARCHYID]
        await folder.rename_folder(session, store.entryid, one, number, "Uno")
        await folder.move_folder(session, two, one, "Due")
        with pytest.raises(FolderCycle):
            await folder.move_folder(session, one, two)
        await folder.copy_folder(session, one, top, "Copy")
        rows = await tree(session, top)
        assert set(rows) == {"Uno", "Due", "Copy"}
        assert len(await rows_of(Table.hierarchy(session, top, [pr.PR_ENTRYID]))) == 4
        assert rows["Uno"][pr.PR_EC_HIERARCHYID] == number

        with pytest.raises(NotEmpty):
            await folder.delete_folder(session, top)
        await folder.empty_folder(session, top, hard=True)
        assert not await tree(session, top)
        await folder.delete_folder(session, top, hard=True)
        assert "Top" not in await tree(session, store.ipm_subtree)

    as_ann(work)


def test_what_is_granted_can_be_read_by_the_other(as_both: Any) -> None:
    async def work(ann: Session, bob: Session) -> None:
        store = await Store.default(ann)
        shared = await folder.create_folder(ann, store.ipm_subtree, "Shared")
        with pytest.raises(NoAccess):
            await folder.load_props(bob, shared)
        person = await directory.own_user(bob)
        entry = AccessEntry(0, AccessType.GRANT, Rights.REVIEWER, EntryState.NEW, person.user_entryid)
        await folder.set_rights(ann, shared, [entry])
        (granted,) = await folder.get_rights(ann, shared)
        assert (granted.rights, granted.user_entryid) == (Rights.REVIEWER, person.user_entryid)
        props, _ = await folder.load_props(bob, shared)
        assert props[pr.PR_RIGHTS] == Rights.REVIEWER
        with pytest.raises(NoAccess):
            await folder.create_folder(bob, shared, "Not mine")
        gone = AccessEntry(0, AccessType.GRANT, 0, EntryState.DELETE, person.user_entryid)
        await folder.set_rights(ann, shared, [gone])
        assert not await folder.get_rights(ann, shared)
        with pytest.raises(MapiError):
            await folder.load_props(bob, shared)

    as_both(work)

"""The address book: names, entries, users, quota."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapiclient import Session, directory
from gateway.mapiclient.directory import Match
from gateway.mapiclient.table import rows_of


def test_names_are_resolved_all_at_once(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        found = await directory.resolve_names(session, ["bob", "nobody at all", "ann"], exact=True)
        assert [each.match for each in found] == [Match.FOUND, Match.NONE, Match.FOUND]
        assert found[0].props[pr.PR_ACCOUNT] == "bob"
        assert found[1].props == {}
        assert await directory.resolve_names(session, []) == []

    as_ann(work)


def test_the_address_book_lists_and_finds_people(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        accounts = {row.get(pr.PR_ACCOUNT) for row in await rows_of(directory.entries(session))}
        assert {"ann", "bob"} <= accounts
        (row,) = await rows_of(directory.search(session, "bo"))
        assert row[pr.PR_ACCOUNT] == "bob"
        details = await directory.details(session, row[pr.PR_ENTRYID])
        assert details[pr.PR_ACCOUNT] == "bob"

    as_ann(work)


def test_users_are_told_with_groups_features_and_quota(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        me = await directory.own_user(session)
        assert me.username == "ann"
        bob = await directory.user_named(session, "bob")
        assert (await directory.user(session, bob.user_entryid)).username == "bob"
        with pytest.raises(NotFound):
            await directory.user_named(session, "nobody")
        assert "Everyone" in {group.group_name for group in await directory.groups_of(session, me.user_entryid)}
        on, off = directory.features(me)
        assert not on & off
        assert await directory.may_send_as(session, me.user_entryid) == []
        state = await directory.quota(session, me.user_entryid)
        assert state.size >= 0
        assert (state.level, state.hard) == (0, 0)

    as_ann(work)

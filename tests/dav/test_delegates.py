"""What delegates see and do: private items when their principal says so, and nothing done by half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapiclient import Special, Store, directory
from gateway.mapiclient.folder import load_props, set_rights
from gateway.mapiclient.message import set_props
from tests.dav.server import C, Client, D, Server, card, event, multiget
from tests.dav.test_sharing import share, shared_path

SECRET = event("s", "The surprise", "20261201T100000Z", "CLASS:PRIVATE", "LOCATION:Hidden bar")


def say_who_acts(dav: Server, owner: str, *delegates: tuple[str, int]) -> None:
    """Make users delegates of an owner with flags, as the web client does: 1 = sees private items."""

    async def work(session: Any) -> None:
        store = await Store.default(session)
        root, _ = await load_props(session, store.root)
        _, settings, _, folder = root[pr.PR_FREEBUSY_ENTRYIDS]
        people = [(await directory.user_named(session, name)).user_entryid for name, _ in delegates]
        flags: Sequence[int] = tuple(flag for _, flag in delegates)
        _, number = await load_props(session, settings)
        props = {pr.PR_SCHDINFO_DELEGATE_ENTRYIDS: tuple(people), pr.PR_DELEGATE_FLAGS: flags}
        await set_props(session, store.entryid, settings, number, props)
        state = EntryState.NEW | EntryState.MODIFY
        entries = [AccessEntry(0, AccessType.GRANT, int(Rights.EDITOR), state, each) for each in people]
        await set_rights(session, folder, entries)

    dav.run(owner, work)


@pytest.fixture
def owner(dav: Server) -> Client:
    return dav.client()


def calendar_of(dav: Server, owner: Client, client: Client, rights: int) -> str:
    share(dav, owner.user, client.user, rights)
    return shared_path(client, owner)


def test_a_delegate_who_may_sees_private_items(dav: Server, owner: Client, client: Client) -> None:
    """PR_DELEGATE_FLAGS of the LocalFreebusy message, as Kopano's own gateway heeds them."""
    other = dav.client()
    say_who_acts(dav, owner.user, (other.user, 0), (client.user, 1))
    calendar = owner.collection("calendar")
    assert owner("PUT", calendar + "s.ics", SECRET).status == 201
    path = calendar_of(dav, owner, client, Rights.EDITOR)
    assert "Hidden bar" in client("GET", path + "s.ics").text
    told = client("REPORT", path, multiget("calendar", path + "s.ics")).found(
        path + "s.ics", f"{C}calendar-data"
    )
    assert "surprise" in (told or "")
    assert client("PUT", path + "s.ics", SECRET.replace("surprise", "new surprise")).status == 204
    assert "new surprise" in owner("GET", calendar + "s.ics").text
    path = calendar_of(dav, owner, other, Rights.EDITOR)
    assert "surprise" not in other("GET", path + "s.ics").text
    assert other("DELETE", path + "s.ics").status == 403


def test_private_contacts_are_there_for_who_may_see_them(dav: Server, owner: Client, client: Client) -> None:
    say_who_acts(dav, owner.user, (client.user, 1))
    share(dav, owner.user, client.user, Rights.REVIEWER, Special.CONTACTS)
    book = owner.collection("addressbook")
    assert owner("PUT", book + "s.vcf", card("s", "Secret Name", "CLASS:PRIVATE")).status == 201
    path = shared_path(client, owner, "addressbook")
    assert list(client.sync(path)[1]) == [path + "s.vcf"]
    assert client("PUT", path + "s.vcf", card("s", "Other Name")).status == 403


def test_who_may_not_any_more_does_not(dav: Server, owner: Client, client: Client) -> None:
    """A gateway that knows the delegate asks again."""
    say_who_acts(dav, owner.user, (client.user, 1))
    calendar = owner.collection("calendar")
    assert owner("PUT", calendar + "s.ics", SECRET).status == 201
    path = calendar_of(dav, owner, client, Rights.REVIEWER)
    assert "surprise" in client("GET", path + "s.ics").text
    say_who_acts(dav, owner.user, (client.user, 0))
    # A listing reads the tree of folders anew.
    assert client.propfind(client.home, f"{D}resourcetype", depth="1").status == 207
    assert "surprise" not in client("GET", path + "s.ics").text


def test_a_move_that_cannot_take_away_leaves_no_copy(dav: Server, owner: Client, client: Client) -> None:
    """RFC 4918 9.9: whoever may add but not delete moves nothing out of another's calendar."""
    rights = Rights.READ_ANY | Rights.FOLDER_VISIBLE | Rights.CREATE | Rights.EDIT_OWNED | Rights.DELETE_OWNED
    path, mine = calendar_of(dav, owner, client, rights), client.collection("calendar")
    assert owner("PUT", owner.collection("calendar") + "e.ics", event("e", "Theirs")).status == 201
    assert client("MOVE", path + "e.ics", Destination=mine + "e.ics").status == 403
    assert client.sync(mine)[1] == {}
    assert client("GET", path + "e.ics").status == 200
    assert client("PUT", path + "m.ics", event("m", "Mine")).status == 201
    assert client("MOVE", path + "m.ics", Destination=mine + "m.ics").status == 201
    assert list(client.sync(mine)[1]) == [mine + "m.ics"]


def test_others_may_do_what_their_rights_say(dav: Server, owner: Client, client: Client) -> None:
    """Author: items of his own; reviewer: nothing."""
    author = Rights.READ_ANY | Rights.FOLDER_VISIBLE | Rights.CREATE | Rights.EDIT_OWNED | Rights.DELETE_OWNED
    path = calendar_of(dav, owner, client, author)
    assert owner("PUT", owner.collection("calendar") + "o.ics", event("o", "Theirs")).status == 201
    assert client("PUT", path + "m.ics", event("m", "Mine")).status == 201
    assert client("PUT", path + "m.ics", event("m", "Changed")).status == 204
    assert client("PUT", path + "o.ics", event("o", "Changed")).status == 403
    assert client("POST", path + "o.ics?action=attachment-add", b"x").status == 403
    assert client("DELETE", path + "o.ics").status == 403
    assert client("DELETE", path + "m.ics").status == 204
    reviewer = dav.client()
    path = calendar_of(dav, owner, reviewer, Rights.REVIEWER)
    for method, name in (("PUT", "n.ics"), ("PUT", "o.ics"), ("DELETE", "o.ics"), ("DELETE", "")):
        assert reviewer(method, path + name, event("o", "Changed") if method == "PUT" else "").status == 403
    assert reviewer("POST", path + "o.ics?action=attachment-add", b"x").status == 403
    assert reviewer("MOVE", path + "o.ics", Destination=reviewer.collection("calendar") + "o.ics").status == 403
    assert reviewer("COPY", path + "o.ics", Destination=reviewer.collection("calendar") + "o.ics").status == 201
    assert "Theirs" in owner("GET", owner.collection("calendar") + "o.ics").text


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_who_may_not_delete_replaces_nothing(dav: Server, owner: Client, client: Client, method: str) -> None:
    """RFC 3744 B: taking the place of another item needs unbind; nothing is done by half."""
    rights = Rights.READ_ANY | Rights.FOLDER_VISIBLE | Rights.CREATE | Rights.EDIT_OWNED | Rights.DELETE_OWNED
    path, mine = calendar_of(dav, owner, client, rights), client.collection("calendar")
    assert owner("PUT", owner.collection("calendar") + "e.ics", event("e", "Theirs")).status == 201
    assert client("PUT", mine + "e.ics", event("e", "Mine")).status == 201
    before = [each.sync(where)[1] for each, where in ((client, mine), (client, path))]
    assert client(method, mine + "e.ics", Destination=path + "e.ics").status == 403
    assert [each.sync(where)[1] for each, where in ((client, mine), (client, path))] == before
    assert "SUMMARY:Theirs" in client("GET", path + "e.ics").text

"""MOVE and COPY: an item keeps all that it has, and is always in one place or the other."""

from __future__ import annotations

from typing import Any, Final

import pytest

from gateway.convert.ical import Options as IcalOptions
from gateway.convert.ical import from_ical
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import PS_PUBLIC_STRINGS, NamedTag, PropName
from gateway.mapi.props import PT_UNICODE
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import load_message, save_new_message
from gateway.mapiclient.table import Table, rows_of
from tests.dav.server import Client, D, Server, event
from tests.dav.test_sharing import share, shared_path

_PRIVATE: Final = NamedTag(PropName(PS_PUBLIC_STRINGS, "of another program"), PT_UNICODE)


@pytest.fixture
def second(client: Client) -> str:
    """Another calendar."""
    path = f"{client.home}second/"
    assert client("MKCALENDAR", path).status == 201
    return path


def put(dav: Server, client: Client) -> None:
    """An event with an attachment and a property that iCalendar cannot tell of."""

    async def work(session: Any) -> None:
        folder = (await (await Store.default(session)).special_folders())[Special.CALENDAR]
        content = from_ical(event("rich", "Rich").encode(), None, IcalOptions())
        content.props[_PRIVATE] = "kept"
        content.attachments.append(AttachmentContent({pr.PR_ATTACH_LONG_FILENAME: "a.txt"}, b"attached"))
        await save_new_message(session, folder, parse_object_entryid(folder).store, content)

    dav.run(client.user, work)


def contents(dav: Server, client: Client, name: str) -> list[Any]:
    """The messages of the folder with a name."""

    async def work(session: Any) -> list[Any]:
        store = await Store.default(session)
        columns = (pr.PR_ENTRYID, pr.PR_DISPLAY_NAME)
        folders = await rows_of(Table(session, store.ipm_subtree, columns, object_type=ObjectType.FOLDER))
        folder = next(row[pr.PR_ENTRYID] for row in folders if row[pr.PR_DISPLAY_NAME] == name)
        rows = await rows_of(Table.contents(session, folder, (pr.PR_ENTRYID,)))
        return [(await load_message(session, row[pr.PR_ENTRYID])).content for row in rows]

    found: list[Any] = dav.run(client.user, work)
    return found


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_attachments_and_properties_of_other_programs_go_with_an_item(
    dav: Server, client: Client, second: str, method: str
) -> None:
    put(dav, client)
    calendar = client.collection("calendar")
    [path] = client.sync(calendar)[1]
    token, _ = client.sync(calendar)
    answer = client(method, path, Destination=f"{second}here.ics")
    assert answer.status == 201
    assert answer.headers["location"] == f"{second}here.ics"
    [content] = contents(dav, client, "second")
    assert content.props[_PRIVATE] == "kept"
    assert [each.data for each in content.attachments] == [b"attached"]
    assert len(contents(dav, client, "Calendar")) == (1 if method == "COPY" else 0)
    assert client("GET", f"{second}here.ics").status == 200
    assert client.sync(calendar, token)[1] == ({} if method == "COPY" else {path: ""})


def test_what_lies_at_the_target_is_replaced_only_by_the_same_event(client: Client, second: str) -> None:
    """no-uid-conflict: RFC 4791 5.3.2.1."""
    calendar = client.collection("calendar")
    client("PUT", f"{calendar}a.ics", event("a", "New"))
    client("PUT", f"{second}a.ics", event("a", "Old"))
    client("PUT", f"{second}b.ics", event("b", "Other"))
    for method in ("MOVE", "COPY"):
        assert client(method, f"{calendar}a.ics", Destination=f"{second}a.ics", Overwrite="F").status == 412
        refused = client(method, f"{calendar}a.ics", Destination=f"{second}b.ics")
        assert refused.status == 409
        assert "no-uid-conflict" in refused.text
        refused = client(method, f"{calendar}a.ics", Destination=f"{second}c.ics")
        assert refused.status == 409
    assert client("MOVE", f"{calendar}a.ics", Destination=f"{second}a.ics").status == 204
    assert "SUMMARY:New" in client("GET", f"{second}a.ics").text
    assert len(client.sync(second)[1]) == 2
    assert client("GET", f"{calendar}a.ics").status == 404


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("", 400),
        ("http://elsewhere.example/ann/x/a.ics", 502),
        ("{calendar}a.ics", 403),
        ("{home}none/a.ics", 409),
        ("{home}", 405),
        ("{calendar}", 405),
        ("{calendar}..%2Fa.ics", 400),
        ("{contacts}a.vcf", 403),
    ],
)
def test_where_an_event_cannot_go(client: Client, destination: str, status: int) -> None:
    calendar, contacts = client.collection("calendar"), client.collection("addressbook")
    client("PUT", f"{calendar}a.ics", event("a", "A"))
    target = destination.format(calendar=calendar, home=client.home, contacts=contacts)
    headers = {"Destination": target} if target else {}
    assert client("MOVE", f"{calendar}a.ics", **headers).status == status
    assert client("GET", f"{calendar}a.ics").status == 200


def test_conditions_hold_for_what_is_moved(client: Client, second: str) -> None:
    calendar = client.collection("calendar")
    client("PUT", f"{calendar}a.ics", event("a", "A"))
    etag = client("GET", f"{calendar}a.ics").headers["etag"]
    assert client("MOVE", f"{calendar}a.ics", Destination=f"{second}a.ics", If_Match='"no"').status == 412
    assert client("MOVE", f"{calendar}a.ics", Destination=f"{second}a.ics", If_Match=etag).status == 201


def test_an_event_goes_into_the_calendar_of_a_colleague(dav: Server, client: Client) -> None:
    owner = dav.client()
    share(dav, owner.user, client.user, Rights.AUTHOR)
    target = shared_path(client, owner)
    calendar = client.collection("calendar")
    client("PUT", f"{calendar}a.ics", event("a", "For you"))
    assert client("MOVE", f"{calendar}a.ics", Destination=f"{target}a.ics").status == 201
    assert client("GET", f"{calendar}a.ics").status == 404
    assert "SUMMARY:For you" in owner("GET", f"{owner.collection('calendar')}a.ics").text


def test_what_may_only_be_read_is_copied_but_not_moved(dav: Server, client: Client) -> None:
    owner = dav.client()
    share(dav, owner.user, client.user, Rights.REVIEWER)
    owner("PUT", f"{owner.collection('calendar')}a.ics", event("a", "Read only"))
    path, calendar = f"{shared_path(client, owner)}a.ics", client.collection("calendar")
    assert client("MOVE", path, Destination=f"{calendar}a.ics").status == 403
    assert client.propfind(calendar, f"{D}getetag", depth="1").hrefs == [calendar]
    assert client("COPY", path, Destination=f"{calendar}a.ics").status == 201
    assert client("COPY", f"{calendar}a.ics", Destination=f"{shared_path(client, owner)}b.ics").status == 403


@pytest.mark.parametrize(
    ("path", "status", "body", "content_type"),
    [
        ("{home}none/new/", 409, "", ""),
        ("{calendar}new/", 403, "", ""),
        ("{calendar}new/deeper/", 409, "", ""),
        ("{home}new/", 415, "nonsense", "text/plain"),
        ("{home}new/", 400, "nonsense", "application/xml"),
        ("{home}new/", 201, "", "application/xml"),
    ],
)
def test_where_a_calendar_can_be_made(
    client: Client, path: str, status: int, body: str, content_type: str
) -> None:
    """RFC 4918 9.3.1, RFC 4791 5.3.1.1."""
    headers = {"Content_Type": content_type} if content_type else {}
    target = path.format(home=client.home, calendar=client.collection("calendar"))
    assert client("MKCALENDAR", target, body, **headers).status == status


def test_destinations_are_those_of_a_proxy_in_front(client: Client) -> None:
    calendar = client.collection("calendar")
    client("PUT", f"{calendar}a.ics", event("a", "A"))
    there = f"https://cal.example.com:443{calendar}b.ics"
    assert client("MOVE", f"{calendar}a.ics", Destination=there).status == 502
    moved = client("MOVE", f"{calendar}a.ics", Destination=there, X_Forwarded_Host="cal.example.com")
    assert moved.status == 201


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize("of_others", [True, False])
def test_what_replaces_an_event_has_its_name_at_once(dav: Server, method: str, of_others: bool) -> None:
    """In every gateway, and for those who synchronize (RFC 6578 3.5.1): changed, neither gone nor somewhere else."""
    client, owner = Client(dav.new_head(), dav.new_user()), dav.client()
    share(dav, owner.user, client.user, Rights.EDITOR)
    source = client.collection("calendar")
    target = shared_path(client, owner) if of_others else f"{client.home}second/"
    if not of_others:
        assert client("MKCALENDAR", target).status == 201
    for path, summary in ((source, "New"), (target, "Old")):
        assert client("PUT", f"{path}a.ics", event("u", summary)).status == 201
    token, found = client.sync(target)
    other = Client(dav.new_head(), client.user)
    assert other.sync(target) == (token, found)
    assert client(method, f"{source}a.ics", Destination=f"{target}a.ics").status == 204
    for somebody in (client, other, Client(dav.new_head(), client.user)):
        answer = somebody("GET", f"{target}a.ics")
        assert "SUMMARY:New" in answer.text
        assert list(somebody.sync(target)[1].items()) == [(f"{target}a.ics", answer.headers["etag"])]
    for somebody in (client, other):
        changes = somebody.sync(target, token)[1]
        assert changes.pop(f"{target}a.ics") == answer.headers["etag"]
        assert set(changes.values()) <= {""}
        assert somebody("PUT", f"{target}b.ics", event("u", "Second")).status == 409

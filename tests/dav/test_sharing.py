"""Collections of others: seen, read and written as rights allow; what is private stays so."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapiclient import Special, Store, directory
from gateway.mapiclient.folder import set_rights
from tests.dav.server import Client, D, Server, card, event
from tests.dav.test_properties import ICAL
from tests.dav.test_properties import patch as changed

COLOUR = f"{ICAL}calendar-color"


def share(dav: Server, owner: str, reader: str, rights: int, part: Special = Special.CALENDAR) -> None:
    """Let somebody into a folder."""

    async def work(session: Any) -> None:
        person = await directory.user_named(session, reader)
        folder = (await (await Store.default(session)).special_folders())[part]
        entry = AccessEntry(
            0, AccessType.GRANT, int(rights), EntryState.NEW | EntryState.MODIFY, person.user_entryid
        )
        await set_rights(session, folder, [entry])

    dav.run(owner, work)


@pytest.fixture
def owner(dav: Server) -> Client:
    return dav.client()


def shared_path(client: Client, owner: Client, part: str = "calendar") -> str:
    """Where a client finds what somebody shares with him, in his own home."""
    name = owner.collection(part).removeprefix(owner.home)
    return client.home + name


def test_a_calendar_that_may_be_read_is_in_the_readers_home(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    assert owner("PUT", owner.collection("calendar") + "e.ics", event("e", "Shared")).status == 201
    path = shared_path(client, owner)
    listed = client.propfind(client.home, f"{D}displayname", f"{D}owner", depth="1")
    assert owner.user in (listed.found(path, f"{D}displayname") or "")
    assert listed.found(path, f"{D}owner") == owner.home
    assert "SUMMARY:Shared" in client("GET", path + "e.ics").text
    assert "SUMMARY:Shared" in client("GET", owner.collection("calendar") + "e.ics").text
    answer = client("PUT", path + "f.ics", event("f", "Mine"))
    assert answer.status == 403
    assert client("DELETE", path + "e.ics").status == 403
    assert client("DELETE", path).status == 403


def test_a_colour_of_ones_own_counts_whatever_else_the_owner_says_of_his(
    dav: Server, owner: Client, client: Client
) -> None:
    """Apple's clients give colours a symbolic name, too."""
    share(dav, owner.user, client.user, Rights.REVIEWER)
    color = "<set><prop><I:calendar-color{}>{}</I:calendar-color></prop></set>"
    theirs, mine = owner.collection("calendar"), shared_path(client, owner)
    assert changed(owner, theirs, color.format(' symbolic-color="red"', "#FF0000FF")).status == 207
    assert client.propfind(mine, COLOUR).found(mine, COLOUR) == "#FF0000FF"
    assert changed(client, mine, color.format("", "#00FF00FF")).status == 207
    assert client.propfind(mine, COLOUR).found(mine, COLOUR) == "#00FF00FF"
    assert owner.propfind(theirs, COLOUR).found(theirs, COLOUR) == "#FF0000FF"


def test_name_and_colour_of_anothers_calendar_are_everybodys_own(
    dav: Server, owner: Client, client: Client
) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    path, calendar = shared_path(client, owner), owner.collection("calendar")
    title, colour = f"{D}displayname", "{http://apple.com/ns/ical/}calendar-color"

    def patch(somebody: Client, target: str, *values: str) -> None:
        inner = f'<displayname>{values[0]}</displayname><c:calendar-color xmlns:c="http://apple.com/ns/ical/">{values[1]}</c:calendar-color>'
        body = f'<propertyupdate xmlns="DAV:"><set><prop>{inner}</prop></set></propertyupdate>'
        answer = somebody("PROPPATCH", target, body)
        assert " 200 " in answer.text, answer.text

    def seen(somebody: Client, target: str) -> list[str | None]:
        return [somebody.propfind(target, title, colour).found(target, tag) for tag in (title, colour)]

    patch(owner, calendar, "Work", "#111111")
    assert seen(client, path) == [f"Work ({owner.user})", "#111111"]
    patch(client, path, "The boss", "#222222")
    assert seen(client, path) == ["The boss", "#222222"]
    assert seen(owner, calendar) == ["Work", "#111111"]
    other = Client(dav.new_head(), client.user)
    assert seen(other, path) == ["The boss", "#222222"]
    patch(client, path, "The boss", "#111111")
    patch(owner, calendar, "Work", "#333333")
    assert seen(client, path)[0] == "The boss"
    removal = '<propertyupdate xmlns="DAV:"><remove><prop><displayname/></prop></remove></propertyupdate>'
    assert client("PROPPATCH", path, removal).status == 207
    assert seen(client, path)[0] == f"Work ({owner.user})"


def test_what_is_not_shared_is_not_there(owner: Client, client: Client) -> None:
    calendar = owner.collection("calendar")
    owner("PUT", calendar + "e.ics", event("e", "Secret"))
    for path in (calendar, shared_path(client, owner)):
        assert client.propfind(path, f"{D}displayname").status in (403, 404)
        assert client("GET", path + "e.ics").status in (403, 404)
        assert client(
            "REPORT", path, '<sync-collection xmlns="DAV:"><sync-token/><prop/></sync-collection>'
        ).status in (403, 404)
        assert client("PUT", path + "n.ics", event("n", "New")).status in (403, 404, 409)
    # Who somebody is, the address book tells everybody.
    assert client.propfind(owner.home, f"{D}displayname", depth="1").hrefs == [owner.home]
    assert client.propfind("/nobody-of-this-name/", f"{D}displayname").status == 404


def test_an_editor_writes_and_deletes(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.EDITOR)
    path = shared_path(client, owner)
    assert client("PUT", path + "f.ics", event("f", "By the editor")).status == 201
    assert "By the editor" in owner("GET", owner.collection("calendar") + "f.ics").text
    assert client("DELETE", path + "f.ics").status == 204
    assert owner("GET", owner.collection("calendar") + "f.ics").status == 404


def test_private_events_of_others_are_times_only(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.EDITOR)
    calendar, path = owner.collection("calendar"), shared_path(client, owner)
    secret = event("s", "The surprise", "20261201T100000Z", "CLASS:PRIVATE", "LOCATION:Hidden bar")
    assert owner("PUT", calendar + "s.ics", secret).status == 201
    seen = client("GET", path + "s.ics").text
    assert "DTSTART" in seen
    assert "surprise" not in seen
    assert "Hidden bar" not in seen
    assert "surprise" in owner("GET", calendar + "s.ics").text
    assert client("PUT", path + "s.ics", event("s", "Overwritten")).status == 403
    assert client("DELETE", path + "s.ics").status == 403
    destination = f"http://127.0.0.1:{client.port}{client.collection('calendar')}copy.ics"
    assert client("COPY", path + "s.ics", Destination=destination).status == 403


def test_the_global_address_book_is_read_only(client: Client) -> None:
    listed = client.propfind(client.home, f"{D}displayname", depth="1")
    (book,) = [path for path in listed.hrefs if path.endswith("/global-address-book/")]
    token, found = client.sync(book)
    assert found
    assert client.sync(book, token) == (token, {})
    texts = [client("GET", path).text for path in found]
    assert any(client.user in text for text in texts)
    assert all(text.startswith("BEGIN:VCARD") for text in texts)
    assert client("PUT", book + "x.vcf", card("x", "New Entry")).status == 403
    assert client("DELETE", next(iter(found))).status == 403
    query = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f'<CR:filter><CR:prop-filter name="FN"><CR:text-match>{client.user}</CR:text-match></CR:prop-filter></CR:filter>'
        "</CR:addressbook-query>"
    )
    assert len(client("REPORT", book, query).hrefs) >= 1


# Directories that are too large to be asked at once


def test_whoever_is_named_is_looked_at_however_large_the_directory(dav: Server, owner: Client) -> None:
    """The second client asks by the owner's own address, the first one has only its own home to ask."""
    client = Client(dav.new_head(portion=0), dav.new_user())
    share(dav, owner.user, client.user, Rights.REVIEWER)
    calendar = owner.collection("calendar")
    assert owner("PUT", calendar + "e.ics", event("e", "Shared")).status == 201
    path = shared_path(client, owner)
    assert client("GET", path + "e.ics").status == 404
    assert "SUMMARY:Shared" in client("GET", calendar + "e.ics").text
    # From now on the calendar is in the home, too, and with a gateway that was just started.
    assert "SUMMARY:Shared" in client("GET", path + "e.ics").text
    again = Client(dav.new_head(portion=0), client.user)
    assert "SUMMARY:Shared" in again("GET", path + "e.ics").text


def test_kopanos_addresses_of_others_are_answered_however_large_the_directory(
    dav: Server, owner: Client
) -> None:
    client = Client(dav.new_head(portion=0), dav.new_user())
    share(dav, owner.user, client.user, Rights.REVIEWER)
    answer = client("PROPFIND", f"/caldav/{owner.user}/Calendar/", Depth="0")
    assert answer.status == 301
    assert answer.headers["location"].startswith(owner.home)
    listed = client.propfind(owner.home, f"{D}displayname", depth="1")
    assert any(owner.user in (listed.found(path, f"{D}displayname") or "") for path in listed.hrefs)


def test_of_those_who_share_nothing_nothing_is_seen(dav: Server, owner: Client) -> None:
    client = Client(dav.new_head(portion=0), dav.new_user())
    assert owner("PUT", owner.collection("calendar") + "e.ics", event("e", "Secret")).status == 201
    for path in (owner.collection("calendar"), owner.collection("calendar") + "e.ics"):
        assert client("GET", path).status in (403, 404)
    assert client.propfind(owner.home, f"{D}displayname", depth="1").hrefs == [owner.home]

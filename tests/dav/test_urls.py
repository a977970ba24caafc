"""The addresses that kopano-ical gave lead to where things are now."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi.rights import Rights
from gateway.mapiclient import Special, Store
from tests.dav.server import Client, Server, event
from tests.dav.test_sharing import share


def entryid(dav: Server, client: Client) -> str:
    """The entry id of a user's calendar."""

    async def work(session: Any) -> str:
        return (await (await Store.default(session)).special_folders())[Special.CALENDAR].hex()

    found: str = dav.run(client.user, work)
    return found


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/caldav", "{home}"),
        ("/caldav/", "{home}"),
        ("/caldav/{user}/", "{home}"),
        ("/caldav/{user}/Calendar/", "{calendar}"),
        ("/caldav/{user}/calendar", "{calendar}"),
        ("/caldav/Calendar/", "{calendar}"),
        ("/caldav/{user}/{entryid}/", "{calendar}"),
        ("/caldav/{user}/Calendar/a%20b.ics", "{calendar}a%20b.ics"),
        ("/caldav/{user}/FLDPRFX_mine/", "{home}mine/"),
        ("/caldav/{user}/Tasks/", "{tasks}"),
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "PUT"])
def test_where_it_leads(dav: Server, client: Client, path: str, target: str, method: str) -> None:
    assert client("MKCALENDAR", f"{client.home}mine/").status == 201
    names = {
        "home": client.home,
        "user": client.user,
        "calendar": client.collection("calendar"),
        "tasks": client.collection("VTODO"),
        "entryid": entryid(dav, client),
    }
    answer = client(method, path.format(**names))
    assert answer.status == (301 if method == "PROPFIND" else 308)
    assert answer.headers["location"] == target.format(**names)


@pytest.mark.parametrize("path", ["/caldav/{user}/None/", "/ical/{user}/None", "/caldav/nobody/Calendar/"])
def test_what_is_not_there(client: Client, path: str) -> None:
    assert client("PROPFIND", path.format(user=client.user)).status == 404


@pytest.mark.parametrize(
    "path", ["/ical", "/ical/{user}", "/ical/{user}/Calendar", "/ical/{user}/Calendar.ics", "/ical/Calendar"]
)
def test_a_whole_calendar_is_given_at_once(client: Client, path: str) -> None:
    client("PUT", f"{client.collection('calendar')}e.ics", event("e", "Here"))
    address = path.format(user=client.user)
    answer = client("GET", address)
    assert answer.status == 200
    assert "SUMMARY:Here" in answer.text
    assert client("HEAD", address).status == 200
    refused = client("PUT", address, answer.body)
    assert refused.status == 405
    assert client.collection("calendar") in refused.text


def test_the_calendar_of_a_colleague(dav: Server, client: Client) -> None:
    owner = dav.client()
    share(dav, owner.user, client.user, Rights.REVIEWER)
    owner("PUT", f"{owner.collection('calendar')}e.ics", event("e", "Of a colleague"))
    answer = client("PROPFIND", f"/caldav/{owner.user}/Calendar/")
    assert answer.headers["location"] == owner.collection("calendar")
    assert "SUMMARY:Of a colleague" in client("GET", f"/ical/{owner.user}/Calendar").text
    stranger = dav.client()
    assert stranger("GET", f"/ical/{owner.user}/Calendar").status == 404


def test_a_user_with_such_a_name_is_at_home_there(dav: Server) -> None:
    dav.store.add_user("ical")
    client = dav.client("ical")
    path = client.collection("calendar")
    assert path.startswith("/ical/")
    assert client("PUT", f"{path}e.ics", event("e", "Mine")).status == 201

"""Conditions hold until the save: of many who write at once on the same condition exactly one succeeds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.convert.ical import Options as IcalOptions
from gateway.convert.ical import from_ical
from gateway.mapi import proptags as pr
from gateway.mapiclient import Special, Store
from gateway.mapiclient.replacing import Outdated, replace_message
from gateway.mapiclient.table import Table, rows_of
from tests.dav.server import Client, Reply, Server, event


def at_once(*requests: Callable[[], Reply]) -> list[int]:
    """The statuses of requests that begin together."""
    start = threading.Barrier(len(requests))
    statuses: list[int] = []

    def run(request: Callable[[], Reply]) -> None:
        start.wait()
        statuses.append(request().status)

    threads = [threading.Thread(target=run, args=(each,)) for each in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_six_wins_with_the_same_etag(client: Client, attempt: int) -> None:
    path = f"{client.collection('calendar')}race.ics"
    client("PUT", path, event("race", "Start"))
    etag = client("GET", path).headers["etag"]

    def put(number: int) -> Callable[[], Reply]:
        return lambda: client("PUT", path, event("race", f"Change {number}"), If_Match=etag)

    assert at_once(*map(put, range(6))) == [204, 412, 412, 412, 412, 412]


@pytest.mark.parametrize("same_name", [True, False])
def test_one_of_six_makes_a_new_item(client: Client, same_name: bool) -> None:
    calendar = client.collection("calendar")

    def put(number: int) -> Callable[[], Reply]:
        name = "new" if same_name else f"new-{number}"
        return lambda: client("PUT", f"{calendar}{name}.ics", event("new", f"New {number}"), If_None_Match="*")

    lost = 412 if same_name else 409
    assert at_once(*map(put, range(6))) == [201, *[lost] * 5]
    assert len(client.sync(calendar)[1]) == 1


def test_a_change_and_a_deletion_on_the_same_etag(client: Client) -> None:
    path = f"{client.collection('calendar')}either.ics"
    client("PUT", path, event("either", "Start"))
    etag = client("GET", path).headers["etag"]
    found = at_once(
        lambda: client("PUT", path, event("either", "Changed"), If_Match=etag),
        lambda: client("DELETE", path, If_Match=etag),
    )
    assert found in ([204, 412], [200, 412], [204, 404])


def test_what_was_just_changed_is_listed_as_another_gateway_lists_it(dav: Server) -> None:
    here = dav.client()
    there = Client(dav.new_head(), here.user)
    calendar = here.collection("calendar")
    for text in ("One", "Two", "Three"):
        here("PUT", f"{calendar}a%20b.ics", event("a", text))
        assert here.sync(calendar)[1] == there.sync(calendar)[1]
        assert f"SUMMARY:{text}" in here("GET", f"{calendar}a%20b.ics").text


def test_two_gateways_do_not_overwrite_each_other(dav: Server) -> None:
    here = dav.client()
    there = Client(dav.new_head(), here.user)
    path = f"{here.collection('calendar')}two.ics"
    here("PUT", path, event("two", "Start"))
    etag = there("GET", path).headers["etag"]
    assert here("PUT", path, event("two", "Here"), If_Match=etag).status == 204
    assert there("PUT", path, event("two", "There"), If_Match=etag).status == 412
    newer = there("GET", path).headers["etag"]
    assert there("PUT", path, event("two", "There"), If_Match=newer).status == 204
    assert "SUMMARY:There" in here("GET", path).text


def test_what_another_gateway_changed_between_reading_and_saving_is_not_replaced(dav: Server) -> None:
    client = dav.client()
    calendar = client.collection("calendar")
    client("PUT", f"{calendar}late.ics", event("late", "Start"))
    etag = client("GET", f"{calendar}late.ics").headers["etag"]
    client("PUT", f"{calendar}late.ics", event("late", "Changed"))

    async def replace(session: Any) -> None:
        store = await Store.default(session)
        folder = (await store.special_folders())[Special.CALENDAR]
        [row] = await rows_of(Table.contents(session, folder, (pr.PR_ENTRYID, pr.PR_CHANGE_KEY)))
        content = from_ical(event("late", "Other").encode(), None, IcalOptions())
        change_key = bytes.fromhex(etag.strip('"'))
        with pytest.raises(Outdated):
            await replace_message(session, store.entryid, row[pr.PR_ENTRYID], content, change_key)
        await replace_message(session, store.entryid, row[pr.PR_ENTRYID], content, row[pr.PR_CHANGE_KEY])

    dav.run(client.user, replace)
    [path] = client.sync(calendar)[1]
    assert "SUMMARY:Other" in client("GET", path).text


def test_what_is_deleted(client: Client) -> None:
    """RFC 4918 9.6: an item, a collection, nothing, and what nobody deletes."""
    calendar, mine = client.collection("calendar"), f"{client.home}mine/"
    client("PUT", f"{calendar}a.ics", event("a", "A"))
    assert client("MKCALENDAR", mine).status == 201
    assert client("DELETE", mine, If_Match='"other"').status == 412
    for path, status in (
        (f"{calendar}a.ics", 204), (f"{calendar}a.ics", 404), (mine, 204), (mine, 404), (calendar, 403),
        (client.home, 403), (f"{client.home}calendar-proxy-read/", 403), (f"{client.home}global-address-book/", 403),
    ):  # fmt: skip
        answer = client("DELETE", path)
        assert (answer.status, answer.body if status == 204 else b"") == (status, b""), path

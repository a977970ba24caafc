"""What listings ask of the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gateway.dav import folderlog, tokens
from gateway.dav.entries import FIRST
from gateway.dav.homes import Homes
from gateway.dav.kinds import CALENDAR, CONTACTS
from gateway.dav.listing import Listings
from gateway.dav.places import Place
from gateway.mapiclient.message import delete_messages
from gateway.mapiclient.session import Session
from tests.dav.server import OPTIONS, Client, Server, card, event


class Counted:
    """A session that remembers its calls."""

    def __init__(self, session: Session) -> None:
        self.calls: list[str] = []
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def call(self, call: Any, **options: Any) -> Any:
        self.calls.append(type(call).__name__)
        return await self._session.call(call, **options)


def later() -> float:
    """So much later that times of changes tell them apart."""
    return time.time() + 60


async def address_book(session: Session) -> Place:
    places = await Homes(OPTIONS, time.monotonic).of(session).places(0.0)
    return next(place for place in places if place.kind is CONTACTS and place.is_own)


def put(client: Client, name: str) -> str:
    path = f"{client.collection('addressbook')}{name}.vcf"
    assert client("PUT", path, card(f"uid-{name}", f"Name {name}")).status == 201
    return path


def in_session(dav: Server, client: Client, work: Callable[[Any, Place], Any]) -> Any:
    async def run(session: Session) -> Any:
        counted = Counted(session)
        return await work(counted, await address_book(session))

    return dav.run(client.user, run)


def test_whether_something_changed_is_told_without_the_items(dav: Server, client: Client) -> None:
    put(client, "one")
    token, _ = client.sync(client.collection("addressbook"))

    async def asks(session: Any, place: Place) -> None:
        listings = Listings(1000)
        difference = await listings.since(session, place, token)
        assert (difference.changed, difference.removed) == ([], [])
        assert tokens.write(place.source_key, await listings.position(session, place)) == token
        assert "TableMulti" not in session.calls
        assert [each.href for each in (await listings.fresh(session, place)).by_key.values()] == ["one.vcf"]
        assert session.calls.count("TableMulti") == 1

    in_session(dav, client, asks)


def test_a_folder_whose_row_is_as_it_was_is_not_asked_for_its_position(dav: Server, client: Client) -> None:
    put(client, "one")

    async def asks(session: Any, place: Place) -> tuple[Listings, dict[bytes, tokens.Position]]:
        listings = Listings(1000, later)
        first = await listings.positions([(session, place)])
        session.calls.clear()
        assert await listings.positions([(session, place)]) == first
        assert session.calls == []
        return listings, first

    listings, first = in_session(dav, client, asks)
    put(client, "two")

    async def asks_again(session: Any, place: Place) -> None:
        second = await listings.positions([(session, place)])
        assert second[place.source_key].number > first[place.source_key].number
        assert session.calls == ["GetChanges"]

    in_session(dav, client, asks_again)


def test_a_folder_that_changed_a_moment_ago_is_asked_for_its_position(dav: Server, client: Client) -> None:
    put(client, "one")

    async def asks(session: Any, place: Place) -> None:
        listings = Listings(1000)
        await listings.positions([(session, place)])
        session.calls.clear()
        await listings.positions([(session, place)])
        assert session.calls == ["GetChanges"]

    in_session(dav, client, asks)


def test_who_reads_on_meanwhile_does_not_let_others_miss_what_they_were_not_told(
    dav: Server, client: Client
) -> None:
    """Between the answer about one client's changes and the end of its request, another request reads on."""
    put(client, "one")

    async def asks(session: Any, place: Place) -> None:
        listings = Listings(1000)
        before = await listings.position(session, place)
        there = (await listings.fresh(session, place)).position
        assert there == before

        class Slow(Counted):
            async def call(self, call: Any, **options: Any) -> Any:
                answer = await super().call(call, **options)
                if self.calls == ["GetChanges", "GetChanges"]:  # it has its changes
                    listing = await listings.fresh(session, place)
                    listing.position = tokens.Position(before.number + 1)
                return answer

        slow: Any = Slow(session)
        told = await listings.since(slow, place, tokens.write(place.source_key, tokens.Position(1)))
        assert told.position == before

    in_session(dav, client, asks)


def test_times_are_read_when_they_are_asked_for(dav: Server, client: Client) -> None:
    path = client.collection("calendar")
    for name, start in (("early", "20260105T100000Z"), ("late", "20260305T100000Z")):
        assert client("PUT", f"{path}{name}.ics", event(name, name, start)).status == 201

    async def asks(session: Any) -> None:
        counted: Any = Counted(session)
        places = await Homes(OPTIONS, time.monotonic).of(session).places(0.0)
        place = next(each for each in places if each.kind is CALENDAR and each.is_own)
        listings = Listings(1000)
        untimed = await listings.fresh(counted, place)
        assert {each.first for each in untimed.by_key.values()} == {FIRST}
        listing = await listings.fresh(counted, place, times=True)
        assert [each.first for each in sorted(listing.by_key.values())] == [1767607200, 1772704800]
        assert {each.last - each.first for each in listing.by_uid.values()} == {3600}
        assert [*map(id, listing.by_href.values())] == [*map(id, listing.by_key.values())]
        assert counted.calls.count("TableMulti") == 2
        other = Listings(1000)
        assert (await other.fresh(counted, place, times=True)).by_href == listing.by_href
        assert counted.calls.count("TableMulti") == 3

    dav.run(client.user, asks)


def test_what_went_before_it_was_read_is_not_told_to_be_gone(dav: Server, client: Client) -> None:
    """The client never heard of it: nobody needs to know what it was called."""
    listings = Listings(1000)

    async def reads(session: Any, place: Place) -> str:
        return tokens.write(place.source_key, (await listings.fresh(session, place)).position)

    token = in_session(dav, client, reads)
    put(client, "gone")

    async def asks(session: Any, place: Place) -> None:
        class Late(Counted):
            async def call(self, call: Any, **options: Any) -> Any:
                answer = await super().call(call, **options)
                if self.calls == ["GetChanges"]:  # it knows that there is something new
                    (item,) = await folderlog.items(session, place, times=False)
                    await delete_messages(session, [item.entryid], hard=False)
                return answer

        late: Any = Late(session)
        told = await listings.since(late, place, token)
        assert (told.changed, told.removed) == ([], [])
        again = await listings.since(session, place, tokens.write(place.source_key, told.position))
        assert (again.changed, again.removed) == ([], [])

    in_session(dav, client, asks)

"""What is kept in memory has its bounds."""

from __future__ import annotations

import time
from typing import Any

from gateway.dav.addressbook import Directory
from gateway.dav.homes import Homes
from gateway.dav.listing import Listings
from gateway.dav.texts import TextCache
from gateway.mapiclient.session import Session
from tests.dav.server import OPTIONS, Server, card


def test_texts_take_so_many_bytes_and_no_more() -> None:
    most = 200_000
    cache = TextCache(most)
    for number in range(10_000):
        cache.put((number,), b"x" * 1000)
    kept = sum(cache.get((number,)) is not None for number in range(10_000))
    assert 0 < kept * 1000 < most
    assert cache.get((9_999,)) is not None
    assert cache.get((0,)) is None


def test_a_text_that_would_take_the_place_of_many_is_not_kept() -> None:
    cache = TextCache(80_000)
    cache.put(("small",), b"x")
    cache.put(("large",), b"x" * 10_001)
    assert cache.get(("large",)) is None
    assert cache.get(("small",)) == b"x"


def test_listings_give_way_when_there_are_too_many_items(dav: Server) -> None:
    client = dav.client()
    book = client.collection("addressbook")
    for number in range(5):
        client("PUT", f"{book}{number}.vcf", card(f"uid-{number}", "Some Body"))

    async def read(session: Session) -> list[int]:
        places = await Homes(OPTIONS, time.monotonic).of(session).places(0.0)
        sizes = []
        listings = Listings(5)
        for _ in range(2):
            for place in places:
                if place.home is not None:
                    await listings.fresh(session, place)
                    sizes.append(listings.size)
        return sizes

    assert max(dav.run(client.user, read)) <= 6  # the one that is asked for is there in any case


def test_users_who_see_the_same_address_book_share_it(dav: Server) -> None:
    one, two = dav.new_user(), dav.new_user()
    directory = Directory(1000, time.monotonic)

    async def listing(session: Session) -> Any:
        return await directory.listing(session)

    assert dav.run(one, listing) is dav.run(two, listing)

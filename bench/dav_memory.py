"""What a DAV process needs in memory for many users with many events each.

Filling hundreds of calendars would take hours, so a few are filled, and the gateway is told to keep fewer items and
texts than these have. The clients list everything, read every event, and ask again and again, while memory (`/proc`)
has to stay where it was when the bounds were reached. What 200 calendars take with the default bounds is measured
in this process: one calendar, read as if it were those of 200 users.

    python -m bench.dav_memory [users] [events]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.dav import SYNC, Gateway, events
from bench.dav_load import memory
from gateway.dav.homes import Homes
from gateway.dav.kinds import CALENDAR
from gateway.dav.listing import Listings
from gateway.dav.options import Options
from gateway.garbage import collect_seldom
from gateway.mapiclient import Special
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Credentials
from tests.dav.server import Client, D, multiget, propfind
from tests.support import reactor
from tests.support.gateway import GatewayProcess
from tests.support.store import StoreProcess

#: Megabytes of converted items, and items, that the gateway keeps.
TEXT, ITEMS = 4, 10_000
SETTINGS = f'[dav]\ncached_items = {ITEMS}\ncached_text = "{TEXT}M"'


def work(port: int, user: str, count: int) -> None:
    """What a client does when it is set up, and then every few minutes."""
    client = Client(port, user)
    path = client.collection("calendar")
    client("REPORT", path, SYNC % "")
    for start in range(0, count, 50):
        paths = [f"{path}uid-{number}.ics" for number in range(start, min(start + 50, count))]
        client("REPORT", path, multiget("calendar", *paths))
    token, _ = client.sync(path)
    client("REPORT", path, SYNC % token)
    client("PROPFIND", client.home, propfind(f"{D}sync-token", f"{D}displayname"), Depth="1")


class Another:
    """A session that passes for one on another server, so that its folders are not known yet."""

    def __init__(self, session: Session, number: int) -> None:
        self.server_guid = number.to_bytes(16, "little")
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def many(gateway: Gateway, user: str, users: int) -> None:
    """Listings of so many calendars, as many items as the gateway keeps by default, in this very process."""
    options = Options(timezone="Europe/Berlin")
    listings = Listings(options.cached_items)

    async def read(numbers: range) -> int:
        with await gateway.sessions.lease(Credentials(user, user)) as lease:
            places = await Homes(options, time.monotonic).of(lease.session).places(0.0)
            place = next(each for each in places if each.kind is CALENDAR and each.is_own)
            for number in numbers:
                session: Any = Another(lease.session, number)
                await listings.fresh(session, place, times=True)
        return place.count

    before = memory(os.getpid())
    for start in range(0, users, 20):
        count = reactor.run(lambda start=start: read(range(start, start + 20)), timeout=120)
        if start % 40 == 20:
            grown = memory(os.getpid()) - before
            print(
                f"{start + 20} users, {(start + 20) * count:,} events: +{grown:,} KiB, {listings.size:,} kept"
            )


def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    names = [f"user{number}" for number in range(users)]
    with (
        tempfile.TemporaryDirectory() as directory,
        StoreProcess(Path(directory, "store"), names) as store,
    ):
        reactor.start()
        filler = reactor.call(lambda: Gateway(store.url))
        for name in names:
            filler.fill(name, Special.CALENDAR, events(count))
        collect_seldom()
        many(filler, names[0], 200)
        process = GatewayProcess(Path(directory, "gateway"), store.url)
        process.config.write_text(process.config.read_text().replace("[dav]", SETTINGS))
        with process as gateway:
            pid, port = gateway.process.pid, gateway.port("dav")
            before = memory(pid)
            print(f"at rest {before:,} KiB; {ITEMS:,} items and {TEXT} MB of text may be kept", flush=True)
            for turn in range(4):
                for number, name in enumerate(names):
                    work(port, name, count)
                    if turn == 0:
                        print(
                            f"{number + 1} users, {(number + 1) * count:,} items: {memory(pid):,} KiB",
                            flush=True,
                        )
                print(f"after turn {turn + 1}: {memory(pid):,} KiB (+{memory(pid) - before:,})", flush=True)


if __name__ == "__main__":
    main()

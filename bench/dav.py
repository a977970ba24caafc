"""What CalDAV costs: CPU of the gateway's process for the requests that clients repeat, over a calendar of many events.

The store runs in a process of its own, the client in the benchmark's main thread, the gateway in the reactor's thread
and the DAV threads; the client's own CPU is measured apart and taken off.

    python -m bench.dav [events]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.convert.ical import Options as IcalOptions
from gateway.convert.ical import from_ical
from gateway.dav.options import Options
from gateway.dav.service import DavFactory
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import DAV_RESOURCE_NAME
from gateway.mapiclient import Special, Store
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Credentials, Sessions
from tests.dav.server import Client, D, event, multiget, propfind
from tests.support import reactor
from tests.support.store import StoreProcess

NOTE = "DESCRIPTION:" + "Some words about what will be talked about. " * 12


class Gateway:
    """The head over a store in another process."""

    def __init__(self, url: str) -> None:
        self.pool = Pool(reactor.reactor, PoolOptions())
        self.sessions = Sessions(self.pool, parse_server(url))
        self.listen()

    def listen(self) -> None:
        """A head with empty caches."""
        self.head = DavFactory(self.sessions, Options(timezone="Europe/Berlin"), reactor.reactor)
        self.port = reactor.reactor.listenTCP(0, self.head, interface="127.0.0.1").getHost().port

    def fill(self, user: str, events: int) -> None:
        """Put events into the user's calendar, one every two hours."""

        async def fill() -> None:
            with await self.sessions.lease(Credentials(user, user)) as lease:
                store = await Store.default(lease.session)
                folder = (await store.special_folders())[Special.CALENDAR]
                guid = parse_object_entryid(folder).store
                for number in range(events):
                    day = time.strftime("%Y%m%dT%H0000Z", time.gmtime(1_767_225_600 + number * 7200))
                    data = event(f"uid-{number}", f"Event {number}", day, NOTE).encode()
                    content = from_ical(data, None, IcalOptions())
                    content.props[DAV_RESOURCE_NAME] = f"uid-{number}"
                    await save_new_message(lease.session, folder, guid, content)

        reactor.run(fill, timeout=600)


def measure(name: str, work: Callable[[], Any], times: int = 5) -> None:
    """Print the CPU of the process without the client's thread, and the time on the clock."""
    answer = work()
    process, thread, clock = time.process_time(), time.thread_time(), time.perf_counter()
    for _ in range(times):
        answer = work()
    cpu = (time.process_time() - process - (time.thread_time() - thread)) / times
    wall = (time.perf_counter() - clock) / times
    size = len(answer.body) if answer is not None else 0
    print(f"{name:<42} {cpu * 1e3:8.1f} ms CPU {wall * 1e3:8.1f} ms {size:>10,} bytes", flush=True)


def query(start: str, end: str, inner: str = "") -> str:
    time_range = f'<C:time-range start="{start}" end="{end}"/>' if start else ""
    return (
        '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/><C:calendar-data/>'
        '</prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"{time_range}{inner}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )


SYNC = '<sync-collection xmlns="DAV:"><sync-token>%s</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
MATCH = '<C:prop-filter name="SUMMARY"><C:text-match>Event 4711</C:text-match></C:prop-filter>'
#: A property that no column of the store tells, and words that only the last event has.
NO_COLUMN = '<C:prop-filter name="COMMENT"><C:text-match>needle</C:text-match></C:prop-filter>'
UID = '<C:prop-filter name="UID"><C:text-match collation="i;octet">uid-4711</C:text-match></C:prop-filter>'
FREE_BUSY = (
    '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
    '<C:time-range start="20260201T000000Z" end="20260301T000000Z"/></C:free-busy-query>'
)


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as directory, StoreProcess(Path(directory), ["bench"]) as store:
        reactor.start()
        gateway = reactor.call(lambda: Gateway(store.url))
        begun = time.perf_counter()
        gateway.fill("bench", events)
        print(f"{events} events put in {time.perf_counter() - begun:.1f} s")
        client = Client(gateway.port, "bench")
        path = client.collection("calendar")
        token, _ = client.sync(path)
        paths = [f"{path}uid-{number}.ics" for number in range(events)]

        def cold() -> Any:
            reactor.call(gateway.listen)
            client.port = gateway.port
            return client("REPORT", path, SYNC % "")

        measure("sync-collection, first of a new gateway", cold, 2)
        measure("PROPFIND 1, ETags", lambda: client("PROPFIND", path, propfind(f"{D}getetag"), Depth="1"))
        measure("sync-collection, all", lambda: client("REPORT", path, SYNC % ""))
        measure("sync-collection, nothing new", lambda: client("REPORT", path, SYNC % token), 20)
        measure(
            "PROPFIND 0, CTag",
            lambda: client("PROPFIND", path, propfind("{http://calendarserver.org/ns/}getctag"), Depth="0"),
            20,
        )
        places = iter(range(0, events, 50))

        def fresh_50() -> Any:
            start = next(places, 0)
            return client("REPORT", path, multiget("calendar", *paths[start : start + 50]))

        measure("multiget 50, never read", fresh_50, 10)
        measure(
            "multiget 50, read before", lambda: client("REPORT", path, multiget("calendar", *paths[:50])), 10
        )
        month = query("20260201T000000Z", "20260301T000000Z")
        measure("time range of a month, with data", lambda: client("REPORT", path, month))
        measure("free-busy of a month", lambda: client("REPORT", path, FREE_BUSY), 1)

        def looked_through(inner: str) -> Callable[[], Any]:
            def cold_query() -> Any:
                cold()
                return client("REPORT", path, query("", "", inner))

            return cold_query

        for name, inner in (("SUMMARY", MATCH), ("UID", UID), ("COMMENT", NO_COLUMN)):
            measure(f"first listing and text-match of {name}", looked_through(inner), 1)
        measure("text-match of SUMMARY", lambda: client("REPORT", path, query("", "", MATCH)), 1)
        measure("text-match of UID", lambda: client("REPORT", path, query("", "", UID)), 1)
        measure("text-match of COMMENT", lambda: client("REPORT", path, query("", "", NO_COLUMN)), 1)
        measure("text-match of COMMENT, again", lambda: client("REPORT", path, query("", "", NO_COLUMN)), 2)
        number = iter(range(10**6))

        def put() -> Any:
            each = next(number)
            return client("PUT", f"{path}new-{each}.ics", event(f"new-{each}", "New"))

        measure("PUT of a new event", put, 50)
        measure(
            "PUT over an event", lambda: client("PUT", paths[0], event("uid-0", f"Changed {next(number)}")), 50
        )
        measure("GET", lambda: client("GET", paths[1]), 20)


if __name__ == "__main__":
    main()

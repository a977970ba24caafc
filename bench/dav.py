"""What CalDAV and CardDAV cost: CPU of the gateway's process for the requests that clients repeat, over many items.

The store runs in a process of its own, the client in the benchmark's main thread, the gateway in the reactor's thread
and the DAV threads; the client's own CPU is measured apart and taken off.

    python -m bench.dav [events]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from gateway.convert.ical import Options as IcalOptions
from gateway.convert.ical import from_ical
from gateway.convert.vcard import Options as VcardOptions
from gateway.convert.vcard import from_vcard
from gateway.dav.options import Options
from gateway.dav.service import DavFactory
from gateway.garbage import collect_seldom
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import DAV_RESOURCE_NAME
from gateway.mapiclient import Special, Store
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Credentials, Sessions
from tests.dav.server import CS, C, Client, D, card, event, multiget, propfind
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

    def fill(self, user: str, special: Special, contents: Iterable[MessageContent]) -> None:
        """Put items into one of the user's folders, named uid-0, uid-1 and so on."""

        async def fill() -> None:
            with await self.sessions.lease(Credentials(user, user)) as lease:
                store = await Store.default(lease.session)
                folder = (await store.special_folders())[special]
                guid = parse_object_entryid(folder).store
                for number, content in enumerate(contents):
                    content.props[DAV_RESOURCE_NAME] = f"uid-{number}"
                    await save_new_message(lease.session, folder, guid, content)

        reactor.run(fill, timeout=600)


def events(count: int, series: int = 0) -> Iterator[MessageContent]:
    """Events, one every two hours; every so many-th repeats for half a year."""
    for number in range(count):
        day = time.strftime("%Y%m%dT%H0000Z", time.gmtime(1_767_225_600 + number * 7200))
        more = ["RRULE:FREQ=WEEKLY;COUNT=26"] if series and number % series == 0 else []
        text = event(f"uid-{number}", f"Event {number}", day, NOTE, *more)
        yield from_ical(text.encode(), None, IcalOptions())


def contacts(count: int) -> Iterator[MessageContent]:
    """Contacts with an address, a telephone and a postal address."""
    for number in range(count):
        more = [
            f"EMAIL;TYPE=WORK:p{number}@example.org",
            f"TEL;TYPE=WORK:+49 30 {number}",
            f"ADR;TYPE=WORK:;;Street {number};Town;;12345;Germany",
        ]
        yield from_vcard(card(f"uid-{number}", f"Person {number}", *more).encode(), None, VcardOptions())


def measure(name: str, work: Callable[[], Any], times: int = 5, rounds: int = 5) -> None:
    """Print the CPU of the process without the client's thread, and the time on the clock: the least of some rounds."""
    answer, found = work(), []
    for _ in range(rounds):
        process, thread, clock = time.process_time(), time.thread_time(), time.perf_counter()
        for _ in range(times):
            answer = work()
        cpu = time.process_time() - process - (time.thread_time() - thread)
        found.append((cpu / times, (time.perf_counter() - clock) / times))
    cpu, wall = map(min, zip(*found, strict=True))
    size = len(answer.body) if answer is not None else 0
    print(f"{name:<52} {cpu * 1e3:8.1f} ms CPU {wall * 1e3:8.1f} ms {size:>10,} bytes", flush=True)


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


#: What clients ask of all collections every few minutes.
HOME = propfind(
    f"{D}resourcetype", f"{D}displayname", f"{D}sync-token", f"{CS}getctag",
    f"{D}current-user-privilege-set", f"{C}supported-calendar-component-set",
)  # fmt: skip


class Bench:
    """A client of a user, and measurements of what it asks."""

    def __init__(self, gateway: Gateway, user: str) -> None:
        self.gateway = gateway
        self.client = Client(gateway.port, user)

    def cold(self, *request: Any, **headers: str) -> Any:
        """A request to a gateway that has just been started."""
        reactor.call(self.gateway.listen)
        self.client.port = self.gateway.port
        return self.client(*request, **headers)

    def repeated(self, name: str, kind: str, count: int) -> None:
        """The requests that every client repeats."""
        client = self.client
        path = client.collection(kind)
        measure(
            f"{name}: sync-collection, first of a new gateway", lambda: self.cold("REPORT", path, SYNC % "")
        )
        token, _ = client.sync(path)
        nothing = SYNC % token
        measure(f"{name}: the same, nothing new", lambda: self.cold("REPORT", path, nothing), 1)
        client("REPORT", path, SYNC % "")
        measure(
            f"{name}: PROPFIND 1, ETags", lambda: client("PROPFIND", path, propfind(f"{D}getetag"), Depth="1")
        )
        measure(f"{name}: sync-collection, all", lambda: client("REPORT", path, SYNC % ""))
        measure(f"{name}: sync-collection, nothing new", lambda: client("REPORT", path, nothing), 10)
        suffix = "vcf" if kind == "addressbook" else "ics"
        paths = [f"{path}uid-{number}.{suffix}" for number in range(count)]
        places = iter(range(0, count, 50))

        def fresh_50() -> Any:
            start = next(places, 0)
            return client("REPORT", path, multiget(kind, *paths[start : start + 50]))

        measure(f"{name}: multiget 50, never read", fresh_50, 5)
        again = multiget(kind, *paths[:50])
        measure(f"{name}: multiget 50, read before", lambda: client("REPORT", path, again), 10)

    def month(self, name: str) -> None:
        """A month of a calendar."""
        path, month = self.client.collection("calendar"), query("20260201T000000Z", "20260301T000000Z")
        measure(f"{name}: month with data, first", lambda: self.cold("REPORT", path, month), 1)
        measure(f"{name}: month with data", lambda: self.client("REPORT", path, month))
        measure(f"{name}: free-busy of a month", lambda: self.client("REPORT", path, FREE_BUSY))

    def matches(self) -> None:
        """Searches for words."""
        path = self.client.collection("calendar")
        for name, inner in (("SUMMARY", MATCH), ("UID", UID), ("COMMENT", NO_COLUMN)):
            request = "REPORT", path, query("", "", inner)
            measure(f"first listing and text-match of {name}", partial(self.cold, *request), 1)
            measure(f"text-match of {name}", partial(self.client, *request), 2)

    def writes(self, name: str, kind: str, suffix: str, item: Callable[[str, str], str]) -> None:
        """PUT, GET and DELETE."""
        client, number = self.client, iter(range(10**6))
        path = client.collection(kind)

        def put() -> Any:
            each = next(number)
            return client("PUT", f"{path}new-{each}.{suffix}", item(f"new-{each}", "New"))

        def over() -> Any:
            return client("PUT", f"{path}uid-0.{suffix}", item("uid-0", f"Changed {next(number)}"))

        gone = iter(range(10**6))
        measure(f"PUT of {name} that is new", put, 20)
        measure(f"PUT over {name}", over, 20)
        measure(f"GET of {name}", lambda: client("GET", f"{path}uid-1.{suffix}"), 20)
        measure(f"DELETE of {name}", lambda: client("DELETE", f"{path}new-{next(gone)}.{suffix}"), 15)

    def home(self, collections: int) -> None:
        """All collections."""
        client = self.client
        for number in range(collections):
            client("MKCALENDAR", f"{client.home}more-{number}/")
        name = f"PROPFIND 1 of a home, {collections} more calendars"
        measure(f"{name}, first", lambda: self.cold("PROPFIND", client.home, HOME, Depth="1"), 1)
        time.sleep(4)  # what changed a moment ago is asked for again
        measure(name, lambda: client("PROPFIND", client.home, HOME, Depth="1"), 10)
        path = client.collection("calendar")
        ctag = propfind(f"{CS}getctag")
        measure("PROPFIND 0, CTag", lambda: client("PROPFIND", path, ctag, Depth="0"), 20)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with (
        tempfile.TemporaryDirectory() as directory,
        StoreProcess(Path(directory), ["bench", "series"]) as store,
    ):
        reactor.start()
        gateway = reactor.call(lambda: Gateway(store.url))
        begun = time.perf_counter()
        gateway.fill("bench", Special.CALENDAR, events(count))
        gateway.fill("bench", Special.CONTACTS, contacts(count))
        gateway.fill("series", Special.CALENDAR, events(count, 10))
        print(f"{3 * count} items put in {time.perf_counter() - begun:.1f} s")
        collect_seldom()
        bench = Bench(gateway, "bench")
        bench.repeated("calendar", "calendar", count)
        bench.month("calendar")
        bench.matches()
        Bench(gateway, "series").month("a tenth are series")
        bench.repeated("contacts", "addressbook", count)
        bench.writes("an event", "calendar", "ics", event)
        bench.writes("a contact", "addressbook", "vcf", card)
        bench.home(30)


if __name__ == "__main__":
    main()

"""What scheduling costs: CPU of the gateway's process for meetings that are put, messages that come in, busy times.

The store runs in a process of its own; the client's own CPU is taken off. Nothing empties the queue.

    python -m bench.scheduling [meetings]
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from bench.dav import NOTE, measure
from gateway.convert.ical import meeting_content
from gateway.dav.options import Options
from gateway.dav.scheduling.sending import Sending
from gateway.dav.service import DavFactory
from gateway.mapi import proptags as pr
from gateway.mapiclient import Store
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Credentials, Sessions
from tests.dav.server import Client, D, event, propfind
from tests.support import reactor
from tests.support.store import StoreProcess

GUESTS = [f"guest{number}" for number in range(20)]


def listen(sessions: Sessions, *, scheduling: bool) -> int:
    """A head with empty caches; its port."""
    options = Options(timezone="Europe/Berlin", scheduling=scheduling)
    head = DavFactory(sessions, options, reactor.reactor, sending=Sending(queue_runs=True))
    port: int = reactor.reactor.listenTCP(0, head, interface="127.0.0.1").getHost().port
    return port


def meeting(uid: str, organizer: str, *guests: str) -> str:
    people = [f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{each}@localhost" for each in guests]
    return event(
        uid, f"Meeting {uid}", "20271201T100000Z", NOTE, f"ORGANIZER:mailto:{organizer}@localhost", *people
    )


def receive(sessions: Sessions, user: str, texts: list[str]) -> None:
    """Put invitations into somebody's Inbox."""

    async def work() -> None:
        with await sessions.lease(Credentials(user, user)) as lease:
            store = await Store.default(lease.session)
            inbox = await store.receive_folder()
            for text in texts:
                content = meeting_content(text.encode(), "REQUEST")
                assert content is not None
                await save_new_message(lease.session, inbox, store.guid, content)

    reactor.run(work, timeout=600)


def of_changes(client: Client, state: str) -> None:
    """What changes of the calendar cost, and what looking at it does."""
    path = client.collection("calendar")
    numbers = count()

    def put(*guests: str) -> Any:
        uid = f"{state}-{len(guests)}-{next(numbers)}"
        text = meeting(uid, "boss", *guests) if guests else event(uid, "Alone", "20271201T100000Z", NOTE)
        return client("PUT", f"{path}{uid}.ics", text)

    measure(f"{state}: PUT of an event", put, 40)
    measure(f"{state}: PUT of a meeting, 1 guest", lambda: put("guest0"), 40)
    measure(f"{state}: PUT of a meeting, 20 guests", lambda: put(*GUESTS), 20)
    body = propfind(f"{D}getetag")
    measure(f"{state}: PROPFIND 1 of the calendar", lambda: client("PROPFIND", path, body, Depth="1"), 20)


def of_arrivals(sessions: Sessions, guest: Client, meetings: int) -> None:
    """What invitations cost that come in."""
    inbox = f"{guest.home}schedule-inbox/"

    def look() -> Any:
        return guest.propfind(inbox, f"{D}getetag", depth="1")

    look()
    receive(sessions, guest.user, [meeting(f"in-{number}", "boss", guest.user) for number in range(meetings)])
    process, thread = time.process_time(), time.thread_time()
    look()
    cpu = time.process_time() - process - (time.thread_time() - thread)
    print(f"{'an invitation applied':<42} {cpu / meetings * 1e3:8.1f} ms CPU", flush=True)
    measure("Inbox with nothing new", look, 20)


def give_hours(sessions: Sessions, users: list[str]) -> None:
    """Have users work from Monday to Friday, as the web client says it."""
    text = '{"settings":{"zarafa":{"v1":{"main":{"working_days":[1,2,3,4,5]}}}}}'

    async def work() -> None:
        for user in users:
            with await sessions.lease(Credentials(user, user)) as lease:
                await (await Store.default(lease.session)).set_props({pr.PR_EC_WEBACCESS_SETTINGS_JSON: text})

    reactor.run(work, timeout=600)


def of_busy_times(sessions: Sessions, client: Client) -> None:
    """What it costs to ask when others are busy."""
    asked = "".join(f"ATTENDEE:mailto:{each}@localhost\r\n" for each in GUESTS)
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:1\r\nDTSTAMP:20271101T000000Z\r\n"
        f"DTSTART:20271201T000000Z\r\nDTEND:20271208T000000Z\r\nORGANIZER:mailto:boss@localhost\r\n{asked}"
        "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )

    def ask(asking: Client) -> Any:
        return asking("POST", f"{asking.home}schedule-outbox/", body)

    measure("busy times of 20 users", lambda: ask(client), 20)
    give_hours(sessions, GUESTS)
    other = Client(reactor.call(lambda: listen(sessions, scheduling=True)), "boss")  # the first one has asked
    measure("busy times and working hours of 20 users", lambda: ask(other), 20)


def main() -> None:
    meetings = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with (
        tempfile.TemporaryDirectory() as directory,
        StoreProcess(Path(directory), ["boss", *GUESTS]) as store,
    ):
        reactor.start()
        pool = reactor.call(lambda: Pool(reactor.reactor, PoolOptions()))
        sessions = reactor.call(lambda: Sessions(pool, parse_server(store.url)))
        of_changes(Client(reactor.call(lambda: listen(sessions, scheduling=False)), "boss"), "off")
        client = Client(reactor.call(lambda: listen(sessions, scheduling=True)), "boss")
        of_changes(client, "on")
        of_arrivals(sessions, Client(client.port, "guest0"), meetings)
        of_busy_times(sessions, client)


if __name__ == "__main__":
    main()

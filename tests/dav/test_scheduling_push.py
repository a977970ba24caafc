"""Clients that are told of changes hear of invitations, though nobody has asked for them meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.dav.options import Options
from gateway.dav.push.service import Settings
from gateway.dav.scheduling.sending import Sending
from gateway.dav.service import DavFactory
from tests.dav.meetings import Person, Site, meeting
from tests.dav.pushing import Device, P, running_service
from tests.dav.server import clock, event
from tests.dav.test_scheduling_arrivals import ALONE
from tests.dav.test_scheduling_inbox import mails
from tests.support import reactor


@contextmanager
def pushing(site: Site, person: Person, directory: Path, *, scheduling: bool = True) -> Iterator[Any]:
    """A head that tells somebody's device of changes; gives what waits for its next message."""
    with running_service(directory) as service:
        options = Options(timezone="Europe/Berlin", push=True, push_private=True, push_ca_file=service.ca_file)
        settings = Settings(directory / "state", "mailto:a@example.com", pace=0.01)
        sending = Sending(queue_runs=scheduling)

        def listen() -> tuple[DavFactory, Any]:
            head = DavFactory(
                site.sessions, options, reactor.reactor, clock=clock, sending=sending, pushing=settings
            )
            return head, reactor.reactor.listenTCP(0, head, interface="127.0.0.1")

        head, port = reactor.call(listen)
        client = Person(site, person.user)
        client.port = port.getHost().port
        device = Device(f"{service.origin}/{person.user}")
        answer = client("POST", client.calendar, device.registers(), Content_Type="application/xml")
        assert answer.status == 201, answer.text

        async def close() -> None:
            await port.stopListening()
            await head.shut_down()

        try:
            yield lambda: device.reads(service.next())
        finally:
            reactor.run(close)


def test_an_invitation_is_told_to_the_guests_device(
    site: Site, boss: Person, ann: Person, tmp_path: Path
) -> None:
    with pushing(site, ann, tmp_path) as hears:
        boss.put("m", meeting("w-1", boss, ann))
        site.deliver()
        assert hears().tag == f"{P}push-message"
        assert "w-1" in ann.event("w-1")
        boss("DELETE", f"{boss.calendar}m.ics")
        site.deliver()
        assert hears().tag == f"{P}push-message"
        assert "STATUS:CANCELLED" in ann.event("w-1")


def test_nothing_is_applied_where_clients_do_that(
    site: Site, boss: Person, ann: Person, tmp_path: Path
) -> None:
    alone = Person(site, ann.user)
    alone.port = site.new_head(ALONE)
    boss.put("m", meeting("w-2", boss, ann))
    with pushing(site, ann, tmp_path, scheduling=False) as hears:
        site.deliver()
        for number in range(2):
            alone.put(f"e{number}", event(f"e{number}", "E"))
            hears()
        assert alone.event("w-2") == ""
        assert len(mails(site, ann)) == 1

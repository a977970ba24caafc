"""python-caldav as organizer and as guest, a gateway process and a real Postfix between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import caldav
import pytest

from tests.dav.server import event
from tests.dav.test_availability import TEXT
from tests.interop.test_postfix import Postfix, free_port
from tests.support.gateway import GatewayProcess, until
from tests.support.store import running_store

pytestmark = pytest.mark.interop
CONFIGURATION = """
[lmtp]
enabled = true
listen = ["127.0.0.1:0"]
[submission]
enabled = true
listen = ["127.0.0.1:0"]
tls_listen = []
smarthost = "127.0.0.1:{port}"
queue_interval = 0.2
"""
_SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(7)
#: A Thursday that is still to come: what is over is nobody's news.
THURSDAY = _SOON + timedelta((3 - _SOON.weekday()) % 7)


def at(hour: int, day: int = 0) -> datetime:
    """An hour of that Thursday, or so many days later."""
    return THURSDAY.replace(hour=hour) + timedelta(day)


def text_of(time: datetime) -> str:
    """A time as iCalendar has it."""
    return f"{time:%Y%m%dT%H%M%SZ}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway that sends what its users invite to, and delivers it."""
    port = free_port()
    with running_store(tmp_path_factory.mktemp("store")) as store:
        for name in ("alice", "bob"):
            store.add_user(name, email=f"{name}@example.com")
        more = CONFIGURATION.format(port=port)
        directory = tmp_path_factory.mktemp("gateway")
        with GatewayProcess(directory, store.url, trusted=store.unix, more=more) as gateway:
            postfix = Postfix(port, gateway.port("lmtp"))
            try:
                yield f"http://127.0.0.1:{gateway.port('dav')}/"
            finally:
                postfix.close()


def client(url: str, user: str) -> caldav.DAVClient:
    features = {"scheduling.auto-schedule": {"support": "full"}}
    return caldav.DAVClient(url, username=user, password=user, features=features)


def message(inbox: Any, method: str, seen: set[str]) -> Any:
    """The next message of a kind in an Inbox."""

    def found() -> Any:
        inbox._items = None
        new = [item for item in inbox.get_items() if str(item.url) not in seen]
        return next((item for item in new if f"METHOD:{method}" in item.data), None)

    item = until(found)
    seen.add(str(item.url))
    return item


def status(item: Any, address: str) -> str:
    """The answer of somebody who is invited."""
    people = item.icalendar_component["attendee"]
    people = people if isinstance(people, list) else [people]
    return next(str(each.params.get("partstat")) for each in people if each.lower() == f"mailto:{address}")


def test_an_invitation_is_answered_moved_and_cancelled(url: str) -> None:
    with client(url, "alice") as alice, client(url, "bob") as bob:
        assert alice.check_scheduling_support()
        boss, guest = alice.principal(), bob.principal()
        mine, theirs = boss.schedule_inbox(), guest.schedule_inbox()
        calendar = next(each for each in boss.calendars() if "VEVENT" in each.get_supported_components())
        seen: set[str] = set()
        invitation = calendar.save_with_invites(
            event("py-s1", "Planning", text_of(at(10))), [boss, "bob@example.com"]
        )

        request = message(theirs, "REQUEST", seen)
        assert request.is_invite_request()
        request.accept_invite()
        message(mine, "REPLY", seen)
        invitation.load()
        assert status(invitation, "bob@example.com") == "ACCEPTED"

        invitation.icalendar_component["dtstart"].dt = at(15, 1)
        invitation.save()
        message(theirs, "REQUEST", seen)
        copy = next(each for each in guest.calendars() if "VEVENT" in each.get_supported_components())
        moved = copy.event_by_uid("py-s1")
        assert moved.icalendar_component["dtstart"].dt.astimezone(UTC).hour == 15
        assert status(moved, "bob@example.com") == "NEEDS-ACTION"

        invitation.delete()
        message(theirs, "CANCEL", seen).delete()
        assert "STATUS:CANCELLED" in copy.event_by_uid("py-s1").data


def test_a_deleted_calendar_cancels_its_meetings(url: str) -> None:
    with client(url, "alice") as alice, client(url, "bob") as bob:
        boss, theirs = alice.principal(), bob.principal().schedule_inbox()
        calendar = boss.make_calendar(name="Project", cal_id="project")
        seen = {str(item.url) for item in theirs.get_items()}
        for number in range(2):
            text = event(f"py-d{number}", "Review", text_of(at(11 + number)))
            calendar.save_with_invites(text, [boss, "bob@example.com"])
            message(theirs, "REQUEST", seen)
        calendar.delete()
        told = {str(message(theirs, "CANCEL", seen).icalendar_component["uid"]) for _ in range(2)}
        assert told == {"py-d0", "py-d1"}


def test_busy_times_of_others(url: str) -> None:
    with client(url, "alice") as alice, client(url, "bob") as bob:
        calendar = next(
            each for each in bob.principal().calendars() if "VEVENT" in each.get_supported_components()
        )
        calendar.save_event(event("py-busy", "Dentist", text_of(at(9))))
        inbox = str(bob.principal().schedule_inbox().url)
        hours = f"<C:calendar-availability>{TEXT}</C:calendar-availability>"
        body = f'<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>{hours}</prop></set></propertyupdate>'
        assert "200 OK" in bob.proppatch(inbox, body).raw
        start, end = at(0), at(0, 1)
        answer = alice.principal().freebusy_request(start, end, ["bob@example.com", "nobody@example.com"])
        found = {str(address): each for address, each in answer.items()}
        busy = next(each for address, each in found.items() if "bob" in address)
        text = str(getattr(busy, "data", busy))
        assert f"{text_of(at(9))}/{text_of(at(10))}" in text
        assert f"FBTYPE=BUSY-UNAVAILABLE:{text_of(start)}/{text_of(at(9))}" in text  # no working day

"""Tasks with people in them are stored as they came; nobody is told, and the client sees that (RFC 6638 3.2.9)."""

from __future__ import annotations

import re

import pytest

from gateway.dav.options import Options
from tests.dav.meetings import Person, Site
from tests.dav.server import C, unfolded


def task(organizer: Person, *people: str) -> str:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VTODO", "UID:k-1", "DTSTAMP:20261101T000000Z",
        "SUMMARY:Do it", "DUE;VALUE=DATE:20261201", f"ORGANIZER;CN=Boss:mailto:{organizer.address}",
        *(f"ATTENDEE{each}" for each in people), "END:VTODO", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)


def put(person: Person, text: str) -> str:
    """Store a task; what is given back."""
    path = f"{person.collection('VTODO')}t.ics"
    assert person("PUT", path, text, Content_Type="text/calendar").status in (201, 204)
    return unfolded(person("GET", path).text)


def test_who_organizes_a_task_is_told_that_nobody_hears_of_it(
    site: Site, boss: Person, ann: Person, bob: Person
) -> None:
    guest = f";PARTSTAT=NEEDS-ACTION:mailto:{ann.address}"
    by_client = f";SCHEDULE-AGENT=CLIENT:mailto:{bob.address}"
    for _ in range(2):
        stored = put(boss, task(boss, guest, by_client, f":mailto:{boss.address}"))
        assert f"\r\nATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-STATUS=5.2:mailto:{ann.address}\r\n" in stored
        assert f"\r\nATTENDEE{by_client}\r\n" in stored
        assert f"\r\nATTENDEE:mailto:{boss.address}\r\n" in stored
        assert f"\r\nORGANIZER;CN=Boss:mailto:{boss.address}\r\n" in stored
    stamp = re.compile(r"(?:DTSTAMP|LAST-MODIFIED):\w+")  # when it was stored
    assert stamp.sub("", put(boss, stored)) == stamp.sub("", stored)
    assert boss("DELETE", f"{boss.collection('VTODO')}t.ics").status in (200, 204)
    assert site.deliver() == []


@pytest.mark.parametrize("status", ["NEEDS-ACTION", "COMPLETED"])
def test_who_does_a_task_of_somebody_else(site: Site, boss: Person, ann: Person, status: str) -> None:
    stored = put(ann, task(boss, f";PARTSTAT={status}:mailto:{ann.address}"))
    assert f"\r\nORGANIZER;CN=Boss;SCHEDULE-STATUS=5.2:mailto:{boss.address}\r\n" in stored
    assert f"\r\nATTENDEE;PARTSTAT={status}:mailto:{ann.address}\r\n" in stored
    assert site.deliver() == []


def test_tasks_of_others_and_clients_that_schedule_themselves(site: Site, boss: Person, ann: Person) -> None:
    text = task(boss, f":mailto:{site.person().address}")
    assert "SCHEDULE-STATUS" not in put(ann, text)
    alone = Person(site, boss.user)
    alone.port = site.new_head(Options(timezone="Europe/Berlin", scheduling=False))
    assert "SCHEDULE-STATUS" not in put(alone, text)


def test_the_inbox_is_for_events(ann: Person) -> None:
    tag = f"{C}supported-calendar-component-set"
    answer = ann.propfind(ann.inbox, tag)
    assert [each.get("name") for each in answer.xml.iter(f"{C}comp")] == ["VEVENT"]

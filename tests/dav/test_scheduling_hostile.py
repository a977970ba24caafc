"""Meetings that make no sense: stored or refused with a reason, and nobody gets mail that makes no sense either."""

from __future__ import annotations

import pytest

from tests.dav.meetings import Person, Site, meeting
from tests.dav.test_scheduling_inbox import receive

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ORGANIZER;CN=Boss:mailto:", "ORGANIZER:"),
        ("ORGANIZER;CN=Boss:mailto:", "ORGANIZER:urn:uuid:"),
        ("ORGANIZER;CN=Boss", "ORGANIZER;CN=Boss;SCHEDULE-AGENT=X-WHO"),
        ("ATTENDEE;", "ATTENDEE;SCHEDULE-AGENT=;"),
        ("ATTENDEE;", "ATTENDEE;SCHEDULE-FORCE-SEND=NONSENSE;"),
        ("ATTENDEE;", "ATTENDEE;SCHEDULE-STATUS=;"),
        ("PARTSTAT=NEEDS-ACTION", "PARTSTAT=X-PERHAPS"),
        ("END:VEVENT", "SEQUENCE:99999999999999999999\r\nEND:VEVENT"),
        ("END:VEVENT", "SEQUENCE:-1\r\nEND:VEVENT"),
        ("END:VEVENT", "STATUS:NEITHER\r\nEND:VEVENT"),
        ("END:VEVENT", f"{WEEKLY}\r\nEXDATE:nonsense\r\nEND:VEVENT"),
        ("END:VEVENT", f"{WEEKLY}\r\nEXDATE:\r\nEND:VEVENT"),
        ("END:VEVENT", "RECURRENCE-ID:20261201T090000Z\r\nEND:VEVENT"),
        ("END:VEVENT", "RECURRENCE-ID:nonsense\r\nEND:VEVENT"),
        (
            "END:VCALENDAR",
            "BEGIN:VEVENT\r\nUID:h-1\r\nRECURRENCE-ID:20300101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR",
        ),
        ("DTSTART;TZID=Europe/Berlin:20261201T100000", "DTSTART;TZID=Nowhere:20261201T100000"),
        ("DURATION:PT1H", "DURATION:-PT1H"),
        ("SUMMARY:", "SUMMARY:\\n\\nBcc: everybody@example.net\\n\\n"),
        ("CN=Boss", 'CN="Boss\\nBcc: x@y"'),
    ],
)
def test_strange_meetings(site: Site, boss: Person, ann: Person, old: str, new: str) -> None:
    text = meeting("h-1", boss, ann)
    assert old in text
    path = f"{boss.calendar}m.ics"
    for _ in range(2):
        answer = boss("PUT", path, text.replace(old, new))
        assert answer.status in (201, 204, 403), answer.text
    stored = boss("GET", path)
    if stored.status == 200:
        assert boss("PUT", path, stored.text).status == 204
        assert boss("DELETE", path).status in (200, 204)
    sent = site.deliver()
    assert all(each.endswith(f" {ann.address}") for each in sent), sent
    assert not any(b"\nbcc:" in mail.lower() for _, _, mail in site.post.smarthost.mails)
    assert ann.propfind(ann.inbox, "{DAV:}getetag", depth="1").status == 207


def test_a_thousand_guests_get_one_mail(site: Site, boss: Person) -> None:
    guests = [f"mailto:guest{number}@elsewhere.example" for number in range(1000)]
    boss.put("m", meeting("h-2", boss, *guests))
    site.sent()
    ((_, recipients, mail),) = site.post.smarthost.mails
    assert len(recipients) == 1000
    site.post.smarthost.mails.clear()
    boss.put("m", meeting("h-2", boss, *guests[:999]))
    site.sent()
    assert [to for _, to, _ in site.post.smarthost.mails] == [["guest999@elsewhere.example"]]
    assert mail.count(b"ATTENDEE") == 1000


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "REPLY"])
def test_messages_that_cannot_be_applied_do_not_stop_others(
    site: Site, boss: Person, ann: Person, method: str
) -> None:
    alone = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ann.address}"
    receive(site, ann, meeting("h-3", boss, alone, more="RECURRENCE-ID:20261208T090000Z"), method)
    receive(site, ann, meeting("h-4", boss, ann))
    ann.messages()
    assert "h-4" in ann.event("h-4")

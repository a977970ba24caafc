"""Instances of somebody's series whose guest does not have the series (RFC 4791 4.1)."""

from __future__ import annotations

from tests.dav.server import C, Client, D, prop


def instance(day: str, hour: int, summary: str) -> str:
    lines = (
        "BEGIN:VEVENT", "UID:guest-1", "DTSTAMP:20260101T000000Z", f"RECURRENCE-ID:202607{day}T080000Z",
        f"DTSTART:202607{day}T{hour:02d}0000Z", f"DTEND:202607{day}T{hour + 1:02d}0000Z", f"SUMMARY:{summary}", "END:VEVENT",
    )  # fmt: skip
    return "\r\n".join(lines)


def calendar(*instances: str) -> str:
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *instances, "END:VCALENDAR", ""]
    )


def test_a_guest_of_two_instances(client: Client) -> None:
    path = f"{client.collection('calendar')}guest.ics"
    assert client("PUT", path, calendar(instance("14", 8, "First"))).status == 201
    assert client("PUT", path, calendar(instance("14", 8, "First"), instance("21", 12, "Second"))).status == 204
    text = client("GET", path).text
    assert text.count("BEGIN:VEVENT") == text.count("RECURRENCE-ID") == 2
    assert "RRULE" not in text
    for first, last, found in (("20", "22", [path]), ("15", "20", [])):
        body = (
            f'<C:calendar-query xmlns:C="{C[1:-1]}" xmlns="DAV:">{prop(f"{D}getetag")}<C:filter><C:comp-filter '
            'name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range '
            f'start="202607{first}T000000Z" end="202607{last}T000000Z"/></C:comp-filter></C:comp-filter></C:filter>'
            "</C:calendar-query>"
        )
        assert list(client("REPORT", client.collection("calendar"), body, Depth="1").hrefs) == found

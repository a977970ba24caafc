"""Time zones by reference (RFC 7809)."""

from __future__ import annotations

import pytest

from gateway.dav.byreference import definition_of, without_standard
from tests.dav.server import C, Client, D, event, multiget
from tests.dav.test_making import BERLIN
from tests.dav.test_properties import patch

ZONED = event("z", "Zoned").replace("DTSTART:20261201T100000Z", "DTSTART;TZID=Europe/Berlin:20261201T110000")
OWN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0500
TZOFFSETTO:+0500
END:STANDARD
END:VTIMEZONE
""".replace("\n", "\r\n")


@pytest.fixture
def path(client: Client) -> str:
    """An event in Berlin, put without the definition of its zone."""
    found = f"{client.collection('calendar')}z.ics"
    assert client("PUT", found, ZONED).status == 201
    return found


def sync(path: str) -> str:
    return (
        '<sync-collection xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><sync-token/>'
        "<sync-level>1</sync-level><prop><C:calendar-data/></prop></sync-collection>"
    )


def query(path: str) -> str:
    return (
        '<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop>'
        '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
    )


def test_it_is_announced(client: Client) -> None:
    """RFC 7809 3.1.1, 5.1."""
    assert "calendar-no-timezone" in client("OPTIONS", "/").headers["dav"].split(", ")
    told = client.propfind(client.home, f"{C}timezone-service-set")
    assert told.found(client.home, f"{C}timezone-service-set") == ""


def test_a_zone_that_is_only_named(client: Client, path: str) -> None:
    """RFC 7809 3.1.2: its definition need not be put."""
    text = client("GET", path).text
    assert "DTSTART;TZID=Europe/Berlin:20261201T110000" in text
    assert text.count("BEGIN:VTIMEZONE") == 1


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ("Europe/Berlin", 201), ('"Europe/Berlin"', 201), ("W. Europe Standard Time", 201), ("GMT+0100", 201),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", 201), ("tzone://Microsoft/Utc", 201), ("Mars/Base", 403),
        ("My own", 403),
    ],
)  # fmt: skip
def test_a_zone_that_nobody_knows_has_to_be_defined(client: Client, zone: str, status: int) -> None:
    """RFC 5545 3.2.19: another zone is never taken for it silently."""
    path = f"{client.collection('calendar')}u.ics"
    text = ZONED.replace("TZID=Europe/Berlin", f"TZID={zone}")
    answer = client("PUT", path, text)
    assert (answer.status, "valid-calendar-data" in answer.text) == (status, status == 403), answer.text
    if status == 403:
        definition = OWN.replace("Europe/Berlin", zone)
        assert client("PUT", path, text.replace("BEGIN:VEVENT", f"{definition}BEGIN:VEVENT")).status == 201


@pytest.mark.parametrize(("header", "definitions"), [("F", 0), ("f", 0), ("T", 1), (None, 1)])
def test_definitions_are_left_out_for_who_does_not_want_them(
    client: Client, path: str, header: str | None, definitions: int
) -> None:
    """RFC 7809 7.1: in every answer that has calendar data."""
    collection, headers = path.rpartition("/")[0] + "/", {"CalDAV_Timezones": header} if header else {}
    answers = [
        client("GET", path, **headers),
        client("GET", collection, **headers),
        client("PUT", path, ZONED, Prefer="return=representation", **headers),
        *(
            client("REPORT", collection, body, Depth="1", **headers)
            for body in (multiget("calendar", path), sync(path), query(path))
        ),
    ]
    assert [each.text.count("BEGIN:VTIMEZONE") for each in answers] == [definitions] * 6
    assert all("TZID=Europe/Berlin:20261201T110000" in each.text for each in answers)


def test_a_zone_that_only_has_the_name_of_a_standard_one_is_told() -> None:
    assert without_standard(OWN.encode()) == OWN.encode()
    standard = definition_of("Europe/Berlin", 2000)
    assert "BEGIN:VTIMEZONE" in standard
    assert b"VTIMEZONE" not in without_standard(standard.encode())
    assert without_standard(BERLIN.replace("Europe/Berlin", "My own").encode()).count(b"VTIMEZONE") == 2


def test_the_zone_of_a_collection_is_told_both_ways(client: Client) -> None:
    """RFC 7809 5.2: name and definition agree, the one that was set last counts."""
    path = client.collection("calendar")
    by_name, whole = f"{C}calendar-timezone-id", f"{C}calendar-timezone"

    def told() -> list[str | None]:
        answer = client.propfind(path, by_name, whole)
        return [answer.found(path, by_name), answer.found(path, whole)]

    assert told() == [None, None]
    patch(client, path, "<set><prop><C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id></prop></set>")
    name, definition = told()
    assert name == "Asia/Tokyo"
    assert "TZID:Asia/Tokyo" in (definition or "")
    patch(client, path, f"<set><prop><C:calendar-timezone>{BERLIN}</C:calendar-timezone></prop></set>")
    name, definition = told()
    assert name == "Europe/Berlin"
    assert (definition or "").strip() == BERLIN.strip()
    patch(client, path, "<remove><prop><C:calendar-timezone/></prop></remove>")
    assert told() == [None, None]
    wrong = patch(
        client, path, "<set><prop><C:calendar-timezone-id>Mars/Base</C:calendar-timezone-id></prop></set>"
    )
    assert wrong.xml.find(f".//{D}error/{C}valid-timezone") is not None

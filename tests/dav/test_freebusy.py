"""free-busy-query (RFC 4791 7.10): what makes its owner busy, in periods that a client can read (RFC 5545 3.3.9, 3.6.4)."""

from __future__ import annotations

from gateway.convert.lines import Component, parse
from tests.dav.server import Client, event

ONE_DAY = 'start="20261201T000000Z" end="20261202T000000Z"'


def answer(client: Client, calendar: str) -> Component:
    body = (
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"<C:time-range {ONE_DAY}/></C:free-busy-query>"
    )
    reply = client("REPORT", calendar, body, Depth="1")
    assert reply.status == 200
    (found,) = parse(reply.text)[0].components("VFREEBUSY")
    return found


def test_what_takes_no_time_keeps_nobody_busy(client: Client) -> None:
    """A period begins before its end."""
    calendar = client.collection("calendar")
    instant = event("i", "Reminder").replace("DURATION:PT1H\r\n", "")
    assert client("PUT", calendar + "i.ics", instant).status == 201
    series = instant.replace("UID:i", "UID:s").replace("SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY")
    assert client("PUT", calendar + "s.ics", series).status == 201
    assert not [*answer(client, calendar).all("FREEBUSY")]
    assert client("PUT", calendar + "e.ics", event("e", "Hour")).status == 201
    (line,) = answer(client, calendar).all("FREEBUSY")
    assert line.value == "20261201T100000Z/20261201T110000Z"


def test_an_answer_has_a_uid_and_the_time_it_was_made(client: Client) -> None:
    found = answer(client, client.collection("calendar"))
    assert found.text("UID")
    assert found.text("DTSTAMP")

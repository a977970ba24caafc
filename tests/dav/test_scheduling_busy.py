"""Asking when others are busy (RFC 6638 5), of users of the store and nobody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.dav.service import DavFactory
from gateway.mapi.rights import Rights
from tests.dav.meetings import OPTIONS, Person, Site
from tests.dav.server import C, clock, event, unfolded
from tests.dav.test_sharing import share
from tests.support import reactor

DAY = ("20261201T000000Z", "20261202T000000Z")


def busy(answer: tuple[str, str]) -> list[str]:
    status, data = answer
    assert status == "2.0;Success"
    return re.findall(r"\nFREEBUSY[^:]*:(\S+)", unfolded(data))


def test_ones_own_times_and_those_of_a_calendar_that_may_be_read(
    site: Site, boss: Person, ann: Person, bob: Person
) -> None:
    boss.put("mine", event("b-1", "Mine", "20261201T080000Z"))
    ann.put("single", event("b-2", "Single", "20261201T100000Z"))
    ann.put("series", event("b-3", "Series", "20261130T140000Z", "RRULE:FREQ=DAILY;COUNT=5"))
    ann.put("secret", event("b-4", "Secret", "20261201T170000Z", "CLASS:PRIVATE"))
    ann.put("free", event("b-5", "Free", "20261201T190000Z", "TRANSP:TRANSPARENT"))
    share(site, ann.user, boss.user, Rights.REVIEWER)
    told = boss.asks([boss.address, ann.address.upper()], *DAY)
    assert busy(told[boss.address]) == ["20261201T080000Z/20261201T090000Z"]
    assert busy(told[ann.address.upper()]) == [
        "20261201T100000Z/20261201T110000Z",
        "20261201T140000Z/20261201T150000Z",
        "20261201T170000Z/20261201T180000Z",
    ]
    data = told[ann.address.upper()][1]
    assert "METHOD:REPLY" in data
    assert "UID:fb-1" in data
    assert "Secret" not in data


def test_published_times_of_those_who_share_nothing(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    for person, hour in ((ann, "10"), (bob, "11")):
        person.put("e", event(f"b-{person.user}", "E", f"20261201T{hour}0000Z", "RRULE:FREQ=WEEKLY;COUNT=2"))
    told = boss.asks([ann.address, bob.address], *DAY)
    assert busy(told[ann.address]) == ["20261201T100000Z/20261201T110000Z"]
    assert busy(told[bob.address]) == ["20261201T110000Z/20261201T120000Z"]
    ann("DELETE", f"{ann.calendar}e.ics")
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == []


def test_users_say_which_calendars_make_them_busy(site: Site, boss: Person, ann: Person) -> None:
    other = f"{ann.home}second/"
    assert ann("MKCALENDAR", other).status == 201
    ann.put("e", event("b-6", "Default", "20261201T100000Z"))
    assert ann("PUT", f"{other}e.ics", event("b-7", "Second", "20261201T120000Z")).status == 201
    asked = boss.asks([ann.address], *DAY)[ann.address]
    assert busy(asked) == ["20261201T100000Z/20261201T110000Z"]
    for path, word in ((ann.calendar, "transparent"), (other, "opaque")):
        body = (
            '<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
            f"<C:schedule-calendar-transp><C:{word}/></C:schedule-calendar-transp></prop></set></propertyupdate>"
        )
        assert ann("PROPPATCH", path, body).status == 207
        told = ann.propfind(path, f"{C}schedule-calendar-transp")
        assert told.xml.find(f".//{C}{word}") is not None
    ann.put("f", event("b-8", "Another", "20261203T100000Z"))
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == ["20261201T120000Z/20261201T130000Z"]
    assert busy(ann.asks([ann.address], *DAY)[ann.address]) == ["20261201T120000Z/20261201T130000Z"]


def test_who_is_no_user_is_an_invalid_calendar_user(boss: Person) -> None:
    told = boss.asks(["nobody@example.com", "somebody@elsewhere.example"], *DAY)
    assert {status for status, _ in told.values()} == {"3.7;Invalid Calendar User"}
    assert len(told) == 2


@pytest.mark.parametrize(
    ("old", "new", "precondition"),
    [
        ("METHOD:REQUEST\r\n", "", "valid-scheduling-message"),
        ("ATTENDEE", "X-ATTENDEE", "valid-scheduling-message"),
        ("DTEND:20261202", "DTEND:20261130", "valid-scheduling-message"),
        ("DTEND:20261202", "DTEND:20361202", "valid-scheduling-message"),
        ("VFREEBUSY", "VEVENT", "valid-scheduling-message"),
        ("ORGANIZER:mailto:", "ORGANIZER:mailto:not.", "valid-organizer"),
        ("DTSTART:2026", "DTSTART:nonsense", "valid-calendar-data"),
        ("BEGIN:VCALENDAR", "BEGIN:OTHER", "valid-calendar-data"),
    ],
)
def test_questions_that_make_no_sense(boss: Person, old: str, new: str, precondition: str) -> None:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VFREEBUSY", "UID:1", f"DTSTART:{DAY[0]}",
        f"DTEND:{DAY[1]}", f"ORGANIZER:mailto:{boss.address}", f"ATTENDEE:mailto:{boss.address}", "END:VFREEBUSY",
        "END:VCALENDAR",
    ]  # fmt: skip
    text = "".join(f"{line}\r\n" for line in lines)
    assert boss("POST", boss.outbox, text).status == 200
    answer = boss("POST", boss.outbox, text.replace(old, new))
    assert answer.status == 403
    assert precondition in answer.text


def test_nobody_asks_in_anothers_outbox(boss: Person, ann: Person) -> None:
    assert boss("POST", ann.outbox, "x").status in (403, 404, 405)
    assert boss("POST", boss.calendar, "x").status == 405


def test_what_was_changed_last_is_published_when_the_gateway_stops(
    site: Site, boss: Person, ann: Person
) -> None:
    client = Person(site, ann.user)

    def listen() -> tuple[DavFactory, Any]:
        head = DavFactory(site.sessions, OPTIONS, reactor.reactor, clock=clock)
        return head, reactor.reactor.listenTCP(0, head, interface="127.0.0.1")

    head, port = reactor.call(listen)
    client.port = port.getHost().port
    client.put("e", event("b-9", "E", "20261201T100000Z"))
    assert boss.asks([ann.address], *DAY)[ann.address][0].startswith("5.3")

    async def stop() -> None:
        await port.stopListening()
        await head.shut_down()

    reactor.run(stop)
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == ["20261201T100000Z/20261201T110000Z"]

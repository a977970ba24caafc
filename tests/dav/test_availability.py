"""Working hours of the web client and calendar-availability of the Inbox are each other (RFC 7953 7.2)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gateway.convert.ical.workinghours import WorkingHours, hours_of
from gateway.mapi import proptags as pr
from gateway.mapi.rights import Rights
from gateway.mapiclient import Store
from gateway.mapiclient.message import load_prop
from tests.dav.meetings import Person, Site
from tests.dav.server import CS, C, D, event, unfolded
from tests.dav.test_sharing import share

PROPERTIES = [f"{C}calendar-availability", f"{CS}calendar-availability"]
TEXT = "\r\n".join(
    ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20260101T000000Z", "BEGIN:AVAILABLE", "UID:a",
     "DTSTAMP:20260101T000000Z", "DTSTART:20260105T080000Z", "DTEND:20260105T160000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU",
     "END:AVAILABLE", "END:VAVAILABILITY", "END:VCALENDAR")
)  # fmt: skip


def inbox(person: Person) -> str:
    return f"{person.home}schedule-inbox/"


def change(person: Person, tag: str, text: str, path: str = "") -> Any:
    namespace, name = tag[1:].split("}")
    inner = f'<A:{name} xmlns:A="{namespace}">{text}</A:{name}>'
    body = f'<propertyupdate xmlns="DAV:"><set><prop>{inner}</prop></set></propertyupdate>'
    return person("PROPPATCH", path or inbox(person), body)


def settings(site: Site, person: Person, text: str | None = None) -> str:
    """What the store has; with a text after it was set by another program."""

    async def work(session: Any) -> str:
        store = await Store.default(session)
        if text is not None:
            await store.set_props({pr.PR_EC_WEBACCESS_SETTINGS_JSON: text})
        return str(await load_prop(session, store.entryid, pr.PR_EC_WEBACCESS_SETTINGS_JSON))

    return site.run(person.user, work)


@pytest.mark.parametrize("tag", PROPERTIES)
def test_hours_of_a_client_are_those_of_the_web_client(site: Site, ann: Person, tag: str) -> None:
    settings(site, ann, json.dumps({"settings": {"zarafa": {"v1": {"main": {"language": "de_DE"}}}}}))
    assert f"{D}error" not in change(ann, tag, TEXT).text
    after = settings(site, ann)
    assert json.loads(after)["settings"]["zarafa"]["v1"]["main"]["language"] == "de_DE"
    found = hours_of(after)
    assert found is not None
    assert (found.days, found.end - found.start) == ({1, 2}, 480)
    for name in PROPERTIES:
        shown = ann.propfind(inbox(ann), name).found(inbox(ann), name)
        assert (shown or "").split() == TEXT.split()


def test_hours_set_elsewhere_are_told(site: Site, boss: Person) -> None:
    tag = PROPERTIES[0]
    assert boss.propfind(inbox(boss), tag).found(inbox(boss), tag) is None
    main = {"working_days": [1, 5], "start_working_hour": 480, "end_working_hour": 600}
    text = settings(site, boss, json.dumps({"settings": {"zarafa": {"v1": {"main": main}}}}))
    assert hours_of(text) == WorkingHours(frozenset((1, 5)), 480, 600)
    assert "RRULE:FREQ=WEEKLY;BYDAY=MO,FR" in (boss.propfind(inbox(boss), tag).found(inbox(boss), tag) or "")


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR END:VCALENDAR", "x"])
def test_what_is_no_availability_is_refused(ann: Person, text: str) -> None:
    answer = change(ann, PROPERTIES[0], text)
    assert "valid-calendar-data" in answer.text


def test_a_calendar_has_no_availability_of_its_own(ann: Person) -> None:
    answer = change(ann, PROPERTIES[0], TEXT, ann.calendar)
    assert "cannot-modify-protected-property" in answer.text


# Busy times

MONDAY = ("20261130T000000Z", "20261201T000000Z")
#: Mondays from 8 to 16 o'clock in UTC, as the web client's settings and as a client's text.
HOURS = {"working_days": [1], "start_working_hour": 540, "end_working_hour": 1020}
MORNING = "BUSY-UNAVAILABLE:20261130T000000Z/20261130T080000Z"
EVENING = "BUSY-UNAVAILABLE:20261130T160000Z/20261201T000000Z"


def web_client(site: Site, person: Person, **hours: Any) -> None:
    settings(site, person, json.dumps({"settings": {"zarafa": {"v1": {"main": hours}}}}))


def told(boss: Person, person: Person, period: tuple[str, str] = MONDAY) -> list[str]:
    """What the boss is told of somebody."""
    status, data = boss.asks([person.address], *period)[person.address]
    assert status == "2.0;Success"
    return re.findall(r"FREEBUSY;FBTYPE=(\S+)", unfolded(data))


def test_whoever_asks_is_told_of_working_hours(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    """RFC 7953 7.2.4, of those who share their calendar, of those who publish, and of oneself."""
    for person in (ann, bob):
        person.put("e", event("e", "E", "20261130T100000Z"))
        web_client(site, person, **HOURS)
    share(site, ann.user, boss.user, Rights.REVIEWER)
    meeting = "BUSY:20261130T100000Z/20261130T110000Z"
    assert told(boss, ann) == told(boss, bob) == told(ann, ann) == [MORNING, meeting, EVENING]


def test_meetings_outside_of_working_hours_are_meetings(site: Site, boss: Person, ann: Person) -> None:
    for number, start in enumerate(("20261130T073000Z", "20261130T180000Z", "20261130T190000Z")):
        ann.put(f"e{number}", event(f"e{number}", "E", start))
    assert change(ann, PROPERTIES[0], TEXT).status == 207
    assert told(boss, ann) == [
        "BUSY-UNAVAILABLE:20261130T000000Z/20261130T073000Z",
        "BUSY:20261130T073000Z/20261130T083000Z",
        "BUSY-UNAVAILABLE:20261130T160000Z/20261130T180000Z",
        "BUSY:20261130T180000Z/20261130T200000Z",
        "BUSY-UNAVAILABLE:20261130T200000Z/20261201T000000Z",
    ]


def test_ones_own_hours_count_at_once_and_those_of_others_after_a_while(
    site: Site, boss: Person, ann: Person
) -> None:
    ann.put("e", event("e", "E", "20270101T100000Z"))
    assert told(ann, ann) == told(boss, ann) == []
    assert change(ann, PROPERTIES[0], TEXT).status == 207
    assert told(ann, ann) == [MORNING, EVENING]
    assert told(boss, ann) == []
    later = Person(site, boss.user)
    later.port = site.new_head()
    assert told(later, ann) == [MORNING, EVENING]


def test_hours_alone_tell_nothing_of_who_shares_nothing(site: Site, boss: Person, ann: Person) -> None:
    web_client(site, ann, **HOURS)
    assert boss.asks([ann.address], *MONDAY)[ann.address][0].startswith("5.3")


def test_a_report_on_a_calendar_is_about_its_events(site: Site, ann: Person) -> None:
    """RFC 4791 7.10: what the Inbox says of working hours is for scheduling."""
    web_client(site, ann, **HOURS)
    ann.put("e", event("e", "E", "20261130T100000Z"))
    query = f'<C:free-busy-query xmlns:C="{C[1:-1]}"><C:time-range start="{MONDAY[0]}" end="{MONDAY[1]}"/></C:free-busy-query>'
    found = re.findall(r"FREEBUSY;FBTYPE=(\S+)", ann("REPORT", ann.calendar, query, Depth="1").text)
    assert found == ["BUSY:20261130T100000Z/20261130T110000Z"]

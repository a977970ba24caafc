"""Working hours of the web client and calendar-availability of the Inbox are each other (RFC 7953 7.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.convert.ical.workinghours import WorkingHours, hours_of
from gateway.mapi import proptags as pr
from gateway.mapiclient import Store
from gateway.mapiclient.message import load_prop
from tests.dav.meetings import Person, Site
from tests.dav.server import CS, C, D

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

"""Schedule tags, preconditions and properties of scheduling (RFC 6638 2, 3.2.4, 3.2.10, 8, 9)."""

from __future__ import annotations

import re

import pytest

from gateway.dav.options import Options
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import C, Client, D, multiget, prop

SCHEDULE_TAG = f"{C}schedule-tag"


# Tags


def test_the_tag_stays_when_answers_come_in_and_changes_with_changes(
    site: Site, boss: Person, ann: Person
) -> None:
    first = boss.put("m", meeting("t-1", boss, ann)).headers["schedule-tag"]
    path = f"{boss.calendar}m.ics"
    assert boss("GET", path).headers["schedule-tag"] == first
    site.deliver()
    ann.messages()
    mine = ann("GET", ann.path_of("t-1")).headers["schedule-tag"]
    told = ann.answer("t-1", "ACCEPTED").headers["schedule-tag"]
    assert told != mine
    assert ann("GET", ann.path_of("t-1")).headers["schedule-tag"] == told
    site.deliver()
    before = boss("GET", path).headers["etag"]
    boss.messages()
    after = boss("GET", path)
    assert after.headers["etag"] != before
    assert after.headers["schedule-tag"] == first
    assert "PARTSTAT=ACCEPTED" in after.text
    second = boss.put("m", boss.get("m").replace("SUMMARY:", "SUMMARY:Other ")).headers["schedule-tag"]
    assert second != first


def test_the_tag_is_a_property(site: Site, boss: Person, ann: Person) -> None:
    wanted = boss.put("m", meeting("t-2", boss, ann)).headers["schedule-tag"]
    path = f"{boss.calendar}m.ics"
    assert boss.propfind(path, SCHEDULE_TAG).found(path, SCHEDULE_TAG) == wanted
    assert boss.propfind(boss.calendar, SCHEDULE_TAG, depth="1").found(path, SCHEDULE_TAG) == wanted
    body = multiget("calendar", path).replace(prop(f"{D}getetag", f"{C}calendar-data"), prop(SCHEDULE_TAG))
    assert boss("REPORT", boss.calendar, body).found(path, SCHEDULE_TAG) == wanted


def test_plain_events_have_no_tag(boss: Person) -> None:
    text = re.sub(r"(ORGANIZER|ATTENDEE)[^\r]*\r\n", "", meeting("t-3", boss, boss))
    assert "schedule-tag" not in boss.put("m", text).headers
    path = f"{boss.calendar}m.ics"
    assert "schedule-tag" not in boss("GET", path).headers
    assert boss.propfind(path, SCHEDULE_TAG).found(path, SCHEDULE_TAG) is None


def test_an_organizer_who_has_not_seen_an_answer_does_not_lose_it(
    site: Site, boss: Person, ann: Person
) -> None:
    boss.put("m", meeting("t-4", boss, ann))
    read, path = boss("GET", f"{boss.calendar}m.ics"), f"{boss.calendar}m.ics"
    site.deliver()
    ann.messages()
    ann.answer("t-4", "ACCEPTED")
    site.deliver()
    boss.messages()
    changed = read.text.replace("SUMMARY:", "SUMMARY:New ")
    assert boss("PUT", path, changed, If_Match=read.headers["etag"]).status == 412
    assert boss("PUT", path, changed, If_Schedule_Tag_Match='"another"').status == 412
    tag = read.headers["schedule-tag"]
    assert boss("PUT", path, changed, If_Schedule_Tag_Match=tag).status == 204
    assert "PARTSTAT=ACCEPTED" in boss.get("m")
    assert "SUMMARY:New" in boss.get("m")
    assert boss("DELETE", path, If_Schedule_Tag_Match=tag).status == 412
    assert boss("DELETE", path, If_Schedule_Tag_Match=boss("GET", path).headers["schedule-tag"]).status == 204


# Preconditions


def test_a_meeting_is_in_one_calendar_only(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("p-1", boss, ann)
    boss.put("m", text)
    site.deliver()
    other = f"{boss.home}second/"
    assert boss("MKCALENDAR", other).status == 201
    answer = boss("PUT", f"{other}m.ics", text)
    assert answer.status == 403
    # RFC 6638 3.2.4.1: it is named.
    there = answer.xml.findtext(f"{C}unique-scheduling-object-resource/{D}href") or ""
    assert there == f"{boss.calendar}m.ics"
    assert site.deliver() == []


def test_all_instances_have_one_organizer(boss: Person, ann: Person) -> None:
    text = meeting("p-2", boss, ann, more="RRULE:FREQ=DAILY;COUNT=3")
    instance = meeting("p-2", ann, boss, more="RECURRENCE-ID;TZID=Europe/Berlin:20261202T100000")
    both = text.replace("END:VCALENDAR", instance.partition("//EN\r\n")[2])
    answer = boss("PUT", f"{boss.calendar}m.ics", both)
    assert answer.status == 403
    assert "same-organizer-in-all-components" in answer.text


def test_a_meeting_keeps_its_organizer(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    boss.put("m", meeting("p-3", boss, ann))
    site.deliver()
    answer = boss("PUT", f"{boss.calendar}m.ics", meeting("p-3", bob, ann))
    assert answer.status == 403
    assert "allowed-organizer-scheduling-object-change" in answer.text
    assert site.deliver() == []


# Discovery


def test_clients_find_the_mailboxes(boss: Person) -> None:
    assert "calendar-auto-schedule, calendar-availability" in boss("OPTIONS", boss.home).headers["dav"]
    names = [
        f"{C}{each}" for each in ("schedule-inbox-URL", "schedule-outbox-URL", "schedule-default-calendar-URL")
    ]
    told = boss.propfind(boss.home, *names, f"{C}calendar-user-type", f"{C}calendar-user-address-set")
    assert [told.found(boss.home, name) for name in names] == [boss.inbox, boss.outbox, boss.calendar]
    assert told.found(boss.home, f"{C}calendar-user-type") == "INDIVIDUAL"
    assert f"mailto:{boss.address}" in (told.found(boss.home, f"{C}calendar-user-address-set") or "")
    for path, name, privilege in (
        (boss.inbox, "schedule-inbox", "schedule-deliver"),
        (boss.outbox, "schedule-outbox", "schedule-send"),
    ):
        answer = boss.propfind(path, f"{D}resourcetype", f"{D}current-user-privilege-set")
        kinds = answer.xml.find(f".//{D}resourcetype")
        assert kinds is not None
        assert [each.tag for each in kinds] == [f"{D}collection", f"{C}{name}"]
        assert answer.xml.find(f".//{C}{privilege}") is not None
        assert path in boss.propfind(boss.home, f"{D}resourcetype", depth="1").hrefs
    default = boss.propfind(boss.inbox, f"{C}schedule-default-calendar-URL")
    assert default.found(boss.inbox, f"{C}schedule-default-calendar-URL") == boss.calendar


def test_the_default_calendar_makes_busy_and_others_do_not(boss: Person) -> None:
    other = f"{boss.home}second/"
    assert boss("MKCALENDAR", other).status == 201
    for path, word in ((boss.calendar, "opaque"), (other, "transparent")):
        answer = boss.propfind(path, f"{C}schedule-calendar-transp")
        assert answer.xml.find(f".//{C}{word}") is not None


@pytest.mark.parametrize("name", ["schedule-inbox", "schedule-outbox"])
def test_only_the_server_puts_messages_into_mailboxes(site: Site, boss: Person, ann: Person, name: str) -> None:
    path = f"{boss.home}{name}/"
    assert boss("PUT", f"{path}m.ics", meeting("x-1", boss, ann)).status == 403
    assert boss("DELETE", path).status in (403, 405)
    assert boss("MKCALENDAR", path).status in (403, 405, 409)
    boss.put("m", meeting("x-2", boss, ann))
    base = f"http://127.0.0.1:{boss.port}"
    for method in ("COPY", "MOVE"):
        answer = boss(method, f"{boss.calendar}m.ics", Destination=f"{base}{path}m.ics")
        assert answer.status == 403, answer.text
    assert ann.propfind(path, f"{D}resourcetype").status in (403, 404)
    assert boss.get("m")


def test_nobody_relies_on_a_server_that_does_not_send(site: Site, ann: Person) -> None:
    client = Client(site.port(Options(timezone="Europe/Berlin", scheduling=False)), site.new_user())
    assert "schedule" not in client("OPTIONS", client.home).headers["dav"]
    told = client.propfind(client.home, f"{C}schedule-inbox-URL")
    assert told.found(client.home, f"{C}schedule-inbox-URL") is None
    assert client.propfind(f"{client.home}schedule-inbox/", f"{D}resourcetype").status == 404
    me = site.person()
    path = f"{client.collection('calendar')}m.ics"
    assert client("PUT", path, meeting("n-1", me, ann)).status == 201
    assert "schedule-tag" not in client("GET", path).headers
    assert client("POST", f"{client.home}schedule-outbox/", "x").status == 405
    assert site.deliver() == []

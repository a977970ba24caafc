"""Guests and their organizer: who hears of what, and who may change what (RFC 6638 3.2)."""

from __future__ import annotations

import re

import pytest

from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import event

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


def override(
    uid: str, organizer: Person, day: str, *guests: Person, start: str = "100000", more: str = ""
) -> str:
    """A changed instance of a weekly meeting."""
    place = f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000"
    text = meeting(uid, organizer, *guests, start=f"{day}T{start}", more=f"{place}\n{more}")
    return text.partition("BEGIN:VEVENT\r\n")[2].partition("END:VCALENDAR")[0]


def with_override(text: str, instance: str) -> str:
    """A series with a changed instance."""
    return text.replace("END:VCALENDAR", f"BEGIN:VEVENT\r\n{instance}END:VCALENDAR")


# Who hears of it


def test_only_who_came_and_who_left_hear_of_other_guests(
    site: Site, boss: Person, ann: Person, bob: Person
) -> None:
    boss.put("m", meeting("g-1", boss, ann))
    assert site.deliver() == [f"REQUEST {ann.address}"]
    boss.put("m", meeting("g-1", boss, ann, bob))
    assert site.deliver() == [f"REQUEST {bob.address}"]
    bob.messages()
    assert f":mailto:{ann.address}" in bob.event("g-1")
    boss.put("m", meeting("g-1", boss, bob))
    assert site.deliver() == [f"CANCEL {ann.address}"]
    boss.put("m", meeting("g-1", boss, ann, bob))
    assert site.deliver() == [f"REQUEST {ann.address}"]
    ann.messages()
    assert "STATUS:CANCELLED" not in ann.event("g-1")


def test_nobody_hears_of_what_is_the_organizers_own(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("g-2", boss, ann)
    boss.put("m", text)
    site.deliver()
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    for changed in (
        text,
        boss.get("m"),
        text.replace("END:VEVENT", alarm),
        text.replace("DTSTAMP:20261101", "DTSTAMP:20261102"),
        text.replace("END:VEVENT", "CATEGORIES:Work\r\nX-MOZ-LASTACK:20261101T000000Z\r\nEND:VEVENT"),
        text.replace("END:VEVENT", "TRANSP:TRANSPARENT\r\nEND:VEVENT"),
    ):
        boss.put("m", changed)
        assert site.deliver() == [], changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SUMMARY:Meeting g-3", "SUMMARY:Another subject"),
        ("END:VEVENT", "LOCATION:Room 2\r\nEND:VEVENT"),
        ("END:VEVENT", "DESCRIPTION:Bring cake\r\nEND:VEVENT"),
        ("DURATION:PT1H", "DURATION:PT2H"),
        ("T100000", "T110000"),
        ("END:VEVENT", f"{WEEKLY}\r\nEND:VEVENT"),
    ],
)
def test_guests_hear_of_what_concerns_them(site: Site, boss: Person, ann: Person, old: str, new: str) -> None:
    text = meeting("g-3", boss, ann)
    boss.put("m", text)
    site.deliver()
    boss.put("m", text.replace(old, new))
    assert site.deliver() == [f"REQUEST {ann.address}"]


def test_a_meeting_that_is_marked_as_cancelled_is(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("g-11", boss, ann)
    boss.put("m", text)
    site.deliver()
    boss.put("m", text.replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT"))
    assert site.deliver() == [f"CANCEL {ann.address}"]
    ann.messages()
    assert "STATUS:CANCELLED" in ann.event("g-11")
    boss("DELETE", f"{boss.calendar}m.ics")
    assert site.deliver() == []


@pytest.mark.parametrize("agent", ["CLIENT", "NONE"])
def test_whom_the_client_tells_itself_the_server_does_not(
    site: Site, boss: Person, ann: Person, bob: Person, agent: str
) -> None:
    own = f"ATTENDEE;SCHEDULE-AGENT={agent};PARTSTAT=NEEDS-ACTION:mailto:{ann.address}"
    text = meeting("g-4", boss, own, bob)
    boss.put("m", text)
    assert site.deliver() == [f"REQUEST {bob.address}"]
    assert f"SCHEDULE-AGENT={agent}" in boss.get("m")
    boss.put("m", text.replace("T100000", "T120000"))
    assert site.deliver() == [f"REQUEST {bob.address}"]
    bob.messages()
    assert "SCHEDULE" not in bob.event("g-4")
    boss("DELETE", f"{boss.calendar}m.ics")
    assert site.deliver() == [f"CANCEL {bob.address}"]


def test_a_client_may_have_an_invitation_sent_again(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    text = meeting("g-5", boss, ann, bob)
    boss.put("m", text)
    site.deliver()
    boss.put("m", text.replace(f":mailto:{bob.address}", f";SCHEDULE-FORCE-SEND=REQUEST:mailto:{bob.address}"))
    assert site.deliver() == [f"REQUEST {bob.address}"]
    assert "FORCE-SEND" not in boss.get("m")


def test_people_without_a_mail_address_are_marked(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("g-6", boss, ann, "urn:uuid:6f3c"))
    assert site.deliver() == [f"REQUEST {ann.address}"]
    assert re.search(r"ATTENDEE[^\r]*SCHEDULE-STATUS=\"?3.7[^\r]*urn:uuid:6f3c", boss.get("m"))


def test_what_is_over_is_nobodys_news(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("g-7", boss, ann, start="20100105T100000")
    boss.put("m", text)
    boss.put("m", text.replace("SUMMARY:Meeting", "SUMMARY:Minutes"))
    boss("DELETE", f"{boss.calendar}m.ics")
    assert site.deliver() == []


def test_events_of_others_and_without_guests_are_private(
    site: Site, boss: Person, ann: Person, bob: Person
) -> None:
    boss.put("mine", event("g-8", "Alone"))
    boss.put("theirs", meeting("g-9", ann, bob))
    boss.put("theirs", meeting("g-9", ann, bob).replace("SUMMARY:Meeting", "SUMMARY:Somebody's"))
    boss("DELETE", f"{boss.calendar}theirs.ics")
    assert site.deliver() == []


def test_copies_and_moves_send_nothing(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("g-10", boss, ann))
    site.deliver()
    other = f"{boss.home}second/"
    assert boss("MKCALENDAR", other).status == 201
    base = f"http://127.0.0.1:{boss.port}"
    assert boss("MOVE", f"{boss.calendar}m.ics", Destination=f"{base}{other}m.ics").status == 201
    assert boss("MOVE", f"{other}m.ics", Destination=f"{base}{boss.calendar}m.ics").status == 201
    assert boss("COPY", f"{boss.calendar}m.ics", Destination=f"{base}{other}n.ics").status == 201
    assert site.deliver() == []


# Series


def test_an_instance_that_is_taken_out_is_cancelled(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("s-1", boss, ann, more=WEEKLY)
    boss.put("m", text)
    site.deliver()
    ann.messages()
    boss.put("m", text.replace("RRULE", "EXDATE;TZID=Europe/Berlin:20261208T100000\r\nRRULE"))
    assert site.deliver() == [f"CANCEL {ann.address}"]
    ann.messages()
    assert "EXDATE;TZID=Europe/Berlin:20261208T100000" in ann.event("s-1")
    assert "STATUS:CANCELLED" not in ann.event("s-1")


def test_an_instance_that_is_changed_is_sent_with_its_series(site: Site, boss: Person, ann: Person) -> None:
    text = meeting("s-2", boss, ann, more=WEEKLY)
    boss.put("m", text)
    site.deliver()
    boss.put("m", with_override(text, override("s-2", boss, "20261208", ann, start="150000")))
    assert site.deliver() == [f"REQUEST {ann.address}"]
    ann.messages()
    assert "DTSTART;TZID=Europe/Berlin:20261208T150000" in ann.event("s-2")
    assert "RRULE" in ann.event("s-2")


def test_a_guest_of_one_instance_hears_of_that_only(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    text = meeting("s-3", boss, ann, more=WEEKLY)
    boss.put("m", text)
    site.deliver()
    boss.put("m", with_override(text, override("s-3", boss, "20261208", ann, bob)))
    assert site.deliver() == [f"REQUEST {bob.address}"]
    bob.messages()
    seen = bob.event("s-3").partition("BEGIN:VEVENT")[2]
    assert "RRULE" not in seen
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261208T100000" in seen
    boss.put("m", text)
    assert site.deliver() == [f"CANCEL {bob.address}"]


def test_a_guest_who_is_left_out_of_an_instance(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    text = meeting("s-4", boss, ann, bob, more=WEEKLY)
    boss.put("m", text)
    site.deliver()
    bob.messages()
    boss.put("m", with_override(text, override("s-4", boss, "20261208", ann)))
    assert site.deliver() == [f"CANCEL {bob.address}"]
    bob.messages()
    assert "EXDATE;TZID=Europe/Berlin:20261208T100000" in bob.event("s-4")


def test_an_answer_to_one_instance(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("s-5", boss, ann, more=WEEKLY))
    site.deliver()
    ann.messages()
    ann.answer("s-5", "ACCEPTED")
    site.deliver()
    boss.messages()
    path, series = ann.path_of("s-5"), ann.event("s-5")
    instance = override("s-5", boss, "20261215", ann).replace("NEEDS-ACTION;RSVP=TRUE", "DECLINED")
    answer = ann("PUT", path, with_override(series, instance))
    assert answer.status == 204, answer.text
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    seen = boss.get("m")
    assert seen.count("PARTSTAT=DECLINED") == 1
    assert seen.count("PARTSTAT=ACCEPTED") == 1
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261215T100000" in seen


def test_a_guest_who_takes_an_instance_out_declines_it(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("s-6", boss, ann, more=WEEKLY))
    site.deliver()
    ann.messages()
    path, series = ann.path_of("s-6"), ann.event("s-6")
    ann(
        "PUT",
        path,
        series.replace("RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20261215T100000\r\nRRULE:FREQ=WEEKLY"),
    )
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert "PARTSTAT=DECLINED" in boss.get("m").partition("RECURRENCE-ID")[2]


# Answers


@pytest.mark.parametrize("status", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_every_answer_arrives(site: Site, boss: Person, ann: Person, status: str) -> None:
    boss.put("m", meeting("a-1", boss, ann))
    site.deliver()
    ann.messages()
    ann.answer("a-1", status)
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert f"PARTSTAT={status}:mailto:{ann.address}" in boss.get("m")


def test_who_deletes_a_meeting_declines_it(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    boss.put("m", meeting("a-2", boss, ann, bob))
    site.deliver()
    for guest in (ann, bob):
        guest.messages()
    assert ann("DELETE", ann.path_of("a-2")).status == 204
    assert bob("DELETE", bob.path_of("a-2"), Schedule_Reply="F").status == 204
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert f"PARTSTAT=DECLINED:mailto:{ann.address}" in boss.get("m")
    assert f"PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-STATUS=1.1:mailto:{bob.address}" in boss.get("m")


def test_who_declined_and_deletes_says_it_once(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("a-3", boss, ann))
    site.deliver()
    ann.messages()
    ann.answer("a-3", "DECLINED")
    ann("DELETE", ann.path_of("a-3"))
    assert site.deliver() == [f"REPLY {boss.address}"]


def test_an_invitation_that_a_client_took_from_a_mail_is_answered(
    site: Site, boss: Person, ann: Person
) -> None:
    accepted = meeting("a-4", boss, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ann.address}")
    ann.put("m", accepted)
    assert site.deliver() == [f"REPLY {boss.address}"]
    ann.put("m", accepted)
    assert site.deliver() == []


def test_the_time_of_a_meeting_is_the_organizers(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("a-5", boss, ann))
    site.deliver()
    ann.messages()
    path, text = ann.path_of("a-5"), ann.event("a-5")
    for changed in (
        text.replace("T100000", "T120000").replace("T110000", "T130000"),
        text.replace("SUMMARY", f"{WEEKLY}\r\nSUMMARY", 1),
    ):
        answer = ann("PUT", path, changed)
        assert answer.status == 403
        assert "allowed-attendee-scheduling-object-change" in answer.text
    assert site.deliver() == []
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    assert ann("PUT", path, text.replace("END:VEVENT", alarm)).status == 204
    assert "VALARM" in ann.event("a-5")
    assert site.deliver() == []


def test_an_update_leaves_a_guests_alarm_and_answer(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("a-6", boss, ann))
    site.deliver()
    ann.messages()
    path = ann.path_of("a-6")
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    ann("PUT", path, ann.event("a-6").replace("END:VEVENT", alarm))
    ann.answer("a-6", "ACCEPTED")
    site.deliver()
    boss.messages()
    boss.put("m", boss.get("m").replace("SUMMARY:Meeting", "SUMMARY:Better"))
    site.deliver()
    ann.messages()
    seen = ann.event("a-6")
    assert "SUMMARY:Better a-6" in seen
    assert "VALARM" in seen
    assert f"PARTSTAT=ACCEPTED:mailto:{ann.address}" in seen

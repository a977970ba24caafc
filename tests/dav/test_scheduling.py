"""Scheduling (RFC 6638): what clients put goes out as invitations, answers and cancellations, and nothing else does."""

from __future__ import annotations

from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import event


def test_an_invitation_goes_out_and_comes_in(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m-1", boss, ann))
    assert "SCHEDULE-STATUS=1.1" in boss.get("m")
    assert site.deliver() == [f"REQUEST {ann.address}"]
    assert ann.messages() == ["REQUEST m-1"]


def test_a_meeting_from_the_invitation_to_the_answer(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m-2", boss, ann))
    site.deliver()
    assert ann.messages() == ["REQUEST m-2"]
    assert f"PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ann.address}" in ann.event("m-2")
    assert ann.answer("m-2", "ACCEPTED").status == 204
    assert site.deliver() == [f"REPLY {boss.address}"]
    assert boss.messages() == ["REPLY m-2"]
    assert f"PARTSTAT=ACCEPTED:mailto:{ann.address}" in boss.get("m")
    assert "PARTSTAT=ACCEPTED" in ann.event("m-2")
    assert site.deliver() == []


def test_a_meeting_that_is_moved_must_be_answered_again(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m-3", boss, ann))
    site.deliver()
    ann.messages()
    ann.answer("m-3", "ACCEPTED")
    site.deliver()
    boss.messages()
    boss.put("m", boss.get("m").replace("T100000", "T140000").replace("T110000", "T150000"))
    assert "PARTSTAT=NEEDS-ACTION" in boss.get("m")
    assert site.deliver() == [f"REQUEST {ann.address}"]
    ann.messages()
    assert "T140000" in ann.event("m-3")
    assert "PARTSTAT=NEEDS-ACTION" in ann.event("m-3")


def test_a_deleted_calendar_is_as_if_each_meeting_in_it_was_deleted(
    site: Site, boss: Person, ann: Person
) -> None:
    """RFC 6638 3.2.3.2: the organizer's are cancelled, a guest's declined; what is over is nobody's news."""
    others = f"{boss.home}others/"
    assert boss("MKCALENDAR", others).status == 201
    kept = boss("PUT", f"{others}alone.ics", event("alone", "Alone"))
    assert kept.status == 201
    for name, text in {
        "next": meeting("d-1", boss, ann),
        "weekly": meeting("d-2", boss, ann, more="RRULE:FREQ=WEEKLY"),
        "over": meeting("d-3", boss, ann, start="20200101T100000"),
        "guest": meeting("d-4", ann, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{boss.address}"),
    }.items():
        assert boss("PUT", f"{others}{name}.ics", text).status == 201
    boss.put("elsewhere", meeting("d-5", boss, ann))
    site.deliver()
    assert boss("DELETE", others).status == 204
    assert site.deliver() == [f"CANCEL {ann.address}"] * 2 + [f"REPLY {ann.address}"]
    ann.messages()
    assert "STATUS:CANCELLED" in ann.event("d-1")
    assert "STATUS:CANCELLED" in ann.event("d-2")
    assert "STATUS:CANCELLED" not in ann.event("d-5")
    assert boss("GET", f"{others}alone.ics").status == 404


def test_a_deleted_calendar_declines_nothing_when_the_client_says_so(
    site: Site, boss: Person, ann: Person
) -> None:
    others = f"{ann.home}others/"
    assert ann("MKCALENDAR", others).status == 201
    accepted = meeting("d-6", boss, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ann.address}")
    assert ann("PUT", f"{others}guest.ics", accepted).status == 201
    site.deliver()
    assert ann("DELETE", others, Schedule_Reply="F").status == 204
    assert site.deliver() == []


def test_a_calendar_in_whose_place_another_is_moved_is_deleted(site: Site, boss: Person, ann: Person) -> None:
    old, new = f"{boss.home}old/", f"{boss.home}new/"
    for path in (old, new):
        assert boss("MKCALENDAR", path).status == 201
    assert boss("PUT", f"{old}m.ics", meeting("d-8", boss, ann)).status == 201
    assert boss("PUT", f"{new}m.ics", meeting("d-9", boss, ann)).status == 201
    site.deliver()
    assert boss("MOVE", new, Destination=old).status == 204
    assert site.deliver() == [f"CANCEL {ann.address}"]
    ann.messages()
    assert "STATUS:CANCELLED" in ann.event("d-8")
    assert "STATUS:CANCELLED" not in ann.event("d-9")


def test_nobody_is_told_of_a_calendar_that_cannot_be_deleted(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("d-7", boss, ann))
    site.deliver()
    assert boss("DELETE", boss.calendar).status == 403
    assert site.deliver() == []
    assert boss.get("m")


def test_a_meeting_that_is_deleted_is_cancelled(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m-4", boss, ann))
    site.deliver()
    ann.messages()
    assert boss("DELETE", f"{boss.calendar}m.ics").status == 204
    assert site.deliver() == [f"CANCEL {ann.address}"]
    assert ann.messages() == ["CANCEL m-4", "REQUEST m-4"]
    assert "STATUS:CANCELLED" in ann.event("m-4")
    assert ann("DELETE", ann.path_of("m-4")).status == 204
    assert site.deliver() == []

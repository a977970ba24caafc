"""Scheduling (RFC 6638): what clients put goes out as invitations, answers and cancellations, and nothing else does."""

from __future__ import annotations

from tests.dav.meetings import Person, Site, meeting


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

"""A guest who sends somebody else (RFC 5546 3.2.2.3, 4.2.5)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.mapi import proptags as pr
from gateway.mapiclient.wire.calls_directory import GetUser, ResolveUsername, SetUser
from tests.dav.meetings import Person, Site, meeting
from tests.dav.test_scheduling_inbox import mails, receive

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


def sends(guest: Person, uid: str, *others: Person | str, listed: bool = False, **headers: str) -> int:
    """Have a guest send others in his place; ``listed``: his client names them among the guests."""
    addresses = [f"mailto:{each if isinstance(each, str) else each.address}" for each in others]
    names = ",".join(f'"{each}"' for each in addresses)
    changed = re.sub(
        rf"(ATTENDEE[^\r]*?);PARTSTAT=[A-Z-]+(;RSVP=TRUE)?([^\r]*:mailto:{re.escape(guest.address)})",
        rf"\1;PARTSTAT=DELEGATED;DELEGATED-TO={names}\3",
        guest.event(uid),
    )
    if listed:
        more = [
            f'ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="mailto:{guest.address}":{each}'
            for each in addresses
        ]
        changed = changed.replace("END:VEVENT", "\r\n".join([*more, "END:VEVENT"]), 1)
    return guest("PUT", guest.path_of(uid), changed, **headers).status


def line_of(text: str, person: Person | str) -> str:
    """The ATTENDEE of somebody, without CN, ROLE and RSVP."""
    address = person if isinstance(person, str) else person.address
    (found,) = re.findall(rf"\nATTENDEE([^\r]*):mailto:{re.escape(address)}\r", text)
    return re.sub(r";(CN|ROLE|RSVP)=[^;]*", "", str(found))


@pytest.fixture
def invited(site: Site, boss: Person, ann: Person) -> str:
    """The UID of a meeting of the boss that Ann is invited to."""
    boss.put("m", meeting("t-1", boss, ann))
    site.deliver()
    ann.messages()
    return "t-1"


@pytest.fixture
def delegated(site: Site, boss: Person, ann: Person, bob: Person, invited: str) -> str:
    """Ann has sent Bob, and everybody knows."""
    sends(ann, invited, bob)
    site.deliver()
    for person in (boss, bob):
        person.messages()
    return invited


@pytest.mark.parametrize("listed", [False, True])
def test_the_organizer_hears_of_it_and_the_other_is_invited(
    site: Site, boss: Person, ann: Person, bob: Person, invited: str, listed: bool
) -> None:
    assert sends(ann, invited, bob, listed=listed) == 204
    mails = site.deliver()
    assert mails == [f"REPLY {boss.address}", f"REQUEST {bob.address}"]
    assert boss.messages() == [f"REPLY {invited}"]
    seen = boss.get("m")
    assert line_of(seen, ann) == f';PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{bob.address}"'
    assert line_of(seen, bob) == f';PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="mailto:{ann.address}"'
    assert bob.messages() == [f"REQUEST {invited}"]
    seen = bob.event(invited)
    assert f"ORGANIZER;CN=Boss:mailto:{boss.address}" in seen
    assert line_of(seen, bob) == f';PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="mailto:{ann.address}"'
    assert line_of(seen, ann) == f';PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{bob.address}"'
    own = ann.event(invited)
    assert "PARTSTAT=DELEGATED" in line_of(own, ann)
    assert "TRANSP:TRANSPARENT" in own
    assert site.deliver() == []


def test_what_mails_say_of_it(site: Site, boss: Person, ann: Person, bob: Person, invited: str) -> None:
    sends(ann, invited, bob)
    site.sent()
    mails = {to[0]: mail.decode() for _, to, mail in site.post.smarthost.mails}
    request, reply = mails[bob.address], mails[boss.address]
    assert re.search(rf"^From: .*{ann.address}", request, re.M)
    assert f"Subject: Delegated: Meeting {invited}" in reply
    assert f"Delegated to {bob.address}" in reply
    site.deliver()


def test_the_answer_of_whom_a_guest_sends_goes_to_both(
    site: Site, boss: Person, ann: Person, bob: Person, delegated: str
) -> None:
    assert bob.answer(delegated, "ACCEPTED").status == 204
    assert site.deliver() == [f"REPLY {' '.join(sorted((ann.address, boss.address)))}"]
    boss.messages()
    ann.messages()
    assert "PARTSTAT=ACCEPTED" in line_of(boss.get("m"), bob)
    assert "PARTSTAT=DELEGATED" in line_of(boss.get("m"), ann)
    assert "PARTSTAT=DELEGATED" in line_of(ann.event(delegated), ann)


def test_the_organizers_next_change_reaches_both(
    site: Site, boss: Person, ann: Person, bob: Person, delegated: str
) -> None:
    boss.put("m", boss.get("m").replace("T100000", "T140000").replace("T110000", "T150000"))
    assert "PARTSTAT=DELEGATED" in line_of(boss.get("m"), ann)
    assert site.deliver() == [f"REQUEST {' '.join(sorted((ann.address, bob.address)))}"]
    for person in (ann, bob):
        person.messages()
        assert "T140000" in person.event(delegated)
    assert "PARTSTAT=DELEGATED" in line_of(ann.event(delegated), ann)
    boss("DELETE", f"{boss.calendar}m.ics")
    assert site.deliver() == [f"CANCEL {' '.join(sorted((ann.address, bob.address)))}"]
    for person in (ann, bob):
        person.messages()
        assert "STATUS:CANCELLED" in person.event(delegated)


def test_nobody_hears_of_it_twice(site: Site, boss: Person, ann: Person, bob: Person, invited: str) -> None:
    sends(ann, invited, bob)
    site.deliver()
    assert ann("PUT", ann.path_of(invited), ann.event(invited)).status == 204
    assert site.deliver() == []
    carl = site.person()
    sends(ann, invited, bob, carl)
    assert site.deliver() == [f"REPLY {boss.address}", f"REQUEST {carl.address}"]
    assert ann("DELETE", ann.path_of(invited)).status == 204
    assert site.deliver() == []


def test_who_comes_after_all(site: Site, boss: Person, ann: Person, bob: Person, invited: str) -> None:
    sends(ann, invited, bob)
    site.deliver()
    boss.messages()
    ann.answer(invited, "ACCEPTED")
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert line_of(boss.get("m"), ann) == ";PARTSTAT=ACCEPTED"


def test_one_instance_of_a_series(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    boss.put("m", meeting("t-2", boss, ann, more=WEEKLY))
    site.deliver()
    ann.messages()
    instance = meeting(
        "t-2", boss, f'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{bob.address}":mailto:{ann.address}',
        start="20261208T100000", more="RECURRENCE-ID;TZID=Europe/Berlin:20261208T100000",
    )  # fmt: skip
    part = instance.partition("BEGIN:VEVENT\r\n")[2]
    changed = ann.event("t-2").replace("END:VCALENDAR\r\n", f"BEGIN:VEVENT\r\n{part}")
    assert ann("PUT", ann.path_of("t-2"), changed).status == 204
    assert site.deliver() == [f"REPLY {boss.address}", f"REQUEST {bob.address}"]
    boss.messages()
    series, _, one = boss.get("m").partition("RECURRENCE-ID")
    assert "DELEGATED" not in series
    assert "PARTSTAT=DELEGATED" in line_of(one, ann)
    assert "DELEGATED-FROM" in line_of(one, bob)
    bob.messages()
    seen = bob.event("t-2")
    assert "RRULE" not in seen.partition("BEGIN:VEVENT")[2]
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261208T100000" in seen


def test_to_send_nobody_says_nothing(site: Site, boss: Person, ann: Person, invited: str) -> None:
    for nobody in ("", ann.address):
        sends(ann, invited, nobody)
        assert site.deliver() == []


def test_to_send_the_organizer_himself(site: Site, boss: Person, ann: Person, invited: str) -> None:
    sends(ann, invited, boss)
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert "PARTSTAT=DELEGATED" in line_of(boss.get("m"), ann)


def test_only_the_organizer_changes_a_meeting(
    site: Site, boss: Person, ann: Person, bob: Person, invited: str
) -> None:
    """RFC 6047 3: whoever knows the UID may send a mail."""
    before = ann.event(invited)
    for method in ("REQUEST", "CANCEL"):
        receive(site, ann, meeting(invited, bob, ann, start="20261201T150000", more="SEQUENCE:5"), method)
    assert ann.messages() == [f"CANCEL {invited}", f"REQUEST {invited}", f"REQUEST {invited}"]
    assert ann.event(invited) == before
    assert len(mails(site, ann)) == 3


def test_an_organizer_may_have_another_address_by_then(
    site: Site, boss: Person, ann: Person, bob: Person, invited: str
) -> None:
    with site.store.system() as system:
        reply = system.ok(ResolveUsername(username=boss.user))
        user = system.ok(GetUser(user_entryid=reply.user_entryid)).user
        addresses = (f"SMTP:{boss.address}", f"smtp:{boss.user}.new@example.com")
        system.ok(
            SetUser(replace(user, password=None, mv_propmap=((pr.PR_EMS_AB_PROXY_ADDRESSES, addresses),)))
        )
    renamed = meeting(invited, boss, ann, start="20261201T150000", more="SEQUENCE:5").replace(
        f"ORGANIZER;CN=Boss:mailto:{boss.user}@", f"ORGANIZER;CN=Boss:mailto:{boss.user}.new@"
    )
    receive(site, ann, renamed)
    ann.messages()
    assert "T150000" in ann.event(invited)

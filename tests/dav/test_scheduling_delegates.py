"""Who writes into another's calendar invites and answers in the owner's name, if he may (RFC 6638 6.1)."""

from __future__ import annotations

import re

import pytest

from gateway.mapi.rights import Rights
from gateway.mapiclient.wire.calls_directory import AddSendAsUser, ResolveUsername
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import event
from tests.dav.test_sharing import share


@pytest.fixture
def secretary(site: Site, boss: Person) -> Person:
    """Somebody who may write into the boss's calendar."""
    found = site.person()
    share(site, boss.user, found.user, Rights.EDITOR)
    return found


def allow(site: Site, boss: Person, secretary: Person) -> None:
    """Let somebody send as the boss."""
    with site.store.system() as system:
        boss_id, other = (
            system.ok(ResolveUsername(username=name)).user_entryid for name in (boss.user, secretary.user)
        )
        system.ok(AddSendAsUser(user_entryid=boss_id, sender_entryid=other))


def shared(boss: Person, secretary: Person) -> str:
    """Where the secretary finds the boss's calendar."""
    return secretary.home + boss.calendar.removeprefix(boss.home)


def test_a_delegate_invites_in_the_owners_name(
    site: Site, boss: Person, secretary: Person, ann: Person
) -> None:
    allow(site, boss, secretary)
    path = f"{shared(boss, secretary)}m.ics"
    answer = secretary("PUT", path, meeting("d-1", boss, ann))
    assert answer.status == 201, answer.text
    assert site.sent() == [f"REQUEST {ann.address}"]
    mail = site.post.smarthost.mails[0][2].decode()
    assert re.search(rf"^From: .*{boss.address}", mail, re.M)
    assert re.search(rf"^Sender: .*{secretary.address}", mail, re.M)
    site.deliver()
    ann.messages()
    ann.answer("d-1", "ACCEPTED")
    assert site.deliver() == [f"REPLY {boss.address}"]
    boss.messages()
    assert "PARTSTAT=ACCEPTED" in boss.get("m")
    assert secretary("DELETE", path).status == 204
    assert site.deliver() == [f"CANCEL {ann.address}"]


def test_a_delegate_answers_in_the_owners_name(
    site: Site, boss: Person, secretary: Person, ann: Person
) -> None:
    allow(site, boss, secretary)
    ann.put("m", meeting("d-2", ann, boss))
    site.deliver()
    boss.messages()
    path = shared(boss, secretary) + boss.path_of("d-2").rpartition("/")[2]
    accepted = secretary("GET", path).text.replace("PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=ACCEPTED")
    answer = secretary("PUT", path, accepted)
    assert answer.status == 204, answer.text
    assert site.deliver() == [f"REPLY {ann.address}"]
    ann.messages()
    assert f"PARTSTAT=ACCEPTED:mailto:{boss.address}" in ann.get("m")


def test_who_may_only_write_is_told_that_he_may_not_invite(
    site: Site, boss: Person, secretary: Person, ann: Person
) -> None:
    path = shared(boss, secretary)
    answer = secretary("PUT", f"{path}m.ics", meeting("d-3", boss, ann))
    assert answer.status == 403
    assert "need-privileges" in answer.text
    assert f"in the name of {boss.user}" in answer.text
    assert secretary("GET", f"{path}m.ics").status == 404
    assert secretary("PUT", f"{path}plain.ics", event("d-4", "Plain")).status == 201
    by_client = meeting("d-5", boss, f"ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:{ann.address}")
    assert secretary("PUT", f"{path}c.ics", by_client).status == 201
    boss.put("b", meeting("d-6", boss, ann))
    assert secretary("DELETE", f"{path}b.ics").status == 403
    assert boss.get("b")
    assert site.deliver() == [f"REQUEST {ann.address}"]


def test_nothing_is_sent_when_the_calendar_is_not_changed(site: Site, boss: Person, ann: Person) -> None:
    author = site.person()
    share(site, boss.user, author.user, Rights.AUTHOR)
    allow(site, boss, author)
    boss.put("m", meeting("d-7", boss, ann))
    site.deliver()
    path = f"{shared(boss, author)}m.ics"
    changed = author("GET", path).text.replace("SUMMARY:", "SUMMARY:Not ")
    assert author("PUT", path, changed).status == 403
    assert author("DELETE", path).status == 403
    assert site.deliver() == []
    assert "Not" not in boss.get("m")

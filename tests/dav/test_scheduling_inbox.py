"""The Inbox: what comes in is shown and applied once, whoever else looks at it (RFC 6638 4)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.convert.ical import meeting_content
from gateway.convert.ical import propids as ids
from gateway.dav.options import Options
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.times import from_unix
from gateway.mapiclient import Special, Store
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.table import Table, rows_of
from gateway.units import Duration
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import CS, C, D, event, multiget

NOW = 1_795_000_000


def receive(site: Site, person: Person, text: str, method: str = "REQUEST", **props: Any) -> None:
    """Put a meeting message into somebody's Inbox, as a delivery agent does."""

    async def work(session: Any) -> None:
        store = await Store.default(session)
        inbox = await store.receive_folder()
        content = meeting_content(text.replace("VERSION", f"METHOD:{method}\r\nVERSION").encode())
        assert content is not None
        content.props |= {getattr(pr, name): value for name, value in props.items()}
        await save_new_message(session, inbox, store.guid, content)

    site.run(person.user, work)


def mails(site: Site, person: Person, part: Special = Special.INBOX) -> list[dict[int, Any]]:
    """The meeting messages in a folder."""

    async def work(session: Any) -> Any:
        folder = (await (await Store.default(session)).special_folders())[part]
        columns = (pr.PR_ENTRYID, pr.PR_MESSAGE_CLASS, pr.PR_PROCESSED, pr.PR_SUBJECT)
        return await rows_of(Table.contents(session, folder, columns))

    found: list[dict[int, Any]] = site.run(person.user, work)
    return [row for row in found if row[pr.PR_MESSAGE_CLASS].startswith("IPM.Schedule")]


def test_a_message_is_applied_once_and_marked(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-1", boss, ann))
    assert ann.messages() == ["REQUEST i-1"]
    assert [row.get(pr.PR_PROCESSED) for row in mails(site, ann)] == [True]
    ann("DELETE", ann.path_of("i-1"), Schedule_Reply="F")
    assert ann.messages() == ["REQUEST i-1"]
    assert ann.event("i-1") == ""


def test_what_another_program_has_dealt_with_is_left_alone(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-2", boss, ann), PR_PROCESSED=True)
    assert ann.messages() == ["REQUEST i-2"]
    assert ann.event("i-2") == ""


def test_what_came_in_is_seen_without_looking_into_the_inbox(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-3", boss, ann))
    assert "i-3" in ann.event("i-3")


def test_messages_are_read_synchronised_and_deleted(site: Site, boss: Person, ann: Person) -> None:
    token, _ = ann.sync(ann.inbox)
    receive(site, ann, meeting("i-4", boss, ann))
    receive(site, ann, meeting("i-5", boss, ann))
    ann.messages()
    token, found = ann.sync(ann.inbox, token)
    assert len(found) == 2
    path = next(path for path, text in ann.texts(ann.inbox).items() if "UID:i-4" in text)
    answer = ann("GET", path)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "METHOD:REQUEST" in answer.text
    assert ann("DELETE", path).status in (200, 204)
    assert ann.sync(ann.inbox, token)[1][path] == ""
    assert ann.messages() == ["REQUEST i-5"]
    assert [row[pr.PR_SUBJECT] for row in mails(site, ann, Special.TRASH)] == ["Meeting i-4"]
    assert site.deliver() == []
    assert "i-4" in ann.event("i-4")


def test_the_inbox_is_read_as_apple_does(site: Site, boss: Person, ann: Person) -> None:
    tag = f"{CS}getctag"
    before = ann.propfind(ann.inbox, tag).found(ann.inbox, tag)
    receive(site, ann, meeting("i-16", boss, ann))
    assert ann.propfind(ann.inbox, tag).found(ann.inbox, tag) != before
    listed = ann.propfind(ann.inbox, f"{D}getetag", f"{D}getcontenttype", depth="1")
    (path,) = [each for each in listed.hrefs if each != ann.inbox]
    assert listed.found(path, f"{D}getetag")
    data = ann("REPORT", ann.inbox, multiget("calendar", path)).found(path, f"{C}calendar-data") or ""
    assert "METHOD:REQUEST" in data
    query = (
        f'<C:calendar-query xmlns:C="{C[1:-1]}" xmlns="DAV:"><prop><getetag/></prop><C:filter>'
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>'
    )
    assert ann("REPORT", ann.inbox, query).hrefs == [path]


def test_ordinary_mail_is_not_shown(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-6", boss, ann))
    token, found = ann.sync(ann.inbox)

    async def work(session: Any) -> None:
        store = await Store.default(session)
        content = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "Hello"})
        await save_new_message(session, await store.receive_folder(), store.guid, content)

    site.run(ann.user, work)
    assert ann.sync(ann.inbox)[1].keys() == found.keys()
    assert ann.sync(ann.inbox, token)[1] == {}


def test_an_older_message_does_not_undo_a_newer_one(site: Site, boss: Person, ann: Person) -> None:
    newer = meeting("i-7", boss, ann, start="20261201T150000", more="SEQUENCE:2")
    receive(site, ann, newer)
    ann.messages()
    receive(site, ann, meeting("i-7", boss, ann, more="SEQUENCE:1"))
    ann.messages()
    assert "T150000" in ann.event("i-7")
    receive(site, ann, meeting("i-7", boss, ann, more="SEQUENCE:1"), method="CANCEL")
    ann.messages()
    assert "STATUS:CANCELLED" not in ann.event("i-7")


@pytest.mark.parametrize("sequence", [0, 2])
@pytest.mark.parametrize("looks", [True, False])
def test_a_cancellation_may_come_before_what_it_cancels(
    site: Site, boss: Person, ann: Person, sequence: int, looks: bool
) -> None:
    """Mail keeps no order; an invitation that is newer than the cancellation is a new one."""
    ann.messages()
    receive(site, ann, meeting("i-20", boss, ann, more="SEQUENCE:1"), method="CANCEL")
    if looks:
        assert (ann.messages(), ann.event("i-20")) == (["CANCEL i-20"], "")
    receive(site, ann, meeting("i-20", boss, ann, more=f"SEQUENCE:{sequence}"))
    assert ann.messages() == ["CANCEL i-20", "REQUEST i-20"]
    assert ("STATUS:CANCELLED" in ann.event("i-20")) is (sequence == 0)


def test_only_who_invites_cancels_before(site: Site, boss: Person, ann: Person, bob: Person) -> None:
    receive(site, ann, meeting("i-21", bob, ann, more="SEQUENCE:9"), method="CANCEL")
    ann.messages()
    receive(site, ann, meeting("i-21", boss, ann))
    ann.messages()
    kept = ann.event("i-21")
    assert kept
    assert "STATUS:CANCELLED" not in kept


def test_one_instance_may_be_cancelled_before_the_invitation_comes(
    site: Site, boss: Person, ann: Person
) -> None:
    second = "RECURRENCE-ID;TZID=Europe/Berlin:20261202T100000\nSEQUENCE:1"
    receive(site, ann, meeting("i-22", boss, ann, start="20261202T100000", more=second), method="CANCEL")
    ann.messages()
    receive(site, ann, meeting("i-22", boss, ann, more="RRULE:FREQ=DAILY;COUNT=3"))
    ann.messages()
    assert "EXDATE;TZID=Europe/Berlin:20261202T100000\r\n" in ann.event("i-22")
    assert "STATUS:CANCELLED" not in ann.event("i-22")


def test_what_is_over_is_not_put_into_the_calendar(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-8", boss, ann, start="20200101T100000"))
    assert ann.messages() == ["REQUEST i-8"]
    assert ann.event("i-8") == ""


def test_copies_for_delegates_are_their_principals_affair(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-9", boss, ann), PR_RCVD_REPRESENTING_EMAIL_ADDRESS=boss.user)
    ann.messages()
    assert ann.event("i-9") == ""
    assert [row.get(pr.PR_PROCESSED) for row in mails(site, ann)] == [None]


def test_ones_own_invitation_changes_nothing(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("i-10", boss, ann))
    before = boss.get("m")
    receive(site, boss, meeting("i-10", boss, ann, start="20261201T180000", more="SEQUENCE:9"))
    boss.messages()
    assert boss.get("m") == before


@pytest.mark.parametrize("attendee", ["stranger@example.com", "boss"])
def test_answers_of_who_was_not_invited_change_nothing(
    site: Site, boss: Person, ann: Person, attendee: str
) -> None:
    boss.put("m", meeting("i-11", boss, ann))
    before = boss.get("m")
    who = boss.address if attendee == "boss" else attendee
    reply = meeting("i-11", boss, f"ATTENDEE;PARTSTAT=DECLINED:mailto:{who}")
    receive(site, boss, reply, method="REPLY")
    assert boss.messages() == ["REPLY i-11"]
    assert boss.get("m") == before


def test_another_time_that_a_guest_proposes(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("i-12", boss, ann))
    proposal = meeting(
        "i-12", boss, f"ATTENDEE;PARTSTAT=TENTATIVE:mailto:{ann.address}", start="20261201T160000"
    )
    receive(site, boss, proposal, method="COUNTER")
    assert boss.messages() == ["COUNTER i-12"]
    assert "T100000" in boss.get("m")
    assert "PARTSTAT=TENTATIVE" in boss.get("m")


def test_the_stored_item_is_what_mapi_clients_expect(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-13", boss, ann))
    ann.messages()

    async def work(session: Any) -> dict[Any, Any]:
        store = await Store.default(session)
        folder = (await store.special_folders())[Special.CALENDAR]
        (row,) = await rows_of(Table.contents(session, folder, (pr.PR_ENTRYID,)))
        return (await load_props(session, row[pr.PR_ENTRYID]))[0]

    def stored() -> dict[Any, Any]:
        props: dict[Any, Any] = site.run(ann.user, work)
        return props

    props = stored()
    assert (props[ids.STATE], props[ids.RESPONSE], props[ids.BUSY_STATUS]) == (
        3,
        ids.NOT_RESPONDED,
        ids.TENTATIVE,
    )
    assert props[pr.PR_MESSAGE_CLASS] == "IPM.Appointment"
    ann.answer("i-13", "ACCEPTED")
    props = stored()
    assert (props[ids.STATE], props[ids.RESPONSE], props[ids.BUSY_STATUS]) == (3, ids.ACCEPTED, ids.BUSY)
    assert props[ids.REPLY_TIME] > from_unix(NOW - 10 * 365 * 86_400)
    assert props[ids.REPLY_NAME] == ann.user


def test_two_gateways_apply_a_message_once(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("i-14", boss, ann))
    other = Person(site, ann.user)
    other.port = site.new_head()
    ann.put("e", event("plain", "Plain"))
    assert ann.messages() == other.messages() == ["REQUEST i-14"]
    assert "i-14" in ann.event("i-14")
    assert "i-14" in other.event("i-14")


def test_what_was_sent_is_filed(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("i-15", boss, ann))
    site.deliver()
    boss("DELETE", f"{boss.calendar}m.ics")
    assert len(mails(site, boss, Special.OUTBOX)) == 1
    site.deliver()
    assert mails(site, boss, Special.OUTBOX) == []
    sent = [row[pr.PR_SUBJECT] for row in mails(site, boss, Special.SENT)]
    assert sorted(sent) == ["Canceled: Meeting i-15", "Meeting i-15"]


def test_a_store_that_is_too_slow_is_no_defect(site: Site, ann: Person) -> None:
    port = site.new_head(Options(request_timeout=Duration(1e-6)))
    impatient = Person(site, ann.user)
    impatient.port = port
    answer = impatient.propfind(impatient.home, f"{D}displayname", depth="1")
    assert answer.status == 503
    assert "in time" in answer.text

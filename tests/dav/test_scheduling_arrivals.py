"""The first look into an Inbox: what lay there before is dealt with, unless nobody can have seen it (RFC 6638 4.1)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.dav.homes import Homes
from gateway.dav.listing import Listings
from gateway.dav.options import Options
from gateway.dav.scheduling import arrivals, beginning
from gateway.dav.scheduling.arrivals import Arrivals, Visit
from gateway.dav.scheduling.publishing import Publisher
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.times import from_unix
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import SavedMessage, save_new_message, set_read
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import clock, event
from tests.dav.test_scheduling_inbox import mails, receive
from tests.support import reactor

READ = 1
#: A head whose clients send and take invitations themselves.
ALONE = Options(timezone="Europe/Berlin", scheduling=False)


def start_again(site: Site, person: Person) -> None:
    """The gateway is stopped and started."""
    person.port = site.new_head()


def mark(site: Site, person: Person, *, read: bool) -> None:
    """Mark all meeting messages as read or unread."""
    entryids = [row[pr.PR_ENTRYID] for row in mails(site, person)]

    async def work(session: Any) -> None:
        await set_read(session, entryids, read=read)

    site.run(person.user, work)


def processed(site: Site, person: Person) -> list[bool | None]:
    return [row.get(pr.PR_PROCESSED) for row in mails(site, person)]


def test_an_invitation_that_somebody_read_before_is_dealt_with(site: Site, boss: Person, ann: Person) -> None:
    """Programs that know nothing of PR_PROCESSED leave no other mark."""
    receive(site, ann, meeting("f-1", boss, ann), PR_MESSAGE_FLAGS=READ)
    receive(site, ann, meeting("f-2", boss, ann))
    assert ann.messages() == ["REQUEST f-1", "REQUEST f-2"]
    assert ann.event("f-1") == ""
    assert "f-2" in ann.event("f-2")
    assert sorted(processed(site, ann), key=bool) == [None, True]


def test_later_ones_are_applied_whether_read_or_not(site: Site, boss: Person, ann: Person) -> None:
    assert ann.messages() == []
    receive(site, ann, meeting("f-3", boss, ann), PR_MESSAGE_FLAGS=READ)
    ann.messages()
    assert "f-3" in ann.event("f-3")


def test_it_is_remembered_over_a_restart(site: Site, boss: Person, ann: Person) -> None:
    before = from_unix(clock() - 3600)
    receive(site, ann, meeting("f-4", boss, ann), PR_MESSAGE_FLAGS=READ, PR_MESSAGE_DELIVERY_TIME=before)
    ann.messages()
    mark(site, ann, read=False)
    start_again(site, ann)
    receive(site, ann, meeting("f-5", boss, ann), PR_MESSAGE_FLAGS=READ)
    ann.messages()
    assert ann.event("f-4") == ""
    assert "f-5" in ann.event("f-5")


@pytest.mark.parametrize(("days", "applied"), [(10, True), (20, False)])
def test_after_a_long_time_it_is_as_at_first(
    site: Site, boss: Person, ann: Person, days: int, applied: bool
) -> None:
    """Scheduling was off, and the user's programs have seen to his invitations."""
    ann.messages()

    async def work(session: Any) -> None:
        then = from_unix(clock() - days * 86_400)
        await (await Store.default(session)).set_props({beginning.SINCE: then, beginning.NOTED: then})

    site.run(ann.user, work)
    receive(site, ann, meeting("f-16", boss, ann), PR_MESSAGE_FLAGS=READ)
    start_again(site, ann)
    ann.messages()
    assert ("f-16" in ann.event("f-16")) is applied
    start_again(site, ann)
    receive(site, ann, meeting("f-17", boss, ann), PR_MESSAGE_FLAGS=READ)
    ann.messages()
    assert "f-17" in ann.event("f-17")


def test_what_was_thrown_away_before_stays_away(site: Site, boss: Person, ann: Person) -> None:
    """By a program that put the event into the calendar and did not mark the message."""
    other = Person(site, ann.user)
    other.port = site.new_head(ALONE)
    other.put("m", meeting("f-6", boss, ann))
    other("DELETE", f"{other.calendar}m.ics")
    receive(site, ann, meeting("f-6", boss, ann))
    receive(site, ann, meeting("f-7", boss, ann))
    ann.messages()
    assert ann.event("f-6") == ""
    assert "f-7" in ann.event("f-7")


@pytest.mark.parametrize(("method", "expected"), [("REQUEST", "T150000"), ("CANCEL", "STATUS:CANCELLED")])
def test_what_concerns_the_calendar_is_applied(
    site: Site, boss: Person, ann: Person, method: str, expected: str
) -> None:
    """An update or a cancellation that no program has seen to is newer than what the calendar has."""
    other = Person(site, ann.user)
    other.port = site.new_head(ALONE)
    other.put("m", meeting("f-8", boss, ann))
    later = meeting("f-8", boss, ann, start="20261201T150000", more="SEQUENCE:1")
    receive(site, ann, later, method, PR_MESSAGE_FLAGS=READ)
    ann.messages()
    assert expected in ann.event("f-8")


def test_when_a_message_came_counts_not_when_it_was_filed(site: Site, boss: Person, ann: Person) -> None:
    """Somebody copies an archive into the Inbox."""
    ann.messages()
    receive(site, ann, meeting("f-9", boss, ann), PR_MESSAGE_DELIVERY_TIME=from_unix(1_700_000_000))
    ann.messages()
    assert ann.event("f-9") == ""


def test_what_the_inbox_shows_is_in_the_calendar_a_moment_later(site: Site, boss: Person, ann: Person) -> None:
    """Also when it came in between the look for it and the showing."""
    path, _ = ann.calendar, ann.sync(ann.inbox)
    receive(site, ann, meeting("f-15", boss, ann))
    assert len(ann.texts(path)) == 1
    start_again(site, ann)
    ann.sync(ann.inbox)
    receive(site, ann, meeting("f-18", boss, ann))
    assert len(ann.texts(path)) == 2


def test_an_item_is_as_the_inbox_has_just_shown_it(site: Site, boss: Person, ann: Person) -> None:
    """Clients read a message in the Inbox, and then the event alone."""
    receive(site, ann, meeting("f-19", boss, ann))
    ann.messages()
    path = ann.path_of("f-19")
    ann.sync(ann.inbox)
    receive(site, ann, meeting("f-19", boss, ann, start="20261203T100000", more="SEQUENCE:1"))
    assert ":20261203T100000" in ann("GET", path).text


def test_more_than_one_look_takes(site: Site, boss: Person, ann: Person) -> None:
    """Hundreds of answers are applied in several looks, and none is left."""
    ann.put("e", event("plain", "Plain"))
    reply = meeting("f-10", boss, "ATTENDEE;PARTSTAT=DECLINED:mailto:stranger@example.com")
    now = clock()
    for number in range(201):
        receive(site, ann, reply, "REPLY", PR_MESSAGE_DELIVERY_TIME=from_unix(now + number))
    receive(site, ann, meeting("f-11", boss, ann), PR_MESSAGE_DELIVERY_TIME=from_unix(now + 999))
    ann.messages()
    ann.messages()
    assert "f-11" in ann.event("f-11")
    assert set(processed(site, ann)) == {True}


class Broken(IcalOptions):
    """What a defect would be: the first question fails."""

    def owns(self, address: str) -> bool:
        raise ZeroDivisionError(address)


def test_a_defect_is_logged_and_keeps_nobody_from_his_calendars(site: Site, boss: Person, ann: Person) -> None:
    receive(site, ann, meeting("f-12", boss, ann))
    receive(site, ann, meeting("f-13", boss, ann))
    events: list[Any] = []

    async def work(session: Any) -> None:
        listings = Listings(1000)
        publisher = Publisher(reactor.reactor, listings, UTC_ZONE, clock)
        arrivals = Arrivals(listings, publisher, reactor.reactor.seconds)
        homes = Homes(ALONE, reactor.reactor.seconds).of(session)
        await arrivals.take(Visit(homes, session, Broken(), clock()))

    globalLogPublisher.addObserver(events.append)
    try:
        site.run(ann.user, work)
    finally:
        globalLogPublisher.removeObserver(events.append)
    failures = [each for each in events if each.get("log_failure") is not None]
    assert [each["log_failure"].type for each in failures] == [ZeroDivisionError] * 2
    assert "f-12" in ann.event("f-12")


def key_of(message: SavedMessage) -> bytes:
    return bytes(message.props[pr.PR_SOURCE_KEY])


@pytest.mark.parametrize("made", range(2))
def test_of_two_that_were_made_at_once_the_older_stays(
    site: Site, boss: Person, ann: Person, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another gateway has made one just before this one's; the store's numbers begin with their lowest octet."""
    saved: list[SavedMessage] = []

    async def twice(session: Any, folder: bytes, guid: bytes, content: MessageContent) -> SavedMessage:
        store = await Store.default(session)
        drafts, note = (await store.special_folders())[Special.DRAFTS], MessageContent({pr.PR_SUBJECT: "x"})
        while key_of(await save_new_message(session, drafts, guid, note))[16] != 0xFE - made:
            pass
        saved.extend([await save_new_message(session, folder, guid, content) for _ in range(2)])
        return saved[-1]

    ann.messages()
    receive(site, ann, meeting("f-15", boss, ann))
    monkeypatch.setattr(arrivals, "save_new_message", twice)
    ann.messages()
    assert len(saved) == 2
    paths = [path for path, text in ann.texts(ann.calendar).items() if "UID:f-15" in text]
    assert paths == [f"{ann.calendar}{key_of(saved[0]).hex()}.ics"]


def test_notifications_are_left_to_mapi_clients(site: Site, boss: Person, ann: Person) -> None:
    """Outlook tells an organizer so that a guest has forwarded his invitation."""
    name = "IPM.Schedule.Meeting.Notification.Forward"
    receive(site, ann, meeting("f-14", boss, ann), PR_MESSAGE_CLASS=name)
    ann.messages()
    assert processed(site, ann) == [None]

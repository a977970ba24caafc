"""What leaves the Outbox, and when: after the calendar was written, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import CancelledError

from gateway.convert.ical import meeting_content
from gateway.convert.ical.people import SENDER, person_props
from gateway.dav.scheduling import outgoing
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess
from gateway.mapiclient import Special, Store
from gateway.mapiclient.errors import ConnectionClosed
from gateway.mapiclient.message import SavedMessage
from gateway.mapiclient.names import Names
from gateway.mapiclient.replacing import Outdated
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.calls_object import AbortSubmit, SubmitMessage
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import clock
from tests.dav.test_scheduling_arrivals import start_again
from tests.dav.test_scheduling_inbox import mails

LONG_AGO = outgoing.ABANDONED + 60


def invitation(uid: str, boss: Person, ann: Person) -> MessageContent:
    found = meeting_content(meeting(uid, boss, ann).encode(), "REQUEST")
    assert found is not None
    found.props |= person_props("Boss", boss.address, SENDER)
    return found


async def outbox(session: Any) -> list[str]:
    """What becomes of the messages in the user's Outbox."""
    store = await Store.default(session)
    (mark,) = await Names(session).tags([outgoing.STAGED])
    rows = await rows_of(Table.contents(session, store.props[pr.PR_IPM_OUTBOX_ENTRYID], (pr.PR_ENTRYID, mark)))
    return ["staged" if mark in row else "sent" for row in rows]


def staged(site: Site, boss: Person, ann: Person, uid: str, ago: float) -> Sequence[SavedMessage]:
    """What a gateway has left in the Outbox that died before it had sent it."""
    content = invitation(uid, boss, ann)

    async def work(session: Any) -> Sequence[SavedMessage]:
        return await outgoing.stage(await Store.default(session), [content], clock() - ago)

    found: Sequence[SavedMessage] = site.run(boss.user, work)
    return found


def test_what_a_dead_gateway_has_left_is_sent(site: Site, boss: Person, ann: Person) -> None:
    staged(site, boss, ann, "o-1", LONG_AGO)
    boss.messages()
    assert [each.split()[0] for each in site.sent()] == ["REQUEST"]
    assert mails(site, boss, Special.OUTBOX) == []
    start_again(site, boss)
    boss.messages()
    assert len(site.sent()) == 1


def test_what_somebody_is_about_to_send_is_left_to_him(site: Site, boss: Person, ann: Person) -> None:
    staged(site, boss, ann, "o-2", 0)
    boss.messages()
    assert site.sent() == []
    assert len(mails(site, boss, Special.OUTBOX)) == 1


def test_what_its_sender_takes_back_is_not_sent(site: Site, boss: Person, ann: Person) -> None:
    (message,) = staged(site, boss, ann, "o-3", LONG_AGO)

    async def work(session: Any) -> None:
        await outgoing.submit(await Store.default(session), [message])
        await session.call(AbortSubmit(entryid=message.entryid))

    site.run(boss.user, work)
    boss.messages()
    assert site.sent() == []
    assert len(mails(site, boss, Special.OUTBOX)) == 1


class Dying:
    """A session whose gateway dies at a call: nothing after it happens."""

    def __init__(self, session: Any, at: type, *, done: bool) -> None:
        self._session, self._at, self._done, self._dead = session, at, done, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def call(self, call: Any, **options: Any) -> Any:
        self._dead = self._dead or isinstance(call, self._at)
        if not self._dead or (self._done and isinstance(call, self._at)):
            answer = await self._session.call(call, **options)
        if self._dead:
            raise CancelledError
        return answer


@pytest.mark.parametrize("done", [False, True])
def test_what_was_being_sent_when_the_gateway_died_is_sent_once(
    site: Site, boss: Person, ann: Person, done: bool
) -> None:
    """Whether the store had put it into the queue by then, or not."""
    (message,) = staged(site, boss, ann, "o-6", LONG_AGO)

    async def work(session: Any) -> None:
        dying: Any = Dying(session, SubmitMessage, done=done)
        store = replace(await Store.default(session), session=dying)
        with suppress(CancelledError):
            await outgoing.submit(store, [message])

    site.run(boss.user, work)
    boss.messages()
    assert len(site.sent()) == 1


def test_what_cannot_be_sent_now_is_no_error_and_is_sent_later(site: Site, boss: Person, ann: Person) -> None:
    first, second = staged(site, boss, ann, "o-4", LONG_AGO)[0], staged(site, boss, ann, "o-5", 0)[0]

    async def work(session: Any) -> None:
        store = await Store.default(session)
        await outgoing.drop(store, [first])
        await outgoing.submit(store, [first, second])

    site.run(boss.user, work)
    assert len(site.sent()) == 1


@pytest.mark.parametrize(
    ("failure", "left", "queued"),
    [
        (None, ["sent"], 1),
        (NoAccess(), [], 0),
        (Outdated(), [], 0),
        (ConnectionClosed("gone"), [], 0),
        (ConnectionClosed("gone", unknown=True), ["sent"], 1),
        (CancelledError(), ["staged"], 0),
    ],
)
def test_nothing_goes_out_before_the_calendar_is_written(
    site: Site, boss: Person, ann: Person, failure: Exception | None, left: list[str], queued: int
) -> None:
    """What is refused is told to nobody; what may have been written is."""
    content = invitation("o-6", boss, ann)
    seen: list[list[str]] = []

    async def work(session: Any) -> None:
        store = await Store.default(session)

        async def write() -> None:
            seen.append(await outbox(session))
            if failure is not None:
                raise failure

        await outgoing.send_with(store, [content], write, clock())

    with nullcontext() if failure is None else pytest.raises(type(failure)):
        site.run(boss.user, work)
    assert seen == [["staged"]]
    assert site.run(boss.user, outbox) == left
    assert len(site.sent()) == queued

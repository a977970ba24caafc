"""Save dates: what is remembered of when messages came is late at the most, whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mailbox.account import Account
from gateway.mailbox.rows import Entry
from gateway.mailbox.savedates import MOST, MOST_LATE, SaveDates
from gateway.mailbox.state import State
from gateway.mailbox.uidcache import UidCache
from gateway.mailbox.uploads import Upload
from gateway.mailbox.view import View
from gateway.mapiclient.message import copy_messages
from tests.support.accounts import Mail, running_mail

DAY = 86400
HELLO = b"From: Ann <ann@example.org>\r\nSubject: Hello\r\n\r\nHello\r\n"


def observed(*looks: tuple[int, int]) -> SaveDates:
    dates = SaveDates()
    for bound, when in looks:
        dates.seen(bound, when)
    return dates


def test_messages_came_when_they_were_first_seen() -> None:
    dates = observed((10, 1000), (10, 2000), (12, 3000), (11, 4000))
    assert dates.of([1, 9, 10, 11, 12]) == [1000, 1000, 3000, 3000, 0]
    assert dates.between([1, 9, 10, 11], 1000, 3000) == {1, 9}
    assert dates.between([1, 9, 10, 11], 1001, 3001) == {10, 11}


def test_a_message_that_came_below_what_had_been_seen_came_later_than_its_neighbours() -> None:
    dates = observed((10, 1000))
    dates.came_late([5], 2000)
    assert dates.of([4, 5, 6]) == [1000, 2000, 1000]
    assert dates.between([4, 5, 6], 0, 1500) == {4, 6}
    assert dates.between([4, 5, 6], 1500, 2500) == {5}
    assert dates.between([4, 6], 1500, 2500) == set()


def test_a_clock_that_was_set_back_makes_no_message_older_than_the_one_before() -> None:
    assert observed((10, 2000), (20, 1000)).of([9, 19]) == [2000, 2000]


#: Gaps in UIDs and seconds between looks.
looks = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 500)), max_size=30)


def model(steps: list[tuple[int, int]]) -> tuple[SaveDates, dict[int, int]]:
    """Save dates, and when each UID was really seen first."""
    dates, truth, bound, when = SaveDates(), dict[int, int](), 1, 1000
    for count, seconds in steps:
        when += seconds
        truth.update(dict.fromkeys(range(bound, bound + count), when))
        bound += count
        dates.seen(bound, when)
    return dates, truth


@given(looks, looks, st.sets(st.integers(1, 300), max_size=40))
def test_no_date_is_earlier_than_the_truth(
    mine: list[tuple[int, int]], others: list[tuple[int, int]], there: set[int]
) -> None:
    dates, truth = model(mine)
    assert dates.of(truth) == [*truth.values()]
    again = SaveDates.unpack(dates.pack())
    assert again.of(truth) == [*truth.values()]
    left = sorted(there & truth.keys())
    again.prune(left, dates.bound)
    assert again.of(left) == [truth[uid] for uid in left]
    assert len(again) <= len(left) + 1
    other, seen_there = model(others)
    both = dates.joined(other)
    for uid in truth.keys() | seen_there.keys():
        assert both.of([uid]) == [min(found[uid] for found in (truth, seen_there) if uid in found)]


def test_there_is_an_end_to_what_is_remembered_and_recent_dates_stay_exact() -> None:
    dates = observed(*((uid + 1, uid * 600) for uid in range(1, 6 * MOST)))
    uids = range(1, 6 * MOST)
    late = [found - uid * 600 for uid, found in zip(uids, dates.of(uids), strict=True)]
    assert len(dates) <= MOST
    assert min(late) == 0
    assert max(late) < 6 * 3600
    assert not any(late[-MOST // 4 :])
    dates.came_late(range(1, 2 * MOST_LATE), 10**8)
    assert dates.of([2 * MOST_LATE - 1]) == [10**8]
    assert len(dates.pack()) < 8 * MOST + 10 * MOST_LATE


@given(st.binary(max_size=100))
def test_a_damaged_blob_says_nothing(blob: bytes) -> None:
    assert len(SaveDates.unpack(blob)) == 0


def test_every_message_of_a_state_has_a_date() -> None:
    times = iter(range(1000, 2000))

    def entry(uid: int) -> Entry:
        return Entry(uid, b"e%d" % uid, b"k%d" % uid, uid, 0, (), 1, 0, 0)

    state = State(now=lambda: next(times))
    state.arrive([entry(1), entry(5)])
    state.arrive([entry(9)])
    state.arrive([entry(7), entry(12)])
    one, five, seven, nine, twelve = state.saved.of(state.rows.uids)
    assert one == five < nine < twelve <= seven
    assert min(State(state.rows, now=lambda: 5000).saved.of(state.rows.uids)) == 5000


# In the cache


def test_dates_are_kept_beside_the_folder(tmp_path: Path) -> None:
    cache = UidCache(tmp_path / "uids.sqlite")
    assert cache.save_dates(b"folder").of([1]) == [0]
    cache.add_save_dates(b"folder", observed((10, 1000)))
    cache.add_save_dates(b"folder", observed((10, 5000), (20, 6000)))
    cache.close()
    again = UidCache(tmp_path / "uids.sqlite")
    assert again.save_dates(b"folder").of([9, 19, 20]) == [1000, 6000, 0]
    again.add_save_dates(b"folder", observed((20, 6000)), ([15], 20))
    assert len(again.save_dates(b"folder")) == 1
    again.forget(b"folder")
    assert again.save_dates(b"folder").of([9]) == [0]
    again.close()


def test_a_cache_of_an_older_program_gets_room_for_them(tmp_path: Path) -> None:
    cache = UidCache(tmp_path / "uids.sqlite")
    cache._connection().execute("DROP TABLE saved")
    cache.close()
    again = UidCache(tmp_path / "uids.sqlite")
    again.add_save_dates(b"folder", observed((10, 1000)))
    assert again.save_dates(b"folder").of([9]) == [1000]
    again.close()


# In a mailbox


class Clock:
    """The time of day, as a test wants it."""

    def __init__(self) -> None:
        self.day = 0

    def __call__(self) -> float:
        return 1_000_000_000.0 + self.day * DAY


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mail(tmp_path: Path, clock: Clock) -> Iterator[Mail]:
    with running_mail(tmp_path, "alice", now=clock) as running:
        yield running


async def opened(account: Account, name: str) -> View:
    return await account.view((await account.mailboxes()).get(name))


def days(view: View) -> list[int]:
    """The save dates of all messages, as days of the test."""
    return [(when - 1_000_000_000) // DAY for when in view.save_dates(view.uids)]


async def restarted(mail: Mail, clock: Callable[[], float]) -> Account:
    """An account of the gateway after a restart: with the same cache, and nothing else that was known."""
    return await mail.anew("alice", mail.cache.path, clock)


async def moved_by_another_program(mail: Mail, source: View, target: View) -> None:
    """Outlook moves a message: the first one of a mailbox, its creation time with it."""
    outlook = await mail.anew("alice")
    try:
        await copy_messages(outlook.session, [source.rows.entryid(0)], target.mailbox.entryid, move=True)
    finally:
        outlook.logout()


def test_a_message_that_another_program_moves_came_when_that_was_seen(mail: Mail, clock: Clock) -> None:
    async def work(alice: Account) -> None:
        inbox, trash = await opened(alice, "INBOX"), await opened(alice, "Deleted Items")
        await alice.append(inbox.mailbox, [Upload(HELLO)] * 2)
        await inbox.refresh()
        clock.day = 40
        await moved_by_another_program(mail, inbox, trash)
        await inbox.refresh(force=True)
        await trash.refresh(force=True)
        assert (days(inbox), days(trash)) == ([0], [40])
        await moved_by_another_program(mail, inbox, trash)
        clock.day = 50  # nobody looked meanwhile
        await trash.refresh(force=True)
        assert days(trash) == [40, 50]

    mail.run(work, "alice")


def test_what_was_there_before_anybody_looked_came_at_the_first_look(mail: Mail, clock: Clock) -> None:
    async def work(alice: Account) -> None:
        outlook = await mail.anew("alice")
        try:
            await outlook.append((await outlook.mailboxes()).get("INBOX"), [Upload(HELLO)] * 2)
        finally:
            outlook.logout()
        clock.day = 7
        assert days(await opened(alice, "INBOX")) == [7, 7]

    mail.run(work, "alice")


@pytest.mark.parametrize("move", [False, True], ids=["copied", "moved"])
def test_what_the_gateway_puts_into_a_mailbox_that_nobody_has_open_came_then(
    mail: Mail, clock: Clock, move: bool
) -> None:
    async def work(alice: Account) -> None:
        boxes = await alice.mailboxes()
        trash, drafts = boxes.get("Deleted Items"), boxes.get("Drafts")
        inbox = await opened(alice, "INBOX")
        (uid,) = await alice.append(inbox.mailbox, [Upload(HELLO)])
        await inbox.refresh()
        clock.day = 3
        await alice.append(drafts, [Upload(HELLO)])
        await inbox.copy([uid], trash, move=move)
        clock.day = 30
        assert days(await opened(alice, "Deleted Items")) == [3]
        assert days(await opened(alice, "Drafts")) == [3]

    mail.run(work, "alice")


def test_a_mailbox_that_is_still_warm_dates_what_is_copied_into_it(mail: Mail, clock: Clock) -> None:
    """Its View is there, but nobody who looks."""

    async def work(alice: Account) -> None:
        inbox, trash = await opened(alice, "INBOX"), await opened(alice, "Deleted Items")
        alice.release(trash)
        (uid,) = await alice.append(inbox.mailbox, [Upload(HELLO)])
        await inbox.refresh()
        clock.day = 3
        await inbox.copy([uid], trash.mailbox)
        clock.day = 30
        assert days(await opened(alice, "Deleted Items")) == [3]

    mail.run(work, "alice")


def test_dates_survive_a_restart(mail: Mail, clock: Clock) -> None:
    async def work(alice: Account) -> None:
        inbox = await opened(alice, "INBOX")
        for clock.day in (1, 2, 3):
            await alice.append(inbox.mailbox, [Upload(HELLO)])
        await inbox.refresh()
        await inbox.remove(inbox.uids[1:2])
        await inbox.save()
        clock.day = 20
        again = await restarted(mail, clock)
        try:
            view = await opened(again, "INBOX")
            assert days(view) == [1, 3]
            await again.append(view.mailbox, [Upload(HELLO)])
            assert days(view) == [1, 3, 20]
        finally:
            again.logout()

    mail.run(work, "alice")


def test_dates_survive_a_crash(mail: Mail, clock: Clock) -> None:
    """They are written down soon after, long before the mailbox is closed and all of it is saved."""

    async def work(alice: Account) -> None:
        inbox = await opened(alice, "INBOX")
        await inbox.save()
        for clock.day in (1, 2):
            await alice.append(inbox.mailbox, [Upload(HELLO)])
        await inbox.write_dates()
        clock.day = 3
        await alice.append(inbox.mailbox, [Upload(HELLO)])  # and then it crashes
        clock.day = 20
        again = await restarted(mail, clock)
        try:
            assert days(await opened(again, "INBOX")) == [1, 2, 20]
        finally:
            again.logout()

    mail.run(work, "alice")


def test_a_lost_cache_makes_all_messages_come_anew(mail: Mail, clock: Clock) -> None:
    async def work(alice: Account) -> None:
        inbox = await opened(alice, "INBOX")
        await alice.append(inbox.mailbox, [Upload(HELLO)])
        clock.day = 20
        again = await mail.anew("alice", now=clock)
        try:
            assert days(await opened(again, "INBOX")) == [20]
        finally:
            again.logout()

    mail.run(work, "alice")


def test_a_mailbox_made_anew_has_nothing_of_the_one_before(mail: Mail, clock: Clock) -> None:
    async def work(alice: Account) -> None:
        for clock.day in (1, 9):
            mailbox = await alice.create("Once")
            await alice.append(mailbox, [Upload(HELLO)])
            assert days(await opened(alice, "Once")) == [clock.day]
            await alice.delete("Once")

    mail.run(work, "alice")

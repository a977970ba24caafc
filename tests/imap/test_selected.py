"""Sequence numbers stay what the client was told, whatever happens to the View."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec.sequence import SAVED, parse_set
from gateway.imap.selected import Selected
from gateway.mailbox.rows import Entry
from gateway.mailbox.state import LOG_LENGTH, Delta, State


class View:
    """A View's state, without a store behind."""

    def __init__(self, *uids: int) -> None:
        self.state = State()
        self.arrive(*uids)

    @property
    def uids(self) -> array[int]:
        return self.state.rows.uids

    @property
    def uidnext(self) -> int:
        return self.state.uidnext

    @property
    def modseqs(self) -> array[int]:
        return self.state.rows.modseqs

    @property
    def serial(self) -> int:
        return self.state.serial

    @property
    def highest_modseq(self) -> int:
        return self.state.highest_modseq

    def since(self, serial: int) -> Delta:
        return self.state.since(serial)

    def arrive(self, *uids: int) -> None:
        modseq = self.highest_modseq + 1
        self.state.arrive(Entry(uid, b"", b"", uid, 0, (), modseq, 0, 0) for uid in uids)

    def expunge(self, *uids: int) -> None:
        self.state.expunge(uids)

    def flag(self, uid: int, flags: int = 1) -> None:
        self.state.amend([(uid, flags, (), self.highest_modseq + 1)])


@pytest.mark.parametrize(
    ("text", "by_uid", "numbers"),
    [
        ("1:3", False, [1, 2, 3]),
        ("2,4", False, [2, 4]),
        ("*", False, [4]),
        ("3:*", False, [3, 4]),
        ("4:2", False, [2, 3, 4]),
        ("5", False, None),
        ("1:5", False, None),
        ("10:20", True, [1, 2]),
        ("20,15,99", True, [2]),
        ("*", True, [4]),
        ("100:*", True, [4]),
        ("1:*", True, [1, 2, 3, 4]),
        ("41:99", True, []),
    ],
)
def test_sets(text: str, by_uid: bool, numbers: list[int] | None) -> None:
    selected = Selected(View(10, 20, 30, 40))
    rows = selected.resolve(parse_set(text.encode()), by_uid=by_uid)
    if numbers is None:
        assert rows is None
    else:
        assert rows is not None
        assert list(rows.numbers) == numbers
        assert list(rows.uids) == [number * 10 for number in numbers]


def test_sets_in_an_empty_mailbox() -> None:
    selected = Selected(View())
    assert selected.resolve(parse_set(b"1"), by_uid=False) is None
    assert selected.resolve(parse_set(b"1,*"), by_uid=False) is None
    for text, by_uid in ((b"1:*", True), (b"1:*", False), (b"*", False)):
        found = selected.resolve(parse_set(text), by_uid=by_uid)
        assert found is not None
        assert len(found) == 0


def test_the_saved_result_leaves_out_what_is_gone() -> None:
    view = View(10, 20, 30)
    selected = Selected(view)
    selected.saved = array("I", [10, 30])
    view.expunge(10)
    selected.updates(expunge=True)
    found = selected.resolve(SAVED, by_uid=True)
    assert found is not None
    assert list(found.numbers) == [2]


def test_nothing_new_is_nothing_to_tell() -> None:
    view = View(10, 20)
    selected = Selected(view)
    assert selected.updates(expunge=True).exists is None
    assert selected.uids is view.uids


def test_an_expunge_waits_for_its_moment() -> None:
    view = View(10, 20, 30)
    selected = Selected(view)
    view.expunge(20)
    view.arrive(40)
    now = selected.updates(expunge=False)
    assert (now.expunged, now.exists) == ((), 4)
    assert list(selected.uids) == [10, 20, 30, 40]
    later = selected.updates(expunge=True)
    assert (later.expunged, later.expunged_numbers, later.exists) == ((20,), (2,), None)
    assert selected.uids is view.uids


def test_flags_of_messages_that_are_gone_are_not_told() -> None:
    view = View(10, 20, 30)
    selected = Selected(view)
    view.flag(10)
    view.flag(30)
    view.expunge(30)
    now = selected.updates(expunge=False)
    assert list(now.flagged.numbers) == [1]
    assert selected.updates(expunge=True).expunged == (30,)


def test_flags_of_new_messages_come_with_them_only() -> None:
    view = View(10)
    selected = Selected(view)
    view.arrive(20)
    view.flag(20)
    now = selected.updates(expunge=True)
    assert (now.exists, list(now.flagged.uids), list(now.arrived.uids)) == (2, [], [20])


def test_a_client_that_slept_too_long_compares() -> None:
    view = View(*range(1, 11))
    selected = Selected(view)
    for _ in range(LOG_LENGTH + 1):
        view.flag(5, 1)
        view.flag(5, 0)
    view.expunge(2)
    view.arrive(11)
    now = selected.updates(expunge=True)
    assert (now.expunged, now.exists, list(now.flagged.uids)) == ((2,), 10, [5])


def test_a_client_that_slept_too_long_is_told_of_flags_the_store_has_not_numbered_yet() -> None:
    view = View(*range(1, 11))
    selected = Selected(view)
    for turn in range(LOG_LENGTH + 1):
        view.flag(5, turn % 2)
    view.state.amend([(7, 1, (), 0)])
    assert list(selected.updates(expunge=True).flagged.uids) == [5, 7]
    view.flag(7, 1)
    assert list(selected.updates(expunge=True, modseq=True).flagged.uids) == [7]


def test_what_changed_twice_may_have_been_changed_by_two() -> None:
    view = View(10, 20)
    selected = Selected(view)
    view.flag(10, 1)
    view.flag(20, 1)
    view.flag(20, 3)
    now = selected.updates(expunge=True)
    assert (list(now.flagged.uids), now.again) == ([10, 20], {20})


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "arrive late", "expunge", "flag", "tell", "tell all"]), st.integers(0, 9)
    )
)


@given(STEPS)
def test_a_client_that_follows_the_rules_sees_the_truth(steps: list[tuple[str, int]]) -> None:
    view = View(1, 2, 3)
    flags = dict.fromkeys((1, 2, 3), 0)
    selected = Selected(view)
    client: list[int] = [1, 2, 3]
    highest = 3
    ever = {1, 2, 3}
    for what, which in steps:
        uids = list(view.uids)
        ever.update(uids)
        if what == "arrive":
            view.arrive(view.state.uidnext + which)
        elif what == "arrive late" and (late := max(1, view.state.uidnext - which)) not in ever:
            view.arrive(late)
        elif what == "expunge" and uids:
            view.expunge(uids[which % len(uids)])
        elif what == "flag" and uids:
            view.flag(uids[which % len(uids)], which % 2)
        elif what.startswith("tell"):
            updates = selected.updates(expunge=what == "tell all")
            for number, uid in zip(reversed(updates.expunged_numbers), reversed(updates.expunged), strict=True):
                assert client.pop(number - 1) == uid
            client += updates.arrived.uids
            assert all(uid > highest for uid in updates.arrived.uids)
            highest = max([highest, *updates.arrived.uids])
            assert updates.exists in (None, len(client))
            assert all(
                client[n - 1] == u for n, u in zip(updates.flagged.numbers, updates.flagged.uids, strict=True)
            )
            flags.update(dict.fromkeys(updates.arrived.uids, 0))
        assert client == list(selected.uids)
    client += selected.updates(expunge=True).arrived.uids
    assert set(selected.uids) == {uid for uid in view.uids if uid in client or uid > highest}
    assert list(Selected(view).uids) == list(view.uids)


def test_a_message_that_comes_late_waits_for_the_next_select() -> None:
    view = View(10, 30)
    selected = Selected(view)
    view.arrive(20)
    view.arrive(40)
    now = selected.updates(expunge=True)
    assert (now.exists, list(now.arrived.numbers), list(now.arrived.uids)) == (3, [3], [40])
    assert list(selected.uids) == [10, 30, 40]
    view.flag(20)
    assert list(selected.updates(expunge=True).flagged.uids) == []
    view.expunge(20)
    assert selected.updates(expunge=True).expunged == ()
    assert list(selected.uids) == [10, 30, 40]


def test_the_mod_sequence_up_to_which_all_is_known_stays_below_a_late_message() -> None:
    view = View(10, 30)
    selected = Selected(view)
    before = selected.settled
    view.arrive(20)
    view.flag(30)
    selected.updates(expunge=True)
    assert selected.hidden
    assert selected.settled == before < view.modseqs[1]
    view.expunge(20)
    selected.updates(expunge=True)
    assert not selected.hidden
    assert selected.settled == view.highest_modseq


def test_a_message_is_not_late_for_a_client_that_was_not_told_of_later_ones() -> None:
    view = View(10)
    selected = Selected(view)
    view.arrive(30)
    view.arrive(20)
    now = selected.updates(expunge=True)
    assert (now.exists, list(now.arrived.uids)) == (3, [20, 30])
    assert selected.uids is view.uids


def test_a_client_that_slept_too_long_does_not_see_a_late_message_either() -> None:
    view = View(10, 30)
    selected = Selected(view)
    for _ in range(LOG_LENGTH + 1):
        view.flag(10, 1)
        view.flag(10, 0)
    view.arrive(20, 40)
    now = selected.updates(expunge=True)
    assert (now.exists, list(now.arrived.uids), list(selected.uids)) == (3, [40], [10, 30, 40])

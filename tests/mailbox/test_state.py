"""A View's history: what a client is told follows from what it knew."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gateway.mailbox.rows import Entry
from gateway.mailbox.state import LOG_LENGTH, State


def entry(uid: int, flags: int = 0, modseq: int = 1, keywords: tuple[str, ...] = ()) -> Entry:
    return Entry(uid, b"e%d" % uid, b"k%d" % uid, uid, flags, keywords, modseq, 0, 0)


def test_a_state_begins_empty() -> None:
    state = State()
    assert (state.uidnext, state.highest_modseq, state.serial) == (1, 1, 0)


def test_uidnext_never_falls() -> None:
    state = State()
    state.arrive([entry(5)])
    state.expunge([5])
    assert state.uidnext == 6
    assert State(uidnext=9).uidnext == 9


def test_a_change_of_flags_is_told_apart_from_a_new_modseq() -> None:
    state = State()
    state.arrive([entry(1), entry(2)])
    before = state.serial
    state.amend([(1, 1, ("Work",), 7), (2, 0, (), 8)])
    delta = state.since(before)
    assert (delta.flagged, delta.touched, state.highest_modseq) == ((1,), (2,), 8)
    assert list(state.changed_since(7)) == [2]


def test_a_complete_listing_is_the_truth() -> None:
    state = State()
    state.arrive([entry(1), entry(2), entry(3)])
    before = state.serial
    state.replace([entry(2, flags=1, modseq=4), entry(3), entry(9)])
    delta = state.since(before)
    assert (delta.expunged, delta.flagged, delta.arrived) == ((1,), (2,), True)
    assert list(state.rows.uids) == [2, 3, 9]


def test_who_was_away_too_long_must_compare() -> None:
    state = State()
    state.arrive([entry(1)])
    for number in range(LOG_LENGTH + 1):
        state.amend([(1, number % 2 + 1, (), 0)])
    assert not state.since(0).complete
    assert state.since(state.serial - 5).flagged == (1,)


class Watching(RuleBasedStateMachine):
    """Any history: a watcher that applies each delta to what it knew knows the state."""

    watchers = Bundle("watchers")

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.known: list[tuple[int, dict[int, int]]] = []

    def now(self) -> dict[int, int]:
        return dict(zip(self.state.rows.uids, self.state.rows.flags, strict=True))

    @rule(count=st.integers(1, 3))
    def arrive(self, count: int) -> None:
        first = self.state.uidnext
        self.state.arrive(entry(uid, flags=uid % 4) for uid in range(first, first + count))

    @rule(data=st.data())
    def expunge(self, data: st.DataObject) -> None:
        uids = [*self.state.rows.uids, 10**6]
        self.state.expunge(data.draw(st.lists(st.sampled_from(uids), max_size=3)))

    @rule(data=st.data(), flags=st.integers(0, 3))
    def flag(self, data: st.DataObject, flags: int) -> None:
        uids = [*self.state.rows.uids, 10**6]
        self.state.amend((uid, flags, (), 0) for uid in data.draw(st.lists(st.sampled_from(uids), max_size=3)))

    @rule()
    def watch(self) -> None:
        self.known.append((self.state.serial, self.now()))

    @invariant()
    def deltas_lead_from_what_was_known_to_what_is(self) -> None:
        now = self.now()
        for serial, known in self.known:
            delta = self.state.since(serial)
            assert delta.complete
            there = {uid: flags for uid, flags in known.items() if uid not in delta.expunged}
            new = {uid for uid in now if uid not in there}
            assert delta.arrived or not new
            there.update({uid: now[uid] for uid in delta.flagged if uid in now})
            there.update({uid: now[uid] for uid in new})
            assert there == now


TestWatching = Watching.TestCase


@given(st.lists(st.integers(1, 50), unique=True), st.integers(0, 60))
def test_changed_since_counts_what_is_higher(modseqs: list[int], since: int) -> None:
    state = State()
    state.arrive(entry(index + 1, modseq=modseq) for index, modseq in enumerate(modseqs))
    assert len(state.changed_since(since)) == sum(modseq > since for modseq in modseqs)

"""What of the change log is read again: whatever is committed within the settling time is found, and not twice."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.mailbox.logwindow import FIRST_OVERLAP, MOST, OVERLAP, SETTLING, THOROUGH_AGAIN, LogWindow


def look(window: LogWindow, log: set[int], now: float) -> tuple[list[int], int]:
    """One look as a View makes it: what was new, and how many rows were read."""
    start = window.start(now)
    found, rows = read(window, log, start, now)
    if not found and window.must_look_again(start, now):
        found, more = read(window, log, window.settled, now)
        rows += more
    return found, rows


def read(window: LogWindow, log: set[int], start: int, now: float) -> tuple[list[int], int]:
    answer = sorted(number for number in log if number > start)
    fresh = [*window.fresh(answer)]
    window.read(start, max(answer, default=start), now, fresh)
    return fresh, len(answer)


def test_a_quiet_folder_is_not_read_again() -> None:
    window, log = LogWindow(1000), {1001, 1002}
    assert look(window, log, 0)[0] == [1001, 1002]
    look(window, log, SETTLING + 1)
    assert window.is_settled
    assert look(window, log, SETTLING + 2) == ([], 0)


def test_a_large_transaction_that_is_committed_late_is_found() -> None:
    window, log = LogWindow(1000), {5000}
    assert look(window, log, 0)[0] == [5000]
    log.update(range(4000, 4000 + OVERLAP * 20))
    assert look(window, log, THOROUGH_AGAIN)[0] == list(range(4000, 4000 + OVERLAP * 20))


def test_looks_in_quick_succession_read_little() -> None:
    window, log, rows = LogWindow(0), set(), 0
    for number in range(2, 1002):
        log.add(number)
        found, read_now = look(window, log, number / 1000)
        assert found == [number]
        rows += read_now
    assert rows < 1000 * (OVERLAP + 1) + 1000


def test_what_is_remembered_is_bounded() -> None:
    window = LogWindow(0)
    look(window, set(range(2, MOST * 3)), 0)
    assert window.settled >= MOST
    assert len(look(window, set(range(2, MOST * 3)), 1)[0]) == 0


def test_the_first_look_reads_what_happened_just_before() -> None:
    assert LogWindow(1000).start(0) == 1000 - FIRST_OVERLAP
    assert LogWindow(5).start(0) == 1
    assert LogWindow(1000, 17).start(0) == 17


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), max_size=60))
def test_every_change_is_found_once_however_late_it_is_committed(steps: list[tuple[int, int]]) -> None:
    """Each step begins a change that is committed some seconds later; a look is made every two."""
    window, found, number, now = LogWindow(0), list[int](), 1, 0.0
    commits: dict[int, float] = {}
    for delay, pause in [*steps, *[(0, 10)] * 8]:
        number += 1
        commits[number] = now + delay
        now += pause
        found += look(window, {n for n, at in commits.items() if at <= now}, now)[0]
    assert sorted(found) == [*commits]

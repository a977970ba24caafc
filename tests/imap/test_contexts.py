"""Results that are kept up to date: RETURN (UPDATE), CANCELUPDATE (RFC 5267 section 4.3)."""

from __future__ import annotations

import pytest

from gateway.imap.contexts import MOST
from tests.imap.dialogue import Dialogue, message


@pytest.fixture
def filled(imap: Dialogue) -> Dialogue:
    imap.given(
        inbox=[("\\Seen", message("one")), message("two"), ("\\Seen", message("three")), message("four")]
    )
    imap.talk("""
        C: s1 SELECT INBOX
        S: ...
        S: s1 OK ...
        C2: s2 SELECT INBOX
        S2: ...
        S2: s2 OK ...
    """)
    return imap


def test_a_search_follows_flags_arrivals_and_removals(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 SEARCH RETURN (UPDATE COUNT ALL) UNSEEN
        S: * ESEARCH (TAG "a1") COUNT 2 ALL 2,4
        S: a1 OK ...
        C: a2 STORE 2 +FLAGS (\\Seen)
        S: * 2 FETCH (UID ... FLAGS (\\Seen))
        S: * ESEARCH (TAG "a1") REMOVEFROM (0 2)
        S: a2 OK ...
        C2: b1 STORE 1,3 -FLAGS.SILENT (\\Seen)
        S2: ...
        S2: b1 OK ...
        C: a3 NOOP
        S: * 1 FETCH ...
        S: * 3 FETCH ...
        S: * ESEARCH (TAG "a1") ADDTO (0 1,3)
        S: a3 OK ...
        C2: b2 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: ...
        S2: b2 OK ...
        C: a4 IDLE
        S: + idling
        S: * 5 EXISTS
        S: * ESEARCH (TAG "a1") ADDTO (0 5)
        C2: b3 STORE 3 +FLAGS.SILENT (\\Deleted)
        S2: b3 OK ...
        S: * 3 FETCH (UID ... FLAGS (\\Deleted))
        C2: b4 EXPUNGE
        S2: * 3 EXPUNGE
        S2: b4 OK ...
        S: * ESEARCH (TAG "a1") REMOVEFROM (0 3)
        S: * 3 EXPUNGE
        C: DONE
        S: a4 OK ...
        C: a5 CANCELUPDATE "a1"
        S: a5 OK No further updates
        C: a6 STORE 1:* +FLAGS.SILENT (\\Seen)
        S: a6 OK ...
    """)


def test_uids_and_open_ranges(filled: Dialogue) -> None:
    """A UID set without an end takes in what comes; sequence numbers are those of the moment of the command."""
    filled.talk("""
        C: a1 UID SEARCH RETURN (UPDATE) UID 1:* SUBJECT x
        S: * ESEARCH (TAG "a1") UID
        S: a1 OK ...
        C: a2 SEARCH RETURN (UPDATE COUNT) 1:*
        S: * ESEARCH (TAG "a2") COUNT 4
        S: a2 OK ...
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: ...
        S2: b1 OK [APPENDUID ... @new@] ...
        C: a3 NOOP
        S: * 5 EXISTS
        S: * ESEARCH (TAG "a1") UID ADDTO (0 @new@)
        S: a3 OK ...
        C: a4 STORE 5 +FLAGS.SILENT (\\Deleted)
        S: a4 OK ...
        C: a5 EXPUNGE
        S: * ESEARCH (TAG "a1") UID REMOVEFROM (0 @new@)
        S: * 5 EXPUNGE
        S: a5 OK ...
    """)


def test_a_sorted_result_keeps_its_order(filled: Dialogue) -> None:
    """four one three two: each message comes in at its place and leaves from it."""
    filled.talk("""
        C: a1 SORT RETURN (ALL UPDATE) (SUBJECT) UTF-8 UNDELETED
        S: * ESEARCH (TAG "a1") ALL 4,1,3,2
        S: a1 OK ...
        C: a2 STORE 1,3 +FLAGS.SILENT (\\Deleted)
        S: * ESEARCH (TAG "a1") REMOVEFROM (2 1 2 3)
        S: a2 OK ...
        C: a3 STORE 1,3 -FLAGS.SILENT (\\Deleted)
        S: * ESEARCH (TAG "a1") ADDTO (2 1 3 3)
        S: a3 OK ...
        C2: b1 APPEND INBOX {17+}
        C2: Subject: past
        C2:
        C2:
        S2: ...
        S2: b1 OK ...
        C: a4 NOOP
        S: * 5 EXISTS
        S: * ESEARCH (TAG "a1") ADDTO (3 5)
        S: a4 OK ...
        C2: b2 STORE 4 +FLAGS.SILENT (\\Deleted)
        S2: ...
        S2: b2 OK ...
        C2: b3 EXPUNGE
        S2: * 4 EXPUNGE
        S2: b3 OK ...
        C: a5 NOOP
        S: * ESEARCH (TAG "a1") REMOVEFROM (1 4)
        S: * 4 EXPUNGE
        S: a5 OK ...
    """)


def test_new_messages_may_be_fetched_at_once(filled: Dialogue) -> None:
    """RFC 5465 section 7: EXISTS, FETCH, ESEARCH; nothing is fetched of messages whose flags changed."""
    filled.talk("""
        C: a1 SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (Subject)])) UNSEEN SUBJECT t
        S: * ESEARCH (TAG "a1") COUNT 1
        S: a1 OK ...
        C2: b1 APPEND INBOX {14+}
        C2: Subject: t
        C2:
        C2:
        S2: ...
        S2: b1 OK ...
        C: a2 NOOP
        S: * 5 EXISTS
        S: * 5 FETCH (UID ... BODY[HEADER.FIELDS (Subject)] {14}
        S: Subject: t
        S:
        S: )
        S: * ESEARCH (TAG "a1") ADDTO (0 5)
        S: a2 OK ...
        C: a3 STORE 3 -FLAGS.SILENT (\\Seen)
        S: * ESEARCH (TAG "a1") ADDTO (0 3)
        S: a3 OK ...
    """)


def test_a_message_that_is_told_with_the_result_comes_into_it(filled: Dialogue) -> None:
    filled.talk("""
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: ...
        S2: b1 OK ...
        C: a1 SORT RETURN (ALL UPDATE) (SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "a1") ALL 4,1,3,2
        S: * 5 EXISTS
        S: * ESEARCH (TAG "a1") ADDTO (5 5)
        S: a1 OK ...
    """)


def test_an_expunge_that_must_wait(filled: Dialogue) -> None:
    """What is gone leaves the result together with its EXPUNGE, so that numbers stay right."""
    filled.talk("""
        C: a1 SEARCH RETURN (UPDATE COUNT) ALL
        S: * ESEARCH (TAG "a1") COUNT 4
        S: a1 OK ...
        C2: b1 STORE 2 +FLAGS.SILENT (\\Deleted)
        S2: b1 OK ...
        C2: b2 EXPUNGE
        S2: * 2 EXPUNGE
        S2: b2 OK ...
        C: a2 FETCH 4 FLAGS
        S: * 4 FETCH (FLAGS ())
        S: a2 OK ...
        C: a3 UID FETCH 1 FLAGS
        S: * ESEARCH (TAG "a1") REMOVEFROM (0 2)
        S: * 2 EXPUNGE
        S: a3 OK ...
    """)


def test_tags_and_limits(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 SEARCH RETURN (UPDATE CONTEXT) ALL
        S: * ESEARCH (TAG "a1")
        S: a1 OK ...
        C: a1 SEARCH RETURN (UPDATE) SEEN
        S: a1 BAD ...
        C: a1 SEARCH RETURN (COUNT) SEEN
        S: * ESEARCH (TAG "a1") COUNT 2
        S: a1 OK ...
        C: a2 CANCELUPDATE "a1" "nothing"
        S: a2 BAD ...
        C: a3 CANCELUPDATE
        S: a3 BAD ...
        C: a4 ESEARCH IN (selected) RETURN (UPDATE COUNT) SEEN
        S: * ESEARCH (TAG "a4" MAILBOX INBOX UIDVALIDITY ...) UID COUNT 2
        S: a4 OK ...
        C: a5 CANCELUPDATE "a4" "a1"
        S: a5 OK ...
    """)
    talker = filled.talker()
    for number in range(MOST):
        talker.command("SEARCH RETURN (UPDATE COUNT) ALL", f"c{number}")
    assert talker.command("SEARCH RETURN (UPDATE COUNT) ALL", "more") == [
        '* ESEARCH (TAG "more") COUNT 4',
        '* NO [NOUPDATE "more"] The result is not kept up to date',
        "more OK Search completed",
    ]
    filled.talk("""
        C: d1 SELECT INBOX
        S: ...
        S: d1 OK ...
        C: d2 CANCELUPDATE "c0"
        S: d2 BAD ...
    """)

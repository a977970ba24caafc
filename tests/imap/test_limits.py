"""MESSAGELIMIT (RFC 9738): of too many messages the newest, COPY and its like not at all. The limit here is 3 of 5."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.imap.dialogue import Dialogue, message


@pytest.fixture
def limited(imap_with: Callable[..., Dialogue]) -> Dialogue:
    imap = imap_with(message_limit=3)
    imap.given(inbox=[message(str(number)) for number in range(5)], other=[])
    imap.talk("""
        C: s1 CAPABILITY
        S: * CAPABILITY ... MESSAGELIMIT=3 ...
        S: s1 OK ...
        C: s2 SELECT INBOX
        S: ...
        S: s2 OK ...
        C: s3 FETCH 2:4 UID
        S: * 2 FETCH (UID @second@)
        S: * 3 FETCH (UID @third@)
        S: * 4 FETCH (UID @fourth@)
        S: s3 OK Fetch completed
    """)
    return imap


def test_without_the_option_nothing_is_limited(imap: Dialogue) -> None:
    assert "MESSAGELIMIT" not in imap.talker().command("CAPABILITY")[0]


def test_fetch_and_store(limited: Dialogue) -> None:
    limited.talk("""
        C: a1 FETCH 1:* FLAGS
        S: * 3 FETCH (FLAGS ())
        S: * 4 FETCH (FLAGS ())
        S: * 5 FETCH (FLAGS ())
        S: a1 OK [MESSAGELIMIT 3 @third@] ...
        C: a2 UID FETCH 1:* (FLAGS) (PARTIAL 1:4)
        S: a2 NO [MESSAGELIMIT 3] ...
        C: a3 UID FETCH 1:* (FLAGS) (PARTIAL -1:-1)
        S: * 5 FETCH (UID ... FLAGS ())
        S: a3 OK Fetch completed
        C: a4 STORE 1:4 +FLAGS.SILENT (\\Seen)
        S: a4 OK [MESSAGELIMIT 3 @second@] ...
        C: a5 SEARCH 1:3 SEEN
        S: * SEARCH 2 3
        S: a5 OK Search completed
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 5 +FLAGS.SILENT (\\Deleted)
        S2: b2 OK ...
        C2: b3 EXPUNGE
        S2: * 5 EXPUNGE
        S2: b3 OK ...
        C: a6 FETCH 2:5 UID
        S: * 3 FETCH ...
        S: * 4 FETCH ...
        S: * NO [MESSAGELIMIT 3 @third@] ...
        S: a6 OK [EXPUNGEISSUED] ...
    """)


def test_searches(limited: Dialogue) -> None:
    """It is the messages looked at that count, which a set of numbers or UIDs makes fewer."""
    limited.talk("""
        C: a1 SEARCH UNSEEN
        S: * SEARCH 3 4 5
        S: a1 OK [MESSAGELIMIT 3 @third@] ...
        C: a2 SEARCH 1:3 UNSEEN
        S: * SEARCH 1 2 3
        S: a2 OK Search completed
        C: a3 SEARCH UIDBEFORE @fourth@
        S: * SEARCH 1 2 3
        S: a3 OK Search completed
        C: a4 SEARCH UIDAFTER @third@ UNSEEN
        S: * SEARCH 4 5
        S: a4 OK Search completed
        C: a5 UID SEARCH RETURN (SAVE COUNT) ALL
        S: * ESEARCH (TAG "a5") UID COUNT 3
        S: a5 OK [MESSAGELIMIT 3 @third@] ...
        C: a6 SEARCH RETURN (COUNT) $
        S: * ESEARCH (TAG "a6") COUNT 3
        S: a6 OK Search completed
        C: a7 SORT (SUBJECT) UTF-8 ALL
        S: a7 NO [MESSAGELIMIT 3] ...
        C: a8 SORT (REVERSE SUBJECT) UTF-8 3:5
        S: * SORT 5 4 3
        S: a8 OK ...
        C: a9 THREAD REFS UTF-8 ALL
        S: a9 NO [MESSAGELIMIT 3] ...
        C: b1 ESEARCH IN (personal) RETURN (COUNT) ALL
        S: * ESEARCH (TAG "b1" MAILBOX INBOX UIDVALIDITY ...) UID COUNT 3
        S: b1 OK [LIMIT] ...
        C: b2 SEARCH UIDBEFORE 1
        S: * SEARCH
        S: b2 OK Search completed
    """)


def test_copy_move_and_append(limited: Dialogue) -> None:
    limited.talk("""
        C: a1 COPY 1:4 other
        S: a1 NO [MESSAGELIMIT 3 @second@] ...
        C: a2 COPY 1:3 other
        S: a2 OK [COPYUID ...] ...
        C: a3 APPEND other {1+}
        C: a {1+}
        C: b {1+}
        C: c {1+}
        C: d
        S: a3 NO [MESSAGELIMIT 3] ...
        C: a4 STATUS other (MESSAGES)
        S: * STATUS "other" (MESSAGES 3)
        S: a4 OK ...
        C: a5 MOVE 1:* other
        S: * OK [COPYUID ...] ...
        S: * 5 EXPUNGE
        S: * 4 EXPUNGE
        S: * 3 EXPUNGE
        S: a5 OK [MESSAGELIMIT 3 @third@] ...
    """)


def test_uid_expunge_is_limited_expunge_is_not(limited: Dialogue) -> None:
    limited.talk("""
        C: a1 STORE 1:3 +FLAGS.SILENT (\\Deleted)
        S: a1 OK ...
        C: a2 STORE 4:5 +FLAGS.SILENT (\\Deleted)
        S: a2 OK ...
        C: a3 UID EXPUNGE 1:*
        S: * 5 EXPUNGE
        S: * 4 EXPUNGE
        S: * 3 EXPUNGE
        S: a3 OK [MESSAGELIMIT 3 @third@] ...
        C: a4 ENABLE CONDSTORE
        S: ...
        S: a4 OK ...
        C: a5 EXPUNGE
        S: * 2 EXPUNGE
        S: * 1 EXPUNGE
        S: a5 OK [HIGHESTMODSEQ ...] ...
    """)

"""SAVEDATE (RFC 8514): when a message came into its mailbox, as far as the gateway saw it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imap.dialogue import Dialogue, message
from tests.imap.server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose clock the tests set."""
    with running_server(tmp_path_factory.mktemp("savedate")) as running:
        yield running


@pytest.fixture
def imap(server: Server) -> Iterator[Dialogue]:
    server.at("2030-01-11 10:00:00")
    dialogue = Dialogue(server)
    dialogue.given(INBOX=[message(str(n)) for n in range(3)])
    yield dialogue
    dialogue.close()


def test_the_capability_is_offered_after_login(imap: Dialogue) -> None:
    assert "SAVEDATE" not in " ".join(imap.talker("2", login=False).command("CAPABILITY"))
    assert "SAVEDATE" in " ".join(imap.talker().command("CAPABILITY"))


def test_what_is_appended_copied_and_moved_is_saved_then(imap: Dialogue, server: Server) -> None:
    """A copy and a moved message are saved anew, whatever their internal date (RFC 8514 section 2)."""
    imap.talk("""
        C: a1 CREATE old
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
        C: a3 FETCH 1:3 SAVEDATE
        S: * 1 FETCH (SAVEDATE "11-Jan-2030 10:00:...")
        S: * 2 FETCH (SAVEDATE "11-Jan-2030 10:00:...")
        S: * 3 FETCH (SAVEDATE "11-Jan-2030 10:00:...")
        S: a3 OK ...
    """)
    server.at("2030-03-11 10:00:00")
    imap.talk("""
        C: a4 COPY 1 old
        S: a4 OK [COPYUID ...
        C: a5 MOVE 2 old
        S: ...
        S: a5 OK ...
        C: a6 APPEND INBOX "17-Jul-1996 02:44:25 -0700" {14+}
        C: Subject: x
        C:
        C:
        S: ...
        S: a6 OK ...
        C: a7 FETCH 1:* (SAVEDATE)
        S: * 1 FETCH (SAVEDATE "11-Jan-2030 ...")
        S: * 2 FETCH (SAVEDATE "11-Jan-2030 ...")
        S: * 3 FETCH (SAVEDATE "11-Mar-2030 10:00:...")
        S: a7 OK ...
        C: a8 REPLACE 1 INBOX {14+}
        C: Subject: x
        C:
        C:
        S: ...
        S: a8 OK ...
        C: a9 FETCH * (SAVEDATE INTERNALDATE)
        S: * 3 FETCH (SAVEDATE "11-Mar-2030 10:00:..." INTERNALDATE "11-Mar-2030 ...")
        S: a9 OK ...
    """)
    server.at("2030-05-01 10:00:00")
    imap.talk("""
        C: b1 EXAMINE old
        S: ...
        S: b1 OK [READ-ONLY] ...
        C: b2 UID FETCH 1:* (SAVEDATE)
        S: * 1 FETCH (UID ... SAVEDATE "11-Mar-2030 10:00:...")
        S: * 2 FETCH (UID ... SAVEDATE "11-Mar-2030 10:00:...")
        S: b2 OK ...
    """)


def test_flags_do_not_change_it(imap: Dialogue, server: Server) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
    """)
    server.at("2030-03-11 10:00:00")
    imap.talk("""
        C: a2 STORE 1 +FLAGS.SILENT (\\Flagged work)
        S: ...
        S: a2 OK ...
        C: a3 FETCH 1 SAVEDATE
        S: * 1 FETCH (SAVEDATE "11-Jan-2030 10:00:...")
        S: a3 OK ...
    """)


def test_searches(imap: Dialogue, server: Server) -> None:
    """RFC 8514 4.3; by the date only, time and zone disregarded."""
    server.at("2030-01-15 23:30:00")
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 APPEND INBOX "17-Jul-1996 02:44:25 -0700" {14+}
        C: Subject: x
        C:
        C:
        S: ...
        S: a2 OK ...
        C: a3 SEARCH SAVEDATESUPPORTED
        S: * SEARCH 1 2 3 4
        S: a3 OK ...
        C: a4 SEARCH SAVEDON 15-Jan-2030
        S: * SEARCH 4
        S: a4 OK ...
        C: a5 SEARCH SAVEDSINCE 11-Jan-2030
        S: * SEARCH 1 2 3 4
        S: a5 OK ...
        C: a6 SEARCH SAVEDSINCE 12-Jan-2030 BEFORE 1-Jan-2000
        S: * SEARCH 4
        S: a6 OK ...
        C: a7 SEARCH SAVEDBEFORE 11-Jan-2030
        S: * SEARCH
        S: a7 OK ...
        C: a8 SEARCH NOT SAVEDBEFORE 15-Jan-2030
        S: * SEARCH 4
        S: a8 OK ...
        C: a9 SEARCH OR SAVEDON 15-Jan-2030 SUBJECT 1
        S: * SEARCH 2 4
        S: a9 OK ...
        C: b1 UID SEARCH RETURN (COUNT PARTIAL -1:-1) SAVEDBEFORE 15-Jan-2030
        S: * ESEARCH (TAG "b1") UID COUNT 3 PARTIAL (-1:-1 ...)
        S: b1 OK ...
        C: b2 ESEARCH IN (personal) RETURN (COUNT) SAVEDSINCE 15-Jan-2030
        S: * ESEARCH (TAG "b2" MAILBOX INBOX UIDVALIDITY ...) UID COUNT 1
        S: b2 OK ...
        C: b3 SORT (REVERSE ARRIVAL) UTF-8 SAVEDSINCE 15-Jan-2030
        S: * SORT 4
        S: b3 OK ...
    """)


def test_two_connections_are_told_the_same(imap: Dialogue, server: Server) -> None:
    """And NOTIFY tells it of a new message; without message numbers, too (RFC 9586)."""
    imap.talk("""
        C: a1 ENABLE UIDONLY
        S: * ENABLED UIDONLY
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
        C: a3 NOTIFY SET (selected (MessageNew (UID SAVEDATE) MessageExpunge))
        S: a3 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
    """)
    server.at("2030-02-11 12:00:00")
    imap.talk("""
        C2: b2 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: * 4 EXISTS
        S2: b2 OK ...
        S: * 4 EXISTS
        S: * @uid@ UIDFETCH (SAVEDATE "@when@ 12:00:...")
        C2: b3 FETCH 4 (UID SAVEDATE)
        S2: * 4 FETCH (UID @uid@ SAVEDATE "@when@ 12:00:...")
        S2: b3 OK ...
    """)
    assert imap.names["when"] == "11-Feb-2030"


def test_in_a_mailbox_of_somebody_else(imap: Dialogue, server: Server) -> None:
    """Read-only access is enough; the other user is told the same."""
    other = Dialogue(server)
    imap.names["other"] = other.user
    try:
        imap.talk("""
            C: a1 SETACL INBOX @other@ lr
            S: a1 OK ...
            C: a2 SELECT INBOX
            S: ...
            S: a2 OK ...
        """)
        server.at("2030-02-11 12:00:00")
        other.names["owner"] = imap.user
        other.talk("""
            C: a1 SELECT "Other Users/@owner@/Inbox"
            S: ...
            S: a1 OK [READ-ONLY] ...
            C: a2 FETCH 1 SAVEDATE
            S: * 1 FETCH (SAVEDATE "11-Jan-2030 ...")
            S: a2 OK ...
        """)
    finally:
        other.close()


def test_a_restart_keeps_it(imap: Dialogue, server: Server, tmp_path: Path) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 UNSELECT
        S: a2 OK ...
        C: a3 LOGOUT
        S: ...
        S: a3 OK ...
    """)
    after = Server(server.store, server.directory)
    try:
        after.at("2031-01-01 00:00:00")
        again = Dialogue(after, user=imap.user)
        again.talk("""
            C: a1 SELECT INBOX
            S: ...
            S: a1 OK ...
            C: a2 FETCH 3 SAVEDATE
            S: * 3 FETCH (SAVEDATE "11-Jan-2030 10:00:...")
            S: a2 OK ...
        """)
        again.close()
    finally:
        after.close()


def test_uidnext_does_not_fall_when_the_newest_message_is_gone(imap: Dialogue, server: Server) -> None:
    """STATUS says what SELECT said, also after a restart and for a mailbox that was never opened (RFC 9051 2.3.1.1)."""
    imap.talk("""
        C: a1 CREATE there
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: * OK [UIDNEXT @next@] ...
        S: ...
        S: a2 OK ...
        C: a3 MOVE 3 there
        S: * OK [COPYUID ... ... @moved@] ...
        S: ...
        S: a3 OK ...
        C: a4 UNSELECT
        S: a4 OK ...
    """)
    other = Dialogue(Server(server.store, server.directory / "elsewhere"), user=imap.user)
    try:
        other.talk("""
            C: a1 SELECT there
            S: ...
            S: a1 OK ...
            C: a2 STORE 1 +FLAGS.SILENT (\\Deleted)
            S: a2 OK ...
            C: a3 CLOSE
            S: a3 OK ...
        """)
    finally:
        other.close()
        other.server.close()
    imap.talk("""
        C: a5 LOGOUT
        S: ...
        S: a5 OK ...
    """)
    after = Dialogue(Server(server.store, server.directory), user=imap.user)
    after.names.update(next=imap.names["next"], above=str(int(imap.names["moved"]) + 1))
    try:
        after.talk("""
            C: a1 STATUS INBOX (UIDNEXT MESSAGES)
            S: * STATUS INBOX (UIDNEXT @next@ MESSAGES 2)
            S: a1 OK ...
            C: a2 STATUS there (UIDNEXT MESSAGES)
            S: * STATUS "there" (UIDNEXT @above@ MESSAGES 0)
            S: a2 OK ...
            C: a3 SELECT there
            S: ...
            S: * OK [UIDNEXT @above@] ...
            S: ...
            S: a3 OK ...
        """)
    finally:
        after.close()
        after.server.close()

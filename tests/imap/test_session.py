"""Greeting, login, capabilities, logout."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue


def test_login_and_logout(imap: Dialogue) -> None:
    imap.talker(login=False)
    imap.talk("""
        C: a1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IMAP4rev2 ...AUTH=PLAIN...LITERAL-
        S: a1 OK Capability completed
        C: a2 LOGIN @user@ @user@
        S: a2 OK [CAPABILITY IMAP4rev1 ...] Logged in
        C: a3 LOGOUT
        S: * BYE ...
        S: a3 OK Logout completed
    """)
    assert imap.talker().closed()


def test_select(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft ...)
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK [PERMANENTFLAGS (... \\*)] ...
        S: ...
        S: a1 OK [READ-WRITE] Opened
    """)

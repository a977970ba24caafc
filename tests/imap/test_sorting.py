"""SORT, THREAD and CATENATE over the wire (RFC 5256, 5267, 5957, 4469)."""

from __future__ import annotations

import pytest

from tests.imap.dialogue import Dialogue, message


@pytest.fixture
def filled(imap: Dialogue) -> Dialogue:
    imap.given(
        inbox=[
            message("beta", "x\r\n" * 50, sender="Zoe <amy@example.org>", Message_ID="<1@x>"),
            message("Re: alpha", sender="Abe <zed@example.org>", Message_ID="<2@x>"),
            message("alpha", "y\r\n" * 20, sender="mia@example.org", Message_ID="<3@x>"),
        ]
    )
    imap.talker().command("SELECT INBOX")
    return imap


@pytest.mark.parametrize(
    ("criteria", "order"),
    [
        ("SUBJECT", "2 3 1"),
        ("REVERSE SUBJECT", "1 2 3"),
        ("FROM", "1 3 2"),
        ("DISPLAYFROM", "2 3 1"),
        ("SIZE", "2 3 1"),
        ("REVERSE SIZE", "1 3 2"),
        ("ARRIVAL", "1 2 3"),
        ("DATE", "1 2 3"),
        ("SUBJECT REVERSE SIZE", "3 2 1"),
        ("TO", "1 2 3"),
    ],
)
def test_sort(filled: Dialogue, criteria: str, order: str) -> None:
    assert filled.talker().command(f"SORT ({criteria}) UTF-8 ALL")[0] == f"* SORT {order}"


def test_sort_with_results(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 SORT RETURN (MIN MAX COUNT ALL) (SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "a1") MIN 1 MAX 3 COUNT 3 ALL 2:3,1
        S: a1 OK ...
        C: a2 SORT RETURN (PARTIAL 1:2) (SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "a2") PARTIAL (1:2 2:3)
        S: a2 OK ...
        C: a3 SORT (SUBJECT) UTF-8 DELETED
        S: * SORT
        S: a3 OK ...
        C: a4 SORT (SUBJECT) X-NONE ALL
        S: a4 NO [BADCHARSET ...
    """)


def test_thread(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 THREAD ORDEREDSUBJECT UTF-8 ALL
        S: * THREAD (1)(2 3)
        S: a1 OK ...
        C: a2 THREAD REFERENCES UTF-8 ALL
        S: * THREAD (1)(3 2)
        S: a2 OK ...
        C: a3 UID THREAD REFS UTF-8 DELETED
        S: * THREAD
        S: a3 OK ...
    """)


def test_catenate(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 FETCH 2 UID
        S: * 2 FETCH (UID @uid@)
        S: a1 OK ...
        C: a2 APPEND INBOX (\\Draft) CATENATE (TEXT {16+}
        C: Subject: again
        C:  URL "/INBOX/;UID=@uid@/;SECTION=HEADER.FIELDS%20(From)" URL ";UID=@uid@/;SECTION=TEXT" TEXT {5+}
        C: bye
        C: )
        S: * 4 EXISTS
        S: a2 OK [APPENDUID ...] ...
        C: a3 FETCH 4 (FLAGS BODY.PEEK[])
        S: * 4 FETCH (FLAGS (\\Draft) BODY[] {...}
        S: Subject: again
        S: From: Abe <zed@example.org>
        S:
        S: Hello.
        S: bye
        S: )
        S: a3 OK ...
        C: a4 APPEND INBOX CATENATE (URL "/INBOX/;UID=999999")
        S: a4 NO [BADURL /INBOX/;UID=999999] ...
        C: a5 APPEND INBOX CATENATE (URL "imap://elsewhere/x")
        S: a5 NO [BADURL ...
        C: a6 APPEND INBOX CATENATE (URL "/INBOX;UIDVALIDITY=1/;UID=@uid@")
        S: a6 NO [BADURL ...
    """)

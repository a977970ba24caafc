"""SEARCH and its results (RFC 9051 6.4.4; RFC 4731, 5182, 9394)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.imap.dialogue import Dialogue, message


def mails() -> list[bytes | tuple[str, bytes]]:
    return [
        ("\\Seen", message("apples and pears", "green fruit\r\n", sender="Ann <ann@example.org>")),
        ("\\Flagged Work", message("oranges", "round fruit\r\n", sender="Bob <bob@example.org>", X_Tag="red")),
        message(
            "=?utf-8?q?B=C3=A4ume?=", "tall\r\n" * 100, sender="Ann <ann@example.org>", Cc="cy@example.org"
        ),
    ]


@pytest.fixture
def filled(imap: Dialogue) -> Dialogue:
    imap.given(inbox=mails())
    imap.talker().command("SELECT INBOX")
    return imap


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ("ALL", " 1 2 3"),
        ("SEEN", " 1"),
        ("UNSEEN", " 2 3"),
        ("FLAGGED", " 2"),
        ("KEYWORD work", " 2"),
        ("UNKEYWORD Work", " 1 3"),
        ("RECENT", ""),
        ("NEW", ""),
        ("OLD", " 1 2 3"),
        ("2:*", " 2 3"),
        ("NOT 2", " 1 3"),
        ("OR SEEN FLAGGED", " 1 2"),
        ("SUBJECT oranges", " 2"),
        ("SUBJECT ORANGE", " 2"),
        ('SUBJECT "s and p"', " 1"),
        ("CHARSET UTF-8 SUBJECT {5+}\r\nb\xc3\xa4um", " 3"),
        ("FROM ann", " 1 3"),
        ("CC cy@example", " 3"),
        ("TO mary@example.org", " 1 2 3"),
        ("HEADER X-Tag red", " 2"),
        ('HEADER X-Tag ""', " 2"),
        ("BODY fruit", " 1 2"),
        ("BODY nowhere", ""),
        ("TEXT bob", " 2"),
        ("LARGER 500", " 3"),
        ("SMALLER 500", " 1 2"),
        ("SENTON 2-Jan-2020", " 1 2 3"),
        ("SENTBEFORE 2-Jan-2020", ""),
        ("SINCE 1-Jan-2020", " 1 2 3"),
        ("BEFORE 1-Jan-2020", ""),
        ("YOUNGER 3600", " 1 2 3"),
        ("OLDER 3600", ""),
        ("UNSEEN FROM ann", " 3"),
        ("FROM ann NOT SUBJECT apples", " 3"),
        ("OR (FROM bob) (UNSEEN FROM ann)", " 2 3"),
    ],
)
def test_keys(filled: Dialogue, keys: str, numbers: str) -> None:
    talker = filled.talker()
    talker.send(f"a SEARCH {keys}\r\n".encode("latin-1"))
    assert talker.line() == f"* SEARCH{numbers}"
    assert talker.line() == "a OK Search completed"


FORWARDED = b"""From: Ann <ann@example.org>\r
Subject: forwarded\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
\r
See below.\r
--b\r
Content-Type: message/rfc822\r
\r
From: Zoe <zoe@example.net>\r
Subject: =?utf-8?q?B=C3=A4ume?=\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<p>tall oa<b>ks</b> =C3=A4ltere</p>\r
--b--\r
"""
WITH_FILES = b"""From: Bob <bob@example.org>\r
Subject: files\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
\r
As promised.\r
--b\r
Content-Type: text/csv; name="fruit.csv"\r
Content-Disposition: attachment; filename="fruit.csv"\r
Content-Transfer-Encoding: base64\r
\r
cGVhcnMsMTIsb2Frcw==\r
--b\r
Content-Type: application/pdf; name="invoice-77.pdf"\r
Content-Disposition: attachment; filename="invoice-77.pdf"\r
Content-Transfer-Encoding: base64\r
\r
b2Frcw==\r
--b--\r
"""


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ("BODY oaks", " 1 2"),
        ("BODY promised", " 2"),
        ("BODY b\u00e4ume", " 1"),
        ("BODY zoe@example.net", " 1"),
        ("BODY \u00e4ltere", " 1"),
        ("BODY forwarded", ""),
        ("BODY invoice", ""),
        ("TEXT invoice-77", " 2"),
        ("TEXT forwarded", " 1"),
        ("TEXT oaks", " 1 2"),
        ("TEXT csv", " 2"),
        ("NOT BODY oaks", " 3"),
        ("BODY oaks FROM ann", " 1"),
        ("OR BODY pears SUBJECT nothing", " 2 3"),
        ("OR (SUBJECT forwarded BODY oaks) BODY pears", " 1 2 3"),
        ("NOT (BODY oaks NOT SUBJECT files)", " 2 3"),
    ],
)
def test_text_of_messages_and_files_inside(imap: Dialogue, keys: str, numbers: str) -> None:
    imap.given(inbox=[FORWARDED, WITH_FILES, message("pears", "ripe pears\r\n")])
    talker = imap.talker()
    talker.command("SELECT INBOX")
    *words, last = keys.split(" ")
    sent = last.rstrip(")").encode()
    talker.send(
        f"a SEARCH CHARSET UTF-8 {' '.join(words)} ".encode()
        + b"{%d+}\r\n%b\r\n" % (len(sent), sent + last[len(last.rstrip(")")) :].encode())
    )
    assert talker.line() == f"* SEARCH{numbers}"


def test_by_uid(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 FETCH 3 UID
        S: * 3 FETCH (UID @uid@)
        S: a1 OK ...
        C: a2 UID SEARCH UID @uid@:*
        S: * SEARCH @uid@
        S: a2 OK ...
        C: a3 UID SEARCH 3
        S: * SEARCH @uid@
        S: a3 OK ...
        C: a4 SEARCH 4
        S: * SEARCH
        S: a4 OK ...
        C: a5 SEARCH 3:100
        S: * SEARCH 3
        S: a5 OK ...
        C: a6 SEARCH NOT 4:*
        S: * SEARCH 1 2
        S: a6 OK ...
    """)


def test_results(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 SEARCH RETURN (MIN MAX COUNT ALL) ALL
        S: * ESEARCH (TAG "a1") MIN 1 MAX 3 COUNT 3 ALL 1:3
        S: a1 OK ...
        C: a2 SEARCH RETURN () FLAGGED
        S: * ESEARCH (TAG "a2") ALL 2
        S: a2 OK ...
        C: a3 SEARCH RETURN (MIN COUNT) DELETED
        S: * ESEARCH (TAG "a3") COUNT 0
        S: a3 OK ...
        C: a4 SEARCH RETURN (PARTIAL 2:5) ALL
        S: * ESEARCH (TAG "a4") PARTIAL (2:5 2:3)
        S: a4 OK ...
        C: a5 SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL
        S: * ESEARCH (TAG "a5") COUNT 3 PARTIAL (-1:-2 2:3)
        S: a5 OK ...
        C: a6 SEARCH RETURN (PARTIAL 10:20) ALL
        S: * ESEARCH (TAG "a6") PARTIAL (10:20 NIL)
        S: a6 OK ...
    """)


def test_the_saved_result(filled: Dialogue) -> None:
    """A search that is answered with NO leaves an empty one, one with BAD leaves it alone (RFC 9051 6.4.4.1)."""
    filled.talk("""
        C: a1 SEARCH RETURN (SAVE) FROM ann
        S: a1 OK ...
        C: a2 FETCH $ FLAGS
        S: * 1 FETCH (FLAGS (\\Seen))
        S: * 3 FETCH (FLAGS ())
        S: a2 OK ...
        C: a3 SEARCH $ UNSEEN
        S: * SEARCH 3
        S: a3 OK ...
        C: a4 SEARCH RETURN (SAVE MIN) ALL
        S: * ESEARCH (TAG "a4") MIN 1
        S: a4 OK ...
        C: a5 SEARCH RETURN (COUNT) $
        S: * ESEARCH (TAG "a5") COUNT 1
        S: a5 OK ...
        C: c1 SEARCH RETURN (SAVE) ALL
        S: c1 OK ...
        C: c2 SEARCH RETURN (SAVE) $ SEEN
        S: c2 OK ...
        C: c3 SEARCH $
        S: * SEARCH 1
        S: c3 OK ...
        C: a6 SEARCH RETURN (SAVE) UID 1:0
        S: a6 BAD ...
        C: a7 SEARCH $
        S: * SEARCH 1
        S: a7 OK ...
        C: a8 SEARCH CHARSET X-NONE ALL
        S: a8 NO [BADCHARSET (US-ASCII UTF-8)] ...
        C: a9 SEARCH $
        S: * SEARCH 1
        S: a9 OK ...
        C: b1 SEARCH RETURN (SAVE) CHARSET X-NONE ALL
        S: b1 NO [BADCHARSET (US-ASCII UTF-8)] ...
        C: b2 SEARCH $
        S: * SEARCH
        S: b2 OK ...
        C: b3 UID SEARCH RETURN (SAVE) ALL
        S: b3 OK ...
        C: b4 SORT RETURN (SAVE) (SUBJECT) X-NONE ALL
        S: b4 NO [BADCHARSET (US-ASCII UTF-8)] ...
        C: b5 SEARCH $
        S: * SEARCH
        S: b5 OK ...
        C: b6 UID SEARCH RETURN (SAVE) ALL
        S: b6 OK ...
        C: b7 ENABLE UIDONLY
        S: * ENABLED UIDONLY
        S: b7 OK ...
        C: b8 UID SEARCH RETURN (SAVE) 1
        S: b8 BAD [UIDREQUIRED] ...
        C: b9 UID SEARCH RETURN (COUNT) UID $
        S: * ESEARCH (TAG "b9") UID COUNT 3
        S: b9 OK ...
    """)


def test_rev2_answers_with_esearch(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 ENABLE IMAP4rev2
        S: * ENABLED IMAP4rev2
        S: a1 OK ...
        C: a2 SEARCH UNSEEN
        S: * ESEARCH (TAG "a2") ALL 2:3
        S: a2 OK ...
        C: a3 UID SEARCH DELETED
        S: * ESEARCH (TAG "a3") UID
        S: a3 OK ...
    """)


def test_windows_of_fetch(filled: Dialogue) -> None:
    filled.talk("""
        C: a1 UID FETCH 1:* (FLAGS) (PARTIAL -1:-1)
        S: * 3 FETCH (UID ... FLAGS ())
        S: a1 OK ...
        C: a2 UID FETCH 1:* (FLAGS) (PARTIAL 1:2)
        S: * 1 FETCH (UID ... FLAGS (\\Seen))
        S: * 2 FETCH (UID ... FLAGS (\\Flagged Work))
        S: a2 OK ...
    """)


def test_long_commands_say_that_they_go_on(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(progress=0.0005)
    imap.given(inbox=mails())
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 SEARCH BODY fruit
        S: * OK [INPROGRESS ("a2" NIL NIL)] Still working
        S: ...
        S: * SEARCH 1 2
        S: ...
        S: a2 OK ...
    """)


@pytest.mark.parametrize(
    ("returns", "saved"),
    [
        ("SAVE PARTIAL 1:1", "1"),
        ("SAVE PARTIAL 1:1 MAX", "1 3"),
        ("SAVE PARTIAL 2:2 MIN", "1 2"),
        ("SAVE PARTIAL 2:2 MIN MAX", "1 2 3"),
        ("SAVE PARTIAL 1:1 COUNT", "1 2 3"),
        ("SAVE PARTIAL 5:9", ""),
        ("SAVE MIN", "1"),
        ("SAVE MIN MAX", "1 3"),
        ("SAVE MIN COUNT", "1 2 3"),
        ("SAVE ALL MAX", "1 2 3"),
        ("SAVE", "1 2 3"),
    ],
)
def test_what_is_saved(filled: Dialogue, returns: str, saved: str) -> None:
    """RFC 5182 2.4 and RFC 9394 3.2."""
    filled.talker().command(f"SEARCH RETURN ({returns}) ALL")
    assert filled.talker().command("SEARCH $")[0] == f"* SEARCH {saved}".rstrip()


def test_windows_are_cut_before_changes_are_looked_for(filled: Dialogue) -> None:
    """RFC 9394 3.4: the last two messages, and of these what changed."""
    filled.talk("""
        C: a1 STATUS INBOX (HIGHESTMODSEQ)
        S: * STATUS INBOX (HIGHESTMODSEQ @before@)
        S: * OK [HIGHESTMODSEQ @before@] Highest
        S: a1 OK ...
        C: a2 STORE 1:2 +FLAGS.SILENT (\\Draft)
        S: ...
        S: a2 OK ...
        C: a3 UID FETCH 1:* (FLAGS) (PARTIAL -1:-2 CHANGEDSINCE @before@)
        S: * 2 FETCH ...
        S: a3 OK ...
    """)

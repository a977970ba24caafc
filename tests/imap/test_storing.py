"""APPEND, CATENATE and REPLACE (RFC 9051 6.3.12; RFC 4469, 6855, 8508)."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, message


def test_append_tells_the_uid(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 APPEND INBOX (\\Seen Work) "17-Jul-1996 02:44:25 -0700" {38}
        S: + OK
        C: Subject: hello
        C: From: joe@a.b
        C:
        C: Hi.
        C:
        S: a1 OK [APPENDUID @validity@ @uid@] Stored
        C: a2 SELECT INBOX
        S: ...
        S: * 1 EXISTS
        S: ...
        S: * OK [UIDVALIDITY @validity@] ...
        S: ...
        S: a2 OK [READ-WRITE] Opened
        C: a3 FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)
        S: * 1 FETCH (UID @uid@ FLAGS (\\Seen Work) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 38)
        S: a3 OK Fetch completed
        C: a4 FETCH 1 BODY.PEEK[]
        S: * 1 FETCH (BODY[] {38}
        S: Subject: hello
        S: From: joe@a.b
        S:
        S: Hi.
        S: )
        S: a4 OK Fetch completed
    """)


def test_append_to_a_missing_mailbox(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 APPEND nowhere {5+}
        C: a: b
        C:
        S: a1 NO [TRYCREATE] No such mailbox
    """)


def test_append_into_the_selected_mailbox(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 APPEND INBOX {14+}
        C: Subject: x
        C:
        C:
        S: * 1 EXISTS
        S: a2 OK [APPENDUID ...] Stored
    """)


def test_replacing_a_message_that_is_gone(imap: Dialogue) -> None:
    """Both or neither (RFC 8508 3.4): nothing is stored when nothing can be removed."""
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 1 +FLAGS.SILENT (\\Deleted)
        S2: b2 OK ...
        C2: b3 EXPUNGE
        S2: * 1 EXPUNGE
        S2: b3 OK ...
        C: a2 REPLACE 1 INBOX {14+}
        C: Subject: x
        C:
        C:
        S: * 1 EXPUNGE
        S: a2 NO [EXPUNGEISSUED] ...
        C: a3 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 1)
        S: a3 OK ...
    """)


def test_catenate_stores_all_or_nothing(imap: Dialogue) -> None:
    """The first URL that cannot be used is named, and nothing is stored (RFC 4469 section 4)."""
    imap.given(inbox=[message("one")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: * OK [UIDVALIDITY @validity@] ...
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 UID
        S: * 1 FETCH (UID @uid@)
        S: a2 OK ...
        C: a3 APPEND INBOX CATENATE (URL "/INBOX/;UID=@uid@" URL "/INBOX/;UID=999" URL "/nowhere/;UID=1")
        S: a3 NO [BADURL /INBOX/;UID=999] ...
        C: a4 APPEND INBOX CATENATE (URL "/INBOX/;UID=@uid@/;SECTION=7")
        S: a4 NO [BADURL ...
        C: a5 APPEND INBOX CATENATE (URL "http://example.org/")
        S: a5 NO [BADURL http://example.org/] ...
        C: a6 APPEND INBOX CATENATE ()
        S: a6 BAD ...
        C: a7 APPEND nowhere CATENATE (TEXT {3+}
        C: x
        C: )
        S: a7 NO [TRYCREATE] ...
        C: a8 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 1)
        S: a8 OK ...
        C: a9 UID REPLACE @uid@ INBOX CATENATE (TEXT {16+}
        C: Subject: again
        C:  URL "/INBOX;UIDVALIDITY=@validity@/;UID=@uid@/;SECTION=HEADER.FIELDS%20(From)" URL "/INBOX/;UID=@uid@/;SECTION=TEXT")
        S: * OK [APPENDUID @validity@ @new@] ...
        S: * 2 EXISTS
        S: * 1 EXPUNGE
        S: a9 OK ...
        C: b1 UID FETCH @new@ BODY.PEEK[HEADER]
        S: * 1 FETCH (UID @new@ BODY[HEADER] {...}
        S: Subject: again
        S: From: Joe <joe@example.org>
        S:
        S: )
        S: b1 OK ...
    """)


def test_mails_in_utf8(imap: Dialogue) -> None:
    """UTF8 data in APPEND, and names and texts as they are (RFC 6855 sections 3, 4)."""
    imap.talk("""
        C: a1 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: a1 OK ...
        C: a2 APPEND INBOX (\\Seen) UTF8 (~{20+}
        C: Subject: Gr\u00fc\u00dfe
        C:
        C: )
        S: a2 OK ...
        C: a3 SELECT INBOX
        S: ...
        S: a3 OK ...
        C: a4 SEARCH SUBJECT "gr\u00fc\u00df"
        S: * SEARCH 1
        S: a4 OK ...
        C: a5 SEARCH CHARSET UTF-8 SUBJECT x
        S: a5 BAD ...
        C: a6 FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]
        S: * 1 FETCH (BODY[HEADER.FIELDS (Subject)] {20}
        S: Subject: Gr\u00fc\u00dfe
        S:
        S: )
        S: a6 OK ...
    """)


def test_octets_of_a_section(imap: Dialogue) -> None:
    """``;PARTIAL=`` in a URL (RFC 5550, RFC 5092); what cannot stand in a response code is escaped in BADURL."""
    imap.given(inbox=[message("one", "0123456789")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 UID
        S: * 1 FETCH (UID @uid@)
        S: a2 OK ...
        C: a3 APPEND INBOX CATENATE (TEXT {14+}
        C: Subject: x
        C:
        C:  URL ";UID=@uid@/;SECTION=TEXT/;PARTIAL=2.3" URL ";UID=@uid@/;SECTION=TEXT/;PARTIAL=8")
        S: * 2 EXISTS
        S: a3 OK ...
        C: a4 FETCH 2 BODY.PEEK[TEXT]
        S: * 2 FETCH (BODY[TEXT] {5}
        S: 23489)
        S: a4 OK ...
        C: a5 APPEND INBOX CATENATE (URL {6+}
        C: a]
        C: b )
        S: a5 NO [BADURL a%5D%0D%0Ab%20] ...
    """)

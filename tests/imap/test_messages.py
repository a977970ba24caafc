"""FETCH, STORE, EXPUNGE, COPY, MOVE (RFC 9051 6.4)."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, message

MULTIPART = (
    b"From: Joe <joe@example.org>\r\nSubject: parts\r\nDate: Thu, 02 Jan 2020 03:04:05 +0000\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nX-A: 1\r\n\r\ninner text\r\n--b--\r\n"
)


def test_fetching_a_body_marks_the_message_seen(imap: Dialogue) -> None:
    imap.given(inbox=[message("hello", "text\r\n")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: * OK [UNSEEN 1] ...
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 BODY.PEEK[TEXT]
        S: * 1 FETCH (BODY[TEXT] {6}
        S: text
        S: )
        S: a2 OK ...
        C: a3 FETCH 1 (FLAGS)
        S: * 1 FETCH (FLAGS ())
        S: a3 OK ...
        C: a4 FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {6}
        S: text
        S: )
        S: * 1 FETCH (UID ... FLAGS (\\Seen))
        S: a4 OK ...
    """)


def test_examine_marks_nothing_seen(imap: Dialogue) -> None:
    imap.given(inbox=[message()])
    imap.talk("""
        C: a1 EXAMINE INBOX
        S: ...
        S: * OK [PERMANENTFLAGS ()] ...
        S: ...
        S: a1 OK [READ-ONLY] ...
        C: a2 FETCH 1 RFC822.TEXT
        S: * 1 FETCH (RFC822.TEXT {8}
        S: Hello.
        S: )
        S: a2 OK ...
        C: a3 STORE 1 +FLAGS (\\Seen)
        S: a3 NO ...
        C: a4 FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS ())
        S: a4 OK ...
    """)


def test_sections(imap: Dialogue) -> None:
    imap.given(inbox=[MULTIPART])
    imap.talk("""
        C: a1 EXAMINE INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 (BODY[1] BODY[1.MIME] BODY[3.HEADER] BODY[3.TEXT] BODY[3.1] BODY[9])
        S: * 1 FETCH (BODY[1] {5}
        S: first BODY[1.MIME] {28}
        S: Content-Type: text/plain
        S:
        S:  BODY[3.HEADER] {26}
        S: Subject: inner
        S: X-A: 1
        S:
        S:  BODY[3.TEXT] {10}
        S: inner text BODY[3.1] {10}
        S: inner text BODY[9] NIL)
        S: a2 OK ...
        C: a3 FETCH 1 (BODY[HEADER.FIELDS (subject x-none)] BODY[3.HEADER.FIELDS.NOT (Subject)])
        S: * 1 FETCH (BODY[HEADER.FIELDS (subject x-none)] {18}
        S: Subject: parts
        S:
        S:  BODY[3.HEADER.FIELDS.NOT (Subject)] {10}
        S: X-A: 1
        S:
        S: )
        S: a3 OK ...
        C: a4 FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject Date)]<9.7> UID)
        S: * 1 FETCH (UID ... BODY[HEADER.FIELDS (Subject Date)]<9> {7}
        S: parts
        S: )
        S: a4 OK ...
        C: a5 FETCH 1 (BODY[1]<3.100> BODY[1]<100.5>)
        S: * 1 FETCH (BODY[1]<3> {2}
        S: st BODY[1]<100> {0}
        S: )
        S: a5 OK ...
        C: a6 FETCH 1 (BINARY.SIZE[2] BINARY[1])
        S: * 1 FETCH (BINARY.SIZE[2] 3 BINARY[1] ~{5}
        S: first)
        S: a6 OK ...
    """)


def test_envelope_and_structure(imap: Dialogue) -> None:
    imap.given(inbox=[message("hello"), MULTIPART])
    imap.talk("""
        C: a1 EXAMINE INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 ENVELOPE
        S: * 1 FETCH (ENVELOPE ("Thu, 02 Jan 2020 03:04:05 +0000" "hello" (("Joe" NIL "joe" "example.org")) ... NIL NIL NIL "<...@example.org>"))
        S: a2 OK ...
        C: a3 FETCH 2 (BODY BODYSTRUCTURE)
        S: * 2 FETCH (BODY (("text" "plain" ...)...) BODYSTRUCTURE (("text" "plain" ...)...))
        S: a3 OK ...
    """)


def test_flags(imap: Dialogue) -> None:
    imap.given(inbox=[message("one"), message("two"), message("three")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 STORE 1:2 +FLAGS (\\Seen \\Flagged Work)
        S: * FLAGS (... Work)
        S: * 1 FETCH (UID ... FLAGS (\\Seen \\Flagged Work))
        S: * 2 FETCH (UID ... FLAGS (\\Seen \\Flagged Work))
        S: a2 OK ...
        C: a3 STORE 2 -FLAGS.SILENT (\\Flagged)
        S: a3 OK ...
        C: a4 FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS (\\Seen \\Flagged Work))
        S: * 2 FETCH (FLAGS (\\Seen Work))
        S: * 3 FETCH (FLAGS ())
        S: a4 OK ...
        C: a5 STORE 1 FLAGS (\\Answered $Forwarded)
        S: * 1 FETCH (UID ... FLAGS (\\Answered $Forwarded))
        S: a5 OK ...
        C: a6 STORE 9 FLAGS (\\Answered)
        S: a6 BAD ...
        C: a7 UID STORE 999999 FLAGS (\\Answered)
        S: a7 OK ...
    """)


def test_expunge(imap: Dialogue) -> None:
    imap.given(inbox=[message(str(n)) for n in range(5)])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 STORE 2,4:5 +FLAGS.SILENT (\\Deleted)
        S: a2 OK ...
        C: a0 STATUS INBOX (DELETED DELETED-STORAGE)
        S: * STATUS INBOX (DELETED 3 DELETED-STORAGE @freed@)
        S: a0 OK ...
        C: a3 FETCH 4 UID
        S: * 4 FETCH (UID @uid@)
        S: a3 OK ...
        C: a4 UID EXPUNGE @uid@
        S: * 4 EXPUNGE
        S: a4 OK ...
        C: a5 EXPUNGE
        S: * 4 EXPUNGE
        S: * 2 EXPUNGE
        S: a5 OK ...
        C: a6 CLOSE
        S: a6 OK ...
        C: a7 FETCH 1 FLAGS
        S: a7 BAD ...
    """)


def test_close_expunges_and_unselect_does_not(imap: Dialogue) -> None:
    imap.given(inbox=[("\\Deleted", message("one")), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 UNSELECT
        S: a2 OK ...
        C: a3 EXAMINE INBOX
        S: ...
        S: * 2 EXISTS
        S: ...
        S: a3 OK ...
        C: a4 CLOSE
        S: a4 OK ...
        C: a5 SELECT INBOX
        S: ...
        S: * 2 EXISTS
        S: ...
        S: a5 OK ...
        C: a6 CLOSE
        S: a6 OK ...
        C: a7 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 1)
        S: a7 OK ...
    """)


def test_copy_and_move(imap: Dialogue) -> None:
    imap.given(inbox=[message(str(n)) for n in range(3)], other=[])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 COPY 1:2 other
        S: a2 OK [COPYUID ... ...:... ...:...] Copied
        C: a3 MOVE 2 other
        S: * OK [COPYUID ...] Moved
        S: * 2 EXPUNGE
        S: a3 OK ...
        C: a4 COPY 1 nowhere
        S: a4 NO [TRYCREATE] ...
        C: a5 COPY 7 other
        S: a5 BAD ...
        C: a6 UID COPY 99999 other
        S: a6 OK ...
        C: a7 STATUS other (MESSAGES)
        S: * STATUS "other" (MESSAGES 3)
        S: a7 OK ...
    """)


def test_an_empty_mailbox(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1:* FLAGS
        S: a2 OK ...
        C: a3 STORE 1:* +FLAGS (\\Deleted)
        S: a3 OK ...
        C: a4 FETCH 1 FLAGS
        S: a4 BAD ...
        C: a5 SEARCH 1:*
        S: * SEARCH
        S: a5 OK ...
        C: a6 UID FETCH 1:* FLAGS
        S: a6 OK ...
        C: a7 EXPUNGE
        S: a7 OK ...
    """)


def test_a_part_that_cannot_be_decoded(imap: Dialogue) -> None:
    imap.given(inbox=[message("odd", Content_Transfer_Encoding="x-nonsense")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 (BODY.PEEK[TEXT] BINARY.PEEK[1])
        S: a2 NO [UNKNOWN-CTE] ...
        C: a3 FETCH 1 BODY.PEEK[TEXT]
        S: * 1 FETCH (BODY[TEXT] {8}
        S: Hello.
        S: )
        S: a3 OK ...
    """)


def test_status_of_the_selected_mailbox(imap: Dialogue) -> None:
    """What is there counts, not what the client was told (RFC 9051 6.3.11)."""
    imap.given(inbox=[message("one"), ("\\Seen \\Deleted", message("two"))])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 STATUS INBOX (MESSAGES UNSEEN DELETED DELETED-STORAGE RECENT)
        S: * STATUS INBOX (MESSAGES 2 UNSEEN 1 DELETED 1 RECENT 0 DELETED-STORAGE ...)
        S: a2 OK ...
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK ...
        C: a3 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 3)
        S: * 3 EXISTS
        S: a3 OK ...
    """)


def test_move_to_where_the_messages_are(imap: Dialogue) -> None:
    """Nothing moves, and nothing is told to be gone."""
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1:* UID
        S: * 1 FETCH (UID @one@)
        S: * 2 FETCH (UID @two@)
        S: a2 OK ...
        C: a3 MOVE 1 INBOX
        S: a3 OK Moved
        C: a4 NOOP
        S: a4 OK ...
        C: a5 UID FETCH 1:* UID
        S: * 1 FETCH (UID @one@)
        S: * 2 FETCH (UID @two@)
        S: a5 OK ...
    """)


def test_what_was_stored_as_a_draft_stays_one(imap: Dialogue) -> None:
    """The store lets only sending take that away: the client is told so at once."""
    imap.given(inbox=[("\\Draft", message("one")), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 STORE 1 -FLAGS (\\Draft)
        S: * 1 FETCH (UID ... FLAGS (\\Draft))
        S: a2 OK ...
        C: a3 STORE 1 FLAGS (\\Seen)
        S: * 1 FETCH (UID ... FLAGS (\\Seen \\Draft))
        S: a3 OK ...
        C: b1 STORE 1 FLAGS.SILENT (\\Flagged)
        S: * 1 FETCH (UID ... FLAGS (\\Flagged \\Draft))
        S: b1 OK ...
        C: b2 STORE 1:2 -FLAGS.SILENT (\\Draft \\Flagged)
        S: * 1 FETCH (UID ... FLAGS (\\Draft))
        S: b2 OK ...
        C: a4 STORE 2 +FLAGS (\\Draft)
        S: * 2 FETCH (UID ... FLAGS (\\Draft))
        S: a4 OK ...
        C: a5 STORE 2 -FLAGS (\\Draft)
        S: * 2 FETCH (UID ... FLAGS ())
        S: a5 OK ...
    """)
    assert imap.silent()


def test_no_literal_has_a_nul(imap: Dialogue) -> None:
    """RFC 9051 section 9 (CHAR8): another octet stands for it, but in BINARY."""
    imap.given(inbox=[message("one", "a\0b")])
    imap.talk("""
        C: a1 EXAMINE INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {3}
        S: a\udc80b)
        S: a2 OK ...
        C: a3 FETCH 1 BINARY[1]
        S: * 1 FETCH (BINARY[1] ~{3}
        S: a\0b)
        S: a3 OK ...
    """)

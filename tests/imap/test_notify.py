"""NOTIFY and ESEARCH: more than one mailbox at a time (RFC 5465, 7377)."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, message


def test_messages_in_other_mailboxes(imap: Dialogue) -> None:
    imap.given(work=[], play=[])
    imap.talk("""
        C: a1 NOTIFY SET STATUS (mailboxes work (MessageNew MessageExpunge FlagChange))
        S: * STATUS "work" (MESSAGES 0 UIDNEXT ... UIDVALIDITY ... UNSEEN 0 HIGHESTMODSEQ ...)
        S: a1 OK ...
        C2: b1 APPEND work {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK ...
        S: * STATUS "work" (MESSAGES 1 UIDNEXT ... UIDVALIDITY ... UNSEEN 1)
        C2: b2 APPEND play {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b2 OK ...
        C2: b3 SELECT work
        S2: ...
        S2: b3 OK ...
        C2: b4 STORE 1 +FLAGS.SILENT (\\Seen)
        S2: b4 OK ...
        S: * STATUS "work" (MESSAGES 1 UIDNEXT ... UIDVALIDITY ... UNSEEN 0)
        C: a2 NOTIFY NONE
        S: a2 OK ...
        C2: b5 STORE 1 -FLAGS.SILENT (\\Seen)
        S2: b5 OK ...
        C: a3 NOOP
        S: a3 OK ...
    """)


def test_the_selected_mailbox_at_once(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge FlagChange))
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK ...
        S: * 1 EXISTS
        S: * 1 FETCH (UID ... BODY[HEADER.FIELDS (Subject)] {14}
        S: Subject: x
        S:
        S: )
        C2: b2 SELECT INBOX
        S2: ...
        S2: b2 OK ...
        C2: b3 STORE 1 +FLAGS (\\Deleted)
        S2: * 1 FETCH ...
        S2: b3 OK ...
        S: * 1 FETCH (UID ... FLAGS (\\Deleted))
        C2: b4 EXPUNGE
        S2: * 1 EXPUNGE
        S2: b4 OK ...
        S: * 1 EXPUNGE
        C: a3 NOOP
        S: a3 OK ...
    """)


def test_names_of_mailboxes(imap: Dialogue) -> None:
    """RFC 5465 5.4, 5.5; children move along unmentioned, parents of new and deleted mailboxes are told."""
    imap.talk("""
        C: a1 NOTIFY SET (personal (MailboxName SubscriptionChange))
        S: a1 OK ...
        C2: b1 CREATE fresh
        S2: b1 OK ...
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "fresh"
        C2: b2 CREATE fresh/inner
        S2: b2 OK ...
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "fresh/inner"
        S: * LIST (\\HasChildren \\Subscribed) "/" "fresh"
        C2: b3 RENAME fresh stale
        S2: b3 OK ...
        S: * LIST (\\HasChildren \\Subscribed) "/" "stale" ("OLDNAME" ("fresh"))
        C2: b4 DELETE stale/inner
        S2: b4 OK ...
        S: * LIST (\\NonExistent) "/" "stale/inner"
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "stale"
        C2: b5 UNSUBSCRIBE stale
        S2: b5 OK ...
        S: * LIST (\\HasNoChildren) "/" "stale"
        C2: b6 DELETE stale
        S2: b6 OK ...
        S: * LIST (\\NonExistent) "/" "stale"
    """)


def test_names_of_some_mailboxes(imap: Dialogue) -> None:
    """Of others, and of what the client does itself, nothing is said."""
    imap.given(work=[], play=[])
    imap.talk("""
        C: a1 NOTIFY SET (subtree work (MailboxName))
        S: a1 OK ...
        C2: b1 CREATE play/chess
        S2: b1 OK ...
        C: a2 CREATE work/mine
        S: a2 OK ...
        C2: b2 CREATE work/yours
        S2: b2 OK ...
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "work/yours"
        S: * LIST (\\HasChildren \\Subscribed) "/" "work"
        C: a3 DELETE work/mine
        S: a3 OK ...
        C: a4 NOOP
        S: a4 OK ...
    """)


def test_annotations(imap: Dialogue) -> None:
    """Names of entries that others changed, those that are gone too (RFC 5465 5.6, 5.7; RFC 5464 4.4.2)."""
    imap.given(work=[], play=[])
    imap.talk("""
        C2: b1 SETMETADATA work (/shared/comment "old" /private/comment "old")
        S2: b1 OK ...
        C: a1 NOTIFY SET (mailboxes work (MailboxMetadataChange ServerMetadataChange))
        S: a1 OK ...
        C2: b2 SETMETADATA play (/shared/comment "elsewhere")
        S2: b2 OK ...
        C2: b3 SETMETADATA work (/shared/comment "new")
        S2: b3 OK ...
        S: * METADATA "work" /shared/comment
        C2: b4 SETMETADATA work (/private/comment NIL /private/vendor/x "1")
        S2: b4 OK ...
        S: * METADATA "work" /private/comment /private/vendor/x
        C2: b5 SETMETADATA "" (/private/comment "all")
        S2: b5 OK ...
        S: * METADATA "" /private/comment
        C: a2 SETMETADATA work (/shared/comment "mine")
        S: a2 OK ...
        C2: b6 SETMETADATA "" (/private/comment NIL)
        S2: b6 OK ...
        S: * METADATA "" /private/comment
        C: a3 NOOP
        S: a3 OK ...
    """)


def test_annotations_without_notify(imap: Dialogue) -> None:
    """ENABLE asks for them too (RFC 5464 section 4.4), and NOTIFY NONE does not take that back."""
    imap.talk("""
        C: a1 ENABLE METADATA
        S: * ENABLED METADATA
        S: a1 OK ...
        C2: b1 SETMETADATA INBOX (/shared/comment "new")
        S2: b1 OK ...
        S: * METADATA INBOX /shared/comment
        C: a2 NOTIFY NONE
        S: a2 OK ...
        C: a3 IDLE
        S: + idling
        C2: b2 SETMETADATA "" (/shared/comment "new")
        S2: b2 OK ...
        S: * METADATA "" /shared/comment
        C: DONE
        S: a3 OK ...
        C4: d1 ENABLE METADATA-SERVER
        S4: * ENABLED METADATA-SERVER
        S4: d1 OK ...
        C2: b3 SETMETADATA INBOX (/shared/comment NIL)
        S2: b3 OK ...
        S: * METADATA INBOX /shared/comment
        C2: b4 SETMETADATA "" (/shared/comment NIL)
        S2: b4 OK ...
        S: * METADATA "" /shared/comment
        S4: * METADATA "" /shared/comment
    """)


def test_notify_in_idle(imap: Dialogue) -> None:
    """IDLE tells exactly what NOTIFY asked for (RFC 5465 section 4)."""
    imap.given(work=[], inbox=[message("one")])
    imap.talk("""
        C: a1 NOTIFY SET (subtree work (MessageNew MessageExpunge))
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
        C: a3 IDLE
        S: + idling
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK ...
        C2: b2 APPEND work {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b2 OK ...
        S: * STATUS "work" (MESSAGES 1 UIDNEXT ... UIDVALIDITY ...)
        C: DONE
        S: * 2 EXISTS
        S: a3 OK ...
        C: a4 NOTIFY SET (selected (MessageNew MessageExpunge))
        S: a4 OK ...
        C2: b3 SELECT INBOX
        S2: ...
        S2: b3 OK ...
        C2: b4 STORE 1 +FLAGS.SILENT (\\Deleted)
        S2: b4 OK ...
        C2: b5 EXPUNGE
        S2: * 1 EXPUNGE
        S2: b5 OK ...
        S: * 1 EXPUNGE
    """)


def test_what_the_client_appends_itself_is_not_described(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge))
        S: a2 OK ...
        C: a3 APPEND INBOX {14+}
        C: Subject: x
        C:
        C:
        S: * 1 EXISTS
        S: a3 OK ...
        C: a4 COPY 1 INBOX
        S: * 2 EXISTS
        S: a4 OK ...
        C2: b1 APPEND INBOX {14+}
        C2: Subject: y
        C2:
        C2:
        S2: b1 OK ...
        S: * 3 EXISTS
        S: * 3 FETCH (FLAGS ())
    """)


def test_expunge_may_be_delayed(imap: Dialogue) -> None:
    """SELECTED-DELAYED (RFC 5465 6.1.2): sequence numbers stay until a command that may change them."""
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))
        S: a2 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 1 +FLAGS.SILENT (\\Deleted)
        S2: b2 OK ...
        S: * 1 FETCH (UID ... FLAGS (\\Deleted))
        C2: b3 EXPUNGE
        S2: * 1 EXPUNGE
        S2: b3 OK ...
        C2: b4 STORE 1 +FLAGS.SILENT (\\Seen)
        S2: b4 OK ...
        S: * 2 FETCH (UID ... FLAGS (\\Seen))
        C: a3 NOOP
        S: * 1 EXPUNGE
        S: a3 OK ...
    """)


def test_notify_with_qresync_and_uidonly(imap: Dialogue) -> None:
    """VANISHED for EXPUNGE, UIDFETCH for FETCH (RFC 7162 3.2.10, RFC 9586), mod-sequences in STATUS."""
    imap.given(inbox=[message("one")], work=[])
    imap.talk("""
        C: a1 ENABLE QRESYNC UIDONLY
        S: * ENABLED QRESYNC UIDONLY
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
        C: a3 NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge))
        S: a3 OK ...
        C2: b1 APPEND INBOX (\\Seen) {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK [APPENDUID ... @new@] ...
        S: * 2 EXISTS
        S: * @new@ UIDFETCH (FLAGS (\\Seen) MODSEQ (...))
        C2: b2 SELECT INBOX
        S2: ...
        S2: b2 OK ...
        C2: b3 UID STORE @new@ +FLAGS.SILENT (\\Deleted)
        S2: b3 OK ...
        S: * @new@ UIDFETCH (MODSEQ (...) FLAGS (\\Seen \\Deleted))
        C: a4 IDLE
        S: + idling
        C2: b4 EXPUNGE
        S2: * 2 EXPUNGE
        S2: b4 OK ...
        S: * VANISHED @new@
        C2: b5 APPEND work {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b5 OK ...
        S: * STATUS "work" (MESSAGES 1 UIDNEXT ... UIDVALIDITY ... HIGHESTMODSEQ ...)
        C: DONE
        S: a4 OK ...
    """)


def test_what_cannot_be_told(imap: Dialogue) -> None:
    """RFC 5465 section 3.1: NO with the events there are; section 5, 6.1: BAD for what does not fit together."""
    imap.talk("""
        C: a1 NOTIFY SET (selected (MessageNew MessageExpunge AnnotationChange))
        S: a1 NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName ... ServerMetadataChange)] ...
        C: a2 NOTIFY SET (personal (Weather))
        S: a2 NO [BADEVENT ...
        C: a3 NOTIFY SET (selected (MailboxName))
        S: a3 BAD ...
        C: a4 NOTIFY SET (personal (FlagChange))
        S: a4 BAD ...
        C: a5 NOTIFY SET (selected NONE) (selected-delayed NONE)
        S: a5 BAD ...
        C: a6 NOTIFY SET (mailboxes nowhere (MessageNew MessageExpunge))
        S: a6 OK ...
        C: a7 NOTIFY SET (personal (MessageNew (UID) MessageExpunge))
        S: a7 BAD ...
    """)


def test_searching_several_mailboxes(imap: Dialogue) -> None:
    imap.given(a=[message("apples"), message("pears")], b=[message("apples")], c=[message("plums")])
    imap.talk("""
        C: x1 ESEARCH IN (mailboxes (a c) subtree b) RETURN (COUNT ALL) SUBJECT apples
        S: * ESEARCH (TAG "x1" MAILBOX "a" UIDVALIDITY ...) UID COUNT 1 ALL ...
        S: * ESEARCH (TAG "x1" MAILBOX "b" UIDVALIDITY ...) UID COUNT 1 ALL ...
        S: x1 OK ...
        C: x2 ESEARCH IN (personal) RETURN (COUNT) SUBJECT plums
        S: * ESEARCH (TAG "x2" MAILBOX "c" UIDVALIDITY ...) UID COUNT 1
        S: x2 OK ...
        C: x3 ESEARCH ALL
        S: x3 BAD ...
        C: x4 ESEARCH IN (mailboxes a) RETURN (SAVE) ALL
        S: x4 BAD ...
        C: y1 ESEARCH IN (personal selected) RETURN (COUNT) ALL
        S: y1 BAD ...
        C: y2 ESEARCH IN (personal) RETURN (COUNT UPDATE) ALL
        S: y2 BAD ...
        C: y3 ESEARCH IN (selected-delayed) ALL
        S: y3 BAD ...
        C: y4 NOTIFY SET (subtree-one a (MailboxName))
        S: y4 BAD ...
        C: x5 SELECT a
        S: ...
        S: x5 OK ...
        C: x6 ESEARCH RETURN (COUNT SAVE) SUBJECT pears
        S: * ESEARCH (TAG "x6" MAILBOX "a" UIDVALIDITY ...) UID COUNT 1
        S: x6 OK ...
        C: x7 FETCH $ BODY.PEEK[HEADER.FIELDS (Subject)]
        S: * 2 FETCH (BODY[HEADER.FIELDS (Subject)] {18}
        S: Subject: pears
        S:
        S: )
        S: x7 OK ...
        C: x8 ESEARCH IN (selected) RETURN (COUNT SAVE) SUBJECT apples
        S: * ESEARCH (TAG "x8" MAILBOX "a" UIDVALIDITY ...) UID COUNT 1
        S: x8 OK ...
        C: x9 SEARCH $
        S: * SEARCH 1
        S: x9 OK ...
    """)

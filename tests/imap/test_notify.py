"""NOTIFY and ESEARCH: more than one mailbox at a time (RFC 5465, 7377)."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, message


def test_messages_in_other_mailboxes(imap: Dialogue) -> None:
    imap.given(work=[], play=[])
    imap.talk("""
        C: a1 NOTIFY SET STATUS (mailboxes work (MessageNew MessageExpunge FlagChange))
        S: * STATUS "work" (MESSAGES 0 UIDNEXT ... UIDVALIDITY ... UNSEEN 0)
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
    imap.talk("""
        C: a1 NOTIFY SET (personal (MailboxName SubscriptionChange))
        S: a1 OK ...
        C2: b1 CREATE fresh
        S2: b1 OK ...
        S: * LIST (\\HasNoChildren) "/" "fresh"
        S: ...
        C2: b2 RENAME fresh stale
        S2: b2 OK ...
        S: * LIST (\\HasNoChildren) "/" "stale" ("OLDNAME" ("fresh"))
        C2: b3 DELETE stale
        S2: b3 OK ...
        S: * LIST (\\NonExistent) "/" "stale"
    """)


def test_notify_in_idle(imap: Dialogue) -> None:
    imap.given(work=[])
    imap.talk("""
        C: a1 NOTIFY SET (subtree work (MessageNew MessageExpunge))
        S: a1 OK ...
        C: a2 IDLE
        S: + idling
        C2: b1 APPEND work {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK ...
        S: * STATUS "work" (MESSAGES 1 ...)
        C: DONE
        S: a2 OK ...
        C: a3 NOTIFY SET (personal (MailboxMetadataChange))
        S: a3 NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)] ...
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
    """)

"""CREATE, DELETE, RENAME, LIST, LSUB, STATUS, SUBSCRIBE, NAMESPACE, QUOTA."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, message
from tests.imap.server import Server


def test_create_list_delete(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 CREATE work/2024/
        S: a1 OK [MAILBOXID (@id@)] Created
        C: a2 LIST "" work*
        S: * LIST (\\HasChildren) "/" "work"
        S: * LIST (\\HasNoChildren) "/" "work/2024"
        S: a2 OK List completed
        C: a3 CREATE work
        S: a3 NO [ALREADYEXISTS] ...
        C: a4 LIST "work/" %
        S: * LIST (\\HasNoChildren) "/" "work/2024"
        S: a4 OK ...
        C: a5 STATUS work/2024 (MAILBOXID MESSAGES UIDNEXT UNSEEN SIZE)
        S: * STATUS "work/2024" (MAILBOXID (@id@) MESSAGES 0 UIDNEXT ... UNSEEN 0 SIZE 0)
        S: a5 OK ...
        C: a6 DELETE work
        S: a6 NO [HASCHILDREN] ...
        C: a7 DELETE work/2024
        S: a7 OK ...
        C: a8 DELETE work/2024
        S: a8 NO [NONEXISTENT] ...
        C: a9 DELETE INBOX
        S: a9 NO [CANNOT] ...
        C: b1 LIST "" ""
        S: * LIST (\\Noselect) "/" ""
        S: b1 OK ...
    """)


def test_names_beyond_ascii(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 CREATE "Entw&APw-rfe &- mehr"
        S: a1 OK ...
        C: a2 LIST "" "Entw*"
        S: * LIST (\\HasNoChildren) "/" "Entw&APw-rfe &- mehr"
        S: a2 OK ...
        C: a3 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: a3 OK ...
        C: a4 LIST "" "Entw*"
        S: * LIST (\\HasNoChildren) "/" "Entwürfe & mehr"
        S: a4 OK ...
        C: a5 SELECT "Entwürfe & mehr"
        S: ...
        S: a5 OK ...
    """)


def test_rename_keeps_what_is_inside(imap: Dialogue) -> None:
    imap.given(old=[message("one")])
    imap.talk("""
        C: a1 RENAME old new/name
        S: a1 OK ...
        C: a2 STATUS new/name (MESSAGES)
        S: * STATUS "new/name" (MESSAGES 1)
        S: a2 OK ...
        C: a3 SELECT old
        S: a3 NO [NONEXISTENT] ...
        C: a4 RENAME nothing something
        S: a4 NO [NONEXISTENT] ...
        C: a5 RENAME new new/name/deeper
        S: a5 NO ...
        C: a6 RENAME new ""
        S: a6 NO [CANNOT] ...
        C: a7 RENAME new //
        S: a7 NO [CANNOT] ...
        C: a8 RENAME new/name new/name
        S: a8 NO [ALREADYEXISTS] ...
        C: a9 RENAME new/name INBOX
        S: a9 NO [ALREADYEXISTS] ...
        C: b1 RENAME new New/
        S: b1 OK ...
        C: b2 LIST "" New%
        S: * LIST (\\HasChildren) "/" "New"
        S: b2 OK ...
    """)


def test_renaming_inbox_empties_it(imap: Dialogue) -> None:
    imap.given(inbox=[message("one")])
    imap.talk("""
        C: a1 RENAME INBOX archive
        S: a1 OK ...
        C: a2 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 0)
        S: a2 OK ...
        C: a3 STATUS archive (MESSAGES)
        S: * STATUS "archive" (MESSAGES 1)
        S: a3 OK ...
    """)


def test_subscriptions(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 CREATE a/b
        S: a1 OK ...
        C: a2 UNSUBSCRIBE a
        S: a2 OK ...
        C: a3 SUBSCRIBE a/b
        S: a3 OK ...
        C: a4 LSUB "" a*
        S: * LSUB (\\HasNoChildren) "/" "a/b"
        S: a4 OK ...
        C: a5 LSUB "" a%
        S: * LSUB (\\Noselect) "/" "a"
        S: a5 OK ...
        C: a6 LIST (SUBSCRIBED RECURSIVEMATCH) "" a%
        S: * LIST (\\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))
        S: a6 OK ...
        C: a7 SUBSCRIBE nowhere
        S: a7 NO [NONEXISTENT] ...
        C: a8 LIST (SUBSCRIBED) "" a*
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "a/b"
        S: a8 OK ...
    """)


def test_namespace_and_quota(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 NAMESPACE
        S: * NAMESPACE (("" "/")) ...
        S: a1 OK ...
        C: a2 GETQUOTAROOT INBOX
        S: * QUOTAROOT INBOX ""
        S: * QUOTA "" (...)
        S: a2 OK ...
        C: a3 GETQUOTA nothing
        S: a3 NO ...
        C: a4 SETQUOTA "" (STORAGE 1)
        S: a4 NO [NOPERM] ...
    """)


def test_names_are_made_in_net_unicode(imap: Dialogue) -> None:
    """Composed, whoever asks how; what a client spells otherwise is told with the name it used (RFC 9051 6.3.9.7)."""
    imap.talk("""
        C: a1 ENABLE IMAP4rev2
        S: ...
        S: a1 OK ...
        C: a2 CREATE "Entwu\u0308rfe"
        S: * LIST (\\HasNoChildren) "/" "Entw\u00fcrfe" ("OLDNAME" ("Entwu\u0308rfe"))
        S: a2 OK ...
        C: a3 CREATE "Entw\u00fcrfe"
        S: a3 NO [ALREADYEXISTS] ...
        C: a4 SELECT "Entwu\u0308rfe"
        S: ...
        S: * LIST (\\HasNoChildren) "/" "Entw\u00fcrfe" ("OLDNAME" ("Entwu\u0308rfe"))
        S: a4 OK ...
        C: a5 RENAME "Entw\u00fcrfe" "Ma\u0308rz"
        S: a5 OK ...
        C: a6 LIST "" "M%"
        S: * LIST (\\HasNoChildren) "/" "M\u00e4rz"
        S: a6 OK ...
        C2: b1 CREATE "Fru&Awg-hling"
        S2: * LIST (\\HasNoChildren) "/" "Fr&APw-hling" ("OLDNAME" ("Fru&Awg-hling"))
        S2: b1 OK ...
    """)


def test_names_that_are_spelt_otherwise(imap: Dialogue) -> None:
    imap.names["long"] = "x" * 256
    imap.names["longest"] = "x" * 255
    imap.talk("""
        C: a1 CREATE "50%"
        S: * LIST (\\HasNoChildren) "/" "50=25" ("OLDNAME" ("50%"))
        S: a1 OK ...
        C: a2 ENABLE IMAP4rev2
        S: ...
        S: a2 OK ...
        C: a3 EXAMINE "50%"
        S: ...
        S: * LIST (\\HasNoChildren) "/" "50=25" ("OLDNAME" ("50%"))
        S: a3 OK ...
        C: a4 EXAMINE "50=25"
        S: ...
        S: * LIST (\\HasNoChildren) "/" "50=25"
        S: a4 OK ...
        C: b1 CREATE Upper
        S: b1 OK ...
        C: b2 CREATE upper/lower
        S: * LIST (\\HasNoChildren) "/" "Upper/lower" ("OLDNAME" ("upper/lower"))
        S: b2 OK ...
        C: b3 CREATE upper
        S: b3 NO [ALREADYEXISTS] ...
        C: a5 CREATE a/@long@
        S: a5 NO [LIMIT] ...
        C: a6 RENAME "50%" @long@
        S: a6 NO [LIMIT] ...
        C: a7 CREATE a/@longest@
        S: a7 OK ...
        C: a8 LIST "" a*
        S: * LIST (\\HasChildren) "/" "a"
        S: * LIST (\\HasNoChildren) "/" "a/@longest@"
        S: a8 OK ...
    """)


def test_what_exceeds_the_quota(imap: Dialogue, imap_server: Server) -> None:
    """OVERQUOTA for everything that would store more, and nothing is stored (RFC 9208 4.3.1)."""
    imap.given(inbox=[message("one", "x" * 3000)], work=[])
    imap_server.limit(imap.user, 4096)
    imap.names["large"] = str(len(message("two", "x" * 8000)))
    imap.talk("""
        C: a1 GETQUOTA ""
        S: * QUOTA "" (STORAGE ... 4)
        S: a1 OK ...
        C: a2 SELECT INBOX
        S: ...
        S: a2 OK ...
    """)
    talker = imap.talker()
    for command in ("APPEND work", "REPLACE 1 work"):
        talker.send(f"b {command} {{{8000}+}}\r\n".encode() + b"Subject: x\r\n\r\n" + b"x" * 7986 + b"\r\n")
        assert talker.line().startswith("b NO [OVERQUOTA]")
    imap.talk("""
        C: c1 STATUS work (MESSAGES)
        S: * STATUS "work" (MESSAGES 0)
        S: c1 OK ...
        C: c2 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 1)
        S: c2 OK ...
    """)


def test_lists_that_select_and_return(imap: Dialogue) -> None:
    """RFC 5258, 5819, 6154, 8440, 9590 together."""
    imap.talk("""
        C: a1 CREATE a/b/c
        S: a1 OK ...
        C: a2 CREATE a/d
        S: a2 OK ...
        C: a3 UNSUBSCRIBE a
        S: a3 OK ...
        C: a4 UNSUBSCRIBE a/d
        S: a4 OK ...
        C: a5 LIST (SUBSCRIBED RECURSIVEMATCH) "" a%
        S: * LIST (\\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))
        S: a5 OK ...
        C: a6 LIST "" ("a/%" "" "a/*") RETURN (SUBSCRIBED)
        S: * LIST (\\HasChildren \\Subscribed) "/" "a/b"
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "a/b/c"
        S: * LIST (\\HasNoChildren) "/" "a/d"
        S: a6 OK ...
        C: a7 LIST (SUBSCRIBED SUBSCRIBED) "a/" % RETURN (STATUS (MESSAGES) MYRIGHTS METADATA (/private/comment))
        S: * LIST (\\HasChildren \\Subscribed) "/" "a/b"
        S: * STATUS "a/b" (MESSAGES 0)
        S: * MYRIGHTS "a/b" lrswipkxteacd
        S: * METADATA "a/b" (/private/comment NIL)
        S: a7 OK ...
        C: a8 LIST (SPECIAL-USE SUBSCRIBED) "" S*
        S: * LIST (\\HasNoChildren \\Sent \\Subscribed) "/" "Sent Items"
        S: a8 OK ...
        C: a9 LIST (RECURSIVEMATCH) "" *
        S: a9 BAD ...
        C: b1 LIST (SUBSCRIBED) "" ""
        S: b1 OK ...
        C: b2 LIST (BOGUS) "" *
        S: b2 BAD ...
        C: b3 LIST "" * RETURN (BOGUS)
        S: b3 BAD ...
        C: b4 LIST () "" INBOX RETURN ()
        S: * LIST (\\HasNoChildren) "/" INBOX
        S: b4 OK ...
    """)


def test_a_mailbox_that_is_gone_is_not_subscribed(imap: Dialogue) -> None:
    """Clients unsubscribe what they have deleted."""
    imap.talk("""
        C: a1 CREATE once
        S: a1 OK ...
        C: a2 DELETE once
        S: a2 OK ...
        C: a3 UNSUBSCRIBE once
        S: a3 OK ...
        C: a4 SUBSCRIBE once
        S: a4 NO [NONEXISTENT] ...
    """)

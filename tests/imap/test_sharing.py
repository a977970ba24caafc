"""ACL, METADATA, NAMESPACE of other users (RFC 4314, 5464, 8440, 9590, 2342)."""

from __future__ import annotations

from tests.imap.dialogue import Dialogue, Talker, message
from tests.imap.server import Server


def test_rights(imap: Dialogue, imap_server: Server) -> None:
    imap.names["other"] = imap_server.new_user()
    imap.talk("""
        C: a1 MYRIGHTS INBOX
        S: * MYRIGHTS INBOX lrswipkxteacd
        S: a1 OK ...
        C: a2 GETACL INBOX
        S: * ACL INBOX @user@ lrswipkxteacd...
        S: a2 OK ...
        C: a3 SETACL INBOX @other@ lr
        S: a3 OK ...
        C: a4 GETACL INBOX
        S: * ACL INBOX @user@ lrswipkxteacd...@other@ lr...
        S: a4 OK ...
        C: a5 SETACL INBOX @other@ +s
        S: a5 OK ...
        C: a6 LISTRIGHTS INBOX @other@
        S: * LISTRIGHTS INBOX @other@ "" l r s w ip k xa t e c d
        S: a6 OK ...
        C: a7 SETACL INBOX @other@ q
        S: a7 BAD ...
        C: a8 SETACL INBOX nobody.at.all lr
        S: a8 NO ...
        C: a9 LIST "" INBOX RETURN (MYRIGHTS)
        S: * LIST ... INBOX
        S: * MYRIGHTS INBOX lrswipkxteacd
        S: a9 OK ...
        C: b1 DELETEACL INBOX @other@
        S: b1 OK ...
    """)


def test_rights_of_old(imap: Dialogue, imap_server: Server) -> None:
    """RFC 4314 2.1.1: they are told, and may be granted; whoever grants them hands over nothing that comes with x."""
    imap.names["other"] = imap_server.new_user()
    imap.talk("""
        C: a1 SETACL INBOX @other@ lrcd
        S: a1 OK ...
        C: a2 GETACL INBOX
        S: * ACL INBOX @user@ lrswipkxteacd @other@ lrktecd
        S: a2 OK ...
        C: a3 SETACL INBOX @other@ -d
        S: a3 OK ...
        C: a4 GETACL INBOX
        S: * ACL INBOX @user@ lrswipkxteacd @other@ lrkc
        S: a4 OK ...
    """)


def test_who_spells_his_name_in_another_way_is_nobody_else(imap_server: Server) -> None:
    user = imap_server.new_user()
    talker = Talker(imap_server.port())
    talker.command(f"LOGIN {user.upper()} {user}")
    assert any("INBOX" in line for line in talker.command('LIST "" *'))
    for pattern in ("*", f"{user}/*"):
        assert [line for line in talker.command(f'LIST "" "Other Users/{pattern}"') if user in line] == []
    talker.close()


def test_the_mailboxes_of_somebody_else(imap: Dialogue, imap_server: Server) -> None:
    imap.given(inbox=[message("shared")])
    friend = Dialogue(imap_server)
    imap.names["friend"] = friend.user
    friend.names["owner"] = imap.user
    imap.talk("""
        C: a1 SETACL INBOX @friend@ lr
        S: a1 OK ...
    """)
    friend.talk("""
        C: a1 NAMESPACE
        S: * NAMESPACE (("" "/")) (("Other Users/" "/")) ...
        S: a1 OK ...
        C: a2 LIST "" "Other Users/@owner@/*"
        S: * LIST (\\HasNoChildren) "/" "Other Users/@owner@/Inbox"
        S: a2 OK ...
        C: a3 SELECT "Other Users/@owner@/Inbox"
        S: ...
        S: * 1 EXISTS
        S: ...
        S: a3 OK [READ-ONLY] ...
        C: a4 FETCH 1 BODY[HEADER.FIELDS (Subject)]
        S: * 1 FETCH (BODY[HEADER.FIELDS (Subject)] {19}
        S: Subject: shared
        S:
        S: )
        S: a4 OK ...
        C: a5 MYRIGHTS "Other Users/@owner@/Inbox"
        S: * MYRIGHTS "Other Users/@owner@/Inbox" lr
        S: a5 OK ...
        C: a6 STORE 1 +FLAGS (\\Deleted)
        S: a6 NO ...
        C: a7 SETACL "Other Users/@owner@/Inbox" @owner@ lr
        S: a7 NO [NOPERM] ...
        C: a8 APPEND "Other Users/@owner@/Inbox" {14+}
        C: Subject: x
        C:
        C:
        S: a8 NO [NOPERM] ...
    """)
    friend.close()


def test_annotations(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")
        S: a1 OK ...
        C: a2 GETMETADATA INBOX (/private/comment /shared/comment /private/none)
        S: * METADATA INBOX (/private/comment "mine" /shared/comment "ours" /private/none NIL)
        S: a2 OK ...
        C: a3 SETMETADATA "" (/private/vendor/x/a "1" /private/vendor/x/b/c {5+}
        C: two
        C: )
        S: a3 OK ...
        C: a4 GETMETADATA (DEPTH 1) "" /private/vendor/x
        S: * METADATA "" (/private/vendor/x/a "1")
        S: a4 OK ...
        C: a5 GETMETADATA (DEPTH infinity MAXSIZE 3) "" /private/vendor/x
        S: * METADATA "" (/private/vendor/x/a "1")
        S: a5 OK [METADATA LONGENTRIES 5] ...
        C: a6 SETMETADATA INBOX (/private/comment NIL)
        S: a6 OK ...
        C: a7 LIST "" INBOX RETURN (METADATA (/private/comment /shared/comment))
        S: * LIST ... INBOX
        S: * METADATA INBOX (/private/comment NIL /shared/comment "ours")
        S: a7 OK ...
        C: a8 GETMETADATA INBOX /other/comment
        S: a8 BAD ...
        C: a9 GETMETADATA nowhere /private/comment
        S: a9 NO [NONEXISTENT] ...
        C: b1 SETMETADATA INBOX (/private/comment {65537+}
    """)
    imap.talker().send(b"x" * 65537 + b")\r\n")
    imap.talk("S: b1 NO [METADATA MAXSIZE 65536] ...")


def test_what_rights_allow(imap: Dialogue, imap_server: Server) -> None:
    """Each right has its effect at the next look, also when it is given late or taken away (RFC 4314 section 4)."""
    imap.given(team=[message("one"), message("two")])
    friend = Dialogue(imap_server)
    imap.names["friend"], friend.names["owner"] = friend.user, imap.user
    imap.talk("""
        C: a1 SETACL team @friend@ lr
        S: a1 OK ...
    """)
    friend.talk("""
        C: a1 GETACL "Other Users/@owner@/team"
        S: a1 NO [NOPERM] ...
        C: a2 LISTRIGHTS "Other Users/@owner@/team" @owner@
        S: a2 NO [NOPERM] ...
        C: a3 SELECT "Other Users/@owner@/team"
        S: ...
        S: a3 OK [READ-ONLY] ...
        C: a4 SETMETADATA "Other Users/@owner@/team" (/shared/comment "x")
        S: a4 NO [NOPERM] ...
        C: a5 CREATE "Other Users/@owner@/team/sub"
        S: a5 NO [NOPERM] ...
        C: a6 DELETE "Other Users/@owner@/team"
        S: a6 NO [NOPERM] ...
    """)
    imap.talk("""
        C: b1 SETACL team @friend@ +swi
        S: b1 OK ...
    """)
    friend.talk("""
        C: b1 MYRIGHTS "Other Users/@owner@/team"
        S: * MYRIGHTS "Other Users/@owner@/team" lrswip
        S: b1 OK ...
        C: b0 LIST "" "Other Users/@owner@/team" RETURN (MYRIGHTS)
        S: * LIST ... "Other Users/@owner@/team"
        S: * MYRIGHTS "Other Users/@owner@/team" lrswip
        S: b0 OK ...
        C: b2 SELECT "Other Users/@owner@/team"
        S: ...
        S: b2 OK [READ-WRITE] ...
        C: b3 STORE 1 +FLAGS (\\Seen)
        S: * 1 FETCH (UID ... FLAGS (\\Seen))
        S: b3 OK ...
        C: b4 APPEND "Other Users/@owner@/team" {14+}
        C: Subject: x
        C:
        C:
        S: * 3 EXISTS
        S: b4 OK ...
        C: b5 MOVE 1 INBOX
        S: b5 NO [NOPERM] ...
        C: b6 REPLACE 1 INBOX {14+}
        C: Subject: y
        C:
        C:
        S: b6 NO [NOPERM] ...
        C: b7 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 0)
        S: b7 OK ...
    """)
    imap.talk("""
        C: c1 SETACL team @friend@ +te
        S: c1 OK ...
    """)
    friend.talk("""
        C: c1 SELECT "Other Users/@owner@/team"
        S: ...
        S: c1 OK [READ-WRITE] ...
        C: c2 STORE 1 +FLAGS.SILENT (\\Deleted)
        S: c2 OK ...
        C: c3 EXPUNGE
        S: * 1 EXPUNGE
        S: c3 OK ...
    """)
    imap.talk("""
        C: d1 DELETEACL team @friend@
        S: d1 OK ...
    """)
    friend.talk("""
        C: d1 FETCH 1 BODY[]
        S: d1 NO [NOPERM] ...
        C: d2 SELECT "Other Users/@owner@/team"
        S: * OK [CLOSED] ...
        S: d2 NO [NOPERM] ...
    """)
    friend.close()


def test_options_of_annotations(imap: Dialogue) -> None:
    """Options before the mailbox, as the grammar has them, and behind it, as the examples do (RFC 5464 4.2.2)."""
    imap.talk("""
        C: a1 SETMETADATA INBOX (/private/x/a "1" /private/x/a/b "22")
        S: a1 OK ...
        C: a2 GETMETADATA INBOX (DEPTH 1) (/private/x)
        S: * METADATA INBOX (/private/x/a "1")
        S: a2 OK ...
        C: a3 GETMETADATA INBOX (MAXSIZE 1 DEPTH infinity) /private/x
        S: * METADATA INBOX (/private/x/a "1")
        S: a3 OK [METADATA LONGENTRIES 2] ...
        C: a4 GETMETADATA INBOX (/private/x/a /private/x/a/b)
        S: * METADATA INBOX (/private/x/a "1" /private/x/a/b "22")
        S: a4 OK ...
        C: a5 SETMETADATA "" (/shared/admin "mailto:me@example.org")
        S: a5 NO [NOPERM] ...
        C: a6 SETMETADATA INBOX (/private/comment "x" /other "y")
        S: a6 BAD ...
        C: a7 GETMETADATA INBOX (/private/comment)
        S: * METADATA INBOX (/private/comment NIL)
        S: a7 OK ...
    """)


def test_other_peoples_mailboxes_are_searched_and_watched(imap: Dialogue, imap_server: Server) -> None:
    """Filters name them like own ones; what cannot be read is passed over (RFC 5465 section 3.1)."""
    imap.given(team=[message("apples")], secret=[])
    friend = Dialogue(imap_server)
    imap.names["friend"], friend.names["owner"] = friend.user, imap.user
    imap.talk("""
        C: a1 SETACL team @friend@ lr
        S: a1 OK ...
        C: a2 SETACL secret @friend@ l
        S: a2 OK ...
    """)
    friend.talk("""
        C: a1 ESEARCH IN (subtree "Other Users/@owner@") RETURN (COUNT) SUBJECT apples
        S: * ESEARCH (TAG "a1" MAILBOX "Other Users/@owner@/team" UIDVALIDITY ...) UID COUNT 1
        S: a1 OK ...
        C: a2 NOTIFY SET (mailboxes ("Other Users/@owner@/team" "Other Users/@owner@/secret") (MessageNew MessageExpunge))
        S: a2 OK ...
    """)
    imap.talk("""
        C: b1 APPEND team {14+}
        C: Subject: x
        C:
        C:
        S: b1 OK ...
    """)
    friend.talk("""
        S: * STATUS "Other Users/@owner@/team" (MESSAGES 2 UIDNEXT ... UIDVALIDITY ...)
    """)
    friend.close()


def test_mailboxes_are_made_and_renamed_and_deleted_in_the_store_of_somebody_else(
    imap: Dialogue, imap_server: Server
) -> None:
    imap.given(team=[message("one")])
    friend = Dialogue(imap_server)
    imap.names["friend"], friend.names["owner"] = friend.user, imap.user
    imap.talk("""
        C: a1 SETACL team @friend@ lrswipkxtea
        S: a1 OK ...
    """)
    friend.talk("""
        C: a1 CREATE "Other Users/@owner@/team/sub"
        S: a1 OK [MAILBOXID ...
        C: a2 LIST "" "Other Users/@owner@/*"
        S: * LIST (\\HasChildren) "/" "Other Users/@owner@/team"
        S: * LIST (\\HasNoChildren) "/" "Other Users/@owner@/team/sub"
        S: a2 OK ...
        C: a3 RENAME "Other Users/@owner@/team/sub" "Other Users/@owner@/team/below"
        S: a3 OK ...
        C: a4 SUBSCRIBE "Other Users/@owner@/team/below"
        S: a4 OK ...
        C: a5 LIST (SUBSCRIBED) "" "Other Users/*"
        S: * LIST (\\HasNoChildren \\Subscribed) "/" "Other Users/@owner@/team/below"
        S: a5 OK ...
        C: a6 LSUB "" "*below"
        S: * LSUB (\\HasNoChildren) "/" "Other Users/@owner@/team/below"
        S: a6 OK ...
        C: a7 DELETE "Other Users/@owner@/team/below"
        S: a7 OK ...
        C: a8 LIST "" "Other Users/@owner@/*"
        S: * LIST (\\HasNoChildren) "/" "Other Users/@owner@/team"
        S: a8 OK ...
    """)
    friend.close()


def test_all_private_annotations_at_once(imap: Dialogue) -> None:
    """RFC 5464 4.2.2: what lies below an entry that has no value itself."""
    imap.talk("""
        C: a1 SETMETADATA INBOX (/private/comment "Mine" /private/vendor/kolab/color "FF0000")
        S: a1 OK ...
        C: a2 GETMETADATA (DEPTH infinity) INBOX (/private /shared)
        S: * METADATA INBOX (/private/comment "Mine" /private/vendor/kolab/color "FF0000" /shared NIL)
        S: a2 OK ...
        C: a3 GETMETADATA INBOX /private
        S: a3 BAD ...
        C: a4 GETMETADATA (DEPTH 1) INBOX /secret
        S: a4 BAD ...
    """)

"""Every command, as octets and as a value."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec import commands as c
from gateway.imap.codec.cursor import Dialect, Literal
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parser import COMMANDS, UID_COMMANDS, parse
from gateway.imap.codec.reader import Received
from gateway.imap.codec.sequence import SAVED, parse_set
from tests.imap.codec.feeding import command


def s(text: str) -> object:
    return parse_set(text.encode())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a CAPABILITY", c.Capability()),
        ("a noop ", c.Noop()),
        ("a LOGOUT", c.Logout()),
        ("a STARTTLS", c.StartTLS()),
        ("a ID NIL", c.Id(())),
        ('a ID ("Name" "x" "version" NIL)', c.Id((("name", "x"), ("version", None)))),
        ("a LOGIN joe pass]word", c.Login("joe", "pass]word")),
        ('a LOGIN "jo\\"e" "p\\\\w"', c.Login('jo"e', "p\\w")),
        ("a AUTHENTICATE plain", c.Authenticate("PLAIN", None)),
        ("a AUTHENTICATE PLAIN =", c.Authenticate("PLAIN", b"")),
        ("a AUTHENTICATE PLAIN AGEAYg==", c.Authenticate("PLAIN", b"\0a\0b")),
        ("a ENABLE condstore X-foo", c.Enable(("CONDSTORE", "X-FOO"))),
        ("a SELECT inbox", c.Select("INBOX", read_only=False)),
        ('a EXAMINE "a b"', c.Select("a b", read_only=True)),
        ("a SELECT x (CONDSTORE)", c.Select("x", read_only=False, condstore=True)),
        (
            "a SELECT x (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
            c.Select(
                "x", False, True, c.QResync(67890007, 20050715194045000, s("41,43:211,214:541"), None, None)
            ),
        ),
        (
            "a SELECT x (QRESYNC (1 2 1:9 (1,3 5,8)) CONDSTORE)",
            c.Select("x", False, True, c.QResync(1, 2, s("1:9"), s("1,3"), s("5,8"))),
        ),
        ("a SELECT x (QRESYNC (1 2))", c.Select("x", False, True, c.QResync(1, 2, None, None, None))),
        ("a SELECT x (QRESYNC (1 2 (1 5)))", c.Select("x", False, True, c.QResync(1, 2, None, s("1"), s("5")))),
        ("a CREATE x/y/", c.Create("x/y/")),
        ("a CREATE x (USE (\\sent \\Drafts))", c.Create("x", ("\\Sent", "\\Drafts"))),
        ("a DELETE x", c.Delete("x")),
        ("a RENAME x y", c.Rename("x", "y")),
        ("a SUBSCRIBE x", c.Subscribe("x")),
        ("a UNSUBSCRIBE x", c.Unsubscribe("x")),
        ('a LIST "" *', c.List("", ("*",))),
        ('a LIST "" "%/x"', c.List("", ("%/x",))),
        ('a LIST x "&AOQ-*"', c.List("x", ("ä*",))),
        (
            'a LIST (SUBSCRIBED recursivematch) "" ("a*" %) RETURN (CHILDREN STATUS (MESSAGES UNSEEN) METADATA (/shared/comment))',
            c.List(
                "",
                ("a*", "%"),
                frozenset({"SUBSCRIBED", "RECURSIVEMATCH"}),
                frozenset({"CHILDREN", "STATUS", "METADATA"}),
                ("MESSAGES", "UNSEEN"),
                ("/shared/comment",),
                True,
            ),
        ),
        ('a LIST () "" x RETURN ()', c.List("", ("x",), extended=True)),
        ('a LSUB "" %', c.Lsub("", "%")),
        ("a NAMESPACE", c.Namespace()),
        ("a STATUS x (messages SIZE messages)", c.Status("x", ("MESSAGES", "SIZE"))),
        ("a IDLE", c.Idle()),
        ("a COMPRESS DEFLATE", c.Compress("DEFLATE")),
        ("a UNAUTHENTICATE", c.Unauthenticate()),
        ('a GETQUOTA ""', c.GetQuota("")),
        ("a GETQUOTAROOT INBOX", c.GetQuotaRoot("INBOX")),
        ('a SETQUOTA "" (STORAGE 512)', c.SetQuota("", (("STORAGE", 512),))),
        ("a GETACL x", c.GetAcl("x")),
        ("a SETACL x joe +lr", c.SetAcl("x", "joe", "+", "lr")),
        ('a SETACL x joe ""', c.SetAcl("x", "joe", "", "")),
        ("a DELETEACL x joe", c.DeleteAcl("x", "joe")),
        ("a LISTRIGHTS x joe", c.ListRights("x", "joe")),
        ("a MYRIGHTS x", c.MyRights("x")),
        ('a GETMETADATA "" /shared/Comment', c.GetMetadata("", ("/shared/comment",))),
        (
            "a GETMETADATA (MAXSIZE 1024 DEPTH infinity) x (/private/a /private/b)",
            c.GetMetadata("x", ("/private/a", "/private/b"), 1024, None),
        ),
        (
            'a SETMETADATA x (/private/comment "hi" /shared/comment NIL)',
            c.SetMetadata("x", (("/private/comment", b"hi"), ("/shared/comment", None))),
        ),
        ("a CHECK", c.Check()),
        ("a CLOSE", c.Close()),
        ("a UNSELECT", c.Unselect()),
        ("a EXPUNGE", c.Expunge()),
        ("a UID EXPUNGE 1:*", c.Expunge(s("1:*"))),
        ("a uid expunge $", c.Expunge(SAVED)),
        (
            "a STORE 1:3 +FLAGS.SILENT (\\deleted $Foo)",
            c.Store(s("1:3"), "+", ("\\Deleted", "$Foo"), True, False),
        ),
        ("a UID STORE * FLAGS ()", c.Store(s("*"), "", (), False, True)),
        ("a STORE 1 -FLAGS \\Seen Work", c.Store(s("1"), "-", ("\\Seen", "Work"), False, False)),
        (
            "a STORE 7 (UNCHANGEDSINCE 320162338) +flags.silent \\Seen",
            c.Store(s("7"), "+", ("\\Seen",), True, False, 320162338),
        ),
        ("a COPY 2:4 MEETING", c.Copy(s("2:4"), "MEETING", by_uid=False)),
        ("a UID MOVE 42:69 foo", c.Move(s("42:69"), "foo", by_uid=True)),
        ("a UIDBATCHES 2000", c.UidBatches(2000)),
        ("a UIDBATCHES 500 11:20", c.UidBatches(500, (11, 20))),
        ("a NOTIFY NONE", c.Notify(())),
        (
            "a NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (subtree (a b) (MailboxName))",
            c.Notify(
                (
                    c.EventGroup(c.MailboxFilter("SELECTED"), frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"})),
                    c.EventGroup(c.MailboxFilter("SUBTREE", ("a", "b")), frozenset({"MAILBOXNAME"})),
                ),
                status=True,
            ),
        ),
        ("a NOTIFY SET (personal NONE)", c.Notify((c.EventGroup(c.MailboxFilter("PERSONAL"), frozenset()),))),
    ],
)
def test_commands(line: str, expected: c.Command) -> None:
    assert command(line.encode() + b"\r\n") == expected


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a ",
        "a BOGUS",
        "a UID",
        "a UID NOOP",
        "a NOOP x",
        "a LOGIN joe",
        'a LOGIN joe "pw',
        "a LOGIN joe pw extra",
        "a AUTHENTICATE PLAIN !!!",
        "a ENABLE",
        "a SELECT",
        "a SELECT x ()",
        "a SELECT x (QRESYNC)",
        "a SELECT x (QRESYNC (0 1))",
        "a SELECT x (QRESYNC (1 1 1:*))",
        "a CREATE x (FOO)",
        'a LIST ""',
        'a LIST (RECURSIVEMATCH) "" *',
        'a LIST (FOO) "" *',
        "a STATUS x ()",
        "a STATUS x (FOO)",
        "a APPEND x",
        "a APPEND x (\\Seen)",
        'a APPEND x "99-Foo-2000 00:00:00 +0000" {1+}\r\nx',
        "a APPEND x {0+}\r\n",
        "a STORE 1 FOO (\\Seen)",
        "a STORE 1 FLAGS (\\Bogus)",
        "a FETCH 1",
        "a FETCH 0 FLAGS",
        "a FETCH 1 ()",
        "a FETCH 1 BODY[",
        "a FETCH 1 BODY[MIME]",
        "a FETCH 1 BODY[0]",
        "a FETCH 1 BODY[]<0.0>",
        "a FETCH 1 BODY[]<1>",
        "a FETCH 1 BODY[HEADER.FIELDS ()]",
        "a FETCH 1 (FLAGS FOO)",
        "a FETCH 1 FLAGS (VANISHED)",
        "a UID FETCH 1 FLAGS (VANISHED)",
        "a SEARCH",
        "a SEARCH FOO",
        "a SEARCH RETURN (FOO) ALL",
        "a SEARCH RETURN (ALL PARTIAL 1:2) ALL",
        "a SEARCH SINCE 31-Feb-2020",
        "a SEARCH SINCE yesterday",
        "a SEARCH OR ALL",
        "a SEARCH (ALL",
        "a SEARCH ALL)",
        "a SEARCH ()",
        "a SEARCH CHARSET X-UNKNOWN ALL",
        "a SEARCH CHARSET zlib_codec SUBJECT x",
        "a SEARCH YOUNGER 0",
        "a SORT (DATE) ALL",
        "a SORT () UTF-8 ALL",
        "a SORT (FOO) UTF-8 ALL",
        "a THREAD FOO UTF-8 ALL",
        "a NOTIFY SET",
        "a NOTIFY SET (selected (MessageNew))",
        "a NOTIFY SET (selected (MailboxName))",
        "a NOTIFY SET (personal (MessageNew (FLAGS) MessageExpunge))",
        "a UIDBATCHES",
        "a UIDBATCHES 500 20:10",
        'a GETMETADATA "" comment',
        'a SETACL x joe "FOO"',
        "a SEARCH " + "(" * 60 + "ALL" + ")" * 60,
        "a SEARCH " + "NOT " * 60 + "ALL",
        "+ NOOP",
        "a\tNOOP",
        "a NOOP\0",
    ],
)
def test_what_is_no_command(line: str) -> None:
    with pytest.raises(ParseError):
        command(line.encode() + b"\r\n")


def test_the_tag_comes_with_the_error() -> None:
    with pytest.raises(ParseError) as info:
        parse(Received((b"tag7 BOGUS",)))
    assert info.value.tag == "tag7"


def test_append() -> None:
    found = command(b'a APPEND "x y" (\\Seen Work) " 7-Jul-1996 02:44:25 -0730" {5+}\r\nhello\r\n')
    assert isinstance(found, c.Append)
    [message] = found.messages
    assert (found.mailbox, message.flags) == ("x y", ("\\Seen", "Work"))
    assert message.date == datetime(1996, 7, 7, 2, 44, 25, tzinfo=timezone(-timedelta(hours=7, minutes=30)))
    assert texts(message) == [b"hello"]


def test_append_of_several_messages() -> None:
    found = command(b"a APPEND x (\\Seen) {1+}\r\n1 ~{2+}\r\n22 UTF8 (~{3+}\r\n333)\r\n")
    assert isinstance(found, c.Append)
    assert [texts(message) for message in found.messages] == [[b"1"], [b"22"], [b"333"]]


def test_append_put_together() -> None:
    found = command(
        b'a APPEND x (\\Draft) CATENATE (URL "/INBOX;UIDVALIDITY=1/;UID=20" TEXT {2+}\r\n\r\n URL b)\r\n'
    )
    assert isinstance(found, c.Append)
    [message] = found.messages
    assert message.catenate
    assert texts(message) == ["/INBOX;UIDVALIDITY=1/;UID=20", b"\r\n", "b"]


def test_replace() -> None:
    found = command(b"a UID REPLACE 4 x (\\Draft) {1+}\r\nx\r\n")
    assert isinstance(found, c.Replace)
    assert (found.number, found.mailbox, found.by_uid, texts(found.message)) == (4, "x", True, [b"x"])


def texts(message: c.NewMessage) -> list[bytes | str]:
    return [part.read() if isinstance(part, Literal) else part.url for part in message.parts]


def test_strings_in_all_their_forms() -> None:
    assert command(b'a LOGIN {3+}\r\njoe "pw"\r\n') == c.Login("joe", "pw")
    assert command(
        b"a LOGIN {5+}\r\n\xc3\xa9\r\nx \xc3\xa9\r\n".replace(b" \xc3\xa9", b' "\xc3\xa9"')
    ) == c.Login("é\r\nx", "é")
    assert command(b'a LOGIN "\xe9" x\r\n') == c.Login("é", "x")


def test_names_in_utf8() -> None:
    assert command(b'a SELECT "R&D"\r\n', Dialect(utf8=True)) == c.Select("R&D", read_only=False)
    assert command(b'a SELECT "&AOQ-"\r\n', Dialect(utf8=True)) == c.Select("&AOQ-", read_only=False)
    assert command(b'a SELECT "&AOQ-"\r\n') == c.Select("ä", read_only=False)


def test_a_charset_is_refused_after_utf8_accept() -> None:
    with pytest.raises(ParseError):
        command(b"a SEARCH CHARSET UTF-8 ALL\r\n", Dialect(utf8=True, no_charset=True))


def test_an_unknown_charset_is_answered_with_no() -> None:
    with pytest.raises(ParseError) as info:
        command(b"a SEARCH CHARSET X-FOO ALL\r\n")
    assert (info.value.no, info.value.code) == (True, "BADCHARSET (US-ASCII UTF-8)")


WORDS = st.sampled_from(
    [
        *COMMANDS,
        *(f"UID {name}" for name in UID_COMMANDS),
        "(",
        ")",
        " ",
        "1:*",
        "$",
        "x",
        '"y"',
        "NIL",
        "RETURN",
        "BODY[",
        "]",
        "<0.1>",
        "FLAGS",
        "\\Seen",
        "ALL",
        "NOT",
        "OR",
        "CHARSET",
        "UTF-8",
        "{1}",
        "SINCE",
        "1-Jan-2020",
        "=",
        "*",
        "%",
        "SET",
        "QRESYNC",
        "STATUS",
        "MESSAGES",
    ]
)


@given(st.lists(WORDS, max_size=12), st.booleans())
def test_any_words_give_a_command_or_an_error(words: list[str], spaced: bool) -> None:
    line = "a " + (" " if spaced else "").join(words)
    with contextlib.suppress(ParseError):
        parse(Received((line.encode(),)))


@given(st.binary(max_size=80))
def test_any_octets_give_a_command_or_an_error(line: bytes) -> None:
    for start in (b"", b"a FETCH 1 ", b"a SEARCH ", b"a LIST ", b"a UID STORE ", b"a NOTIFY SET ", b"a ID "):
        with contextlib.suppress(ParseError):
            parse(Received((start + line,)))


def test_dates_of_searches() -> None:
    found = command(b'a SEARCH SENTSINCE "01-Feb-1994"\r\n')
    assert isinstance(found, c.Search)
    assert getattr(found.key, "day", None) == date(1994, 2, 1)


@pytest.mark.parametrize(
    ("generous", "exact"),
    [
        ("a SELECT  INBOX ", "a SELECT INBOX"),
        ("a SELECT INBOX  ( CONDSTORE )", "a SELECT INBOX (CONDSTORE)"),
        ("a LOGIN  joe  pw", "a LOGIN joe pw"),
        ("a FETCH 1  ( FLAGS  UID )", "a FETCH 1 (FLAGS UID)"),
        (
            "a UID FETCH 1 BODY.PEEK[HEADER.FIELDS ( From  To )]  ( CHANGEDSINCE 5 )",
            "a UID FETCH 1 BODY.PEEK[HEADER.FIELDS (From To)] (CHANGEDSINCE 5)",
        ),
        ("a STORE 1  +FLAGS  (\\Seen  work ) ", "a STORE 1 +FLAGS (\\Seen work)"),
        ("a STORE 1 +FLAGS \\Seen  work ", "a STORE 1 +FLAGS \\Seen work"),
        ("a SEARCH  ALL ", "a SEARCH ALL"),
        ("a SEARCH RETURN  ( COUNT ) CHARSET  UTF-8  ( SEEN  NOT  DELETED ) ", "a SEARCH RETURN (COUNT) CHARSET UTF-8 (SEEN NOT DELETED)"),
        ("a SORT ( DATE  REVERSE SIZE ) UTF-8  ALL ", "a SORT (DATE REVERSE SIZE) UTF-8 ALL"),
        ('a LIST  ""  ( INBOX  x )  RETURN  ( SUBSCRIBED  STATUS ( MESSAGES ) ) ', 'a LIST "" (INBOX x) RETURN (SUBSCRIBED STATUS (MESSAGES))'),
        ("a STATUS INBOX  ( MESSAGES  UNSEEN ) ", "a STATUS INBOX (MESSAGES UNSEEN)"),
        ('a ID ( "name"  "x" ) ', 'a ID ("name" "x")'),
        ("a ENABLE  CONDSTORE  QRESYNC ", "a ENABLE CONDSTORE QRESYNC"),
    ],
)  # fmt: skip
def test_more_spaces_than_needed_are_forgiven(generous: str, exact: str) -> None:
    assert command(f"{generous}\r\n".encode()) == command(f"{exact}\r\n".encode())

"""Search programs and fetch items, read."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.imap.codec import searchkeys as k
from gateway.imap.codec.commands import Fetch, MailboxFilter, MultiSearch, ReturnOptions, Search, Sort, Thread
from gateway.imap.codec.fetchitems import ALL, Attribute, Binary, BinarySize, Item, LazyPreview, Section
from gateway.imap.codec.searchkeys import DateOf, Field, Key, Relation
from gateway.imap.codec.sequence import SAVED, parse_set
from tests.imap.codec.feeding import command

SEEN = k.Flagged("\\Seen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALL", k.All()),
        ("SEEN", SEEN),
        ("unseen", k.Not(SEEN)),
        ("SEEN UNSEEN", k.And((SEEN, k.Not(SEEN)))),
        ("(SEEN)", SEEN),
        ("NOT (SEEN ALL)", k.Not(k.And((SEEN, k.All())))),
        ("OR SEEN (ALL)", k.Or(SEEN, k.All())),
        ("OR OR SEEN ALL 1", k.Or(k.Or(SEEN, k.All()), k.Numbers(parse_set(b"1"), by_uid=False))),
        ("1:3,*", k.Numbers(parse_set(b"1:3,*"), by_uid=False)),
        ("$", k.Numbers(SAVED, by_uid=False)),
        ("UID $", k.Numbers(SAVED, by_uid=True)),
        ("UID 5:*", k.Numbers(parse_set(b"5:*"), by_uid=True)),
        ("KEYWORD Work", k.Flagged("Work")),
        ("UNKEYWORD $Junk", k.Not(k.Flagged("$Junk"))),
        ('FROM "a b"', k.Address(Field.FROM, "a b")),
        ("BCC x", k.Address(Field.BCC, "x")),
        ("SUBJECT {3+}\r\n\xc3\xa9x", k.Address(Field.SUBJECT, "éx")),
        ("CHARSET ISO-8859-1 SUBJECT {1+}\r\n\xe9", k.Address(Field.SUBJECT, "é")),
        ("charset utf-8 BODY x", k.Body("x")),
        ('HEADER Message-ID ""', k.Header("Message-ID", "")),
        ("TEXT x", k.Text("x")),
        ("BEFORE 1-Feb-1994", k.Dated(DateOf.INTERNAL, Relation.BEFORE, date(1994, 2, 1))),
        ("SENTON 1-Feb-1994", k.Dated(DateOf.SENT, Relation.ON, date(1994, 2, 1))),
        ("SAVEDSINCE 1-Feb-1994", k.Dated(DateOf.SAVED, Relation.SINCE, date(1994, 2, 1))),
        ("LARGER 100 SMALLER 200", k.And((k.Larger(100), k.Smaller(200)))),
        ("YOUNGER 60", k.Younger(60)),
        ("OLDER 60", k.Older(60)),
        ("MODSEQ 620162338", k.ModSeq(620162338)),
        ('MODSEQ "/flags/\\\\draft" all 620162338', k.ModSeq(620162338)),
        ("EMAILID M123", k.EmailId("M123")),
        ("THREADID T123", k.ThreadId("T123")),
        ("SAVEDATESUPPORTED", k.SaveDateSupported()),
        ("NEW", k.And((k.Flagged("\\Recent"), k.Not(SEEN)))),
    ],
)
def test_keys(text: str, expected: Key) -> None:
    found = command(b"a SEARCH " + text.encode("latin-1") + b"\r\n")
    assert isinstance(found, Search)
    assert (found.key, found.by_uid, found.returns) == (expected, False, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RETURN () ALL", ReturnOptions(frozenset({"ALL"}))),
        ("RETURN (min Count SAVE) ALL", ReturnOptions(frozenset({"MIN", "COUNT", "SAVE"}))),
        ("RETURN (PARTIAL -1:-100) ALL", ReturnOptions(frozenset({"PARTIAL"}), (-1, -100))),
        ("RETURN (PARTIAL 100:1) ALL", ReturnOptions(frozenset({"PARTIAL"}), (1, 100))),
    ],
)
def test_return_options(text: str, expected: ReturnOptions) -> None:
    found = command(b"a UID SEARCH " + text.encode() + b"\r\n")
    assert found == Search(k.All(), by_uid=True, returns=expected)


def test_sort_thread_and_multisearch() -> None:
    assert command(b"a SORT (SUBJECT REVERSE DATE) UTF-8 ALL\r\n") == Sort(
        (("SUBJECT", False), ("DATE", True)), k.All(), by_uid=False
    )
    assert command(b"a UID SORT RETURN (COUNT) (DISPLAYFROM) us-ascii SEEN\r\n") == Sort(
        (("DISPLAYFROM", False),), SEEN, True, ReturnOptions(frozenset({"COUNT"}))
    )
    assert command(b"a UID THREAD references UTF-8 SEEN\r\n") == Thread("REFERENCES", SEEN, by_uid=True)
    assert command(b'a ESEARCH IN (mailboxes "x" subtree (y z)) RETURN (COUNT) SEEN\r\n') == MultiSearch(
        (MailboxFilter("MAILBOXES", ("x",)), MailboxFilter("SUBTREE", ("y", "z"))),
        SEEN,
        ReturnOptions(frozenset({"COUNT"})),
    )
    assert command(b"a ESEARCH ALL\r\n") == MultiSearch((), k.All())


def section(text: str = "", part: tuple[int, ...] = (), label: bytes = b"BODY[]", **rest: object) -> Section:
    values: dict[str, object] = {"fields": (), "partial": None, "peek": False, **rest}
    return Section(part=part, text=text, label=label, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FLAGS", (Attribute.FLAGS,)),
        ("(uid flags uid)", (Attribute.UID, Attribute.FLAGS)),
        ("ALL", ALL),
        ("FAST", ALL[:3]),
        ("full", (*ALL, Attribute.BODY)),
        ("RFC822.SIZE", (Attribute.SIZE,)),
        ("BODY", (Attribute.BODY,)),
        ("BODYSTRUCTURE", (Attribute.BODYSTRUCTURE,)),
        (
            "(ENVELOPE MODSEQ EMAILID THREADID SAVEDATE PREVIEW)",
            tuple(
                Attribute[name] for name in ("ENVELOPE", "MODSEQ", "EMAILID", "THREADID", "SAVEDATE", "PREVIEW")
            ),
        ),
        ("(PREVIEW (LAZY))", (LazyPreview(),)),
        ("PREVIEW (lazy)", (LazyPreview(),)),
        ("BODY[]", (section(),)),
        ("body.peek[]<5.10>", (section(peek=True, partial=(5, 10)),)),
        ("BODY[TEXT]", (section("TEXT", label=b"BODY[TEXT]"),)),
        ("BODY[1.2.MIME]", (section("MIME", (1, 2), b"BODY[1.2.MIME]"),)),
        ("BODY[1.header]", (section("HEADER", (1,), b"BODY[1.HEADER]"),)),
        (
            'BODY[HEADER.FIELDS (From "x y")]',
            (section("HEADER.FIELDS", label=b'BODY[HEADER.FIELDS (From "x y")]', fields=("From", "x y")),),
        ),
        (
            "BODY.PEEK[2.HEADER.FIELDS.NOT (A)]",
            (section("HEADER.FIELDS.NOT", (2,), b"BODY[2.HEADER.FIELDS.NOT (A)]", fields=("A",), peek=True),),
        ),
        ("RFC822", (section(label=b"RFC822"),)),
        ("RFC822.HEADER", (section("HEADER", label=b"RFC822.HEADER", peek=True),)),
        ("RFC822.TEXT", (section("TEXT", label=b"RFC822.TEXT"),)),
        ("BINARY[]", (Binary((), None, peek=False),)),
        ("BINARY.PEEK[1.3]<0.7>", (Binary((1, 3), (0, 7), peek=True),)),
        ("BINARY.SIZE[2]", (BinarySize((2,)),)),
    ],
)
def test_items(text: str, expected: tuple[Item, ...]) -> None:
    found = command(b"a FETCH 1 " + text.encode() + b"\r\n")
    assert found == Fetch(parse_set(b"1"), expected, by_uid=False)


def test_modifiers() -> None:
    messages = parse_set(b"1:*")
    assert command(b"a UID FETCH 1:* FLAGS\r\n") == Fetch(
        messages, (Attribute.UID, Attribute.FLAGS), by_uid=True
    )
    assert command(b"a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)\r\n") == Fetch(
        messages, (Attribute.UID, Attribute.FLAGS, Attribute.MODSEQ), True, 12345, True
    )
    assert command(b"a FETCH 1:* UID (PARTIAL -1:-3)\r\n") == Fetch(
        messages, (Attribute.UID,), by_uid=False, partial=(-1, -3)
    )

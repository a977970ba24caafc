"""Commands about mailboxes, read: SELECT, LIST, STATUS, QUOTA, ACL, METADATA ... (RFC 9051 6.3 and extensions)."""

from __future__ import annotations

import re
from typing import Any, Final

from gateway.imap.codec import commands as c
from gateway.imap.codec.cursor import Cursor, lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parse_values import known_set, one_of
from gateway.imap.codec.sequence import SequenceSet

STATUS_ITEMS: Final = frozenset(
    {
        "MESSAGES",
        "RECENT",
        "UIDNEXT",
        "UIDVALIDITY",
        "UNSEEN",
        "DELETED",
        "SIZE",
        "HIGHESTMODSEQ",
        "MAILBOXID",
        "APPENDLIMIT",
        "DELETED-STORAGE",
    }
)
SELECTION: Final = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
RETURNS: Final = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS", "MYRIGHTS", "METADATA"})
MAX_PATTERNS: Final = 100
_RIGHTS: Final = re.compile(r"([+-]?)([a-z0-9]*)")
_WORDS: Final = re.compile(rb"[A-Za-z0-9]+")


def _mailbox(cursor: Cursor) -> str:
    cursor.space()
    return cursor.mailbox()


# -- SELECT


def select(cursor: Cursor, *, read_only: bool) -> c.Select:
    """The arguments of SELECT and EXAMINE."""
    name = _mailbox(cursor)
    parameters = dict(cursor.rest_of_items(_select_parameter)) if cursor.opens() else {}
    return c.Select(name, read_only, bool(parameters), parameters.get("QRESYNC"))


def _select_parameter(cursor: Cursor) -> tuple[str, c.QResync | None]:
    word = one_of(cursor, frozenset({"CONDSTORE", "QRESYNC"}))
    if word == "CONDSTORE":
        return word, None
    cursor.expect(b" (")
    validity = cursor.nz_number()
    cursor.space()
    modseq = cursor.number64()
    known: SequenceSet | None = None
    numbers: SequenceSet | None = None
    uids: SequenceSet | None = None
    if cursor.skip(b" ") and cursor.peek() != b"(":
        known = known_set(cursor)
        cursor.skip(b" ")
    if cursor.skip(b"("):
        numbers = known_set(cursor)
        cursor.space()
        uids = known_set(cursor)
        cursor.expect(b")")
    cursor.expect(b")")
    return word, c.QResync(validity, modseq, known, numbers, uids)


# -- CREATE, RENAME


def create(cursor: Cursor) -> c.Create:
    """The arguments of CREATE."""
    name = _mailbox(cursor)
    use: tuple[str, ...] = ()
    if cursor.opens():
        one_of(cursor, frozenset({"USE"}))
        cursor.space()
        use = cursor.items(_use_attribute, empty=True)
        cursor.expect(b")")
    return c.Create(name, use)


def _use_attribute(cursor: Cursor) -> str:
    cursor.expect(b"\\")
    return "\\" + cursor.atom().capitalize()


def rename(cursor: Cursor) -> c.Rename:
    """The arguments of RENAME."""
    name = _mailbox(cursor)
    return c.Rename(name, _mailbox(cursor))


# -- LIST, STATUS


def list_(cursor: Cursor) -> c.List:
    """The arguments of LIST, plain or extended (RFC 5258 section 6)."""
    cursor.space()
    selection: frozenset[str] = frozenset()
    extended = cursor.peek() == b"("
    if extended:
        selection = frozenset(cursor.items(lambda at: one_of(at, SELECTION), empty=True))
        cursor.space()
    if "RECURSIVEMATCH" in selection and not selection - {"RECURSIVEMATCH", "REMOTE"}:
        raise ParseError("RECURSIVEMATCH needs another selection option")  # RFC 5258 3.1
    reference = cursor.mailbox()
    cursor.space()
    several = cursor.peek() == b"("
    patterns = cursor.items(Cursor.list_mailbox) if several else (cursor.list_mailbox(),)
    if len(patterns) > MAX_PATTERNS:
        raise ParseError("too many patterns", code="LIMIT", no=True)
    returns = _list_returns(cursor)
    return c.List(
        reference,
        patterns,
        selection,
        frozenset(returns),
        returns.get("STATUS", ()),
        returns.get("METADATA", ()),
        extended or several or bool(returns),
    )


_RETURN: Final = re.compile(rb" +(?i:RETURN) +\(")


def _list_returns(cursor: Cursor) -> dict[str, tuple[str, ...]]:
    if cursor.match(_RETURN) is None or cursor.closes():
        return {}
    return dict(cursor.rest_of_items(_list_return))


def _list_return(cursor: Cursor) -> tuple[str, tuple[str, ...]]:
    word = one_of(cursor, RETURNS)
    if word == "STATUS":
        cursor.space()
        return word, status_items(cursor)
    if word == "METADATA":
        cursor.space()
        return word, cursor.items(_entry)
    return word, ()


def lsub(cursor: Cursor) -> c.Lsub:
    """The arguments of LSUB."""
    reference = _mailbox(cursor)
    cursor.space()
    return c.Lsub(reference, cursor.list_mailbox())


def status(cursor: Cursor) -> c.Status:
    """The arguments of STATUS."""
    name = _mailbox(cursor)
    cursor.space()
    return c.Status(name, status_items(cursor))


def status_items(cursor: Cursor) -> tuple[str, ...]:
    """A list of status items, each once."""
    return tuple(dict.fromkeys(cursor.items(lambda at: one_of(at, STATUS_ITEMS))))


# -- QUOTA, ACL


def set_quota(cursor: Cursor) -> c.SetQuota:
    """The arguments of SETQUOTA."""
    cursor.space()
    root = cursor.text()
    cursor.space()
    return c.SetQuota(root, cursor.items(_limit, empty=True))


def _limit(cursor: Cursor) -> tuple[str, int]:
    name = cursor.word()
    cursor.space()
    return name, cursor.number64()


def set_acl(cursor: Cursor) -> c.SetAcl:
    """The arguments of SETACL."""
    name, identifier = _mailbox_and_identifier(cursor)
    cursor.space()
    found = _RIGHTS.fullmatch(cursor.text())
    if found is None:
        raise ParseError("expected rights")
    return c.SetAcl(name, identifier, found[1], found[2])


def delete_acl(cursor: Cursor) -> c.DeleteAcl:
    """The arguments of DELETEACL."""
    return c.DeleteAcl(*_mailbox_and_identifier(cursor))


def list_rights(cursor: Cursor) -> c.ListRights:
    """The arguments of LISTRIGHTS."""
    return c.ListRights(*_mailbox_and_identifier(cursor))


def _mailbox_and_identifier(cursor: Cursor) -> tuple[str, str]:
    name = _mailbox(cursor)
    cursor.space()
    return name, cursor.text()


# -- METADATA


def get_metadata(cursor: Cursor) -> c.GetMetadata:
    """The arguments of GETMETADATA; options stand before the mailbox (RFC 5464 section 5) or behind it (4.2.2)."""
    cursor.space()
    options = _metadata_options(cursor)
    name = cursor.mailbox()
    cursor.space()
    options = options or _metadata_options(cursor)
    entries = cursor.items(_entry) if cursor.peek() == b"(" else (_entry(cursor),)
    return c.GetMetadata(name, entries, options.get("MAXSIZE"), options.get("DEPTH", 0))


_OPTIONS: Final = re.compile(rb"\((?=(?i:MAXSIZE|DEPTH) )")


def _metadata_options(cursor: Cursor) -> dict[str, int | None]:
    """Options and the space behind them, if they are next."""
    if cursor.match(_OPTIONS) is None:
        return {}
    found = dict(cursor.rest_of_items(_metadata_option))
    cursor.space()
    return found


def _metadata_option(cursor: Cursor) -> tuple[str, int | None]:
    word = one_of(cursor, frozenset({"MAXSIZE", "DEPTH"}))
    cursor.space()
    if word == "MAXSIZE":
        return word, cursor.number()
    depth = one_of(cursor, frozenset({"0", "1", "INFINITY"}))
    return word, None if depth == "INFINITY" else int(depth)


def set_metadata(cursor: Cursor) -> c.SetMetadata:
    """The arguments of SETMETADATA."""
    name = _mailbox(cursor)
    cursor.space()
    return c.SetMetadata(name, cursor.items(_entry_value))


def _entry(cursor: Cursor) -> str:
    """An entry name (RFC 5464 section 3.2), in lower case."""
    name = lenient(cursor.astring()).lower()
    if not name.startswith("/") or name.endswith("/") or "//" in name or "*" in name or "%" in name:
        raise ParseError("invalid metadata entry name")
    if not name.isascii() or not name.isprintable():
        raise ParseError("invalid metadata entry name")
    return name


def _entry_value(cursor: Cursor) -> tuple[str, bytes | None]:
    name = _entry(cursor)
    cursor.space()
    return name, cursor.nstring()


# -- plain ones: a mailbox, nothing else


def one_mailbox(kind: Any) -> Any:
    """A reader of commands whose only argument is a mailbox."""
    return lambda cursor: kind(_mailbox(cursor))

"""SEARCH, SORT, THREAD and ESEARCH, read (RFC 9051 6.4.4; RFC 5256, 5032, 7162, 7377, 8474, 8514, 9394)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from gateway.imap.codec import searchkeys as keys
from gateway.imap.codec.commands import CancelUpdate, MultiSearch, ReturnOptions, Search, Sort, Thread
from gateway.imap.codec.cursor import Cursor, lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parse_fetch import fetch_item
from gateway.imap.codec.parse_notify import source_filters
from gateway.imap.codec.parse_values import one_of, partial_range, search_date, sequence_set, starts_set
from gateway.imap.codec.searchkeys import DateOf, Field, Key, Relation

MAX_KEYS: Final = 1000
SORT_KEYS: Final = frozenset(
    {"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO", "RELEVANCY"}
)
ALGORITHMS: Final = frozenset({"ORDEREDSUBJECT", "REFERENCES", "REFS"})
RETURN_OPTIONS: Final = frozenset(
    {"MIN", "MAX", "ALL", "COUNT", "SAVE", "PARTIAL", "UPDATE", "CONTEXT", "RELEVANCY"}
)

# Only text codecs: the registry of Python knows others, which decompress.
_CHARSETS: Final = re.compile(
    r"(?:US-)?ASCII|UTF-?(?:8|16|16BE|16LE|7)|ISO-8859-(?:[1-9]|1[013456])|WINDOWS-125[0-8]|KOI8-[RU]"
    r"|GB2312|GBK|GB18030|BIG5|SHIFT_JIS|EUC-(?:JP|KR)|ISO-2022-(?:JP|KR)"
)


@dataclass(slots=True)
class _Search:
    """One search program being read."""

    cursor: Cursor
    charset: str | None = None
    count: int = 0

    def program(self) -> Key:
        """``search-program``, behind the charset: keys that all must match."""
        found = [self.key()]
        while self.cursor.more():
            found.append(self.key())
        return found[0] if len(found) == 1 else keys.And(tuple(found))

    def key(self) -> Key:
        """One ``search-key``."""
        self.count += 1
        if self.count > MAX_KEYS:
            raise ParseError("too many search keys", code="LIMIT", no=True)
        if starts_set(self.cursor):
            return keys.Numbers(sequence_set(self.cursor), by_uid=False)
        self.cursor.deeper()
        found = self._list() if self.cursor.skip(b"(") else self._named()
        self.cursor.shallower()
        return found

    def _list(self) -> Key:
        inner = self.cursor.rest_of_items(lambda _: self.key())
        return inner[0] if len(inner) == 1 else keys.And(inner)

    def _named(self) -> Key:
        word = self.cursor.word()
        if (fixed := _FIXED.get(word)) is not None:
            return fixed
        read = _WITH_ARGUMENT.get(word)
        if read is None:
            raise ParseError(f"unknown search key {word}")
        self.cursor.space()
        return read(self)

    def text(self) -> str:
        """An ``astring`` in the charset of the search."""
        raw = self.cursor.astring()
        if self.charset is None:
            return lenient(raw)
        try:
            return raw.decode(self.charset)
        except (UnicodeDecodeError, LookupError):
            raise ParseError("the text is not in the charset given") from None

    def numbers(self) -> int:
        """An interval in seconds (RFC 5032)."""
        return self.cursor.nz_number()


def _flag(name: str) -> Key:
    return keys.Flagged(name)


_FIXED: Final[dict[str, Key]] = {
    "ALL": keys.All(),
    "ANSWERED": _flag("\\Answered"),
    "DELETED": _flag("\\Deleted"),
    "DRAFT": _flag("\\Draft"),
    "FLAGGED": _flag("\\Flagged"),
    "SEEN": _flag("\\Seen"),
    "RECENT": _flag("\\Recent"),
    "OLD": keys.Not(_flag("\\Recent")),
    "NEW": keys.And((_flag("\\Recent"), keys.Not(_flag("\\Seen")))),
    "UNANSWERED": keys.Not(_flag("\\Answered")),
    "UNDELETED": keys.Not(_flag("\\Deleted")),
    "UNDRAFT": keys.Not(_flag("\\Draft")),
    "UNFLAGGED": keys.Not(_flag("\\Flagged")),
    "UNSEEN": keys.Not(_flag("\\Seen")),
    "SAVEDATESUPPORTED": keys.SaveDateSupported(),
}


def _or(search: _Search) -> Key:
    left = search.key()
    search.cursor.space()
    return keys.Or(left, search.key())


def _header(search: _Search) -> Key:
    name = lenient(search.cursor.astring())
    search.cursor.space()
    return keys.Header(name, search.text())


# Entry names (RFC 7162 3.1.5) are read and say nothing: all flags share one mod-sequence.
_ENTRY: Final = re.compile(rb'"(?:[^"\\\r\n]|\\["\\])*" (?i:all|priv|shared) ')


def _modseq(search: _Search) -> Key:
    search.cursor.match(_ENTRY)
    return keys.ModSeq(search.cursor.number64())


def _dated(of: DateOf, relation: Relation) -> Callable[[_Search], Key]:
    return lambda search: keys.Dated(of, relation, search_date(search.cursor))


def _address(field: Field) -> Callable[[_Search], Key]:
    return lambda search: keys.Address(field, search.text())


_WITH_ARGUMENT: Final[dict[str, Callable[[_Search], Key]]] = {
    **{field.name: _address(field) for field in Field},
    **{relation.name: _dated(DateOf.INTERNAL, relation) for relation in Relation},
    **{f"SENT{relation.name}": _dated(DateOf.SENT, relation) for relation in Relation},
    **{f"SAVED{relation.name}": _dated(DateOf.SAVED, relation) for relation in Relation},
    "BODY": lambda search: keys.Body(search.text()),
    "TEXT": lambda search: keys.Text(search.text()),
    "HEADER": _header,
    "KEYWORD": lambda search: _flag(search.cursor.atom()),
    "UNKEYWORD": lambda search: keys.Not(_flag(search.cursor.atom())),
    "LARGER": lambda search: keys.Larger(search.cursor.number64()),
    "SMALLER": lambda search: keys.Smaller(search.cursor.number64()),
    "UID": lambda search: keys.Numbers(sequence_set(search.cursor), by_uid=True),
    "UIDAFTER": lambda search: keys.UidRange(search.cursor.nz_number() + 1, (1 << 32) - 1),  # RFC 9738 3.2
    "UIDBEFORE": lambda search: keys.UidRange(1, search.cursor.nz_number() - 1),
    "NOT": lambda search: keys.Not(search.key()),
    "FUZZY": lambda search: keys.Fuzzy(search.key()),
    "OR": _or,
    "YOUNGER": lambda search: keys.Younger(search.numbers()),
    "OLDER": lambda search: keys.Older(search.numbers()),
    "MODSEQ": _modseq,
    "EMAILID": lambda search: keys.EmailId(search.cursor.atom()),
    "THREADID": lambda search: keys.ThreadId(search.cursor.atom()),
}


def _charset(cursor: Cursor) -> str:
    name = lenient(cursor.astring()).upper()
    if _CHARSETS.fullmatch(name) is None:
        raise ParseError("charset is not supported", code="BADCHARSET (US-ASCII UTF-8)", no=True)
    return name


def returns(cursor: Cursor) -> ReturnOptions | None:
    """``RETURN (...)`` and the space behind it, if it is next."""
    if cursor.match(_RETURN) is None:
        return None
    options = () if cursor.closes() else cursor.rest_of_items(_return_option)
    cursor.space()
    wanted = frozenset(name for name, _ in options)
    if sum(name in ("ALL", "PARTIAL") for name, _ in options) > 1:
        raise ParseError("ALL and PARTIAL exclude each other")  # RFC 9394 3.1, RFC 5267 4.4
    given = dict(options)
    return ReturnOptions(wanted or frozenset({"ALL"}), given.get("PARTIAL"), given.get("UPDATE") or ())


@contextmanager
def _saving(options: ReturnOptions | None) -> Iterator[None]:
    """Mark errors of a search whose result was to be saved."""
    try:
        yield
    except ParseError as error:
        error.saves = options is not None and "SAVE" in options.wanted
        raise


_RETURN: Final = re.compile(rb"(?i:RETURN) +\(")


def _return_option(cursor: Cursor) -> tuple[str, Any]:
    word = one_of(cursor, RETURN_OPTIONS)
    if word == "PARTIAL":
        cursor.space()
        return word, partial_range(cursor)
    if word == "UPDATE" and cursor.opens():  # RFC 5465 section 7
        return word, cursor.rest_of_items(fetch_item)
    return word, None


def cancel_update(cursor: Cursor) -> CancelUpdate:
    """The arguments of CANCELUPDATE."""
    tags = []
    while cursor.more():
        tags.append(lenient(cursor.string()))
    if not tags:
        raise ParseError("CANCELUPDATE needs a tag")
    return CancelUpdate(tuple(tags))


_CHARSET: Final = re.compile(rb"(?i:CHARSET) +")


def _program(cursor: Cursor) -> Key:
    charset = None
    if cursor.match(_CHARSET):
        if cursor.dialect.no_charset:
            raise ParseError("no CHARSET after ENABLE UTF8=ACCEPT")  # RFC 6855 section 3
        charset = _charset_and_space(cursor)
    return _Search(cursor, charset).program()


def search(cursor: Cursor, *, by_uid: bool) -> Search:
    """The arguments of SEARCH."""
    cursor.space()
    options = returns(cursor)
    with _saving(options):
        return Search(_relevant(_program(cursor), options), by_uid, options)


def multisearch(cursor: Cursor) -> MultiSearch:
    """The arguments of ESEARCH (RFC 7377 section 2)."""
    cursor.space()
    sources = source_filters(cursor)
    options = returns(cursor)
    with _saving(options):
        return MultiSearch(sources, _relevant(_program(cursor), options), options)


def _relevant(key: Key, options: ReturnOptions | None, order: tuple[tuple[str, bool], ...] = ()) -> Key:
    """The key; relevancy can be told and sorted by only of what was looked for fuzzily (RFC 6203 section 4, 6)."""
    asked = (options is not None and "RELEVANCY" in options.wanted) or any(
        name == "RELEVANCY" for name, _ in order
    )
    if asked and not any(isinstance(one, keys.Fuzzy) for one in keys.walk(key)):
        raise ParseError("RELEVANCY needs a FUZZY key")
    return key


def sort(cursor: Cursor, *, by_uid: bool) -> Sort:
    """The arguments of SORT: criteria, charset (needed here), keys."""
    cursor.space()
    options = returns(cursor)
    criteria = cursor.items(_criterion)
    cursor.space()
    with _saving(options):
        charset = _charset_and_space(cursor)
        return Sort(criteria, _relevant(_Search(cursor, charset).program(), options, criteria), by_uid, options)


def _charset_and_space(cursor: Cursor) -> str:
    charset = _charset(cursor)
    cursor.space()
    return charset


def _criterion(cursor: Cursor) -> tuple[str, bool]:
    word = cursor.word()
    backwards = word == "REVERSE"
    if backwards:
        cursor.space()
        word = cursor.word()
    if word not in SORT_KEYS:
        raise ParseError(f"unknown sort key {word}")
    return word, backwards


def thread(cursor: Cursor, *, by_uid: bool) -> Thread:
    """The arguments of THREAD."""
    cursor.space()
    algorithm = one_of(cursor, ALGORITHMS)
    cursor.space()
    charset = _charset_and_space(cursor)
    return Thread(algorithm, _Search(cursor, charset).program(), by_uid)

"""The lexical grammar: atoms, strings, literals and numbers of one command (RFC 9051 section 9).

A command arrives as text fragments with literals between them. A `Cursor` walks over them; each method takes one
element or raises ParseError and says what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.mailboxname import decode_name

T = TypeVar("T")

# atom-specials: ( ) { SP CTL % * " \ ]; ASTRING-CHAR adds ], list-char adds % * ].
_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_ASTRING_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_LIST_ATOM: Final = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')
_QUOTED: Final = re.compile(rb'"((?:[^\x00\r\n"\\]|\\["\\])*)"')
_ESCAPE: Final = re.compile(rb'\\(["\\])')
_NUMBER: Final = re.compile(rb"[0-9]+")
_WORD: Final = re.compile(rb"[A-Za-z0-9.\-=_$+/]+")
MAX_DEPTH: Final = 50


class Spool(Protocol):
    """Where a literal's octets go while they arrive, and come from afterwards."""

    def write(self, data: bytes) -> object:
        """Take the next octets."""

    def chunks(self) -> Iterator[bytes]:
        """All octets, from the start; any number of times."""

    def close(self) -> None:
        """Forget the octets."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal as received: `size` octets in `spool`; `binary` for literal8 (``~{n}``)."""

    size: int
    spool: Spool
    binary: bool = False

    def read(self) -> bytes:
        """All of it, for callers that know it is small."""
        return b"".join(self.spool.chunks())


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a client's ENABLE changes the grammar: names in UTF-8; no CHARSET in searches (RFC 6855 section 3)."""

    utf8: bool = False
    no_charset: bool = False


PLAIN: Final = Dialect()


class Cursor:
    """A position in one command."""

    __slots__ = ("_depth", "_fragments", "_index", "_literals", "_text", "dialect", "position")

    def __init__(
        self, fragments: Sequence[bytes], literals: Sequence[Literal] = (), dialect: Dialect = PLAIN
    ) -> None:
        self._fragments = fragments
        self._literals = literals
        self._index = 0
        self._text = fragments[0]
        self._depth = 0
        self.position = 0
        self.dialect = dialect

    # -- plumbing

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what the pattern matches here, if it does."""
        found = pattern.match(self._text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def peek(self) -> bytes:
        """The next octet; empty at the end of the fragment."""
        return self._text[self.position : self.position + 1]

    def skip(self, text: bytes) -> bool:
        """Take exactly this text if it is next."""
        if self._text.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    def expect(self, text: bytes) -> None:
        """Take exactly this text. Raises ParseError."""
        if not self.skip(text):
            raise ParseError(f"expected {text.decode('ascii')!r}" if text != b" " else "expected a space")

    def space(self) -> None:
        """Take a space, or several: some clients are generous. Raises ParseError."""
        self.expect(b" ")
        self.blanks()

    def blanks(self) -> None:
        """Take spaces where none are needed."""
        while self.skip(b" "):
            pass

    def more(self) -> bool:
        """Take the space before another element of a list; False at its end, where spaces are left alone."""
        start = self.position
        if not self.skip(b" "):
            return False
        self.blanks()
        if self.peek() == b")" or self.at_end():
            self.position = start
            return False
        return True

    def opens(self) -> bool:
        """Take a space and an opening parenthesis if they are next."""
        start = self.position
        self.blanks()
        if self.position > start and self.skip(b"("):
            return True
        self.position = start
        return False

    def closes(self) -> bool:
        """Take a closing parenthesis if it is next."""
        start = self.position
        self.blanks()
        if self.skip(b")"):
            return True
        self.position = start
        return False

    def at_end(self) -> bool:
        """Whether the whole command was taken."""
        return self.position >= len(self._text) and self._index >= len(self._literals)

    def finish(self) -> None:
        """Raise ParseError unless the whole command was taken; blanks at the end are forgiven."""
        self.blanks()
        if not self.at_end():
            raise ParseError("unexpected text after the command")

    # -- elements

    def literal(self) -> Literal | None:
        """Take a literal if one is next."""
        if self.position < len(self._text) or self._index >= len(self._literals):
            return None
        found = self._literals[self._index]
        self._index += 1
        self._text = self._fragments[self._index]
        self.position = 0
        return found

    def word(self) -> str:
        """A keyword of the grammar, in capitals."""
        found = self.match(_WORD)
        if found is None:
            raise ParseError("expected a word")
        return found[0].decode("ascii").upper()

    def atom(self) -> str:
        """``atom``."""
        return self._one(_ATOM, "expected an atom").decode("ascii")

    def number(self, most: int = (1 << 32) - 1) -> int:
        """``number``, at most `most`."""
        digits = self._one(_NUMBER, "expected a number")
        if len(digits) > 20 or (value := int(digits)) > most:
            raise ParseError("number out of range")
        return value

    def number64(self) -> int:
        """``number64``: 63 bits."""
        return self.number((1 << 63) - 1)

    def nz_number(self) -> int:
        """``nz-number``."""
        value = self.number()
        if value == 0:
            raise ParseError("zero is not allowed here")
        return value

    def quoted(self) -> bytes | None:
        """Take a quoted string if one is next. Octets above 127 are allowed, as all servers do."""
        found = self.match(_QUOTED)
        if found is None:
            if self.peek() == b'"':
                raise ParseError("malformed quoted string")
            return None
        body = found[1]
        return _ESCAPE.sub(rb"\1", body) if b"\\" in body else body

    def string(self) -> bytes:
        """``string``: quoted or literal."""
        text = self._string_or_none()
        if text is None:
            raise ParseError("expected a string")
        return text

    def astring(self) -> bytes:
        """``astring``."""
        return self._string_or(_ASTRING_ATOM, "expected a string or atom")

    def list_mailbox(self) -> str:
        """``list-mailbox``: a pattern for LIST."""
        return self.decoded(self._string_or(_LIST_ATOM, "expected a mailbox pattern"))

    def nstring(self) -> bytes | None:
        """``nstring``: NIL is None."""
        text = self._string_or_none()
        if text is None:
            self._nil()
        return text

    def mailbox(self) -> str:
        """``mailbox``, decoded."""
        return self.decoded(self.astring())

    def decoded(self, raw: bytes) -> str:
        """A mailbox name as the wire spells it, decoded."""
        return decode_name(raw, utf8=self.dialect.utf8)

    def text(self) -> str:
        """``astring`` as text: UTF-8, or Latin-1 from clients that know no better."""
        return lenient(self.astring())

    def items(self, element: Callable[[Cursor], T], *, empty: bool = False) -> tuple[T, ...]:
        """``"(" element *(SP element) ")"``."""
        self.expect(b"(")
        if self.closes():
            if empty:
                return ()
            raise ParseError("the list is empty")
        return self.rest_of_items(element)

    def rest_of_items(self, element: Callable[[Cursor], T]) -> tuple[T, ...]:
        """The same, behind the opening parenthesis."""
        self.deeper()
        self.blanks()
        found = [element(self)]
        while not self.closes():
            self.space()
            found.append(element(self))
        self._depth -= 1
        return tuple(found)

    def deeper(self) -> None:
        """Count one more level of nesting. Raises ParseError beyond the limit."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError("nested too deeply")

    def shallower(self) -> None:
        """Leave one level of nesting."""
        self._depth -= 1

    def _nil(self) -> None:
        found = self.match(_ATOM)
        if found is None or found[0].upper() != b"NIL":
            raise ParseError("expected a string or NIL")

    def _one(self, pattern: re.Pattern[bytes], complaint: str) -> bytes:
        found = self.match(pattern)
        if found is None:
            raise ParseError(complaint)
        return found[0]

    def _string_or_none(self) -> bytes | None:
        found = self.literal()
        return found.read() if found is not None else self.quoted()

    def _string_or(self, pattern: re.Pattern[bytes], complaint: str) -> bytes:
        text = self._string_or_none()
        return self._one(pattern, complaint) if text is None else text


def lenient(raw: bytes) -> str:
    """Text of a client: UTF-8, or else Latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")

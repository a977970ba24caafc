"""RTF as a sequence of events: groups, control words, text already decoded (RTF 1.9.1).

What every reader of RTF needs stands here: the character set of the document and of its fonts, the word u and the
replacement that follows it, binary data, and destinations that hold no text. Time and memory grow with the
length of the input; nesting is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from gateway.convert.codepages import codec_of
from gateway.convert.errors import ParseError
from gateway.convert.rtf.characters import CHARSETS, DOCUMENT_SETS, Characters

DEPTH: Final = 1000
"""How deep groups may nest."""


class Kind(Enum):
    """What an event says."""

    OPEN = "open"
    CLOSE = "close"
    WORD = "word"
    """A control word (or a symbol: its character is the name)."""
    DESTINATION = "destination"
    """The group that was just opened is one of the destinations that were asked for."""
    TEXT = "text"
    DATA = "data"
    """Octets of the word bin, as Latin-1."""


class Event(NamedTuple):
    """One event; ``name`` is the word or the text."""

    kind: Kind
    name: str = ""
    parameter: int | None = None


_TOKEN: Final = re.compile(
    r"""\\(?P<word>[a-zA-Z]{1,64})(?P<parameter>-?[0-9]{1,10})?[ ]?
      | \\'(?P<hex>[0-9a-fA-F]{2})
      | \\(?P<symbol>[^a-zA-Z'])
      | (?P<brace>[{}])
      | (?P<text>[^\\{}\r\n\0]+)
      | [\r\n\0]+
      | .""",
    re.VERBOSE | re.DOTALL,
)
#: Destinations that need no star and hold nothing a reader of the text wants.
_SKIPPED: Final = frozenset(
    [
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "footnote",
        "ftnsep",
        "ftnsepc",
        "ftncn",
        "aftnsep",
        "aftnsepc",
        "aftncn",
        "xe",
        "tc",
        "txe",
        "rxe",
        "bkmkstart",
        "nonshppict",
        "revtbl",
        "nonesttables",
    ]
)
#: Destinations without a star that can be asked for.
_PLAIN: Final = frozenset({"fonttbl", "colortbl", "pict", "object", "footnote", "listtext", "pntext"})
#: Destinations that go on in the font around them.
_WITHIN: Final = _PLAIN | {"shppict"}
_ABOUT_CHARACTERS: Final = frozenset({"uc", "ansicpg", "deff", "f", "fcharset", "cpg", "plain", *DOCUMENT_SETS})
_BATCH: Final = 256
_MOST_FONTS: Final = 10_000


class _Group(NamedTuple):
    """What a group's end restores."""

    codec: str
    replaced: int
    """How many characters stand for one u in programs that do not know it (uc)."""
    table: bool
    """Whether this is inside the font table."""


def events(rtf: bytes, wanted: frozenset[str] = frozenset(), *, looks: bool = False) -> Iterator[Event]:
    """The events of a document (ParseError when it does not begin like RTF or nests too deep).

    Of the destinations only those in ``wanted`` appear; all others are left out with their content. ``looks``: the
    words that choose fonts are wanted, too, and binary data.
    """
    if not rtf.lstrip(b" \r\n\t\0\xef\xbb\xbf").startswith(b"{\\rtf"):
        raise ParseError("not RTF: it does not begin with {\\rtf")
    return _Reader(rtf.decode("latin-1"), wanted, looks=looks).events()


class _Reader:
    def __init__(self, rtf: str, wanted: frozenset[str], *, looks: bool) -> None:
        self._rtf = rtf
        self._wanted = wanted
        self._looks = looks
        self._fonts: dict[int, str] = {}
        self._font = 0
        """The font that is being described in the font table."""
        self._default_font = 0
        self._document = "cp1252"
        self._group = _Group(self._document, 1, False)
        self._stack: list[_Group] = []
        self._characters = Characters()
        self._to_skip = 0
        self._skipped_depth = 0
        """Depth of the group that is left out, 0 when none is."""
        self._fresh = False
        """Whether a group was just opened, so that the next word may be its destination."""
        self._starred = False
        self._out: list[Event] = []

    def events(self) -> Iterator[Event]:
        """All events; they are handed out in batches, since most tokens make one or none."""
        position = 0
        while match := _TOKEN.match(self._rtf, position):
            position = match.end()
            kind = match.lastgroup
            if kind == "text":
                self._text(match["text"])
            elif kind in ("word", "parameter"):
                digits = match["parameter"]
                parameter = int(digits) if digits else None
                self._word(match["word"], parameter)
                if match["word"] == "bin" and parameter:
                    data = self._rtf[position : position + max(parameter, 0)]
                    position += len(data)
                    if self._looks:
                        self._emit(Kind.DATA, data)
            elif kind == "hex":
                self._hex(match["hex"])
            elif kind == "brace":
                self._brace(match["brace"])
            elif kind == "symbol":
                self._symbol(match["symbol"])
            if len(self._out) >= _BATCH:
                yield from self._out
                self._out.clear()
        self._pending(final=True)
        yield from self._out

    def _emit(self, kind: Kind, name: str = "", parameter: int | None = None) -> None:
        if not self._skipped_depth:
            self._out.append(Event(kind, name, parameter))

    def _pending(self, final: bool) -> None:
        text = self._characters.take(final)
        if text:
            self._emit(Kind.TEXT, text)

    def _text(self, text: str) -> None:
        self._fresh = False
        if self._to_skip:
            text, self._to_skip = text[self._to_skip :], max(0, self._to_skip - len(text))
        if text and not self._skipped_depth:
            self._characters.octets(text.encode("latin-1"), self._group.codec)

    def _hex(self, digits: str) -> None:
        self._fresh = False
        if self._to_skip:
            self._to_skip -= 1
        elif not self._skipped_depth:
            self._characters.octets(bytes.fromhex(digits), self._group.codec)

    def _brace(self, brace: str) -> None:
        self._pending(final=False)
        self._to_skip = 0
        self._starred = False
        if brace == "{":
            if len(self._stack) >= DEPTH:
                raise ParseError(f"RTF groups nest deeper than {DEPTH}")
            self._stack.append(self._group)
            self._fresh = True
            self._emit(Kind.OPEN)
        elif self._stack:
            if self._skipped_depth == len(self._stack):
                self._skipped_depth = 0
            self._emit(Kind.CLOSE)
            self._group = self._stack.pop()

    def _word(self, word: str, parameter: int | None) -> None:
        fresh, starred = self._fresh, self._starred
        self._fresh = self._starred = False
        if word == "u":
            if not self._skipped_depth:
                self._characters.unit(parameter or 0)
            self._to_skip = self._group.replaced
            return
        self._to_skip = 0
        if word in _ABOUT_CHARACTERS and self._sets_characters(word, parameter):
            return
        self._pending(final=False)
        if fresh and word in self._wanted and (starred or word in _PLAIN):
            codec = self._group.codec if word in _WITHIN else self._document
            self._group = self._group._replace(codec=codec, table=word == "fonttbl")
            self._emit(Kind.DESTINATION, word, parameter)
        elif not fresh or not (starred or word in _SKIPPED):
            self._emit(Kind.WORD, word, parameter)
        else:
            self._skipped_depth = self._skipped_depth or len(self._stack)
            self._group = self._group._replace(table=word == "fonttbl")

    def _sets_characters(self, word: str, parameter: int | None) -> bool:
        """Obey a word about character sets; whether it is about nothing else."""
        group, value = self._group, parameter or 0
        if word == "uc":
            self._group = group._replace(replaced=min(max(value, 0), 16))
        elif word == "ansicpg" or word in DOCUMENT_SETS:
            self._document = codec_of(DOCUMENT_SETS.get(word, value)) or self._document
            self._group = group._replace(codec=self._document)
        elif word == "deff":
            self._default_font = value
            return not self._looks
        elif word == "f" and group.table:
            self._font = value
            return not self._looks
        elif word in ("fcharset", "cpg") and group.table:
            codec = codec_of(CHARSETS.get(value, 0) if word == "fcharset" else value)
            if codec is not None and len(self._fonts) < _MOST_FONTS:
                self._fonts[self._font] = codec
        elif word in ("f", "plain"):
            font = value if word == "f" else self._default_font
            self._group = group._replace(codec=self._fonts.get(font, self._document))
            return word == "f" and not self._looks
        else:
            return False
        return True

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = self._fresh
            return
        self._fresh = self._starred = False
        if self._to_skip:
            self._to_skip -= 1
        elif symbol in "{}\\":
            self._text(symbol)
        else:
            self._pending(final=False)
            self._emit(Kind.WORD, "par" if symbol in "\r\n" else symbol)

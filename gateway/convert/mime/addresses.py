"""Address lists (RFC 5322 3.4 with the obsolete forms, RFC 6532), as bytes still encoded, never failing.

The result has the shape of IMAP's ENVELOPE (RFC 9051 7.5.2): a flat list in which a group begins with an
entry whose host is None and ends with one whose mailbox is None too. Most mailboxes are found by one regular
expression; whatever it does not match goes to a tokenizer that makes the best of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_PHRASE_STOP: Final = rb'"(),:;<>@\[\]\\\r\n'
_FAST: Final = re.compile(
    rb"""[ \t\r\n]*+
    (?:
      (?: "((?:[^"\\\r\n]|\\.)*+)" | ([^%(stop)s]*+) ) [ \t\r\n]*+
      <([^\s%(stop)s]++)@([^\s%(stop)s]++)>
      | ([^\s%(stop)s]++)@([^\s%(stop)s]++)(?<!\?=)
    )
    [ \t\r\n]*+ (?:,|\Z)"""
    % {b"stop": _PHRASE_STOP},
    re.VERBOSE,
)
_ENCODED_WORD: Final = rb"(?P<word>=\?[^?\s]*+\?[bBqQ]\?[^?]*+\?=)"
_REST: Final = rb"""
    | (?P<literal>\[[^\[\]<>,;\s]*+\])
    | (?P<comma>,) | (?P<semicolon>;) | (?P<colon>:)"""
_TOKEN: Final = re.compile(
    rb"""(?P<space>\s++) | %b
    | "(?P<quoted>(?:[^"\\]|\\.)*+)"
    | <(?P<angle>[^<>]*+)>
    | (?P<open>\() %b
    | (?P<atom>[^\s",;:<(\[]++|.)"""
    % (_ENCODED_WORD, _REST),
    re.VERBOSE | re.DOTALL,
)
_PLAIN_TOKEN: Final = re.compile(
    rb"(?P<space>\s++) | %b | <(?P<angle>[^<>]*+)> %b | (?P<atom>[^\s,;:<\[]++|[<\[]++)"
    % (_ENCODED_WORD, _REST),
    re.VERBOSE | re.DOTALL,
)
"""Without quotes and comments: what reads on after one that is never closed, so that time stays linear."""
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_NESTING: Final = re.compile(rb"\\.|[()]", re.DOTALL)
_DOT_ATOM: Final = re.compile(rb"[!#-'*+\-./0-9=?A-Z^-~\x80-\xff]++\Z")
_COMMENT: Final = re.compile(rb"\([^()]*\)")
_ROUTE: Final = re.compile(rb"\A\s*@[^:<>]*:")


class Address(NamedTuple):
    """One entry of an address list; bytes as in the header, quoting removed, encoded words left."""

    name: bytes | None
    mailbox: bytes | None
    """Local part; name of the group where one begins; None where one ends."""
    host: bytes | None
    """Domain; empty when there is none; None where a group begins or ends."""

    @property
    def spec(self) -> bytes:
        """``local@domain``, quoted again where it must be; empty for a group or a mere name."""
        if self.host is None or self.mailbox is None or not (self.mailbox or self.host):
            return b""
        local = self.mailbox
        if not _DOT_ATOM.match(local):
            local = b'"%b"' % local.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return local + b"@" + self.host if self.host else local


GROUP_END: Final = Address(None, None, None)


def address_list(value: bytes) -> list[Address]:
    """The mailboxes and groups of a From, To, Reply-To ... value, in order."""
    found: list[Address] = []
    position, end = 0, len(value)
    match = _FAST.match
    while position < end:
        hit = match(value, position)
        if hit is None:
            found.extend(_Tolerant(value, position).entries())
            break
        quoted, phrase, mailbox, host, bare, bare_host = hit.groups()
        if bare is not None:
            found.append(Address(None, bare, bare_host))
        elif quoted is not None:
            found.append(Address(unquoted(quoted).strip() or None, mailbox, host))
        else:
            found.append(Address(phrase.strip() or None, mailbox, host))
        position = hit.end()
    return found


def unquoted(value: bytes) -> bytes:
    """The inside of a quoted string without its backslashes."""
    return _ESCAPE.sub(rb"\1", value) if b"\\" in value else value


class _Tolerant:
    """Reads an address list token by token: one entry is collected until a separator ends it."""

    def __init__(self, value: bytes, position: int) -> None:
        self.value = value
        self.position = position
        self.in_group = False
        self.token = _TOKEN
        self._reset()

    def _reset(self) -> None:
        self.words: list[bytes] = []
        self.glued = False
        self.angle: bytes | None = None
        self.comment = b""

    def entries(self) -> Iterator[Address]:
        """Everything from the present position to the end."""
        while self.position < len(self.value):
            match = self.token.match(self.value, self.position)
            if match is None:
                break
            self.position = match.end()
            kind = match.lastgroup
            if kind in ("comma", "semicolon"):
                yield from self._finished()
                if kind == "semicolon" and self.in_group:
                    self.in_group = False
                    yield GROUP_END
            elif kind == "colon" and self.words == [b"mailto"]:
                self._reset()
            elif kind == "colon" and self._begins_group():
                yield self._group()
            else:
                self._take(kind or "atom", match)
        yield from self._finished()
        if self.in_group:
            yield GROUP_END

    def _take(self, kind: str, match: re.Match[bytes]) -> None:
        """Add a token to the entry."""
        if kind == "space":
            self.glued = False
        elif kind == "open":
            self._comment()
        elif kind == "angle":
            self.angle = match["angle"]
        elif kind == "quoted" and self.value[self.position : self.position + 1] != b"@":
            self._word(unquoted(match["quoted"]), keep_apart=True)
        else:
            if kind == "atom" and match[0] == b'"':
                self.token = _PLAIN_TOKEN
            self._word(match[0])

    def _word(self, word: bytes, *, keep_apart: bool = False) -> None:
        if self.glued and self.words and not keep_apart:
            self.words[-1] += word
        else:
            self.words.append(word)
        self.glued = True

    def _comment(self) -> None:
        """Take the comment that has just been opened; comments nest (RFC 5322 3.2.2)."""
        depth, start = 1, self.position
        self.glued = False
        for match in _NESTING.finditer(self.value, start):
            depth += {b"(": 1, b")": -1}.get(match[0], 0)
            if depth == 0:
                self.position = match.end()
                self.comment = unquoted(self.value[start : match.start()]).strip()
                return
        self.token = _PLAIN_TOKEN

    def _begins_group(self) -> bool:
        return not self.in_group and self.angle is None and not any(map(_is_address, self.words))

    def _group(self) -> Address:
        """A group begins."""
        name = b" ".join(self.words)
        self._reset()
        self.in_group = True
        return Address(None, name, None)

    def _finished(self) -> Iterator[Address]:
        """The entry collected so far, if it says anything."""
        address = self._entry()
        self._reset()
        if address.name or address.mailbox or address.host:
            yield address

    def _entry(self) -> Address:
        if self.angle is not None:
            name = b" ".join(self.words).strip() or self.comment
            bare = self.angle if b'"' in self.angle else _COMMENT.sub(b"", self.angle)
            mailbox, host = _spec(_ROUTE.sub(b"", bare))
            return Address(name or None, mailbox, host)
        at = next((i for i in reversed(range(len(self.words))) if _is_address(self.words[i])), None)
        if at is None:
            return self._without_address()
        return self._without_brackets(at)

    def _without_address(self) -> Address:
        """No ``@`` at all: one word is a local user, several are a name."""
        if len(self.words) == 1 and not self.words[0].startswith(b"=?"):
            return Address(self.comment or None, self.words[0], b"")
        return Address(b" ".join(self.words) or None, b"", b"")

    def _without_brackets(self, at: int) -> Address:
        """``user@host (name)``, ``name user@host``, or a specification with blanks in it."""
        words = self.words
        spec = words[at]
        if spec.endswith(b"@"):
            spec += b"".join(words[at + 1 : at + 2])
        if spec.startswith(b"@") and at:
            at, spec = at - 1, words[at - 1] + spec
        name = b" ".join(words[:at]) or self.comment
        mailbox, host = _spec(spec)
        return Address(name or None, mailbox, host)


def _is_address(word: bytes) -> bool:
    """Whether a word is an address and not an encoded word that may hold one."""
    return b"@" in word and not (word.startswith(b"=?") and word.endswith(b"?="))


def _spec(spec: bytes) -> tuple[bytes, bytes]:
    """Local part and domain of an address specification; blanks around the parts are dropped."""
    local, at, host = spec.strip(b" \t\r\n<>").rpartition(b"@")
    if not at:
        local, host = host, b""
    local = local.strip()
    if local.startswith(b'"') and local.endswith(b'"') and len(local) > 1:
        local = unquoted(local[1:-1])
    return local, b"".join(host.split())

"""BODY and BODYSTRUCTURE of a message, rendered (RFC 9051 7.5.2).

Types, parameter names, encodings and dispositions in lower case, parameters in header order and whole (RFC 2231
section 6), sizes of the encoded body. A value that the message does not have is what the MIME defaults make it, never NIL where the
grammar wants a string.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.imapstrings import NIL, nstring
from gateway.convert.mime.parameters import Parameters, joined
from gateway.convert.mime.structure import Part

_DEFAULT_TEXT: Final = b'("charset" "us-ascii")'
_LANGUAGE: Final = re.compile(rb"[A-Za-z0-9-]+")


def body(message: Part) -> bytes:
    """The BODY value, outer parentheses included."""
    return _render(message, extended=False)


def bodystructure(message: Part) -> bytes:
    """The BODYSTRUCTURE value, outer parentheses included."""
    return _render(message, extended=True)


def _render(part: Part, *, extended: bool) -> bytes:
    if part.children:
        return _multipart(part, extended=extended)
    encoding = part.encoding
    fields = b'"%b" "%b" %b %b %b %b %d' % (
        part.type,
        part.subtype,
        _parameters(part),
        nstring(part.header(b"content-id") or None),
        nstring(part.header(b"content-description") or None),
        nstring(encoding) if encoding else b'"7bit"',
        part.end - part.body,
    )
    if part.type == b"text":
        fields = b"%b %d" % (fields, part.lines)
    elif part.message is not None:
        inner = _render(part.message, extended=extended)
        fields = b"%b %b %b %d" % (fields, envelope(part.message), inner, part.lines)
    if extended:
        fields = b"%b %b %b" % (fields, nstring(part.header(b"content-md5") or None), _common(part))
    return b"(%b)" % fields


def _multipart(part: Part, *, extended: bool) -> bytes:
    """A multipart: its parts without a space between them, its subtype, its extension data."""
    children = b"".join([_render(child, extended=extended) for child in part.children])
    if not extended:
        return b'(%b "%b")' % (children, part.subtype)
    return b'(%b "%b" %b %b)' % (children, part.subtype, _list(part.parameters), _common(part))


def _common(part: Part) -> bytes:
    """The extension data every part has: disposition, language, location."""
    header = part.raw_header
    disposition = NIL
    if b"content-disposition" in header:
        kind, values = part.disposition
        disposition = b"(%b %b)" % (nstring(kind or b"attachment"), _list(values))
    language = NIL
    if b"content-language" in header:
        language = _languages(header[b"content-language"])
    location = nstring(part.header(b"content-location") or None)
    return b"%b %b %b" % (disposition, language, location)


def _languages(value: bytes) -> bytes:
    """Content-Language (RFC 3282): one string, or a list of them."""
    tags = [nstring(tag) for tag in _LANGUAGE.findall(value)]
    if len(tags) > 1:
        return b"(%b)" % b" ".join(tags)
    return tags[0] if tags else NIL


def _parameters(part: Part) -> bytes:
    """Content-Type parameters; plain text without any is us-ascii (RFC 2045 5.2)."""
    if part.parameters:
        return _list(part.parameters)
    return _DEFAULT_TEXT if part.type == b"text" and part.subtype == b"plain" else NIL


def _list(values: Parameters) -> bytes:
    if not values:
        return NIL
    return b"(%b)" % b" ".join([b"%b %b" % (nstring(key), nstring(value)) for key, value in joined(values)])

"""Fields that a message brought along: from its transport header and from named header properties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from gateway.convert.mime.tomime_fields import unstructured
from gateway.convert.mime.tomime_text import LINE
from gateway.convert.mime.tomime_values import text
from gateway.mapi import proptags as pt
from gateway.mapi.propnames import PS_INTERNET_HEADERS
from gateway.mapi.props import NamedProps, NamedTag

#: Name and value of a field, the value still folded, lines ended by LF.
ReceivedField: TypeAlias = "tuple[str, str]"

_FIELD: Final = re.compile(r"([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*)")
_NAME: Final = re.compile(r"[!-9;-~]{1,200}\Z")
#: Fields that stand above all others, in the order of the transport header.
_TRACE: Final = re.compile(
    r"received|resent-|return-path\Z|delivered-to\Z|authentication-results\Z", re.IGNORECASE
)
#: Fields that no property knows, or not as well.
_LATER: Final = re.compile(
    r"list-|(?:precedence|auto-submitted|content-language|accept-language|user-agent|organization)\Z",
    re.IGNORECASE,
)
#: Named header properties that are written though they do not begin with x-.
_NAMED: Final = frozenset({"accept-language", "content-class", "user-agent"})
#: Named header properties that other properties say already.
_SAID: Final = frozenset({"x-priority", "x-message-flag", "x-auto-response-suppress", "x-msmail-priority"})
_LIST_FIELDS: Final = (
    ("List-Help", pt.PR_LIST_HELP),
    ("List-Subscribe", pt.PR_LIST_SUBSCRIBE),
    ("List-Unsubscribe", pt.PR_LIST_UNSUBSCRIBE),
    ("Precedence", pt.PR_INTERNET_PRECEDENCE),
)


def received_fields(props: NamedProps) -> list[ReceivedField]:
    """The fields of PR_TRANSPORT_MESSAGE_HEADERS in order; lines that are none are left out."""
    header = (text(props, pt.PR_TRANSPORT_MESSAGE_HEADERS) or "").replace("\r\n", "\n").replace("\r", "\n")
    blocks = re.split(r"\n(?![ \t])", header.lstrip("\n").partition("\n\n")[0])
    return [(match[1], match[2]) for block in blocks if (match := _FIELD.match(block))]


def trace_fields(received: list[ReceivedField]) -> Iterator[bytes]:
    """Received, Return-Path and their like, as they were received."""
    for name, value in received:
        if _TRACE.match(name):
            yield _as_received(name, value)


def first_received(received: list[ReceivedField], wanted: str) -> bytes | None:
    """The first field of that name (in lower case) as it was received."""
    return next((_as_received(name, value) for name, value in received if name.lower() == wanted), None)


def later_fields(props: NamedProps, received: list[ReceivedField]) -> Iterator[bytes]:
    """Mailing list fields and others that only the transport header has; lists also from their properties."""
    written = set()
    for name, value in received:
        if _LATER.match(name):
            written.add(name.lower())
            yield _as_received(name, value)
    for name, tag in _LIST_FIELDS:
        value = text(props, tag) or ""
        if value and name.lower() not in written:
            yield unstructured(name, value)


def extension_fields(props: NamedProps, received: list[ReceivedField]) -> Iterator[bytes]:
    """Named header properties (MS-OXCMAIL 2.1.2.1.2), by name: properties come in any order."""
    fields: dict[str, str] = {}
    written = {name.lower() for name, _ in received if _LATER.match(name)}
    for key, value in props.items():
        name = _header_name(key)
        if name and isinstance(value, str) and value and name not in written:
            fields[name] = value
    for name in sorted(fields):
        yield unstructured("-".join(map(str.capitalize, name.split("-"))), fields[name])


def _header_name(key: object) -> str:
    """The lower-case field name behind a property key, empty when the property is not to be written."""
    if not isinstance(key, NamedTag) or key.name.guid != PS_INTERNET_HEADERS:
        return ""
    name = str(key.name.id).lower()
    wanted = (name.startswith("x-") or name in _NAMED) and name not in _SAID
    return name if wanted and _NAME.match(name) else ""


def _as_received(name: str, value: str) -> bytes:
    """The field with its own folding when that is proper, else folded anew."""
    lines = [line.rstrip(" ") for line in f"{name}:{value}".split("\n")]
    proper = all(line.strip() and line.isascii() and len(line) <= LINE for line in lines)
    if proper and all(line.replace("\t", " ").isprintable() for line in lines):
        return ("\r\n".join(lines) + "\r\n").encode("ascii")
    return unstructured(name, " ".join(value.split()))

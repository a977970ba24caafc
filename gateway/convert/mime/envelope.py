"""The ENVELOPE of a message, rendered (RFC 9051 7.5.2).

Ten items separated by single spaces. Of duplicate fields the first counts; address fields are joined.
Nothing is decoded: encoded words stay.
"""

from __future__ import annotations

from gateway.convert.mime.addresses import Address, address_list
from gateway.convert.mime.imapstrings import NIL, host_string, nstring
from gateway.convert.mime.structure import Part


def envelope(message: Part) -> bytes:
    """The ENVELOPE value of a message, outer parentheses included."""
    sender = addresses(message, b"from")
    header = message.header
    items = (
        nstring(header(b"date") or None),
        nstring(header(b"subject")),
        sender,
        addresses(message, b"sender", sender),
        addresses(message, b"reply-to", sender),
        addresses(message, b"to"),
        addresses(message, b"cc"),
        addresses(message, b"bcc"),
        nstring(header(b"in-reply-to") or None),
        nstring(header(b"message-id") or None),
    )
    return b"(%b)" % b" ".join(items)


def addresses(message: Part, name: bytes, default: bytes = NIL) -> bytes:
    """The address structure of a header field; ``default`` when it has no address."""
    if name not in message.raw_header:
        return default
    values = message.headers(name)
    found = address_list(values[0] if len(values) == 1 else b",".join(values))
    if not found:
        return default
    return b"(%b)" % b"".join(map(_address, found))


def _address(address: Address) -> bytes:
    """One address structure: name, NIL for the obsolete source route, mailbox, host."""
    name, mailbox, host = address
    return b"(%b NIL %b %b)" % (
        nstring(name),
        nstring(mailbox),
        NIL if host is None else host_string(host),
    )

"""An ENVELOPE read back: SORT and THREAD need what it says, and it is at hand when the message is not."""

from __future__ import annotations

from typing import NamedTuple

from gateway.convert.mime.envelopevalues import Value, envelope_values


class Address(NamedTuple):
    """The first address of a field, undecoded; empty where there is none."""

    name: bytes = b""
    mailbox: bytes = b""
    host: bytes = b""


class Envelope(NamedTuple):
    """What SORT and THREAD ask of a message."""

    date: bytes = b""
    subject: bytes = b""
    sender: Address = Address()
    to: Address = Address()
    cc: Address = Address()
    in_reply_to: bytes = b""
    message_id: bytes = b""


def parse_envelope(text: bytes) -> Envelope:
    """The values of a rendered ENVELOPE; what cannot be read is empty."""
    fields = envelope_values(text)
    if not fields:
        return Envelope()
    return Envelope(
        _text(fields[0]),
        _text(fields[1]),
        _first(fields[2]),
        _first(fields[5]),
        _first(fields[6]),
        _text(fields[8]),
        _text(fields[9]),
    )


def _text(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _first(value: Value) -> Address:
    """The first address; of a group its name, which stands where mailboxes do (RFC 9051 7.5.2)."""
    for address in value if isinstance(value, list) else ():
        if isinstance(address, list) and len(address) == 4 and address[2] is not None:
            return Address(_text(address[0]), _text(address[2]), _text(address[3]))
    return Address()

"""Who a message is from and to: the address fields of its header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.convert.mime.tomime_fields import clean, comma_separated, structured
from gateway.convert.mime.tomime_options import ToMimeOptions
from gateway.convert.mime.tomime_people import (
    RECEIVED_BY,
    RECEIVED_REPRESENTING,
    RECIPIENT,
    REPRESENTING,
    SENDER,
    Person,
    Resolve,
    one_off_address,
    person,
)
from gateway.convert.mime.tomime_transport import ReceivedField, first_received
from gateway.convert.mime.tomime_values import binary, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_flat_entry_list, parse_one_off_entryid
from gateway.mapi.props import NamedProps

_NOBODY: Final = "undisclosed-recipients:;"
"""To of a mail without To (RFC 5322 3.4): some clients do not list a mail that has none."""


def address_fields(
    content: MessageContent, received: list[ReceivedField], options: ToMimeOptions
) -> Iterable[bytes]:
    """From, Sender, Reply-To, To, Cc and Bcc; Bcc only for the author's own copy."""
    resolve = options.resolve
    sender = person(content.props, SENDER, resolve)
    author = person(content.props, REPRESENTING, resolve) or sender
    if author is not None:
        yield structured("From", author.tokens())
    if author is not None and sender is not None and _differ(author, sender):
        yield structured("Sender", sender.tokens())
    reply_to = list(_reply_to(content, resolve))
    if reply_to:
        yield structured("Reply-To", comma_separated(reply_to))
    if is_report(content):
        yield _reported_to(content, received, resolve)
    else:
        yield from _recipient_fields(content, resolve, options.own)


def _differ(author: Person, sender: Person) -> bool:
    return bool(sender.address) and author.address.casefold() != sender.address.casefold()


def _reply_to(content: MessageContent, resolve: Resolve | None) -> Iterable[list[str]]:
    """The reply addresses that can be told; their names property is for display only."""
    for entryid in parse_flat_entry_list(binary(content.props, pt.PR_REPLY_RECIPIENT_ENTRIES)):
        address = (resolve(entryid) if resolve else None) or one_off_address(entryid)
        if address:
            yield Person(_one_off_name(entryid), clean(address)).tokens()


def _one_off_name(entryid: bytes) -> str:
    try:
        return clean(parse_one_off_entryid(entryid).name)
    except ValueError:
        return ""


def is_report(content: MessageContent) -> bool:
    """Whether the recipient rows are not whom the message was sent to, but whom it tells about."""
    return (text(content.props, pt.PR_MESSAGE_CLASS) or "").lower().startswith("report.")


def _reported_to(content: MessageContent, received: list[ReceivedField], resolve: Resolve | None) -> bytes:
    """To of a report: who received it, by properties or by its transport header."""
    for tags in (RECEIVED_REPRESENTING, RECEIVED_BY):
        found = person(content.props, tags, resolve)
        if found is not None:
            return structured("To", found.tokens())
    return first_received(received, "to") or structured("To", [_NOBODY])


def _recipient_fields(content: MessageContent, resolve: Resolve | None, own: bool) -> Iterable[bytes]:
    columns: dict[int, list[list[str]]] = {1: [], 2: [], 3: []}
    for row in in_table_order(content.recipients):
        kind = number(row, pt.PR_RECIPIENT_TYPE, 1)
        recipient = person(row, RECIPIENT, resolve) if kind in columns else None
        if recipient is not None:
            columns[kind].append(recipient.tokens())
    yield structured("To", comma_separated(columns[1]) or [_NOBODY])
    if columns[2]:
        yield structured("Cc", comma_separated(columns[2]))
    if columns[3] and own:
        yield structured("Bcc", comma_separated(columns[3]))


def in_table_order(rows: list[NamedProps]) -> list[NamedProps]:
    """The rows by PR_ROWID; a store gives tables in any order."""
    return sorted(rows, key=lambda row: number(row, pt.PR_ROWID))

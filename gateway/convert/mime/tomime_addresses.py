"""Who a message is from and to: the address fields of its header."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.convert.mime.tomime_fields import clean, comma_separated, structured
from gateway.convert.mime.tomime_people import (
    RECIPIENT,
    REPRESENTING,
    SENDER,
    Person,
    Resolve,
    one_off_address,
    person,
)
from gateway.convert.mime.tomime_values import binary, number
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_flat_entry_list, parse_one_off_entryid
from gateway.mapi.props import NamedProps


def address_fields(content: MessageContent, resolve: Resolve | None, own: bool) -> Iterable[bytes]:
    """From, Sender, Reply-To, To, Cc and Bcc; Bcc only for the author's own copy (``own``)."""
    sender = person(content.props, SENDER, resolve)
    author = person(content.props, REPRESENTING, resolve) or sender
    if author is not None:
        yield structured("From", author.tokens())
    if author is not None and sender is not None and _differ(author, sender):
        yield structured("Sender", sender.tokens())
    reply_to = list(_reply_to(content, resolve))
    if reply_to:
        yield structured("Reply-To", comma_separated(reply_to))
    yield from _recipient_fields(content, resolve, own)


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


def _recipient_fields(content: MessageContent, resolve: Resolve | None, own: bool) -> Iterable[bytes]:
    columns: dict[int, list[list[str]]] = {1: [], 2: [], 3: []}
    for row in in_table_order(content.recipients):
        kind = number(row, pt.PR_RECIPIENT_TYPE, 1)
        recipient = person(row, RECIPIENT, resolve) if kind in columns else None
        if recipient is not None:
            columns[kind].append(recipient.tokens())
    yield structured("To", comma_separated(columns[1]) or ["undisclosed-recipients:;"])
    if columns[2]:
        yield structured("Cc", comma_separated(columns[2]))
    if columns[3] and own:
        yield structured("Bcc", comma_separated(columns[3]))


def in_table_order(rows: list[NamedProps]) -> list[NamedProps]:
    """The rows by PR_ROWID; a store gives tables in any order."""
    return sorted(rows, key=lambda row: number(row, pt.PR_ROWID))

"""NOTIFY, and the mailbox filters it shares with ESEARCH, read (RFC 5465 section 8, RFC 7377)."""

from __future__ import annotations

import re
from typing import Final

from gateway.imap.codec.commands import EventGroup, MailboxFilter, Notify
from gateway.imap.codec.cursor import Cursor
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.fetchitems import Item
from gateway.imap.codec.parse_fetch import fetch_item
from gateway.imap.codec.parse_values import one_of

MESSAGE_EVENTS: Final = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE", "ANNOTATIONCHANGE"})
MAILBOX_EVENTS: Final = frozenset(
    {"MAILBOXNAME", "SUBSCRIPTIONCHANGE", "MAILBOXMETADATACHANGE", "SERVERMETADATACHANGE"}
)
_FILTERS: Final = frozenset({"SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED", "SUBTREE", "MAILBOXES"})
FOR_NOTIFY: Final = _FILTERS | {"SELECTED-DELAYED"}
FOR_SEARCH: Final = _FILTERS | {"SUBTREE-ONE"}  # RFC 7377 2.2
_NAMED: Final = frozenset({"SUBTREE", "SUBTREE-ONE", "MAILBOXES"})
_IN: Final = re.compile(rb"(?i:IN) \(")
_STATUS: Final = re.compile(rb" (?i:STATUS)(?= )")


def notify(cursor: Cursor) -> Notify:
    """The arguments of NOTIFY."""
    cursor.space()
    if one_of(cursor, frozenset({"NONE", "SET"})) == "NONE":
        return Notify(())
    status = cursor.match(_STATUS) is not None
    groups = []
    while cursor.more():
        groups.append(_group(cursor))
    if not groups:
        raise ParseError("NOTIFY SET needs event groups")
    if sum(group.filter.kind.startswith("SELECTED") for group in groups) > 1:
        raise ParseError("the selected mailbox can be named once only")  # RFC 5465 6.1
    return Notify(tuple(groups), status)


def _group(cursor: Cursor) -> EventGroup:
    cursor.expect(b"(")
    where = mailbox_filter(cursor, FOR_NOTIFY)
    cursor.space()
    events: tuple[tuple[str, tuple[Item, ...]], ...] = ()
    if cursor.peek() == b"(":
        events = cursor.items(_event)
    else:
        one_of(cursor, frozenset({"NONE"}))
    cursor.expect(b")")
    return _checked(EventGroup(where, frozenset(name for name, _ in events), sum((e[1] for e in events), ())))


def _checked(group: EventGroup) -> EventGroup:
    """RFC 5465 section 5: what must come together."""
    events = group.events
    if ("MESSAGENEW" in events) != ("MESSAGEEXPUNGE" in events):
        raise ParseError("MessageNew and MessageExpunge come together")
    if events & {"FLAGCHANGE", "ANNOTATIONCHANGE"} and "MESSAGENEW" not in events:
        raise ParseError("FlagChange needs MessageNew and MessageExpunge")
    if not group.filter.kind.startswith("SELECTED"):
        if group.fetch:
            raise ParseError("MessageNew takes items only in SELECTED")
    elif events & MAILBOX_EVENTS:
        raise ParseError("only message events are possible in SELECTED")
    return group


def _event(cursor: Cursor) -> tuple[str, tuple[Item, ...]]:
    name = cursor.word()  # one that is not known is refused later, with NO (RFC 5465 section 3.1)
    if name == "MESSAGENEW" and cursor.opens():
        return name, cursor.rest_of_items(fetch_item)
    return name, ()


def mailbox_filter(cursor: Cursor, allowed: frozenset[str]) -> MailboxFilter:
    """``filter-mailboxes``, one of the allowed kinds."""
    kind = one_of(cursor, allowed)
    if kind not in _NAMED:
        return MailboxFilter(kind)
    cursor.space()
    if cursor.peek() == b"(":
        return MailboxFilter(kind, cursor.items(Cursor.mailbox))
    return MailboxFilter(kind, (cursor.mailbox(),))


def source_filters(cursor: Cursor) -> tuple[MailboxFilter, ...]:
    """``IN (...)`` of ESEARCH and the space behind it, if it is next (RFC 7377 section 2.2)."""
    if cursor.match(_IN) is None:
        return ()
    found = cursor.rest_of_items(lambda at: mailbox_filter(at, FOR_SEARCH))
    cursor.space()
    return found

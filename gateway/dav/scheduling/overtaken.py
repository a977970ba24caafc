"""Cancellations that were there before the invitation that they cancel: mail keeps no order (RFC 5546 2.1.5, RFC 6047 1)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from gateway.convert.ical import scheduling
from gateway.convert.ical.kinds import method_of
from gateway.convert.ical.options import Options as IcalOptions
from gateway.dav.entries import Entry
from gateway.dav.scheduling.applying import Stranger, applied
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapiclient.message import load_message
from gateway.mapiclient.session import Session

#: So many messages of one meeting are looked at.
_MOST: Final = 20


async def with_cancellations(
    session: Session,
    inbox: Iterable[Entry],
    uid: str,
    request: MessageContent,
    item: MessageContent,
    options: IcalOptions,
    now: float,
) -> MessageContent:
    """The item that a request makes, after what the Inbox has of newer cancellations; ``now`` is Unix time."""
    for entry in [*islice((each for each in inbox if each.uid == uid), _MOST)]:
        try:
            message = (await load_message(session, entry.entryid)).content
        except NotFound:
            continue  # deleted meanwhile
        if method_of(message.props) != "CANCEL" or not scheduling.is_outdated(message, request):
            continue
        try:
            item = applied(item, message, options, now) or item
        except Stranger:
            continue
    return item

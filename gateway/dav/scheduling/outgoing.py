"""Messages on their way out: put into the user's Outbox, and into the store's outgoing queue once the calendar is written.

A message lies in the Outbox with a mark before the calendar is changed, so that it is not lost whatever dies when: what
still has the mark after a while and is not in the queue is sent when the user's Inbox is next looked at. The mark goes
once the message is in the queue, so that what a user takes out of it stays out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway.dav.errors import Refused
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_SYSTIME, NamedProps, NamedTag, PropName
from gateway.mapi.restrictions import And, Bitmask, Property, Relop
from gateway.mapi.times import from_unix
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.message import SavedMessage, delete_messages, save_new_message, set_props
from gateway.mapiclient.names import Names
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.calls_object import SubmitMessage

log: Final = Logger()
#: When a message was staged (FILETIME).
STAGED: Final = NamedTag(PropName(PSETID_Gateway, "scheduling-staged"), PT_SYSTIME)
#: How long (seconds) somebody may still be about to send what he staged.
ABANDONED: Final = 600.0
_MASTER_AND_FILE: Final = 3
_IN_QUEUE: Final = 4


async def send_with(
    store: Store,
    contents: Iterable[MessageContent],
    write: Callable[[], Coroutine[Any, Any, object]],
    now: float,
) -> None:
    """Change a calendar, and send what there is to be sent of it; when the store refuses the change, nothing is sent.

    When nobody knows whether it was written (a lost connection), the messages go; when the work is cancelled they wait
    until they are found to be abandoned. ``now`` is Unix time.
    """
    staged = await stage(store, contents, now)
    try:
        await write()
    except CancelledError:
        raise
    except TransportError as error:
        await (submit if error.unknown else drop)(store, staged)
        raise
    except Exception:
        await drop(store, staged)
        raise
    await submit(store, staged)


async def stage(store: Store, contents: Iterable[MessageContent], now: float) -> list[SavedMessage]:
    """Save messages in the Outbox of their sender, all of them or none (MapiError, Refused)."""
    outbox = store.props.get(pr.PR_IPM_OUTBOX_ENTRYID)
    if not outbox:
        raise Refused(403, "", "your store has no Outbox: invitations cannot be sent")
    sent = store.props.get(pr.PR_IPM_SENTMAIL_ENTRYID)
    after: NamedProps = {pr.PR_SENTMAIL_ENTRYID: sent} if sent else {pr.PR_DELETE_AFTER_SUBMIT: True}
    guid = parse_object_entryid(outbox).store
    staged: list[SavedMessage] = []
    try:
        for content in contents:
            content.props |= {**after, STAGED: from_unix(now)}
            staged.append(await save_new_message(store.session, outbox, guid, content))
    except BaseException:
        await drop(store, staged)
        raise
    return staged


async def submit(store: Store, staged: Sequence[SavedMessage]) -> None:
    """Hand staged messages to the outgoing queue; what cannot be now keeps its mark, and is sent later."""
    for message in staged:
        await _submit(store, message.entryid, message.server_id)


async def _submit(store: Store, entryid: bytes, server_id: int) -> None:
    session = store.session
    try:
        await session.call(SubmitMessage(entryid=entryid, flags=_MASTER_AND_FILE))
    except (MapiError, TransportError) as error:
        log.warn("a message stays in an Outbox and is sent later: {error}", error=str(error))
        with suppress(MapiError, TransportError):
            mark: NamedProps = {STAGED: from_unix(0)}
            await set_props(session, store.entryid, entryid, server_id, mark)
        return
    with suppress(MapiError, TransportError):  # it may be on its way, or gone, already
        await set_props(session, store.entryid, entryid, server_id, {}, [STAGED])


async def drop(store: Store, staged: Sequence[SavedMessage]) -> None:
    """Delete staged messages: there is nothing to tell."""
    if not staged:
        return
    try:
        await delete_messages(store.session, [each.entryid for each in staged], hard=True)
    except (MapiError, TransportError) as error:
        log.warn("messages stay in an Outbox, and are sent for nothing: {error}", error=str(error))


async def recover(store: Store, now: float) -> None:
    """Send what was staged long ago, by who died before sending it (MapiError, TransportError)."""
    outbox = store.props.get(pr.PR_IPM_OUTBOX_ENTRYID)
    (mark,) = await Names(store.session).tags([STAGED], create=False)
    if not outbox or not mark:
        return
    old = Property(Relop.LT, mark, (mark, from_unix(now - ABANDONED)))
    abandoned = And((old, Bitmask(pr.PR_MESSAGE_FLAGS, _IN_QUEUE, nonzero=False)))
    columns = (pr.PR_ENTRYID, pr.PR_EC_HIERARCHYID)
    rows = await rows_of(Table.contents(store.session, outbox, columns, restriction=abandoned))
    for row in rows:
        log.info("a message that was left in an Outbox is sent")
        await _submit(store, row[pr.PR_ENTRYID], row[pr.PR_EC_HIERARCHYID])

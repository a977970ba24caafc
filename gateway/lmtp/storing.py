"""The step that stores: one message into one folder, and the word to whoever watches it."""

from __future__ import annotations

from twisted.logger import Logger

from gateway.lmtp.recipients import Maildrop, store_guid
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapi.notices import Delivery, Event, NewMailNotice
from gateway.mapiclient.calling import detached
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.wire.calls_object import Notify

log = Logger()


async def store_message(
    content: MessageContent, maildrop: Maildrop, folder: bytes, user: str, *, announce: bool = True
) -> bytes:
    """Store a message in a folder, or in the Inbox when that cannot be; its entry id."""
    try:
        saved = await save_new_message(maildrop.session, folder, store_guid(folder), content)
    except (NotFound, NoAccess, ValueError) as error:
        if folder == maildrop.inbox:
            raise
        log.warn("{user}: a folder takes no mail, the Inbox does: {error}", user=user, error=str(error))
        folder = maildrop.inbox
        saved = await save_new_message(maildrop.session, folder, maildrop.store.guid, content)
    if announce:
        flags = content.props.get(pr.PR_MESSAGE_FLAGS, 0)
        message_class = content.props.get(pr.PR_MESSAGE_CLASS) or "IPM.Note"
        notice = NewMailNotice(Event.NEW_MAIL, saved.entryid, folder, message_class, flags)
        detached(maildrop.session, Notify(Delivery(0, notice)))
    return saved.entryid


async def receive_folder(content: MessageContent, maildrop: Maildrop) -> bytes:
    """The folder that receives messages of this class: the Inbox for mail."""
    message_class = str(content.props.get(pr.PR_MESSAGE_CLASS) or "IPM.Note")
    if message_class.upper().startswith("IPM.NOTE"):
        return maildrop.inbox
    return await maildrop.store.receive_folder(message_class)

"""Raising HIGHESTMODSEQ of a mailbox in which no message changes: its annotations do (RFC 7162 3.2).

Mod-sequences are the numbers of the store's change log, and only messages make entries in that of a folder. So a
hidden message is made and removed again, which nobody is shown: every gateway and every later session counts it.
"""

from __future__ import annotations

from typing import Final

from gateway.mailbox.account import Account
from gateway.mailbox.tree import Mailbox
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess, QuotaExceeded
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.props import NamedProps
from gateway.mapiclient.message import delete_messages, save_new_message

_MARK: Final[NamedProps] = {pr.PR_MESSAGE_CLASS: "IPM.Microsoft.Configuration", pr.PR_SUBJECT: "annotations"}


async def raise_modseq(account: Account, mailbox: Mailbox) -> None:
    """Have a mailbox's HIGHESTMODSEQ grow."""
    if not mailbox.selectable:
        return  # nobody is told a mod-sequence of it
    session, guid = account.session, parse_object_entryid(mailbox.store_entryid).store
    try:
        mark = await save_new_message(
            session, mailbox.entryid, guid, MessageContent(dict(_MARK)), associated=True
        )
    except (NoAccess, QuotaExceeded):
        await _raise_here(account, mailbox)
        return
    await delete_messages(session, [mark.entryid], hard=True)
    account.store.touched(mailbox)


async def _raise_here(account: Account, mailbox: Mailbox) -> None:
    """Who may not write there has only changed an annotation of his own, which no other user sees."""
    view = await account.view(mailbox)
    try:
        view.raise_modseq()
    finally:
        account.release(view)

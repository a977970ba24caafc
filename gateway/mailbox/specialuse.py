r"""Special folders: which folder of a store plays which part in mail (RFC 6154), from the store's properties.

The store names sent items and deleted items on its own object, drafts and junk on the Inbox (and the root).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.props import Props

SENT: Final = "\\Sent"
TRASH: Final = "\\Trash"
DRAFTS: Final = "\\Drafts"
JUNK: Final = "\\Junk"
ARCHIVE: Final = "\\Archive"

#: Position of the junk folder in PR_ADDITIONAL_REN_ENTRYIDS (MS-OXOSFLD 2.2.4).
_JUNK_INDEX: Final = 4


def special_folders(store: Props, inbox: Props) -> dict[bytes, str]:
    """Entry id to special-use attribute, from the properties of a store and of its Inbox."""
    found: dict[bytes, str] = {}
    others: Sequence[bytes] = inbox.get(pr.PR_ADDITIONAL_REN_ENTRYIDS) or ()
    for entryid, use in (
        (store.get(pr.PR_IPM_SENTMAIL_ENTRYID), SENT),
        (store.get(pr.PR_IPM_WASTEBASKET_ENTRYID), TRASH),
        (inbox.get(pr.PR_IPM_DRAFTS_ENTRYID), DRAFTS),
        (others[_JUNK_INDEX] if len(others) > _JUNK_INDEX else None, JUNK),
    ):
        if entryid:
            found.setdefault(entryid, use)
    return found

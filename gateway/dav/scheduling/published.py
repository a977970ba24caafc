"""The published busy times of all users: one message for each in a folder of the public store (MS-OXOPFFB 2.2.1)."""

from __future__ import annotations

from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapiclient.session import Session
from gateway.mapiclient.store import Store

#: What a published message says, and of whom.
PUBLISHED: Final = (
    pr.PR_ADDRESS_BOOK_ENTRYID,
    pr.PR_FREEBUSY_START_RANGE,
    pr.PR_FREEBUSY_END_RANGE,
    pr.PR_FREEBUSY_TENTATIVE_MONTHS,
    pr.PR_FREEBUSY_TENTATIVE_EVENTS,
    pr.PR_FREEBUSY_BUSY_MONTHS,
    pr.PR_FREEBUSY_BUSY_EVENTS,
    pr.PR_FREEBUSY_OOF_MONTHS,
    pr.PR_FREEBUSY_OOF_EVENTS,
)


async def published_folder(session: Session) -> tuple[Store, bytes] | None:
    """The public store and its folder of published times; None where there is none."""
    try:
        store = await Store.public(session)
    except MapiError:
        return None
    entryid = store.props.get(pr.PR_FREE_BUSY_FOR_LOCAL_SITE_ENTRYID)
    return (store, entryid) if entryid else None

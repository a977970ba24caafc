"""What this process puts into a mailbox has a save date at once, whether or not anybody has the mailbox open."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

from gateway.mailbox.savedates import SaveDates
from gateway.mailbox.tree import Mailbox

if TYPE_CHECKING:
    from gateway.mailbox.userstore import UserStore

log: Final = Logger()


async def note(store: UserStore, mailbox: Mailbox, uids: Collection[int]) -> None:
    """Messages with these UIDs have just been stored in a mailbox by us; UIDs of 0 are ignored."""
    bound = max(uids, default=0) + 1
    view = store.peek(mailbox)
    if view is not None:
        view.came_below(bound)
        return
    dates = SaveDates()
    dates.seen(bound, store.now())
    key = store.cache_key(mailbox)
    try:
        await store.in_cache(lambda cache: cache.add_save_dates(key, dates))
    except sqlite3.Error as error:  # the messages are stored all the same
        log.warn(
            "save dates in {mailbox} of {user} could not be kept: {error}",
            mailbox=mailbox.name,
            user=store.user,
            error=error,
        )

"""What a store needs now and then: purging what was deleted long ago, forgetting old synchronisations, sweeping."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.storeserver import attachments, changes, deleting
from gateway.storeserver.accounts import SYSTEM
from gateway.storeserver.database import StoreDatabase


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was cleared away."""

    synchronisations: int
    files: int


def tidy(database: StoreDatabase) -> Tidied:
    """Clear away what has outlived the times of the options. Slow, in short transactions: call it in a thread."""
    purge(database, database.options.softdelete_days)
    with database.write() as tx:
        forgotten = changes.forget_old(tx)
    return Tidied(forgotten, attachments.sweep(database))


def purge(database: StoreDatabase, days: int) -> None:
    """Remove for good what was soft-deleted at least so many days ago (purgeSoftDelete)."""
    more = True
    while more:
        with database.write() as tx:
            more = deleting.purge(tx, SYSTEM, days)

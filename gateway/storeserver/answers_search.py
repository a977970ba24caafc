"""Answers about search folders."""

from __future__ import annotations

from typing import Final

from gateway.mapiclient.wire.calls_folder import (
    TableGetSearchCriteria,
    TableGetSearchCriteriaReply,
    TableSetSearchCriteria,
)
from gateway.mapiclient.wire.calls_session import Result
from gateway.storeserver import locate, search
from gateway.storeserver.context import Context, entryid_of
from gateway.storeserver.dispatch import reads, writes

RUNNING: Final = 1
RECURSIVE: Final = 4


@writes(TableSetSearchCriteria)
def set_search_criteria(context: Context, call: TableSetSearchCriteria) -> Result:
    """Tell a search folder what to show, or to stop."""
    entryid = entryid_of(call.entryid)
    search.set_criteria(context.tx, context.actor, entryid, call.restrict, call.folders, call.flags)
    folder = locate.folder_by_entryid(context.tx, entryid)
    store = locate.store_by_id(context.tx, folder.store_id)
    context.after.append(lambda: context.server.reload([("store", store.entryid)]))
    return Result()


@reads(TableGetSearchCriteria)
def get_search_criteria(context: Context, call: TableGetSearchCriteria) -> TableGetSearchCriteriaReply:
    """What a search folder shows."""
    found = search.criteria(context.tx, context.actor, entryid_of(call.entryid))
    flags = RUNNING | (RECURSIVE if found.recursive else 0)
    return TableGetSearchCriteriaReply(found.restriction, found.folders, flags)

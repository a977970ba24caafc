"""Delegates who see private items: what a user says of them in his LocalFreebusy message ([MS-OXODLGT] 2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import parse_address_book_entryid
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.store import Store

#: Which of PR_FREEBUSY_ENTRYIDS is the LocalFreebusy message.
_SETTINGS: Final = 1
_SEES_PRIVATE: Final = 1


async def sees_private(store: Store, user: bytes) -> bool:
    """Whether the owner of a store shows a user his private items; not, when that cannot be read."""
    try:
        root, _ = await load_props(store.session, store.root)
        entryids: Sequence[bytes] = root.get(pr.PR_FREEBUSY_ENTRYIDS) or ()
        if len(entryids) <= _SETTINGS:
            return False
        settings, _ = await load_props(store.session, entryids[_SETTINGS])
    except MapiError:
        return False
    people: Sequence[bytes] = settings.get(pr.PR_SCHDINFO_DELEGATE_ENTRYIDS) or ()
    flags: Sequence[int] = settings.get(pr.PR_DELEGATE_FLAGS) or ()
    who = _user_of(user)
    return any(
        flag & _SEES_PRIVATE and _user_of(each) == who for each, flag in zip(people, flags, strict=False)
    )


def _user_of(entryid: bytes) -> bytes | int:
    """What tells users apart: their id in the directory, else their number."""
    try:
        found = parse_address_book_entryid(entryid)
    except ValueError:
        return entryid
    return found.external or found.number

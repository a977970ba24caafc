"""THREADID (RFC 8474 5.2): which conversation a message belongs to, from properties that go along with copies.

The conversation is named by the first message of all, which is the first one in References, else the one in
In-Reply-To, else the message itself. A message without any Message-ID is named by its conversation index
(MS-OXOMSG 2.2.1.3), whose head is the same for all answers, and one without that by what its EMAILID comes from.
So every gateway gives the same id, wherever a message lies.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps

if TYPE_CHECKING:
    from gateway.mailbox.view import View

KEYS: Final = (
    pr.PR_INTERNET_REFERENCES,
    pr.PR_IN_REPLY_TO_ID,
    pr.PR_INTERNET_MESSAGE_ID,
    pr.PR_CONVERSATION_INDEX,
)
_ID: Final = re.compile(r"<[^<>\s]+>")
#: Octets of a conversation index before those of each answer.
_HEAD: Final = 22
#: Messages of one table.
_BATCH: Final = 2000


class ThreadIds:
    """The threads of one View's messages; what was asked for once is remembered, 64 bits each."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[int, int] = {}

    async def load(self, uids: Collection[int]) -> dict[int, str]:
        """THREADIDs by UID; messages that are gone are left out."""
        missing = sorted(uid for uid in uids if uid not in self._known)
        if missing:
            self._forget_gone()
        for start in range(0, len(missing), _BATCH):
            await self._read(missing[start : start + _BATCH])
        view = self._view
        there = (uid for uid in uids if view.index(uid) >= 0 and uid in self._known)
        return {uid: f"T{self._known[uid]:016x}" for uid in there}

    async def _read(self, uids: Sequence[int]) -> None:
        found = await self._view.rows_of(uids, KEYS)
        rows = self._view.rows
        for uid, props in zip(uids, found, strict=True):
            index = rows.index(uid)
            if index >= 0:
                self._known[uid] = thread_number(props, rows.emails[index])

    def _forget_gone(self) -> None:
        uids = self._view.uids
        if len(self._known) > 2 * len(uids):
            self._known = {uid: self._known[uid] for uid in uids if uid in self._known}


def thread_number(props: NamedProps, otherwise: int) -> int:
    """64 bits that name the conversation of a message with these properties (`KEYS`)."""
    for tag in KEYS[:3]:
        found = _ID.search(props.get(tag) or "")
        if found is not None:
            return _hashed(b"id:" + found[0].encode("utf-8", "surrogateescape"))
    index = props.get(pr.PR_CONVERSATION_INDEX) or b""
    return _hashed(b"index:" + index[:_HEAD]) if len(index) >= _HEAD else otherwise


def _hashed(name: bytes) -> int:
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")

"""What a guest's answer changes in his own item, as MAPI clients write it (MS-OXOCAL 2.2.4.4, 3.1.4.7.3)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.delegation import DELEGATED
from gateway.convert.ical.values import number
from gateway.dav.scheduling.meeting import NEEDS_ACTION, Meeting
from gateway.mapi.content import MessageContent
from gateway.mapi.times import from_unix

#: Of an answer; one who accepts is as busy as the organizer wants him to be.
_BUSY_STATUSES: Final = {"TENTATIVE": ids.TENTATIVE, "DECLINED": ids.FREE, DELEGATED: ids.FREE}


def note_answers(
    content: MessageContent,
    existing: MessageContent | None,
    old: Meeting | None,
    new: Meeting,
    own: Collection[str],
    name: str,
    now: float,
) -> None:
    """Set when he answered, and how busy the answer keeps him unless he says that himself."""
    answer = new.status_of(own)
    before = old.status_of(own) if old is not None else NEEDS_ACTION
    if answer == before or answer in ("", NEEDS_ACTION):
        return
    props = content.props
    props |= {ids.REPLY_TIME: from_unix(now), ids.REPLY_NAME: name}
    chosen = number(props, ids.BUSY_STATUS)
    if existing is None or chosen == number(existing.props, ids.BUSY_STATUS):
        intended = number(props, ids.INTENDED_BUSY)
        kept = ids.BUSY if intended is None else intended
        props[ids.BUSY_STATUS] = _BUSY_STATUSES.get(answer, kept)

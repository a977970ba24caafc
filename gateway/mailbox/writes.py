r"""Changing messages of a View: flags, expunge, copy and move, a set of messages at a time.

Read flags and removals are one call for any number of messages. The store has no batch for other flags: those
writes run several at a time. The View is changed at once, so that every connection sees it; the store's own
account of the change (the mod-sequence) follows with the next look.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gateway.mailbox import arrivals
from gateway.mailbox.columns import value_of
from gateway.mailbox.flags import Flag, FlagWrite, write_flags
from gateway.mailbox.reading import overlapping
from gateway.mailbox.tree import Mailbox
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NoAccess, NotFound, PartialCompletion
from gateway.mapi.restrictions import Property, Relop
from gateway.mapi.rights import Rights
from gateway.mapi.tables import SortDirection, SortKey
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import copy_messages, delete_messages, set_props, set_read, set_status
from gateway.mapiclient.table import Table

if TYPE_CHECKING:
    from gateway.mailbox.view import View

Mode: TypeAlias = Literal["set", "add", "remove"]
#: Single-message writes under way at once.
PARALLEL: Final = 8
#: Entry ids in one call.
CALL_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What STORE asks for."""

    mode: Mode
    flags: Flag
    keywords: tuple[str, ...] = ()

    def applied(self, flags: Flag, keywords: tuple[str, ...]) -> tuple[Flag, tuple[str, ...]]:
        """The state of a message after the change; keywords are compared without case and stay sorted."""
        lasting = Flag.UNSENT | Flag.DRAFT if flags & Flag.UNSENT else Flag.NONE
        if self.mode == "set":
            return self.flags | lasting, self.keywords
        mine = {word.lower() for word in self.keywords}
        others = [word for word in keywords if word.lower() not in mine]
        if self.mode == "add":
            had = {word.lower(): word for word in keywords}
            return flags | self.flags, tuple(sorted([*others, *(had.get(w.lower(), w) for w in self.keywords)]))
        return flags & ~self.flags | lasting, tuple(others)

    def is_refused(self, flags: Flag) -> bool:
        """Whether a mail with these flags stays a draft although the change says otherwise."""
        other = self.mode == "set" and not self.flags & Flag.DRAFT
        return bool(flags & Flag.UNSENT) and (
            other or (self.mode == "remove" and bool(self.flags & Flag.DRAFT))
        )


@dataclass(slots=True)
class Changed:
    """What became of a change of flags."""

    changed: list[int] = field(default_factory=list)
    """UIDs whose flags are different now."""
    modified: list[int] = field(default_factory=list)
    """UIDs left alone because they were changed after UNCHANGEDSINCE (RFC 7162 3.1.3)."""
    gone: list[int] = field(default_factory=list)
    """UIDs that are no longer there."""
    mixed: list[int] = field(default_factory=list)
    """UIDs of those whose flags are not what the change says: somebody else changed them, or a draft stays one."""


async def change_flags(
    view: View, uids: Sequence[int], change: FlagChange, unchanged_since: int | None
) -> Changed:
    """Set, add or remove flags and keywords of messages (NoAccess without the right to edit)."""
    result = Changed()
    if unchanged_since is not None:
        await view.refresh(force=True)
    before = view.serial
    jobs: list[_Job] = []
    for uid in uids:
        index = view.index(uid)
        if index < 0:
            result.gone.append(uid)
        elif unchanged_since is not None and view.modseqs[index] > unchanged_since:
            result.modified.append(uid)
        else:
            jobs += _job(view, uid, index, change)
            if change.is_refused(Flag(view.flags[index])):
                result.mixed.append(uid)
    if jobs:
        _must_have(view, Rights.EDIT_ANY | Rights.EDIT_OWNED)
    try:
        result.changed, others = await _write(view, jobs)
        result.mixed = sorted({*result.mixed, *others})
    finally:
        view.changed_since_serial(before)
    if unchanged_since is not None:
        await view.refresh(force=True)
    return result


@dataclass(frozen=True, slots=True)
class _Job:
    uid: int
    entryid: bytes
    hierarchy_id: int
    before: tuple[int, int, int]
    flags: Flag
    keywords: tuple[str, ...]
    write: FlagWrite


def _job(view: View, uid: int, index: int, change: FlagChange) -> list[_Job]:
    rows = view.rows
    flags, keywords = Flag(rows.flags[index]), rows.keyword_sets[rows.keywords[index]]
    after, words = change.applied(flags, keywords)
    if (after, words) == (flags, keywords):
        return []
    write = write_flags(flags, after, keywords, words, view.store.filetime())
    return [_Job(uid, rows.entryid(index), rows.hierarchy_ids[index], _seen(view, uid), after, words, write)]


def _seen(view: View, uid: int) -> tuple[int, int, int]:
    """What the View knows of a message's flags; it changes with them."""
    rows, index = view.rows, view.index(uid)
    return (rows.flags[index], rows.keywords[index], rows.modseqs[index]) if index >= 0 else (0, 0, 0)


def _has(view: View, job: _Job) -> bool:
    """Whether a message has the flags it was given; not if the log has told of a later state meanwhile, or an earlier."""
    rows, index = view.rows, view.index(job.uid)
    return index < 0 or (
        rows.flags[index] == job.flags and rows.keyword_sets[rows.keywords[index]] == job.keywords
    )


async def _write(view: View, jobs: Sequence[_Job]) -> tuple[list[int], list[int]]:
    """Write the changes; the UIDs of what is changed, and of those that somebody else changed meanwhile."""
    session = view.store.session
    for state in (True, False):
        entryids = [job.entryid for job in jobs if job.write.read is state]
        for start in range(0, len(entryids), CALL_BATCH):
            await set_read(session, entryids[start : start + CALL_BATCH], read=state)
    slow = [job for job in jobs if job.write.status_mask or job.write.props or job.write.deleted]

    async def one(place: int) -> int | None:
        return await _write_one(view, slow[place])

    missing = {uid async for uid in overlapping(range(len(slow)), one, PARALLEL) if uid is not None}
    done = [job for job in jobs if job.uid not in missing]
    view.state.amend(
        (job.uid, int(job.flags), job.keywords, 0) for job in done if _seen(view, job.uid) == job.before
    )
    mixed = [job.uid for job in done if not _has(view, job)]
    if mixed:
        await view.refresh(force=True)
    return [job.uid for job in done], mixed


async def _write_one(view: View, job: _Job) -> int | None:
    """Write one message's flags; its UID when it was gone."""
    session, write = view.store.session, job.write
    try:
        if write.status_mask:
            await set_status(session, job.entryid, write.status, write.status_mask)
        if write.props or write.deleted:
            await set_props(
                session,
                view.mailbox.store_entryid,
                job.entryid,
                job.hierarchy_id,
                write.props,
                write.deleted,
            )
    except NotFound:
        return job.uid
    return None


async def mark_seen(view: View, uids: Sequence[int]) -> list[int]:
    """Mark messages read; the UIDs of those that were not. Without the right to edit nothing happens."""
    if not view.mailbox.rights & (Rights.EDIT_ANY | Rights.EDIT_OWNED):
        return []
    return (await change_flags(view, uids, FlagChange("add", Flag.SEEN), None)).changed


async def expunge(view: View, uids: Sequence[int] | None) -> list[int]:
    r"""Remove the messages marked \Deleted, of all or of some; they stay recoverable in the store."""
    rows = view.rows
    among = rows.uids if uids is None else uids
    marked = [uid for uid in among if (index := rows.index(uid)) >= 0 and rows.flags[index] & Flag.DELETED]
    return await remove(view, marked, hard=False)


async def remove(view: View, uids: Sequence[int], *, hard: bool) -> list[int]:
    """Remove messages whatever their flags; the UIDs that are gone."""
    rows = view.rows
    there = [uid for uid in uids if rows.index(uid) >= 0]
    if not there:
        return []
    _must_have(view, Rights.DELETE_ANY | Rights.DELETE_OWNED)
    before = view.serial
    whole = True
    entryids = [rows.entryid(rows.index(uid)) for uid in there]
    try:
        for start in range(0, len(entryids), CALL_BATCH):
            batch = entryids[start : start + CALL_BATCH]
            whole = await delete_messages(view.store.session, batch, hard=hard) and whole
            if whole:
                view.state.expunge(there[start : start + CALL_BATCH])
        if not whole:  # some could not be removed: only the store knows which
            await view.refresh(force=True)
    finally:
        view.changed_since_serial(before)
    return [uid for uid in there if view.index(uid) < 0]


async def copy(view: View, uids: Sequence[int], target: Mailbox, *, move: bool) -> list[tuple[int, int]]:
    """Copy or move messages to another mailbox, which may lie in another store (PartialCompletion).

    Returns pairs of old and new UID, ascending by the old one, as far as the new ones could be told apart.
    """
    rows = view.rows
    there = sorted(uid for uid in set(uids) if rows.index(uid) >= 0)
    if not there:
        return []
    if move:
        _must_have(view, Rights.DELETE_ANY | Rights.DELETE_OWNED)
        if target.entryid == view.mailbox.entryid:
            return []  # they are there
    entryids = [rows.entryid(rows.index(uid)) for uid in there]
    before = view.serial
    newest = await newest_uid(view.store.session, target)
    whole = True
    if target.store_entryid != view.mailbox.store_entryid:
        try:
            new = await view.store.copy_across(entryids, target)
        except NotFound as error:
            await view.refresh(force=True)
            if any(view.index(uid) < 0 for uid in there):  # and not the target
                raise PartialCompletion("some messages are gone; those before them were copied") from error
            raise
        if move:
            whole = await delete_messages(view.store.session, entryids, hard=False)
    else:
        for start in range(0, len(entryids), CALL_BATCH):
            batch = entryids[start : start + CALL_BATCH]
            whole = await copy_messages(view.store.session, batch, target.entryid, move=move) and whole
        new = await _uids_after(view, target, newest)
    await arrivals.note(view.store, target, new)
    view.store.touched(target)
    if not whole:
        there = await _copied(view, there, len(new), move=move)
    elif move:
        view.state.expunge(there)
        view.changed_since_serial(before)
    return list(zip(there, new, strict=True)) if len(new) == len(there) else []


async def _copied(view: View, uids: Sequence[int], count: int, *, move: bool) -> list[int]:
    """Of messages not all of which could be copied those that were, ``count`` of them (PartialCompletion).

    What somebody else removed meanwhile is nothing that failed: a set of UIDs names what there is.
    """
    await view.refresh(force=True)
    left = [uid for uid in uids if view.index(uid) >= 0]
    if left if move else len(left) != count:
        raise PartialCompletion("some messages could not be copied; what could be was")
    return list(uids) if move else left


async def newest_uid(session: Caller, mailbox: Mailbox) -> int:
    """The highest UID in a mailbox, 0 when it is empty."""
    tag = pr.PR_EC_IMAP_ID
    newest = (SortKey(tag, SortDirection.DESCENDING),)
    async with Table.contents(session, mailbox.entryid, (tag,), sort=newest, batch=1) as table:
        rows = await table.query(1)
    return value_of(rows[0][0]) or 0 if rows else 0


async def _uids_after(view: View, target: Mailbox, uid: int) -> list[int]:
    """UIDs above this one, ascending: new copies get theirs in the order they were asked for."""
    tag = pr.PR_EC_IMAP_ID
    found: list[int] = []
    async with Table.contents(
        view.store.session, target.entryid, (tag,), restriction=Property(Relop.GT, tag, (tag, uid))
    ) as table:
        async for rows in table.batches():
            found += [value_of(row[0]) for row in rows]
    return sorted(uid for uid in found if uid)


def _must_have(view: View, rights: int) -> None:
    if not view.mailbox.rights & rights:
        raise NoAccess(f"you may not change messages in {view.mailbox.name}")


def missing(uids: Sequence[int], known: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of ascending UID ranges that hold no message, as ranges."""
    gaps: list[tuple[int, int]] = []
    for first, last in known:
        start = first
        place = bisect_left(uids, first)
        while start <= last:
            here = uids[place] if place < len(uids) else last + 1
            if here > start:
                gaps.append((start, min(here - 1, last)))
            start = here + 1
            place += 1
    return gaps

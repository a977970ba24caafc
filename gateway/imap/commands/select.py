"""SELECT and EXAMINE, with CONDSTORE and QRESYNC (RFC 9051 6.3.2, 6.3.3; RFC 7162 3.1.8, 3.2.5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap import listing, telling
from gateway.imap.answers import Done, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.codec.sequence import Range, expand
from gateway.imap.codec.write_status import highest_modseq, untagged
from gateway.imap.connection import Connection, Selection, User
from gateway.mailbox.flags import Flag
from gateway.mapi.rights import Rights

_CHANGES = Rights.EDIT_ANY | Rights.EDIT_OWNED | Rights.DELETE_ANY | Rights.DELETE_OWNED


async def select(user: User, command: c.Select) -> AsyncIterator[bytes | Done]:
    """Open a mailbox; the one that was open is closed in any case."""
    connection = user.connection
    _check(connection, command)
    if user.selection is not None:
        user.unselect()
        yield untagged("OK", "The mailbox before is closed", "CLOSED")
    mailbox = await user.folder(command.mailbox)
    if command.condstore:
        connection.enabled.add("CONDSTORE")
    read_only = command.read_only or not mailbox.rights & _CHANGES
    selection = await user.select(mailbox, read_only=read_only)
    yield _description(selection, command.mailbox)
    if command.qresync is not None and command.qresync.uid_validity == selection.view.uidvalidity:
        async for piece in _resync(selection, command.qresync):
            yield piece
    if read_only:
        yield Done("Opened read-only", "READ-ONLY")
    else:
        yield Done("Opened", "READ-WRITE")


def _check(connection: Connection, command: c.Select) -> None:
    """Raise StateError for QRESYNC where it is not possible (RFC 7162 3.2.5, RFC 9586 section 3)."""
    if command.qresync is None:
        return
    if not connection.qresync:
        raise StateError("QRESYNC has to be enabled first")
    if connection.uid_only and command.qresync.match_numbers is not None:
        raise StateError("Message numbers are not used any more", "UIDREQUIRED")


def _description(selection: Selection, asked: str) -> bytes:
    view, connection = selection.view, selection.connection
    mailbox = selection.mailbox
    parts = [telling.flags_response(selection), w.exists(selection.told.count)]
    if not connection.rev2:
        parts += [w.recent(), _first_unseen(selection)]
    flags = [] if selection.read_only else [*telling.flag_names(view), "\\*"]
    parts += [
        w.permanent_flags(flags),
        untagged("OK", "UIDs valid", f"UIDVALIDITY {view.uidvalidity}"),
        untagged("OK", "Next UID", f"UIDNEXT {view.uidnext}"),
        highest_modseq(view.highest_modseq),
        untagged("OK", "Object id", f"MAILBOXID ({mailbox.mailbox_id})"),
    ]
    if connection.rev2:
        parts.append(listing.normalized(mailbox, asked, utf8=connection.utf8))
    return b"".join(parts)


def _first_unseen(selection: Selection) -> bytes:
    """``[UNSEEN n]`` of RFC 3501; nothing when all are seen, or numbers are not used."""
    if selection.connection.uid_only:
        return b""
    for number, flags in enumerate(selection.view.flags, 1):
        if not flags & Flag.SEEN:
            return untagged("OK", "First unseen", f"UNSEEN {number}")
    return b""


async def _resync(selection: Selection, known: c.QResync) -> AsyncIterator[bytes]:
    """Tell what vanished and what changed since the client was here (RFC 7162 3.2.5.1)."""
    view = selection.view
    uids = _known_uids(selection, known)
    vanished = await view.vanished_since(known.modseq, _above_match(selection, known, uids))
    yield w.vanished_earlier(vanished)
    changed = await view.changed_since(known.modseq)
    inside = (
        [uid for uid in changed if any(low <= uid <= high for low, high in uids)]
        if known.known_uids
        else changed
    )
    for batch in selection.told.rows_of(inside).batches():
        yield telling.fetch_flags(selection, batch)


def _known_uids(selection: Selection, known: c.QResync) -> list[Range]:
    if known.known_uids is None:
        return [(1, max(1, selection.view.uidnext - 1))]
    return list(known.known_uids.ranges)


def _above_match(selection: Selection, known: c.QResync, uids: list[Range]) -> list[Range]:
    """The UIDs above the last pair of number and UID that still fits: below it nothing vanished (3.2.5.2)."""
    if known.match_numbers is None or known.match_uids is None:
        return uids
    told, floor = selection.told.uids, 0
    for number, uid in zip(expand(known.match_numbers.ranges), expand(known.match_uids.ranges), strict=False):
        if number > len(told) or told[number - 1] != uid:
            break
        floor = uid
    return [(max(low, floor + 1), high) for low, high in uids if high > floor]

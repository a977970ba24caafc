"""New mails: what APPEND and delivery store, with the original beside the properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from mmap import mmap
from typing import TYPE_CHECKING, Final

from gateway.convert.ical import meeting_content
from gateway.convert.ical.addressees import keep_attendees
from gateway.convert.mime.frommime import from_mime
from gateway.convert.mime.frommime_options import FromMimeOptions
from gateway.convert.mime.original import original_properties
from gateway.mailbox import arrivals
from gateway.mailbox.columns import entry_columns, entry_of, value_of
from gateway.mailbox.flags import MARKS, Flag, new_message_props
from gateway.mailbox.rows import Entry
from gateway.mailbox.source import crlf, has_bare_line_feeds, spool_attachments
from gateway.mailbox.tree import Mailbox
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import NamedProps
from gateway.mapi.restrictions import Property, Relop
from gateway.mapi.times import from_unix
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import SavedMessage, delete_messages, load_prop, save_new_message
from gateway.mapiclient.table import Table

if TYPE_CHECKING:
    from gateway.mailbox.userstore import UserStore


#: Bits of PR_MESSAGE_FLAGS that ask for a read or a non-read receipt (MS-OXCMSG 2.2.1.6).
RECEIPTS_PENDING: Final = 0x300
#: Attachments larger than this go to a file when their mail lies in one.
SPOOL_FROM: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Upload:
    """One mail to be stored."""

    data: bytes | Blob
    flags: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()
    internal_date: float | None = None
    """Unix time; None is now."""
    verbatim: bool = False
    """Whether bare line feeds stay as they are (delivery); IMAP's literals get CRLF throughout."""


def content_of(upload: Upload, now: int) -> MessageContent:
    """The message a mail becomes, original included. Pure; takes time in proportion to the size.

    Of a mail in a file the original and large attachments stay in files, and it is never in memory as a whole.
    """
    data = upload.data
    if not isinstance(data, Blob):
        return _converted(data if upload.verbatim else crlf(data), upload, now)
    if data.mapped is None:
        return _converted(data.read() if upload.verbatim else crlf(data.read()), upload, now)
    view = data.mapped()  # unmapped with the last reference
    if not upload.verbatim and has_bare_line_feeds(view):
        return _converted(crlf(view[:]), upload, now)
    content = _converted(view, upload, now)
    content.props[pr.PR_EC_IMAP_EMAIL] = data
    spool_attachments(content, SPOOL_FROM)
    return content


def _converted(data: bytes | mmap, upload: Upload, now: int) -> MessageContent:
    meetings: list[MessageContent] = []

    def meeting(calendar: bytes, method: str) -> MessageContent | None:
        found = meeting_content(calendar, method)
        meetings.extend(() if found is None else (found,))
        return found

    content = from_mime(data, FromMimeOptions(calendar_content=meeting))
    for each in meetings:
        keep_attendees(content, each)
    when = now if upload.internal_date is None else from_unix(upload.internal_date)
    content.props.update(original_properties(data, delivered=when))
    content.props[pr.PR_MESSAGE_DELIVERY_TIME] = when
    pending = content.props.get(pr.PR_MESSAGE_FLAGS, 0) & RECEIPTS_PENDING
    content.props.update(new_message_props(upload.flags, upload.keywords, now))
    content.props[pr.PR_MESSAGE_FLAGS] |= pending
    return content


async def append(store: UserStore, mailbox: Mailbox, uploads: Sequence[Upload]) -> list[int]:
    """Store mails; all of them or none (QuotaExceeded, NoAccess, NotFound). Returns their UIDs in order."""
    guid = parse_object_entryid(mailbox.store_entryid).store
    made: list[tuple[SavedMessage, NamedProps]] = []
    try:
        for upload in uploads:
            size = upload.data.size if isinstance(upload.data, Blob) else len(upload.data)
            content = await store.compute(size, partial(content_of, upload, store.filetime()))
            saved = await save_new_message(store.session, mailbox.entryid, guid, content)
            made.append((saved, _kept(content)))
    except BaseException:
        if made:  # all or nothing (RFC 3502 6.3.11)
            await delete_messages(store.session, [saved.entryid for saved, _ in made], hard=True)
        raise
    uids = await uids_of(store.session, mailbox.entryid, [saved.entryid for saved, _ in made])
    await arrivals.note(store, mailbox, uids)
    store.appended(mailbox, [*_entries(made, uids)])
    return uids


#: What a View's row is made of, as it is in the content of a new message.
_COLUMNS: Final = entry_columns(KEYWORDS, MARKS)


def _kept(content: MessageContent) -> NamedProps:
    """What of a message that was stored goes into a View's row."""
    return {key: content.props[key] for key in _COLUMNS if key in content.props}


def _entries(made: Iterable[tuple[SavedMessage, NamedProps]], uids: Iterable[int]) -> Iterator[Entry]:
    """The rows of messages that were stored, as far as the store said enough of them."""
    for (saved, kept), uid in zip(made, uids, strict=True):
        if uid and pr.PR_SOURCE_KEY in saved.props and pr.PR_CHANGE_KEY in saved.props:
            known = kept | {pr.PR_EC_IMAP_ID: uid}
            known.update(saved.props.items())
            entry = entry_of(known, saved.entryid, saved.server_id, _COLUMNS)
            if entry is not None:
                yield entry


async def uids_of(session: Caller, folder: bytes, entryids: Sequence[bytes]) -> list[int]:
    """The UIDs the store gave to new messages, in the order asked, which is theirs; 0 for one that is gone again."""
    found: dict[bytes, int] = {}
    for entryid in entryids:
        try:
            found[entryid] = await load_prop(session, entryid, pr.PR_EC_IMAP_ID)
        except NotFound:
            continue
        break
    if found and len(entryids) > 1:
        # A lower bound costs the store less than a list of what is wanted.
        above = Property(Relop.GE, pr.PR_EC_IMAP_ID, (pr.PR_EC_IMAP_ID, min(found.values())))
        columns = (pr.PR_ENTRYID, pr.PR_EC_IMAP_ID)
        async with Table.contents(session, folder, columns, restriction=above) as table:
            async for rows in table.batches():
                found.update((value_of(row[0]), value_of(row[1])) for row in rows)
    return [found.get(entryid, 0) for entryid in entryids]

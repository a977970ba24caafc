"""A message of the outgoing queue as what goes out: envelope and octets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.mailbox.reading import internet_part
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.ids import MUIDECSAB
from gateway.mapi.propnames import RETURN_PATH
from gateway.mapi.props import NamedProps
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.table import rows_of
from gateway.smtp.person import Person
from gateway.smtp.seal import opened
from gateway.submission.header import without_bcc

_SENDERS: Final = (pr.PR_SENT_REPRESENTING_ENTRYID, pr.PR_SENDER_ENTRYID)
_MOST_MEMBERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Departure:
    """What goes out. ``sealed`` when the gateway wrote it: whom it is from was decided then."""

    sender: str
    recipients: list[str]
    mail: bytes
    sealed: bool


async def departure(
    session: Caller, entryid: bytes, content: MessageContent, owner: Person, *, key: bytes, hostname: str
) -> Departure:
    """Write a message as mail; ``owner`` is whose store it lies in (MapiError, TransportError)."""
    known = await _addresses(session, content)
    recipients = await _recipients(session, content.recipients, known)
    seal = content.props.get(RETURN_PATH)
    if isinstance(seal, str):
        original = await _original(session, entryid)
        sender = opened(key, seal, original)
        if sender is not None:
            return Departure(sender, recipients, original, sealed=True)
    options = ToMimeOptions(
        identity=entryid, own=True, resolve=known.get, domain=hostname, calendar=internet_part
    )
    mime = to_mime(content, options)
    return Departure(owner.address, recipients, without_bcc(mime.bytes()), sealed=False)


async def _original(session: Caller, entryid: bytes) -> bytes:
    try:
        value = await load_prop(session, entryid, pr.PR_EC_IMAP_EMAIL)
    except NotFound:
        return b""
    return value.read() if isinstance(value, Blob) else value


async def _addresses(session: Caller, content: MessageContent) -> dict[bytes, str]:
    """The mail addresses of everybody whom the message names by address book entry only."""
    wanted = {content.props.get(tag) for tag in _SENDERS}
    wanted |= {row.get(pr.PR_ENTRYID) for row in content.recipients if not row.get(pr.PR_SMTP_ADDRESS)}
    found: dict[bytes, str] = {}
    for entryid in wanted:
        if isinstance(entryid, bytes) and entryid[4:20] == MUIDECSAB:
            try:
                address = (await directory.details(session, entryid)).get(pr.PR_SMTP_ADDRESS)
            except MapiError:
                continue  # deleted meanwhile: the message may carry the address itself
            if address:
                found[entryid] = address
    return found


async def _recipients(session: Caller, rows: Iterable[NamedProps], known: dict[bytes, str]) -> list[str]:
    """The addresses of the envelope, each once."""
    found: dict[str, None] = {}
    for row in rows:
        address = _address(row, known)
        if address:
            found[address] = None
        elif row.get(pr.PR_OBJECT_TYPE) == ObjectType.DISTRIBUTION_LIST and row.get(pr.PR_ENTRYID):
            for member in await _members(session, row[pr.PR_ENTRYID]):
                found[member] = None
        else:
            found[str(row.get(pr.PR_EMAIL_ADDRESS) or row.get(pr.PR_DISPLAY_NAME) or "unknown")] = None
    return list(found)


def _address(row: NamedProps, known: dict[bytes, str]) -> str:
    if row.get(pr.PR_SMTP_ADDRESS):
        return str(row[pr.PR_SMTP_ADDRESS])
    if (row.get(pr.PR_ADDRTYPE) or "SMTP").upper() == "SMTP":
        return str(row.get(pr.PR_EMAIL_ADDRESS) or "")
    return known.get(row.get(pr.PR_ENTRYID) or b"", "")


async def _members(session: Caller, entryid: bytes) -> list[str]:
    """The addresses of a list that has none of its own; one level, the smarthost knows the rest."""
    table = directory.entries(session, (pr.PR_SMTP_ADDRESS,), container=entryid)
    rows = await rows_of(table)
    return [row[pr.PR_SMTP_ADDRESS] for row in rows if row.get(pr.PR_SMTP_ADDRESS)][:_MOST_MEMBERS]

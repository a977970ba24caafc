"""Reports: delivery status (RFC 3464) and read receipts (RFC 8098) as REPORT messages (MS-OXCMAIL 2.2.3.6, 2.2.3.7).

The part for programs is read into properties; a report whose part says nothing usable stays an ordinary mail.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.convert.mime.encoded import text
from gateway.convert.mime.fields import Field, fields_of, unfold
from gateway.convert.mime.frommime_people import TO, Person, recipient
from gateway.convert.mime.frommime_status import diagnosis
from gateway.convert.mime.structure import Part
from gateway.convert.mime.tomime_fields import msg_id
from gateway.convert.mime.transfer import decoded, known
from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps

_STATUS: Final = frozenset((b"delivery-status", b"global-delivery-status"))
_NOTIFICATION: Final = frozenset((b"disposition-notification", b"global-disposition-notification"))
#: RFC 3464 2.3.3, from the least to the most severe.
_CLASSES: Final = {
    b"delivered": "REPORT.IPM.Note.DR",
    b"expanded": "REPORT.IPM.Note.Expanded.DR",
    b"relayed": "REPORT.IPM.Note.Relayed.DR",
    b"delayed": "REPORT.IPM.Note.Delayed.DR",
    b"failed": "REPORT.IPM.Note.NDR",
}
_SEVERITY: Final = {action: number for number, action in enumerate(_CLASSES)}
#: RFC 8098 3.2.6.2 and its predecessors.
_READ: Final = frozenset((b"displayed", b"dispatched", b"processed"))
_NOT_READ: Final = frozenset((b"deleted", b"denied", b"failed"))
_GROUP: Final = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_CODE: Final = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})")
_MOST: Final = 10_000


@dataclass(slots=True)
class Report:
    """What a report says."""

    machine: Part
    """The part that was read."""
    props: NamedProps
    recipients: list[NamedProps] = field(default_factory=list)
    """The recipients it tells of; none for a read receipt."""


def report_of(message: Part, default: str) -> Report | None:
    """The report that a message is, or None."""
    children = message.children if message.subtype == b"report" else [message]
    for part in children:
        if part.type != b"message" or not known(part.encoding):
            continue
        if part.subtype in _STATUS:
            return _delivery(part, default)
        if part.subtype in _NOTIFICATION:
            return _receipt(part, default)
    return None


def _first(fields: list[Field]) -> dict[bytes, bytes]:
    """The first value of each field by lower-case name, unfolded."""
    return {name.lower(): unfold(value) for name, value in reversed(fields)}


def _groups(part: Part) -> list[dict[bytes, bytes]]:
    """The groups of fields in a machine part, empty ones left out."""
    blocks = _GROUP.split(decoded(part.body_bytes, part.encoding).strip(), _MOST)
    return [fields for block in blocks if (fields := _first(fields_of(block, 0, len(block))))]


def _typed(value: bytes) -> bytes:
    """A value without the type in front of it (RFC 3464 2.1.2: ``rfc822; a@x``, ``dns; mx.x``)."""
    kind, semicolon, rest = value.partition(b";")
    return rest.strip() if semicolon else kind.strip()


def _delivery(part: Part, default: str) -> Report | None:
    """A delivery status report; it tells of the recipients with the gravest action only."""
    groups = _groups(part)
    told = [group for group in groups if group.get(b"action", b"").lower() in _SEVERITY][:_MOST]
    if not told:
        return None
    gravest = max((group[b"action"].lower() for group in told), key=_SEVERITY.__getitem__)
    props: NamedProps = {pr.PR_MESSAGE_CLASS: _CLASSES[gravest]}
    agent = _typed(groups[0].get(b"reporting-mta", b""))
    if agent:
        props[pr.PR_REPORTING_MTA] = text(agent, default)
    rows = [_status_row(group, default) for group in told if group[b"action"].lower() == gravest]
    return Report(part, props, rows)


def _status_row(group: dict[bytes, bytes], default: str) -> NamedProps:
    """The row of one recipient (MS-OXCMAIL 2.2.3.7.1.2)."""
    address = text(_typed(group.get(b"final-recipient") or group.get(b"original-recipient", b"")), default)
    address = address.strip("<> ")
    name = text(group.get(b"x-display-name", b""), default).strip()
    row = recipient(Person(name or address or "?", address), TO)
    agent = text(_typed(group.get(b"remote-mta", b"")), default)
    if agent:
        row[pr.PR_DSN_REMOTE_MTA] = agent
    status = _CODE.search(group.get(b"status", b""))
    if status is not None:
        row[pr.PR_NDR_STATUS_CODE] = 100 * int(status[1]) + 10 * int(status[2]) + int(status[3])
    diagnostic, reason = diagnosis(int(status[2]), int(status[3])) if status else (0xFFFF_FFFF, 0)
    row[pr.PR_NDR_DIAG_CODE] = diagnostic
    row[pr.PR_NDR_REASON_CODE] = reason
    told = _supplement(group, agent, default)
    if told:
        row[pr.PR_SUPPLEMENTARY_INFO] = told
    return row


def _supplement(group: dict[bytes, bytes], agent: str, default: str) -> str:
    """The words of the mail system that refused."""
    own = text(group.get(b"x-supplementary-info", b""), default)
    diagnostic = text(_typed(group.get(b"diagnostic-code", b"")), default)
    if own or not diagnostic:
        return own
    return f"<{agent} #{text(group.get(b'status', b''), default)} {diagnostic}>"


def _receipt(part: Part, default: str) -> Report | None:
    """A read receipt, or the notice that a message was deleted unread."""
    fields: dict[bytes, bytes] = {}
    for group in reversed(_groups(part)):
        fields.update(group)
    disposition = fields.get(b"disposition", b"")
    kind = disposition.rpartition(b";")[2].partition(b"/")[0].strip().lower()
    if kind not in _READ and kind not in _NOT_READ:
        return None
    props: NamedProps = {
        pr.PR_MESSAGE_CLASS: "REPORT.IPM.Note.IPNRN" if kind in _READ else "REPORT.IPM.Note.IPNNRN",
        pr.PR_REPORT_TEXT: text(disposition, default),
    }
    original = msg_id(text(fields.get(b"original-message-id", b""), default))
    if original:
        props[pr.PR_ORIGINAL_MESSAGE_ID] = original
        props[pr.PR_INTERNET_REFERENCES] = original
    reader = _typed(fields.get(b"original-recipient") or fields.get(b"final-recipient", b""))
    if reader:
        props[pr.PR_ORIGINAL_DISPLAY_TO] = text(reader, default)
    key = fields.get(b"x-msexch-correlation-key")
    if key:
        with suppress(BinasciiError):  # a key that cannot be read cannot be matched either
            props[pr.PR_PARENT_KEY] = b64decode(key, validate=True)
    return Report(part, props)

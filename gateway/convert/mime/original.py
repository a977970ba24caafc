"""The original of a mail beside its properties: what Kopano's gateway reads too, and when it must go.

A message that has these properties is served from them, byte for byte. They are written once, when the mail
is stored, and deleted together (`ORIGINAL`) by whoever changes subject, body, recipients or attachments;
changes of flags and categories leave them alone.
"""

from __future__ import annotations

from typing import Final

from gateway.convert.mime.bodystructure import body, bodystructure
from gateway.convert.mime.dates import moment
from gateway.convert.mime.encoded import text
from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.fields import Source
from gateway.convert.mime.structure import Part, scan
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import IMAP_ENVELOPE, NO_FINAL_LINE_END
from gateway.mapi.props import NamedProps, PropKey

#: The properties that are the original; stale as soon as the content is another.
ORIGINAL: Final[tuple[PropKey, ...]] = (
    pr.PR_EC_IMAP_EMAIL,
    pr.PR_EC_IMAP_EMAIL_SIZE,
    pr.PR_EC_IMAP_BODY,
    pr.PR_EC_IMAP_BODYSTRUCTURE,
    IMAP_ENVELOPE,
    NO_FINAL_LINE_END,
)
_DAY_TICKS: Final = 86_400 * 10_000_000


def original_properties(
    data: Source, message: Part | None = None, *, delivered: int | None = None
) -> NamedProps:
    """What to store beside a mail, whose lines must already end in CRLF (`structure.normalised`).

    ``message`` is its scan, when there is one already; ``delivered`` the FILETIME of arrival. The dates are
    days: midnight UTC of the written day, whatever its zone. A mapped file's caller puts the file in its place.
    """
    message = message or scan(data)
    props: NamedProps = {
        pr.PR_EC_IMAP_EMAIL: data,
        pr.PR_EC_IMAP_EMAIL_SIZE: len(data),
        pr.PR_EC_IMAP_BODY: body(message).decode("ascii"),
        pr.PR_EC_IMAP_BODYSTRUCTURE: bodystructure(message).decode("ascii"),
        IMAP_ENVELOPE: envelope(message)[1:-1].decode("ascii"),
    }
    if data and data[-2:] != b"\r\n":
        props[NO_FINAL_LINE_END] = True
    written = moment(text(message.header(b"date") or b""))
    if written is not None:
        props[pr.PR_EC_CLIENT_SUBMIT_DATE] = written.day
    if delivered is not None:
        props[pr.PR_EC_MESSAGE_DELIVERY_DATE] = delivered // _DAY_TICKS * _DAY_TICKS
    return props

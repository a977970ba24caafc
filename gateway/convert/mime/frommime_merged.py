"""Content that comes inside a mail in another format and is the message: calendars and TNEF.

The mail's header says who sent what to whom and when; the rest is better known to the other format.
"""

from __future__ import annotations

from typing import Final

from gateway.convert import rtf
from gateway.convert.errors import ParseError
from gateway.convert.mime.charsets import codec_of, decode
from gateway.convert.mime.filenames import file_name
from gateway.convert.mime.frommime_attachments import BY_VALUE, EMBEDDED, NOT_POSITIONED
from gateway.convert.mime.frommime_options import FromMimeOptions
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded, known
from gateway.convert.tnef import from_tnef
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps, NamedTag, prop_id

_FIRST_NAMED: Final = 0x8000
_MEETING: Final = "ipm.schedule.meeting."
_TNEF: Final = frozenset((b"ms-tnef", b"vnd.ms-tnef"))
_BODY: Final = frozenset(
    (
        pr.PR_BODY,
        pr.PR_HTML,
        pr.PR_BODY_HTML,
        pr.PR_RTF_COMPRESSED,
        pr.PR_RTF_IN_SYNC,
        pr.PR_INTERNET_CPID,
        pr.PR_NATIVE_BODY_INFO,
    )
)
"""What makes up a body; one format's is taken whole or not at all."""
_NOT_TAKEN: Final = frozenset(
    map(
        prop_id,
        (
            pr.PR_ENTRYID,
            pr.PR_RECORD_KEY,
            pr.PR_SEARCH_KEY,
            pr.PR_SOURCE_KEY,
            pr.PR_CHANGE_KEY,
            pr.PR_PREDECESSOR_CHANGE_LIST,
            pr.PR_STORE_ENTRYID,
            pr.PR_STORE_RECORD_KEY,
            pr.PR_PARENT_ENTRYID,
            pr.PR_MESSAGE_FLAGS,
            pr.PR_MESSAGE_SIZE,
            pr.PR_HASATTACH,
            pr.PR_ACCESS,
            pr.PR_CREATION_TIME,
            pr.PR_LAST_MODIFICATION_TIME,
            pr.PR_DISPLAY_TO,
            pr.PR_DISPLAY_CC,
            pr.PR_DISPLAY_BCC,
            pr.PR_SUBJECT,
            pr.PR_SUBJECT_PREFIX,
            pr.PR_NORMALIZED_SUBJECT,
            pr.PR_TRANSPORT_MESSAGE_HEADERS,
            pr.PR_ATTACH_NUM,
        ),
    )
)
"""Ids that belong to the message in the store or to its header, never to what came inside."""


def calendar_of(part: Part, options: FromMimeOptions) -> MessageContent | None:
    """The meeting message that a text/calendar body is; None when it is none and stays an attachment."""
    if options.calendar_content is None or not known(part.encoding):
        return None
    charset = part.parameter(b"charset")
    # us-ascii is what old Exchange says of UTF-8
    text = decode(
        decoded(part.body_bytes, part.encoding), codec_of(charset) if charset else None, options.default_charset
    )
    # METHOD may be missing inside: the parameter is the only word of it then (RFC 6047 2.4).
    method = (part.parameter(b"method") or b"").decode("ascii", "replace")
    found = options.calendar_content(text.removeprefix("\ufeff").encode("utf-8"), method)
    if found is None or not str(found.get(pr.PR_MESSAGE_CLASS, "")).lower().startswith(_MEETING):
        return None
    return found


def tnef_of(part: Part, default: str) -> MessageContent | None:
    """The message inside winmail.dat; None when the part is no TNEF or cannot be read."""
    named = part.type == b"application" and part.subtype in _TNEF
    if not named and file_name(part, default).lower() != "winmail.dat":
        return None
    if not known(part.encoding):
        return None
    try:
        return from_tnef(decoded(part.body_bytes, part.encoding))
    except ParseError:
        return None


def merge_calendar(content: MessageContent, meeting: MessageContent) -> None:
    """Make a mail the meeting message that it brought; what the mail says itself stays.

    The calendar's own attachments are not added here.
    """
    for key, value in meeting.props.items():
        if key not in _BODY and not _is_kept(key):
            content.props.setdefault(key, value)
    content.props[pr.PR_MESSAGE_CLASS] = meeting.props[pr.PR_MESSAGE_CLASS]
    if not content.props.get(pr.PR_BODY) and pr.PR_HTML not in content.props:
        _take_body(content, meeting.props)
    if not content.props.get(pr.PR_SUBJECT):
        for tag in (pr.PR_SUBJECT, pr.PR_SUBJECT_PREFIX, pr.PR_NORMALIZED_SUBJECT):
            content.props[tag] = meeting.props.get(tag, "")


def merge_tnef(content: MessageContent, inner: MessageContent) -> None:
    """Make a mail the message that was inside its winmail.dat.

    What the mail's header says stays; class, named properties and body are the inner ones. The attachments
    are made ready, not yet added.
    """
    for key, value in inner.props.items():
        if key in _BODY or _is_kept(key):
            continue
        if key == pr.PR_MESSAGE_CLASS or isinstance(key, NamedTag) or prop_id(key) >= _FIRST_NAMED:
            content.props[key] = value
        else:
            content.props.setdefault(key, value)
    _take_body(content, _readable_body(inner.props))
    if not content.recipients:
        content.recipients = inner.recipients
    for attachment in inner.attachments:
        _make_ready(attachment)


def _make_ready(attachment: AttachmentContent) -> None:
    """Give an attachment from another format what every attachment has."""
    attachment.props.pop(pr.PR_ATTACH_NUM, None)
    attachment.props.setdefault(pr.PR_RENDERING_POSITION, NOT_POSITIONED)
    if attachment.embedded is not None:
        attachment.props[pr.PR_ATTACH_METHOD] = EMBEDDED
    else:
        attachment.data = b"" if attachment.data is None else attachment.data
        if attachment.props.get(pr.PR_ATTACH_METHOD) in (None, EMBEDDED):
            attachment.props[pr.PR_ATTACH_METHOD] = BY_VALUE


def _is_kept(key: object) -> bool:
    """Whether a property is never taken over: the store's own, and Kopano's 0x6700 to 0x67FF."""
    return isinstance(key, int) and (prop_id(key) in _NOT_TAKEN or 0x6700 <= prop_id(key) <= 0x67FF)


def _take_body(content: MessageContent, props: NamedProps) -> None:
    """Replace the body, if there is one to take."""
    found: NamedProps = {key: value for key, value in props.items() if key in _BODY}
    if not found.keys() & {pr.PR_BODY, pr.PR_HTML, pr.PR_RTF_COMPRESSED}:
        return
    plain = content.props.get(pr.PR_BODY)
    for key in _BODY:
        content.props.pop(key, None)
    content.props.update(found)
    if plain is not None:
        content.props.setdefault(pr.PR_BODY, plain)


def _readable_body(props: NamedProps) -> NamedProps:
    """A body in which RTF made from HTML or from text is that again, as the store keeps it."""
    compressed = props.get(pr.PR_RTF_COMPRESSED)
    if not isinstance(compressed, bytes) or pr.PR_HTML in props:
        return props
    try:
        origin = rtf.origin_of_compressed(compressed)
        if origin is rtf.Origin.RICH:
            return {**props, pr.PR_RTF_IN_SYNC: True}
        body = rtf.read(rtf.decompress(compressed))
    except ParseError:
        return props
    result = {
        key: value for key, value in props.items() if key not in (pr.PR_RTF_COMPRESSED, pr.PR_RTF_IN_SYNC)
    }
    if body.html is not None:
        result[pr.PR_HTML] = body.html.encode("utf-8", "replace")
        result[pr.PR_INTERNET_CPID] = 65001
    if body.text is not None:
        result.setdefault(pr.PR_BODY, body.text)
    return result

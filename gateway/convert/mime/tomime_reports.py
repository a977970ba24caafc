"""Reports as multipart/report: delivery status (RFC 3464) and read receipts (RFC 8098).

MS-OXCMAIL 2.1.3.6 and 2.1.3.7 say which properties they come from. A report's recipient rows are the
recipients it tells about, not those it was sent to.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from gateway.convert.mime.tomime_addresses import in_table_order, is_report
from gateway.convert.mime.tomime_fields import clean, msg_id, structured, unstructured
from gateway.convert.mime.tomime_options import ToMimeOptions
from gateway.convert.mime.tomime_parts import Boundaries, Part, content_type, multipart
from gateway.convert.mime.tomime_people import (
    PLACEHOLDER_DOMAIN,
    RECIPIENT,
    REPRESENTING,
    SENDER,
    Person,
    addr_spec,
    person,
)
from gateway.convert.mime.tomime_values import binary, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

#: What the end of the message class says: the action of RFC 3464 2.3.3 and a status for rows that have none.
_ACTIONS: Final = {
    "expanded.dr": ("expanded", "2.0.0"),
    "relayed.dr": ("relayed", "2.0.0"),
    "delayed.dr": ("delayed", "4.0.0"),
    "dr": ("delivered", "2.0.0"),
    "ndr": ("failed", "5.0.0"),
}
#: The disposition of RFC 8098 3.2.6 for reports that do not say it themselves.
_DISPOSITIONS: Final = {
    "ipnrn": "manual-action/MDN-sent-manually; displayed",
    "ipnnrn": "manual-action/MDN-sent-manually; deleted",
}
_TYPE: Final = re.compile(r"\A(?:[\w-]+ *; *)+")
_DISPOSITION: Final = re.compile(r"[a-z-]+/[a-z-]+\s*;\s*[a-z/-]+\Z", re.IGNORECASE)


def report_kind(content: MessageContent) -> str:
    """``"delivery-status"``, ``"disposition-notification"``, or nothing when the message is no report."""
    suffix = _suffix(content)
    if suffix in _ACTIONS:
        return "delivery-status"
    return "disposition-notification" if suffix in _DISPOSITIONS else ""


def _suffix(content: MessageContent) -> str:
    """The end of a REPORT class that says what is reported, in lower case."""
    if not is_report(content):
        return ""
    message_class = (text(content.props, pt.PR_MESSAGE_CLASS) or "").lower()
    endings = (*_ACTIONS, *_DISPOSITIONS)
    return next((ending for ending in endings if message_class.endswith(f".{ending}")), "")


def report(
    content: MessageContent, human: Part, returned: list[Part], options: ToMimeOptions, boundaries: Boundaries
) -> Part:
    """The multipart/report: a part for people, one for programs, then what was returned."""
    kind = report_kind(content)
    fields = _status(content, options) if kind == "delivery-status" else _notification(content, options)
    body = b"".join(fields)
    machine = Part(
        [content_type(f"message/{kind}"), structured("Content-Transfer-Encoding", ["7bit"])],
        [body],
        not body.isascii(),
    )
    if machine.eight_bit:
        machine.fields[1] = structured("Content-Transfer-Encoding", ["8bit"])
    return multipart("report", [human, machine, *returned], boundaries.next(), [f"report-type={kind}"])


def _status(content: MessageContent, options: ToMimeOptions) -> Iterator[bytes]:
    """The fields of message/delivery-status, a blank line between recipients (RFC 3464 2.1)."""
    agent = _untyped(text(content.props, pt.PR_REPORTING_MTA)) or PLACEHOLDER_DOMAIN
    yield unstructured("Reporting-MTA", f"dns; {agent}")
    for row in in_table_order(content.recipients):
        recipient = person(row, RECIPIENT, options.resolve)
        if recipient is not None:
            yield b"\r\n"
            yield from _recipient_status(row, recipient, _suffix(content))


def _recipient_status(row: NamedProps, recipient: Person, suffix: str) -> Iterator[bytes]:
    action, status = _ACTIONS[suffix]
    if recipient.name and recipient.name != recipient.address:
        yield unstructured("X-Display-Name", recipient.name)
    yield structured("Final-Recipient", ["rfc822;", addr_spec(recipient.address or "unknown")])
    yield structured("Action", [action])
    yield structured("Status", [_status_code(number(row, pt.PR_NDR_STATUS_CODE)) or status])
    agent = _untyped(text(row, pt.PR_DSN_REMOTE_MTA))
    if agent:
        yield unstructured("Remote-MTA", f"dns; {agent}")
    told = clean(text(row, pt.PR_SUPPLEMENTARY_INFO) or text(row, pt.PR_REPORT_TEXT) or "")
    if told:
        yield unstructured("Diagnostic-Code", f"smtp; {told}")
        yield unstructured("X-Supplementary-Info", told)


def _untyped(agent: str | None) -> str:
    """The name of a mail system; some writers store it with its type ("dns; mx.example")."""
    return _TYPE.sub("", clean(agent or "")).strip()


def _status_code(value: int) -> str:
    """PR_NDR_STATUS_CODE 511 is status 5.1.1."""
    return f"{value // 100}.{value // 10 % 10}.{value % 10}" if 200 <= value < 600 else ""


def _notification(content: MessageContent, options: ToMimeOptions) -> Iterator[bytes]:
    """The fields of message/disposition-notification (RFC 8098 3.1)."""
    props = content.props
    yield structured("Reporting-UA", [f"{PLACEHOLDER_DOMAIN};", "MAPI"])
    reader = clean(text(props, pt.PR_ORIGINAL_DISPLAY_TO) or "")
    if "@" not in reader:
        found = person(props, REPRESENTING, options.resolve) or person(props, SENDER, options.resolve)
        reader = found.address if found is not None else ""
    yield structured("Final-Recipient", ["rfc822;", addr_spec(reader or "unknown")])
    original = msg_id(text(props, pt.PR_ORIGINAL_MESSAGE_ID) or "")
    if original:
        yield structured("Original-Message-ID", [original])
    stated = clean(text(props, pt.PR_REPORT_TEXT) or "")
    disposition = stated if _DISPOSITION.match(stated) else _DISPOSITIONS[_suffix(content)]
    yield unstructured("Disposition", disposition)
    key = binary(props, pt.PR_PARENT_KEY)
    if key:
        yield structured("X-MSExch-Correlation-Key", re.findall(".{1,64}", b64encode(key).decode("ascii")))

"""The forms in which a rule sends a mail on (MS-OXORULE 2.2.5.1.1): as it came, anew, or attached. Pure.

Every form carries `LOOP` fields, of this mailbox and of those the mail passed before: a mail that comes back to a
mailbox that sent it on is not sent on again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from email.header import Header
from email.utils import format_datetime, formataddr
from hashlib import blake2b
from html import escape
from typing import Final

from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.lmtp.mail import Incoming
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import OneOff, one_off_entryid, search_key
from gateway.mapi.props import NamedProps
from gateway.mapi.rules import ActionType, Forward, ForwardFlavor
from gateway.mapi.times import to_datetime
from gateway.smtp.person import Person

LOOP: Final = "x-loop"
_MOST_SUBJECT: Final = 400
_REDIRECT: Final = ForwardFlavor.PRESERVE_SENDER | ForwardFlavor.DO_NOT_MUNGE
_SEALED: Final = (
    "multipart/signed",
    "multipart/encrypted",
    "application/pkcs7-mime",
    "application/x-pkcs7-mime",
)
#: What belongs to the mail that came and not to the one that goes.
_NOT_FORWARDED: Final = (
    pr.PR_TRANSPORT_MESSAGE_HEADERS,
    pr.PR_INTERNET_MESSAGE_ID,
    pr.PR_READ_RECEIPT_REQUESTED,
    pr.PR_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
    pr.PR_REPLY_RECIPIENT_ENTRIES,
    pr.PR_REPLY_RECIPIENT_NAMES,
    pr.PR_DISPLAY_CC,
    pr.PR_DISPLAY_BCC,
)


def came_back(mail: Incoming, person: Person) -> bool:
    """Whether this mailbox sent the mail on before."""
    passed = {text.strip("<> ").lower() for text in mail.fields.get(LOOP, ())}
    return bool(passed & person.addresses)


def is_redirect(action: Forward) -> bool:
    """Whether the mail goes on as it came: to delegates, and to whom a rule redirects."""
    return action.type == ActionType.DELEGATE or bool(
        action.flavor & _REDIRECT and not action.flavor & ForwardFlavor.AS_ATTACHMENT
    )


def redirected(mail: Incoming, data: bytes, person: Person, targets: Sequence[str], now: int) -> bytes:
    """The mail as it came, with a trace of who sent it on (RFC 5322 3.6.6); ``now`` is a FILETIME."""
    digest = blake2b(f"{mail.message_id} {now} {targets}".encode(), digest_size=12).hexdigest()
    trace = (
        f"X-Loop: {person.address}\r\nResent-From: <{person.address}>\r\n"
        f"Resent-To: {', '.join(f'<{target}>' for target in targets)}\r\n"
        f"Resent-Date: {format_datetime(to_datetime(now))}\r\nResent-Message-ID: <{digest}@{_domain(person)}>\r\n"
    )
    return trace.encode() + data


def forwarded(
    mail: Incoming,
    data: bytes,
    content: MessageContent,
    person: Person,
    targets: Sequence[str],
    *,
    flavor: int,
    now: int,
) -> bytes:
    """A new mail of the person: the text with who wrote it before, or, by flavor or nature, the mail attached.

    ``now`` is a FILETIME. What is signed, encrypted or no mail at all would be spoiled by another text.
    """
    if _is_plain(mail, content) and not flavor & ForwardFlavor.AS_ATTACHMENT:
        return _loops(mail, person).encode() + _anew(content, person, targets, now)
    return _loops(mail, person).encode() + _attached(content, data, person, targets, now)


def _is_plain(mail: Incoming, content: MessageContent) -> bool:
    """Whether another text may be written into it: neither signed nor encrypted, and no request or report."""
    if mail.field("content-type").lower().startswith(_SEALED):
        return False
    return str(content.props.get(pr.PR_MESSAGE_CLASS) or "IPM.Note").upper() == "IPM.NOTE"


def _loops(mail: Incoming, person: Person) -> str:
    known = dict.fromkeys(filter(None, map(one_line, mail.fields.get(LOOP, ()))))
    return "".join(f"X-Loop: {address}\r\n" for address in (*known, person.address) if address.isascii())


def _subject(content: MessageContent) -> str:
    return f"FW: {one_line(str(content.props.get(pr.PR_SUBJECT) or ''))}"[:_MOST_SUBJECT]


def _anew(content: MessageContent, person: Person, targets: Sequence[str], now: int) -> bytes:
    """The message under the person's name, its text below what its header said."""
    props: NamedProps = {tag: value for tag, value in content.props.items() if tag not in _NOT_FORWARDED}
    props |= sender_props(person)
    props |= {pr.PR_SUBJECT: _subject(content), pr.PR_CLIENT_SUBMIT_TIME: now, pr.PR_AUTO_FORWARDED: True}
    about = list(_said(content))
    props.pop(pr.PR_SUBJECT_PREFIX, None)
    props.pop(pr.PR_NORMALIZED_SUBJECT, None)
    body, html = props.get(pr.PR_BODY), props.get(pr.PR_HTML)
    if isinstance(body, str) or html is None:
        props[pr.PR_BODY] = "\r\n".join(("----- Original message -----", *about, "", str(body or "")))
    if isinstance(html, bytes):
        props[pr.PR_HTML] = _with_block(html, about)
    message = replace(content, props=props, recipients=[recipient_row(target) for target in targets])
    mail = to_mime(message, ToMimeOptions(identity=_identity(content, now), own=True, domain=_domain(person)))
    return b"Auto-Submitted: auto-generated\r\n" + mail.bytes()


def _said(content: MessageContent) -> Iterable[str]:
    """What the header of the mail said, for people."""
    props = content.props
    sent = props.get(pr.PR_CLIENT_SUBMIT_TIME)
    name, address = props.get(pr.PR_SENT_REPRESENTING_NAME), props.get(pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS)
    lines = {
        "From": f"{name or ''} <{address}>" if address else name,
        "Date": format_datetime(to_datetime(sent)) if sent else "",
        "To": props.get(pr.PR_DISPLAY_TO),
        "Cc": props.get(pr.PR_DISPLAY_CC),
        "Subject": props.get(pr.PR_SUBJECT),
    }
    return (f"{name}: {one_line(str(value))}" for name, value in lines.items() if value)


def _with_block(html: bytes, lines: Iterable[str]) -> bytes:
    """The document with some lines at its beginning, whatever its charset."""
    text = "<br>".join(escape(line) for line in lines)
    block = f"<p>----- Original message -----<br>{text}</p>".encode("ascii", "xmlcharrefreplace")
    lowered = html.lower()
    begin = lowered.find(b"<body")
    place = html.find(b">", begin) + 1 if begin >= 0 else 0
    return html[:place] + block + html[place:]


def _attached(content: MessageContent, data: bytes, person: Person, targets: Sequence[str], now: int) -> bytes:
    """A mail with another attached, untouched (RFC 2046 5.2.1)."""
    digest = blake2b(_identity(content, now) + data[:65536], digest_size=12).hexdigest()
    boundary, subject = f"=_forward_{digest}", _subject(content)
    encoded = subject if subject.isascii() else Header(subject, "utf-8", maxlinelen=70).encode(linesep="\r\n")
    eight_bit = "" if data.isascii() else "Content-Transfer-Encoding: 8bit\r\n"
    head = (
        f"From: {formataddr((one_line(person.name), person.address))}\r\n"
        f"To: {', '.join(f'<{target}>' for target in targets)}\r\nSubject: {encoded}\r\n"
        f"Date: {format_datetime(to_datetime(now))}\r\nMessage-ID: <{digest}@{_domain(person)}>\r\n"
        f"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n{eight_bit}"
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: message/rfc822\r\n{eight_bit}Content-Disposition: attachment\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode()


def _identity(content: MessageContent, now: int) -> bytes:
    known = content.props.get(pr.PR_INTERNET_MESSAGE_ID) or ""
    return blake2b(f"{known} {now}".encode(), digest_size=16).digest()


def _domain(person: Person) -> str:
    return person.address.rpartition("@")[2]


def one_line(text: str) -> str:
    """The text without line ends and repeated spaces."""
    return " ".join(text.split())


def sender_props(person: Person, *, author: bool = True) -> NamedProps:
    """From whom a message is, when a person sends it: as his own, or somebody else's when he is not its author."""
    entryid = person.props.get(pr.PR_ENTRYID) or one_off_entryid(OneOff(person.name, "SMTP", person.address))
    props: NamedProps = {}
    for prefix in ("PR_SENDER", "PR_SENT_REPRESENTING") if author else ("PR_SENDER",):
        props |= {
            getattr(pr, f"{prefix}_NAME"): person.name,
            getattr(pr, f"{prefix}_ADDRTYPE"): "SMTP",
            getattr(pr, f"{prefix}_EMAIL_ADDRESS"): person.address,
            getattr(pr, f"{prefix}_SMTP_ADDRESS"): person.address,
            getattr(pr, f"{prefix}_ENTRYID"): entryid,
            getattr(pr, f"{prefix}_SEARCH_KEY"): search_key("SMTP", person.address),
        }
    return props


def recipient_row(address: str) -> NamedProps:
    """A recipient of whom only the address is known."""
    return {
        pr.PR_RECIPIENT_TYPE: 1,
        pr.PR_DISPLAY_NAME: address,
        pr.PR_ADDRTYPE: "SMTP",
        pr.PR_EMAIL_ADDRESS: address,
        pr.PR_SMTP_ADDRESS: address,
        pr.PR_ENTRYID: one_off_entryid(OneOff(address, "SMTP", address)),
        pr.PR_SEARCH_KEY: search_key("SMTP", address),
    }

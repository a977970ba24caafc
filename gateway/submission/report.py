"""The report that a mail was not delivered, or not yet (RFC 3464), as a mail for the sender's Inbox."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum
from typing import Final

from gateway.mapi.times import to_datetime
from gateway.smtp.codec.replies import Reply

_MOST_HEADER: Final = 64 * 1024


class Fate(Enum):
    """What a report tells: the action of RFC 3464 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"


_WORDS: Final = {
    Fate.FAILED: (
        "Undelivered mail returned to sender",
        "Your mail could not be delivered to these recipients:",
        "It will not be tried again. Check the addresses, and send it anew if need be.",
    ),
    Fate.DELAYED: (
        "Delayed mail (still being tried)",
        "Your mail has not been delivered to these recipients yet:",
        "It is still being tried. You need not send it again.",
    ),
}


def delivery_report(
    mail: bytes,
    sender: str,
    replies: Mapping[str, Reply],
    fate: Fate,
    *,
    hostname: str,
    now: int,
    until: int = 0,
) -> bytes:
    """A multipart/report about some recipients, with the header of the mail.

    ``now`` and ``until``, when the last try is, are FILETIMEs.
    """
    boundary = f"=_report_{now:x}"
    subject, begin, end = _WORDS[fate]
    lines = [
        f"  {address}\r\n    {reply.code} {reply.status} {reply.text}" for address, reply in replies.items()
    ]
    text = f"{begin}\r\n\r\n" + "\r\n".join(lines) + f"\r\n\r\n{end}\r\n"
    head = EmailMessage(policy=SMTP)
    head["From"] = f"Mail Delivery System <MAILER-DAEMON@{hostname}>"
    head["To"] = sender or f"postmaster@{hostname}"
    head["Subject"] = subject
    head["Date"] = format_datetime(to_datetime(now))
    head["Auto-Submitted"] = "auto-replied"
    head["MIME-Version"] = "1.0"
    parts = (
        ("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", text.encode()),
        ("message/delivery-status", _statuses(replies, fate, hostname, until).encode("utf-8", "replace")),
        ("text/rfc822-headers", mail.partition(b"\r\n\r\n")[0][:_MOST_HEADER] + b"\r\n"),
    )
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + data + b"\r\n" for kind, data in parts
    )
    content_type = f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n\r\n'
    return (
        head.as_bytes().rstrip(b"\r\n")
        + b"\r\n"
        + content_type.encode()
        + body
        + f"--{boundary}--\r\n".encode()
    )


def _statuses(replies: Mapping[str, Reply], fate: Fate, hostname: str, until: int) -> str:
    """The report for programs (RFC 3464)."""
    status = f"Reporting-MTA: dns; {hostname}\r\n"
    for address, reply in replies.items():
        kind = "rfc822" if address.isascii() else "utf-8"
        status += (
            f"\r\nFinal-Recipient: {kind}; {address}\r\nAction: {fate.value}\r\nStatus: {_status(reply, fate)}\r\n"
            f"Diagnostic-Code: smtp; {reply.code} {reply.text}\r\n"
        )
        if until:
            status += f"Will-Retry-Until: {format_datetime(to_datetime(until))}\r\n"
    return status


def _status(reply: Reply, fate: Fate) -> str:
    """The status in the class of the report: what was tried too long has failed as well."""
    return f"{5 if fate is Fate.FAILED else 4}{reply.status[1:] or '.0.0'}"

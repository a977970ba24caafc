"""The report that a mail was not delivered (RFC 3464), as a mail for the sender's Inbox."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from gateway.mapi.times import to_datetime
from gateway.smtp.codec.replies import Reply

_MOST_HEADER: Final = 64 * 1024


def non_delivery_report(
    mail: bytes, sender: str, failed: Mapping[str, Reply], *, hostname: str, now: int
) -> bytes:
    """A multipart/report about the recipients that failed, with the header of the mail. ``now`` is a FILETIME."""
    boundary = f"=_report_{now:x}"
    lines = [
        f"  {address}\r\n    {reply.code} {reply.status} {reply.text}" for address, reply in failed.items()
    ]
    text = (
        "Your mail could not be delivered to these recipients:\r\n\r\n"
        + "\r\n".join(lines)
        + "\r\n\r\nIt will not be tried again. Check the addresses, and send it anew if need be.\r\n"
    )
    status = f"Reporting-MTA: dns; {hostname}\r\n"
    for address, reply in failed.items():
        status += (
            f"\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {_permanent(reply)}\r\n"
            f"Diagnostic-Code: smtp; {reply.code} {reply.text}\r\n"
        )
    head = EmailMessage(policy=SMTP)
    head["From"] = f"Mail Delivery System <MAILER-DAEMON@{hostname}>"
    head["To"] = sender or f"postmaster@{hostname}"
    head["Subject"] = "Undelivered mail returned to sender"
    head["Date"] = format_datetime(to_datetime(now))
    head["Auto-Submitted"] = "auto-replied"
    head["MIME-Version"] = "1.0"
    parts = (
        ("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", text.encode()),
        ("message/delivery-status", status.encode("utf-8", "replace")),
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


def _permanent(reply: Reply) -> str:
    """The status as a failure: what was tried too long is one as well."""
    return f"5{reply.status[1:]}" if reply.status else "5.0.0"

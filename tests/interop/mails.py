"""Mails as people send them, always the same ones, for clients to carry back and forth."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

_START = datetime(2024, 2, 1, 8, 0, tzinfo=UTC)
_WORDS = [
    "offer",
    "meeting",
    "Größe",
    "report",
    "会議",
    "invoice",
    "naïve",
    "plan",
    "¿cuándo?",
    "draft",
    "Ωmega",
    "lunch",
]


def mail(number: int, seed: int = 7) -> bytes:
    """One mail: plain, HTML beside it, or with attachments, in several encodings."""
    random_ = random.Random(f"{seed} {number}")
    message = EmailMessage(policy=SMTP)
    message["From"] = "Anna Müller <anna@example.com>"
    message["To"] = "Bob <bob@example.org>, carol@example.net"
    message["Subject"] = f"{number}: " + " ".join(random_.choices(_WORDS, k=random_.randint(1, 12)))
    message["Date"] = format_datetime(_START + timedelta(hours=number))
    message["Message-ID"] = f"<{number}.{seed}@example.com>"
    message.set_content(_text(random_), cte=random_.choice(["8bit", "quoted-printable", "base64"]))
    if number % 3 == 0:
        message.add_alternative(f"<p>{_text(random_)}</p>", subtype="html")
    if number % 5 == 0:
        content = random_.randbytes(random_.randint(1, 30_000))
        message.add_attachment(content, "application", "octet-stream", filename=f"Anhang {number} ü.bin")
    for index, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"={number}-{index}=")
    return message.as_bytes()


def _text(random_: random.Random) -> str:
    """Some lines, a few of which begin with dots."""
    return "".join(
        random_.choice(["", ".", "..", "> ", "From "])
        + " ".join(random_.choices(_WORDS, k=random_.randint(0, 12)))
        + "\n"
        for _ in range(random_.randint(1, 20))
    )

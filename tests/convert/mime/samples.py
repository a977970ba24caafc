"""Messages that several tests look at."""

S1 = (
    b"From: a@x.example\r\nTo: b@x.example\r\nSubject: t\r\nDate: Tue, 14 Jul 2026 10:00:00 +0200\r\n"
    b'Message-ID: <1@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b1"\r\n\r\n'
    b"pre\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"caf=C3=A9\r\nx\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\nSubject: in\r\n\r\n"
    b"hi\r\n\r\n--b1--\r\nepi\r\n"
)
"""385 octets: text and a message in multipart/mixed."""


def lines(*rows: str | bytes) -> bytes:
    """A message from its lines, each ended by CRLF."""
    return b"".join((row.encode() if isinstance(row, str) else row) + b"\r\n" for row in rows)

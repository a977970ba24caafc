"""Mails of many shapes that break no rule: the same ones at every run."""

from __future__ import annotations

from base64 import encodebytes
from email.header import Header
from quopri import encodestring
from random import Random

_WORDS = [
    "alpha",
    "Bravo",
    "charlie",
    "délta",
    "Ünïcode",
    "日本語",
    "meeting",
    "Re:",
    "Fwd:",
    "[list]",
    "report",
]
_FROM = [
    "Ann <ann@example.org>",
    '"Doe, John" <john@example.com>',
    "=?utf-8?q?J=C3=B6rg?= <jo@x.org>",
    "bob@x.org (Bob B)",
]
_TO = ["a@x.org", "A <a@x.org>, B <b@y.org>", "Group: m@x.org, n@y.org;", "=?iso-8859-1?q?K=E4the?= <k@x.de>"]
_DATES = ["Mon, 13 Jul 2026 10:00:00 +0200", "Tue, 14 Jul 2026 23:30:00 -0800", "1 Jan 2020 00:00:00 +0000"]
_ATTACHED = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

preamble
--b
Content-Type: text/plain; charset=us-ascii

%s
--b
Content-Type: application/pdf; name*0="a long "; name*1=name.pdf
Content-Disposition: attachment; filename="x.pdf"; size=3
Content-ID: <c1@x>
Content-Description: a file
Content-Language: en, de
Content-Transfer-Encoding: base64

AAAA

--b--
epilogue
"""
_NESTED = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=q

--q
Content-Type: multipart/alternative; boundary=r

--r
Content-Type: text/plain; charset=us-ascii

%s

--r
Content-Type: text/html; charset=us-ascii
Content-Location: http://x/

<p>markup</p>

--r--

--q
Content-Type: message/rfc822

From: Zoe <zoe@x.org>
To: carl@x.org
Subject: inside
Date: Mon, 13 Jul 2026 10:00:00 +0200
Message-ID: <inside@x>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

forwarded text

--q--
"""


def mails(count: int, seed: int = 7) -> list[bytes]:
    """So many mails."""
    dice = Random(seed)
    return [_mail(dice, number) for number in range(count)]


def _mail(dice: Random, number: int) -> bytes:
    text = " ".join(dice.choices(_WORDS, k=dice.randint(1, 30)))
    plain = text.encode("ascii", "ignore").decode()
    body = dice.choice(
        [
            f"\n{plain}\n".encode(),
            f"{_typed('plain', 'utf-8', '8bit')}{text}\n".encode(),
            _typed("plain", "utf-8", "base64").encode() + encodebytes(text.encode()),
            _typed("html", "iso-8859-1", "quoted-printable").encode()
            + encodestring(f"<p>{text}</p>\n".encode("latin-1", "ignore")),
            (_ATTACHED % plain).encode(),
            (_NESTED % plain).encode(),
        ]
    )
    return (_header(dice, number).encode() + body).replace(b"\n", b"\r\n")


def _typed(subtype: str, charset: str, encoding: str) -> str:
    content = f"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n"
    return f"MIME-Version: 1.0\n{content}\n"


def _header(dice: Random, number: int) -> str:
    subject = " ".join(dice.choices(_WORDS, k=dice.randint(0, 4)))
    written = subject if subject.isascii() else Header(subject, "utf-8").encode()
    lines = [
        f"From: {dice.choice(_FROM)}",
        f"To: {dice.choice(_TO)}",
        f"Subject: {dice.choice(['', 'Re: ', 'Fwd: ', 'RE: re: '])}{written}",
        f"Date: {dice.choice(_DATES)}",
        f"Message-ID: <{number}@x>",
    ]
    more = {"Cc": "Carl <carl@y.org>, d@z.org", "Reply-To": "r@x.org", "X-Thing": f"value {number}"}
    lines += [f"{name}: {value}" for name, value in more.items() if dice.random() < 0.3]
    if number and dice.random() < 0.5:
        above = [f"<{dice.randrange(number)}@x>" for _ in range(dice.randint(1, 3))]
        lines += [f"References: {' '.join(above)}", f"In-Reply-To: {above[-1]}"]
    return "\n".join(lines) + "\n"

"""What mail that comes in costs: structure, ENVELOPE, BODYSTRUCTURE, properties, search text.

Prints process CPU time; needs nothing but the package.
"""

from __future__ import annotations

import sys
import time
from base64 import encodebytes
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.convert.mime import (
    body_text,
    bodystructure,
    envelope,
    from_mime,
    header_text,
    original_properties,
    preview,
    scan,
)

HEADER = (
    b"Received: from mx.example by store.example with LMTP id 1; Tue, 14 Jul 2026 10:00:02 +0200\r\n"
    b"Received: from a.example ([192.0.2.1])\r\n\tby mx.example with ESMTPS; Tue, 14 Jul 2026 10:00:01 +0200\r\n"
    b'Return-Path: <a@x.example>\r\nFrom: "Doe, John" <john.doe@x.example>\r\n'
    b"To: Bob <bob@y.example>, =?utf-8?Q?J=C3=BCrgen?= <j@y.example>, c@y.example\r\nCc: Team <team@y.example>\r\n"
    b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from here\r\nDate: Tue, 14 Jul 2026 10:00:00 +0200\r\n"
    b"Message-ID: <abcdef.123456@x.example>\r\nIn-Reply-To: <abcdef.123455@y.example>\r\n"
    b"References: <abcdef.123455@y.example>\r\n <abcdef.123454@y.example>\r\nMIME-Version: 1.0\r\n"
)
LINE = "Hello there, this is a line of text in a mäil.\r\n".encode()
PARAGRAPH = (
    '<div class="x"><p style="margin:0">Grüße, some words in a <b>paragraph</b> with a '
    '<a href="https://x.example/page?id=1&amp;b=2">link</a> &amp; more text to read.</p></div>\r\n'
).encode()


def multipart(subtype: bytes, *parts: bytes) -> bytes:
    """A multipart with a boundary of the usual length."""
    boundary = b"------------0123456789abcdef" + subtype
    head = b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n\r\n' % (subtype, boundary)
    return head + b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary


def part(kind: bytes, data: bytes, encoding: bytes = b"8bit", more: bytes = b"") -> bytes:
    """One part."""
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n%b\r\n%b" % (kind, encoding, more, data)


def attached(size: int) -> bytes:
    """A PDF of random-looking octets."""
    data = encodebytes(bytes(range(256)) * (size // 256)).replace(b"\n", b"\r\n")
    return part(
        b"application/pdf; name=x.pdf", data, b"base64", b"Content-Disposition: attachment; filename=x.pdf\r\n"
    )


PLAIN, RICH = b"text/plain; charset=utf-8", b"text/html; charset=utf-8"
HTML = b"<html><head><title>t</title></head><body>" + PARAGRAPH * 110 + b"</body></html>"
SMALL = HEADER + multipart(b"alternative", part(PLAIN, LINE * 8), part(RICH, b"<p>%b</p>" % (LINE * 8)))
TYPICAL = HEADER + multipart(
    b"mixed", multipart(b"alternative", part(PLAIN, LINE * 60), part(RICH, HTML)), attached(30_000)
)
ONLY_HTML = HEADER + multipart(b"mixed", part(RICH, HTML), attached(30_000))
LARGE = HEADER + multipart(b"mixed", part(PLAIN, LINE * 60), attached(7_600_000))
MANY = HEADER.replace(
    b"To: ", b"To: " + b"".join(b"Some Body %d <some.body.%d@x.example>,\r\n " % (n, n) for n in range(10_000))
)


def cost(name: str, run: Callable[[], object], times: int) -> None:
    """Print the least CPU time of a run."""
    run()
    best = min(timed(run, times) for _ in range(5))
    unit, factor = ("us", 1e6) if best < 1e-3 else ("ms", 1e3)
    print(f"{name:58} {best * factor:9.1f} {unit}")


def timed(run: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - began) / times


def for_imap(data: bytes) -> tuple[bytes, bytes]:
    """What FETCH (ENVELOPE BODYSTRUCTURE) needs of a mail that nobody has looked at."""
    message = scan(data)
    return envelope(message), bodystructure(message)


def main() -> None:
    print(f"small {len(SMALL)} octets, typical {len(TYPICAL)}, large {len(LARGE)}")
    cost("scan, small mail", lambda: scan(SMALL), 2000)
    cost("scan + ENVELOPE + BODYSTRUCTURE, small mail", lambda: for_imap(SMALL), 1000)
    cost("scan, 10 MB mail", lambda: scan(LARGE), 20)
    cost("scan + ENVELOPE + BODYSTRUCTURE, 10 MB mail", lambda: for_imap(LARGE), 20)
    cost("scan + ENVELOPE + BODYSTRUCTURE, 10,000 recipients", lambda: for_imap(MANY), 1)
    cost("from_mime, small mail", lambda: from_mime(SMALL), 500)
    cost("from_mime, 20 kB HTML and text, attachment", lambda: from_mime(TYPICAL), 100)
    cost("from_mime, 20 kB HTML without text, attachment", lambda: from_mime(ONLY_HTML), 50)
    cost("from_mime, 10 MB mail", lambda: from_mime(LARGE), 2)
    cost("from_mime, 10,000 recipients", lambda: from_mime(MANY), 1)
    cost("original_properties, typical mail", lambda: original_properties(TYPICAL), 500)
    cost("preview, typical mail", lambda: preview(scan(TYPICAL)), 200)
    cost("search text, typical mail", lambda: [*header_text(scan(TYPICAL)), *body_text(scan(TYPICAL))], 50)


if __name__ == "__main__":
    main()

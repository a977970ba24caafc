"""What mail written from properties costs: to_mime of a typical mail, base64 streaming, RTF, TNEF, HTML to text.

Prints process CPU time; needs nothing but the package.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.convert import rtf
from gateway.convert.html import to_text
from gateway.convert.mime.tomime import to_mime
from gateway.convert.tnef import from_tnef
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.props import NamedProps

PARAGRAPH = (
    '<div class="x"><p style="margin:0">Grüße, some words in a <b>paragraph</b> with a '
    '<a href="https://x.example/page?id=1&amp;b=2">link</a> &amp; more text to read.</p></div>\r\n'
)
HTML = "<html><head><meta charset=utf-8><title>t</title></head><body>" + PARAGRAPH * 115 + "</body></html>"


def person(prefix: str, name: str, address: str) -> NamedProps:
    """The address properties of a sender."""
    return {
        getattr(pt, f"PR_{prefix}_NAME"): name,
        getattr(pt, f"PR_{prefix}_ADDRTYPE"): "SMTP",
        getattr(pt, f"PR_{prefix}_EMAIL_ADDRESS"): address,
    }


def typical(with_text: bool = True, data: bytes | Blob = bytes(range(256)) * 120) -> MessageContent:
    """A 20 kB HTML mail with five recipients and one attachment (30 kB)."""
    props: NamedProps = {
        **person("SENDER", "Jörg Müller", "joerg@x.example"),
        **person("SENT_REPRESENTING", "Jörg Müller", "joerg@x.example"),
        pt.PR_MESSAGE_CLASS: "IPM.Note",
        pt.PR_SUBJECT: "Re: Besprechung nächste Woche, Raum ist noch offen",
        pt.PR_HTML: HTML.encode(),
        pt.PR_INTERNET_CPID: 65001,
        pt.PR_CLIENT_SUBMIT_TIME: 0x01DD1366C4C7C000,
        pt.PR_INTERNET_MESSAGE_ID: "<0123456789abcdef@x.example>",
        pt.PR_INTERNET_REFERENCES: " ".join(f"<{i:032x}@x.example>" for i in range(6)),
        pt.PR_SEARCH_KEY: b"0123456789abcdef",
    }
    if with_text:
        props[pt.PR_BODY] = to_text(HTML)
    rows: list[NamedProps] = [
        {
            pt.PR_RECIPIENT_TYPE: 1 + number % 2,
            pt.PR_DISPLAY_NAME: f"Person {number}",
            pt.PR_SMTP_ADDRESS: f"p{number}@x.example",
            pt.PR_ROWID: number,
        }
        for number in range(5)
    ]
    attachment = AttachmentContent(
        {pt.PR_ATTACH_METHOD: 1, pt.PR_ATTACH_LONG_FILENAME: "Übersicht.pdf", pt.PR_ATTACH_NUM: 0}, data
    )
    return MessageContent(props, rows, [attachment])


def big_blob(size: int) -> Blob:
    """A blob that is made while it is read."""

    def chunks() -> Iterator[bytes]:
        for _ in range(size >> 20):
            yield bytes(1 << 20)

    return Blob(size, chunks)


def measure(label: str, work: Callable[[], object], repeat: int) -> None:
    """Print the best of three runs, in microseconds per call."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(repeat):
            work()
        best = min(best, (time.process_time() - started) / repeat)
    print(f"{label:58} {best * 1e6:10.0f} us")


def encapsulated(size: int) -> bytes:
    """RTF of about so many octets that carries HTML."""
    piece = rb"{\*\htmltag64 <p>}\htmlrtf \par \htmlrtf0 caf\'e9 some text \u8364?{\*\htmltag72 </p>}" + b"\r\n"
    return rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 A;}}" + piece * (size // len(piece)) + b"}"


def genuine(size: int) -> bytes:
    """RTF of about so many octets as Outlook writes it."""
    head = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Calibri;}{\f3\fcharset2 Symbol;}}{\colortbl;\red0\green0\blue255;}"
    piece = (
        rb"\pard\sa200\f0\fs22 Some words, {\b bold}, {\cf1\ul coloured} and caf\'e9 in a paragraph of text.\par"
        rb"{\pntext\f3\'B7\tab}an item of a list\par\trowd\cellx2000\cellx4000\pard\intbl a\cell b\cell\row"
        b"\r\n"
    )
    return head + piece * (size // len(piece)) + b"}"


def tnef_stream() -> bytes:
    """A stream with 200 properties and an attachment of 100 kB."""
    props = struct.pack("<I", 200) + b"".join(
        struct.pack("<IIII", 0x0037001F + (number << 16), 1, 20, 0x610062) + "bcdefgh\0".encode("utf-16-le")
        for number in range(200)
    )
    data = bytes(100_000)
    parts = [(1, 0x00069003, props), (2, 0x00069002, bytes(14)), (2, 0x0006800F, data)]
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(
        struct.pack("<BII", level, number, len(body)) + body + bytes(2) for level, number, body in parts
    )


def main() -> None:
    """Print the figures."""
    content, textless = typical(), typical(with_text=False)
    plain = MessageContent({pt.PR_BODY: "hello\r\n" * 30, pt.PR_SUBJECT: "hello"})
    print(f"typical mail: {to_mime(content).size} octets")
    measure("to_mime, 20 kB HTML + attachment, size and bytes", lambda: to_mime(content).bytes(), 100)
    measure("  the same, size only", lambda: to_mime(content).size, 100)
    measure("  the same, text made from the HTML", lambda: to_mime(textless).bytes(), 50)
    measure("to_mime, plain note", lambda: to_mime(plain).bytes(), 500)
    blob = typical(data=big_blob(50 << 20))
    measure("to_mime, 50 MB attachment, size only", lambda: to_mime(blob).size, 50)
    measure("to_mime, 50 MB attachment, streamed", lambda: sum(map(len, to_mime(blob).chunks())), 1)
    measure("HTML to text, 20 kB", lambda: to_text(HTML), 20)
    document = encapsulated(100_000)
    packed = rtf.compress(document)
    measure("RTF 100 kB: decompress", lambda: rtf.decompress(packed), 20)
    measure("RTF 100 kB: compress", lambda: rtf.compress(document), 3)
    measure("RTF 100 kB: HTML out of it", lambda: rtf.read(document), 5)
    rich = genuine(100_000)
    measure("genuine RTF 100 kB as HTML", lambda: rtf.read(rich), 5)
    winmail = tnef_stream()
    measure("TNEF, 200 properties + 100 kB", lambda: from_tnef(winmail), 50)


if __name__ == "__main__":
    main()

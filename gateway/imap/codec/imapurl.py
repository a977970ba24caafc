"""IMAP URLs as CATENATE takes them: a message, or a part of one, of this very server (RFC 5092, RFC 4469 section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from gateway.imap.codec.cursor import Cursor
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.fetchitems import Section
from gateway.imap.codec.mailboxname import decode_name
from gateway.imap.codec.parse_fetch import section_of_text

_URL: Final = re.compile(
    r"(?:/(?P<mailbox>[^;?]+?))?(?:;UIDVALIDITY=(?P<validity>\d{1,10}))?/?;UID=(?P<uid>\d{1,10})"
    r"(?:/;SECTION=(?P<section>[^;]+?))?(?:/;PARTIAL=(?P<offset>\d{1,19})(?:\.(?P<length>\d{1,19}))?)?",
    re.I,
)


#: Characters that stay as they are in a response code.
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F))).replace("]", "")


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message of a mailbox (None: the selected one), and which octets of it."""

    mailbox: str | None
    uid_validity: int | None
    uid: int
    section: Section


def bad_url(text: str) -> str:
    """``BADURL url``: what cannot stand in a response code is escaped (RFC 4469 section 5, ``url-resp-text``)."""
    return f"BADURL {quote(text, safe=_PRINTABLE)}"


def parse_url(text: str) -> MessageUrl:
    """What an absolute-path or relative IMAP URL means. Raises ParseError."""
    found = _URL.fullmatch(text)
    if found is None:
        raise ParseError("not the URL of a message here", code=bad_url(text), no=True)
    mailbox = found["mailbox"]
    partial = None
    if found["offset"] is not None:
        partial = (int(found["offset"]), int(found["length"] or (1 << 62)))
    section = section_of_text(Cursor((unquote(found["section"] or "").encode(),)), partial)
    return MessageUrl(
        None if mailbox is None else decode_name(unquote(mailbox).encode(), utf8=True),
        None if found["validity"] is None else int(found["validity"]),
        int(found["uid"]),
        section,
    )

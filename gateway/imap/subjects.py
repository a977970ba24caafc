"""Base subjects: what a subject says without its "Re:" and "[list]" (RFC 5256 2.1)."""

from __future__ import annotations

import re
from typing import Final

from gateway.imap.collation import casemap

_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_TRAILER: Final = re.compile(r"(?:[ \t]|\(fwd\))+\Z", re.I)
_BLOB: Final = r"\[[^\[\]]*\][ \t]*"
_LEADER: Final = re.compile(rf"[ \t]+|(?:{_BLOB})*(?:re|fwd?)[ \t]*(?:{_BLOB})?:", re.I)
_LEADING_BLOB: Final = re.compile(_BLOB)
_FORWARD: Final = re.compile(r"\[fwd:(.*)\]\Z", re.I | re.S)
#: Longer subjects are cut: nobody tells them apart, and somebody may send a megabyte.
_MOST: Final = 2000


def base_subject(subject: str) -> tuple[str, bool]:
    """The base subject as it is compared, and whether the subject was that of a reply or forward."""
    text = _BLANKS.sub(" ", subject[:_MOST])
    reply = False
    while True:
        text, cut = _without_trailer(text)
        reply = reply or cut
        text, cut = _without_leaders(text)
        reply = reply or cut
        forwarded = _FORWARD.match(text)
        if forwarded is None:
            return casemap(text), reply
        text, reply = forwarded[1], True


def _without_trailer(text: str) -> tuple[str, bool]:
    found = _TRAILER.search(text)
    if found is None:
        return text, False
    return text[: found.start()], "(" in found[0]


def _without_leaders(text: str) -> tuple[str, bool]:
    """Drop "Re:" and blobs in front as long as something is left (steps 3 to 5)."""
    reply = False
    while True:
        leader = _LEADER.match(text)
        if leader is not None:
            reply = reply or ":" in leader[0]
            text = text[leader.end() :]
            continue
        blob = _LEADING_BLOB.match(text)
        if blob is None or blob.end() == len(text):
            return text, reply
        text = text[blob.end() :]

r"""Flags and keywords: how the state of a mail is spread over MAPI properties, and back.

System flags are bits. ``$Forwarded`` shares a property with ``\Answered`` (PR_LAST_VERB_EXECUTED) and is a bit
too. Other keywords that begin with ``$`` and the junk marks of Thunderbird live in a multi-valued property of
our own; every other keyword is a category (PS_PUBLIC_STRINGS ``Keywords``), so that Outlook and webmail
show it. Sources: RFC 9051 2.3.2, the registry of IMAP keywords, MS-OXOFLAG, MS-OXOMSG.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.propnames import KEYWORDS, PS_PUBLIC_STRINGS
from gateway.mapi.props import PT_MV_UNICODE, NamedProps, NamedTag, PropKey, PropName, Value


class Flag(IntFlag):
    """The flags of a mail that are bits in a View."""

    NONE = 0
    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16
    FORWARDED = 32
    UNSENT = 64
    """With DRAFT: only what sends the mail takes it away (MS-OXCMSG 2.2.1.6), nobody can say it is no draft."""


#: How IMAP writes each bit.
FLAG_NAMES: Final = {
    Flag.SEEN: "\\Seen",
    Flag.ANSWERED: "\\Answered",
    Flag.FLAGGED: "\\Flagged",
    Flag.DELETED: "\\Deleted",
    Flag.DRAFT: "\\Draft",
    Flag.FORWARDED: "$Forwarded",
}
FLAGS_BY_NAME: Final = {name.lower(): flag for flag, name in FLAG_NAMES.items()}

#: Keywords that are no categories, in a property of their own.
MARKS: Final = NamedTag(PropName(PS_PUBLIC_STRINGS, "imap-keywords"), PT_MV_UNICODE)

MSGFLAG_READ: Final = 0x1
MSGFLAG_UNSENT: Final = 0x8
MSGSTATUS_DELMARKED: Final = 0x8
MSGSTATUS_ANSWERED: Final = 0x10000
MSGSTATUS_DRAFT: Final = 0x20000
VERB_REPLY: Final = 102
VERB_REPLY_ALL: Final = 103
VERB_FORWARD: Final = 104
FLAG_FOLLOWUP: Final = 2
ICON_RED: Final = 6
ICON_REPLIED: Final = 261
ICON_FORWARDED: Final = 262

#: The tags a contents table must give for `read_flags`; KEYWORDS and MARKS come on top, by name.
FLAG_TAGS: Final = (
    pr.PR_MESSAGE_FLAGS,
    pr.PR_MSG_STATUS,
    pr.PR_FLAG_STATUS,
    pr.PR_LAST_VERB_EXECUTED,
)

_CASELESS_MARKS: Final = frozenset({"junk", "nonjunk", "notjunk"})
_ATOM_UNSAFE: Final = re.compile(r"[^!#$&'+,\-./0-9:;<>?@A-Z^`a-z|~]")
_ESCAPE: Final = re.compile(r"((?:=[0-9A-F]{2})+)|_")


def read_flags(message_flags: int, status: int, flag_status: int, verb: int | None) -> Flag:
    """The bits of a mail from the values of `FLAG_TAGS`; a missing verb is None, other missing values 0."""
    flags = Flag.NONE
    if message_flags & MSGFLAG_READ:
        flags |= Flag.SEEN
    if flag_status == FLAG_FOLLOWUP:
        flags |= Flag.FLAGGED
    if status & MSGSTATUS_DELMARKED:
        flags |= Flag.DELETED
    if message_flags & MSGFLAG_UNSENT:
        flags |= Flag.DRAFT | Flag.UNSENT
    elif status & MSGSTATUS_DRAFT:
        flags |= Flag.DRAFT
    if verb is None:
        if status & MSGSTATUS_ANSWERED:
            flags |= Flag.ANSWERED
    elif verb in (VERB_REPLY, VERB_REPLY_ALL):
        flags |= Flag.ANSWERED
    elif verb == VERB_FORWARD:
        flags |= Flag.FORWARDED | (Flag.ANSWERED if status & MSGSTATUS_ANSWERED else Flag.NONE)
    return flags


@dataclass(frozen=True, slots=True)
class FlagWrite:
    """What the store must be told to take a mail from one set of flags to another."""

    read: bool | None
    """New read state, by setReadFlags; None when it stays."""
    status: int
    status_mask: int
    """Bits for setMessageStatus; nothing to do when the mask is 0."""
    props: NamedProps
    """Properties to set by saveObject."""
    deleted: tuple[PropKey, ...]
    """Properties to delete by saveObject."""


def write_flags(
    before: Flag,
    after: Flag,
    keywords_before: tuple[str, ...],
    keywords_after: tuple[str, ...],
    now: int,
) -> FlagWrite:
    """The difference between two states as writes; ``now`` (FILETIME) dates a new reply or forward."""
    changed = before ^ after
    props: NamedProps = {}
    deleted: list[PropKey] = []
    status = mask = 0
    if changed & Flag.DELETED:
        mask |= MSGSTATUS_DELMARKED
        status |= MSGSTATUS_DELMARKED if after & Flag.DELETED else 0
    if changed & Flag.DRAFT:
        mask |= MSGSTATUS_DRAFT
        status |= MSGSTATUS_DRAFT if after & Flag.DRAFT else 0
    if changed & Flag.FLAGGED:
        on = bool(after & Flag.FLAGGED)
        props[pr.PR_FLAG_STATUS] = FLAG_FOLLOWUP if on else 0
        props[pr.PR_FOLLOWUP_ICON] = ICON_RED if on else 0
    if changed & (Flag.ANSWERED | Flag.FORWARDED):
        mask |= MSGSTATUS_ANSWERED
        status |= MSGSTATUS_ANSWERED if after & Flag.ANSWERED else 0
        _write_verb(after, props, deleted, now)
    _write_keywords(keywords_before, keywords_after, props, deleted)
    read = bool(after & Flag.SEEN) if changed & Flag.SEEN else None
    return FlagWrite(read, status, mask, props, tuple(deleted))


def _write_verb(after: Flag, props: NamedProps, deleted: list[PropKey], now: int) -> None:
    # One verb is all MAPI has: forwarding wins, MSGSTATUS_ANSWERED keeps the answer beside it.
    if not after & (Flag.ANSWERED | Flag.FORWARDED):
        deleted += [pr.PR_LAST_VERB_EXECUTED, pr.PR_LAST_VERB_EXECUTION_TIME, pr.PR_ICON_INDEX]
        return
    forwarded = bool(after & Flag.FORWARDED)
    props[pr.PR_LAST_VERB_EXECUTED] = VERB_FORWARD if forwarded else VERB_REPLY
    props[pr.PR_LAST_VERB_EXECUTION_TIME] = now
    props[pr.PR_ICON_INDEX] = ICON_FORWARDED if forwarded else ICON_REPLIED


def _write_keywords(
    before: tuple[str, ...], after: tuple[str, ...], props: NamedProps, deleted: list[PropKey]
) -> None:
    for key, mine in ((KEYWORDS, False), (MARKS, True)):
        old = tuple(word for word in before if is_mark(word) is mine)
        new = tuple(word for word in after if is_mark(word) is mine)
        if old == new:
            continue
        if new:
            props[key] = new if mine else tuple(category_of(word) for word in new)
        else:
            deleted.append(key)


def new_message_props(flags: Flag, keywords: tuple[str, ...], now: int) -> NamedProps:
    """The properties a new mail is created with to have these flags."""
    write = write_flags(Flag.NONE, flags, (), keywords, now)
    props = dict(write.props)
    message_flags = (MSGFLAG_READ if flags & Flag.SEEN else 0) | (MSGFLAG_UNSENT if flags & Flag.DRAFT else 0)
    props[pr.PR_MESSAGE_FLAGS] = message_flags
    if write.status:
        props[pr.PR_MSG_STATUS] = write.status
    return props


def is_mark(keyword: str) -> bool:
    """Whether a keyword is a mark between programs rather than a category people read."""
    return keyword.startswith("$") or keyword.lower() in _CASELESS_MARKS


def keywords_of(categories: Value, marks: Value) -> tuple[str, ...]:
    """The keywords of a mail from its two multi-valued properties (None when missing), sorted."""
    words = {keyword_of(category) for category in categories or () if category}
    words.update(mark for mark in marks or () if mark and not _ATOM_UNSAFE.search(mark))
    return tuple(sorted(words))


def keyword_of(category: str) -> str:
    """A category as an IMAP atom: a blank is ``_``, anything else that no atom has is ``=XX`` of its UTF-8."""
    return _ATOM_UNSAFE.sub(_escaped, category)


def _escaped(match: re.Match[str]) -> str:
    text = match.group()
    if text == " ":
        return "_"
    return "".join(f"={byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def category_of(keyword: str) -> str:
    """The category a keyword stands for; the reverse of `keyword_of`."""
    return _ESCAPE.sub(_unescaped, keyword)


def _unescaped(match: re.Match[str]) -> str:
    escapes = match.group(1)
    if escapes is None:
        return " "
    try:
        return bytes.fromhex(escapes.replace("=", "")).decode()
    except UnicodeDecodeError:
        return escapes


def parse_flags(names: Iterable[str]) -> tuple[Flag, tuple[str, ...]]:
    """Flags and keywords of the names a client sent; unknown names that begin with a backslash are left out."""
    flags = Flag.NONE
    keywords: dict[str, str] = {}
    for name in names:
        flag = FLAGS_BY_NAME.get(name.lower())
        if flag is not None:
            flags |= flag
        elif not name.startswith("\\"):
            keywords.setdefault(name.lower(), name)
    return flags, tuple(sorted(keywords.values()))

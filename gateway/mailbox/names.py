"""Mailbox names: paths of folders as one string with ``/`` between the levels, reversibly.

A folder may be called anything in MAPI, also ``A/B``, ``100%`` or ``inbox``. What cannot stand in a mailbox
name is written ``=XX`` (hexadecimal), and an ``=`` that would read as such an escape is written ``=3D``; so
every path has exactly one name and every name exactly one path. The receive folder is ``INBOX`` wherever it
stands in the tree (RFC 9051 5.1).
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

DELIMITER: Final = "/"
INBOX: Final = "INBOX"

#: The delimiter, LIST's wildcards, control characters, and an equals sign that looks like an escape.
_UNSAFE: Final = re.compile(r"[/*%\x00-\x1f\x7f]|=(?=[0-9A-F]{2})")
_ESCAPE: Final = re.compile(r"=([0-9A-F]{2})")
_EMPTY: Final = "=00"


def level_name(folder_name: str) -> str:
    """One level of a mailbox name for a folder's display name."""
    if not folder_name:
        return _EMPTY
    return _UNSAFE.sub(lambda match: f"={ord(match.group()):02X}", folder_name)


def folder_name(level: str) -> str:
    """The display name of the folder behind one level of a mailbox name; the reverse of `level_name`."""
    if level == _EMPTY:
        return ""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), level)


def join(levels: tuple[str, ...]) -> str:
    """The mailbox name of a path of display names below the top of a personal namespace."""
    name = DELIMITER.join(map(level_name, levels))
    top = name.partition(DELIMITER)[0]
    if top.upper() == INBOX:
        # Another folder with that name must not take the place of the real one.
        return f"={ord(name[0]):02X}{name[1:]}"
    return name


def split(name: str) -> tuple[str, ...]:
    """The display names of a mailbox name's levels; empty levels are dropped (``a//b``, ``a/``)."""
    return tuple(folder_name(level) for level in name.split(DELIMITER) if level)


def is_inbox(name: str) -> bool:
    """Whether the name is INBOX or lies below it, in any case of letters."""
    return name.partition(DELIMITER)[0].upper() == INBOX


def net_unicode(name: str) -> str:
    """The spelling in which names are made: composed characters (NFC; RFC 5198 section 3, RFC 9051 5.1)."""
    return normalize("NFC", name)


def canonical(name: str) -> str:
    """The one spelling of a name a client sent: INBOX in capitals, no empty levels, minimal escapes."""
    levels = [level for level in name.split(DELIMITER) if level]
    if levels and levels[0].upper() == INBOX:
        rest = [level_name(folder_name(level)) for level in levels[1:]]
        return DELIMITER.join([INBOX, *rest])
    return join(split(name))

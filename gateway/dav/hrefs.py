"""Hrefs: names of collections and items that stay as long as what they name, in one place both ways.

A collection is named by its folder's source key, or by the name a client gave it when it made it. An item that a
client put keeps the client's name (kept as Kopano keeps it, without the suffix); any other is named by its source key,
so that reading never writes.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

#: Names of principals that are no users.
PUBLIC: Final = "public"
DIRECTORY: Final = "directory"
#: What the principals of groups begin with; no login name has a colon.
GROUP: Final = "group:"
#: Groups of those who act for somebody, below his principal.
PROXY_READ: Final = "calendar-proxy-read"
PROXY_WRITE: Final = "calendar-proxy-write"
PROXIES: Final = (PROXY_READ, PROXY_WRITE)
_NAME: Final = re.compile(r"[^/\x00-\x1f\x7f-\x9f]{1,250}")
_EXACT: Final = "="
#: Names that are the same in a path.
_QUOTED: Final = re.compile(r"[A-Za-z0-9._~@-]+")
#: Stored names of the usual form, which need no closer look.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@-]{0,200}")


def is_name(text: str) -> bool:
    """Whether a text may be the last part of a path."""
    return _NAME.fullmatch(text) is not None and text not in (".", "..") and text.strip() == text


def split_path(path: str) -> list[str]:
    """The parts of a path; empty ones are left out."""
    return [part for part in path.split("/") if part]


def path_of(address: str) -> str:
    """The path that an address names, with or without a server before it; "" for what is no address."""
    try:
        return unquote(urlsplit(address.strip()).path)
    except ValueError:
        return ""


def with_own_name(path: str, user: str) -> str:
    """A path in a user's home under his name as the store spells it, whatever capital letters a client uses."""
    start, slash, rest = path.lstrip("/").partition("/")
    return f"/{user}{slash}{rest}" if start != user and start.casefold() == user.casefold() else path


def principal_path(name: str) -> str:
    """The path of a principal, ready for an href."""
    return quote(f"/{name}/")


def item_path(base: str, href: str) -> str:
    """The path of an item as it is told everywhere, ready for an href; ``base`` is its collection's, quoted already."""
    return base + (href if _QUOTED.fullmatch(href) else quote(href, safe="~@!$*(),;=:+"))


def item_href(stored: str | None, source_key: bytes, suffix: str) -> str:
    """The href of an item: from the name that was stored with it, or its source key."""
    if stored:
        if _PLAIN.fullmatch(stored):
            return stored + suffix
        href = stored[1:] if stored.startswith(_EXACT) else stored + suffix
        if is_name(href):
            return href
    return key_href(source_key, suffix)


def key_href(source_key: bytes, suffix: str) -> str:
    """The href of an item without a name of its own."""
    return source_key.hex() + suffix


def stored_name(href: str, suffix: str) -> str:
    """What is stored with an item that a client put at this href."""
    stem = href.removesuffix(suffix)
    return stem if stem != href and stem and not stem.startswith(_EXACT) else _EXACT + href

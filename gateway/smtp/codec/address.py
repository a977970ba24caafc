"""Addresses of envelopes: the paths of MAIL and RCPT (RFC 5321 4.1.2, RFC 6531 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ATEXT: Final = r"[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z\u0080-\U0010ffff]+"
_LABEL: Final = (
    r"[0-9A-Za-z_\u0080-\U0010ffff](?:[0-9A-Za-z_\-\u0080-\U0010ffff]*[0-9A-Za-z_\u0080-\U0010ffff])?"
)
_PATH: Final = re.compile(
    rf"<(?:@[^:>]*:)?(?P<local>{_ATEXT}(?:\.{_ATEXT})*|\"(?:[^\"\\\x00-\x1f]|\\[\x20-\x7e])*\")"
    rf"(?:@(?P<domain>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Za-z:.\-]+\]))?>"
)
_PLAIN_LOCAL: Final = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_ESCAPE: Final = re.compile(r"\\(.)")
MOST: Final = 320
"""Longer addresses are refused (64 and 255 octets with the @, RFC 5321 4.5.3.1)."""


@dataclass(frozen=True, slots=True)
class Address:
    """An envelope address; both parts empty is the null sender ``<>``. ``local`` is without quotes."""

    local: str
    domain: str = ""

    @property
    def is_null(self) -> bool:
        """Whether it is ``<>``."""
        return not self.local

    @property
    def is_ascii(self) -> bool:
        """Whether it can be said without SMTPUTF8."""
        return self.local.isascii() and self.domain.isascii()

    def __str__(self) -> str:
        if self.is_null:
            return ""
        local = self.local
        if not _PLAIN_LOCAL.fullmatch(local):
            quoted = local.replace("\\", "\\\\").replace('"', '\\"')
            local = f'"{quoted}"'
        return f"{local}@{self.domain}" if self.domain else local


NULL: Final = Address("")
"""The sender of reports and automatic answers."""


def take_path(text: str) -> tuple[Address, str] | None:
    """The path at the beginning of a text and what follows it; None when there is none. ``<>`` is `NULL`."""
    text = text.lstrip(" ")
    if text.startswith("<>"):
        return NULL, text[2:]
    match = _PATH.match(text)
    if match is None or match.end() > MOST + 2:
        return None
    local = match["local"]
    if local.startswith('"'):
        local = _ESCAPE.sub(r"\1", local[1:-1])
        if not local:
            return None
    return Address(local, match["domain"] or ""), text[match.end() :]


def parse_address(text: str) -> Address | None:
    """The address of a text without angle brackets; None when it is none."""
    found = take_path(f"<{text.strip()}>")
    return found[0] if found is not None and not found[1] and not found[0].is_null else None

"""A request as the application sees it: method, path, headers and what the client prefers (RFC 7240, RFC 8144)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO, Final

from gateway.dav.errors import Answer

_HOST: Final = re.compile(r"[A-Za-z0-9._\[\]:-]{1,300}")
#: Methods whose answers are shorter for a client that wants little.
_SHORTENED: Final = ("PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``path`` is decoded, ``headers`` have names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    host: str
    secure: bool
    query: str = ""
    content: BinaryIO | None = None
    """The body of an attachment, as a file; ``body`` is empty then."""

    @property
    def base_url(self) -> str:
        """The server as the client names it, without a slash at the end.

        A proxy in front says what it was asked for; nothing but addresses in the client's own answers depends on it.
        """
        scheme = _first(self.header("x-forwarded-proto")).lower()
        if scheme not in ("http", "https"):
            scheme = "https" if self.secure else "http"
        return f"{scheme}://{self.outer_host}"

    @property
    def outer_host(self) -> str:
        """Host and port as the client names them."""
        forwarded = _first(self.header("x-forwarded-host"))
        return forwarded if _HOST.fullmatch(forwarded) else self.host

    def is_here(self, netloc: str) -> bool:
        """Whether host and port of a URL are this server's."""
        return not netloc or _without_port(netloc) in map(_without_port, (self.host, self.outer_host))

    def header(self, name: str) -> str:
        """A header, "" when it is missing."""
        return self.headers.get(name, "")

    @property
    def preferences(self) -> set[str]:
        """What the Prefer header names, in small letters and without blanks."""
        return {
            each.partition(";")[0].strip().lower().replace(" ", "").replace('"', "")
            for each in self.header("prefer").split(",")
        }

    @property
    def minimal(self) -> bool:
        """Whether the client wants to hear only of what is there (RFC 8144 2.1, and Microsoft's Brief)."""
        return "return=minimal" in self.preferences or self.header("brief").strip().lower() == "t"

    @property
    def representation(self) -> bool:
        """Whether the client wants to read back what it writes (RFC 8144 3)."""
        return "return=representation" in self.preferences

    @property
    def without_root(self) -> bool:
        """Whether a listing is to leave out the collection itself (RFC 8144 2.2)."""
        return "depth-noroot" in self.preferences

    def said(self, answer: Answer) -> Answer:
        """The answer, with what it depends on and which preferences it honours."""
        if self.method not in _SHORTENED or answer.status >= 300:
            return answer
        answer.headers.setdefault("Vary", "Prefer, Brief")
        applied = ["return=minimal"] if self.minimal else []
        if self.without_root and self.method == "PROPFIND" and self.header("depth").strip() == "1":
            applied.append("depth-noroot")
        if applied and self.header("prefer"):
            answer.headers.setdefault("Preference-Applied", ", ".join(applied))
        return answer


def _first(header: str) -> str:
    """What the proxy next to the client says, of several."""
    return header.partition(",")[0].strip()


def _without_port(netloc: str) -> str:
    """A host without the port that goes without saying."""
    return netloc.lower().removesuffix(":443").removesuffix(":80")


def matches(header: str, etag: str) -> bool:
    """Whether a list of ETags has one; clients forget the quotes."""
    wanted = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in wanted or etag in wanted or etag.strip('"') in wanted

"""The page for people at ``/``: who am I, where are my collections, how is a client set up. No script, no framework."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from gateway.dav.places import Place

HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
code { word-break: break-all } h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } td, th { border-color: #444 } a { color: #8bf } }
"""
_KINDS: Final = {
    "calendar": "Calendar",
    "tasks": "Tasks",
    "notes": "Notes",
    "journal": "Journal",
    "contacts": "Address book",
    "directory": "Address book (read only)",
}
_CLIENTS: Final = (
    ("Thunderbird", "New calendar or CardDAV address book: give your user name and this server's address."),
    (
        "iPhone, iPad, Mac",
        "Add account, Other, CalDAV account (and CardDAV account): server, user name, password.",
    ),
    ("Android (DAVx⁵)", "Add account, login with URL and user name: this server's address."),
    ("Evolution, GNOME", "Add a CalDAV collection account with this server's address."),
    ("KDE", "Add a DAV groupware resource; enter the address under CalDAV and CardDAV."),
    ("Outlook", "With CalDav Synchronizer: the address of one collection from the table above."),
)


def render(user: str, places: Sequence[Place], base: str) -> str:
    """The page of a user; ``base`` is the server's URL without a slash at the end."""
    server = escape(f"{base}/")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Calendars and contacts of {escape(user)}</title><style>{_STYLE}</style></head><body>
<h1>Calendars and contacts of {escape(user)}</h1>
<p>Clients need this address, your user name <strong>{escape(user)}</strong> and your password:
<code>{server}</code></p>
<h2>Your collections</h2>
<table><thead><tr><th>Name</th><th>Kind</th><th>Owner</th><th>Access</th><th>Address</th></tr></thead><tbody>
{"".join(_rows(user, places, base))}</tbody></table>
<h2>Setting up a client</h2>
<dl>{"".join(f"<dt><strong>{escape(name)}</strong></dt><dd>{escape(text)}</dd>" for name, text in _CLIENTS)}</dl>
</body></html>
"""


def _rows(user: str, places: Iterable[Place], base: str) -> Iterable[str]:
    for place in places:
        url = escape(f"{base}/{quote(user)}/{quote(place.name)}/")
        access = "read and write" if place.writable else "read"
        yield (
            f"<tr><td>{escape(place.title)}</td><td>{_KINDS[place.kind.name]}</td><td>{escape(place.owner)}</td>"
            f"<td>{access}</td><td><code>{url}</code></td></tr>\n"
        )

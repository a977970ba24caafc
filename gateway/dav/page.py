"""The page for people at ``/``: who am I, where are my collections, how is a client set up. No script, no framework."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final
from urllib.parse import quote

from gateway.dav.places import Place

HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
#: A click selects a whole address, so that it can be copied without a script.
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --quiet: #8882; --dim: #767676 }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem }
p { margin: .4rem 0 } .dim { color: var(--dim) }
code { font: .9em ui-monospace, monospace; background: var(--quiet); border-radius: .25rem; padding: .1rem .35rem;
  user-select: all; -webkit-user-select: all; overflow-wrap: anywhere; cursor: copy }
dl.me { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0 }
dl.me dt { color: var(--dim) } dl.me dd { margin: 0 }
ul.places { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line) }
ul.places li { display: grid; grid-template-columns: 14rem 1fr; gap: .1rem 1rem; padding: .5rem 0;
  border-bottom: 1px solid var(--line); align-items: center; justify-items: start }
ul.places strong { overflow-wrap: anywhere } ul.places small { display: block; color: var(--dim) }
@media (max-width: 40rem) { ul.places li { grid-template-columns: 1fr } }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; background: var(--line) }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: 0 .9rem }
summary { cursor: pointer; padding: .55rem 0; font-weight: 600 } details ol { margin: 0 0 .8rem; padding-left: 1.3rem }
"""
_GROUPS: Final = {
    "calendar": "Calendars",
    "tasks": "Tasks",
    "notes": "Notes",
    "journal": "Journals",
    "contacts": "Address books",
    "directory": "Address books",
}
#: Client to its steps; {server}, {host} and {user} are put in.
_CLIENTS: Final = (
    (
        "Thunderbird",
        "In the calendar: New Calendar, On the Network.",
        "User name {user}, location {server}, then Find Calendars; choose which ones to show.",
        "In the address book: New Address Book, Add CardDAV Address Book, with the same user name and location.",
    ),
    (
        "iPhone and iPad",
        "Settings, Apps, Calendar, Calendar Accounts, Add Account, Other, Add CalDAV Account.",
        "Server {server}, user name {user}, your password.",
        "For contacts the same under Contacts with Add CardDAV Account. Reminders come with the calendar account.",
    ),
    (
        "Mac",
        "System Settings, Internet Accounts, Add Account, Add Other Account, CalDAV account.",
        "Account type Manual, user name {user}, your password, server address {server}.",
        "For contacts the same with CardDAV account.",
    ),
    (
        "Android with DAVx⁵",
        "In DAVx⁵: Add account, Login with URL and user name.",
        "Base URL {server}, user name {user}, your password.",
        "Choose which calendars, task lists and address books to synchronise. Tasks need an app such as Tasks.org or jtx Board.",
    ),
    (
        "Evolution and GNOME",
        "Evolution: File, New, Collection Account; user name {user}, under Advanced the server {server}, then Look Up.",
        "GNOME: Settings, Online Accounts, Calendar, Contacts and Files (CalDAV, CardDAV), server {server}.",
    ),
    (
        "KDE (Kontact, Merkuro)",
        "Add a DAV groupware resource with user name {user} and your password.",
        "Choose to enter the server yourself: {server} under both CalDAV and CardDAV.",
    ),
    (
        "Outlook on Windows",
        "Outlook does not speak CalDAV itself: install the free CalDav Synchronizer add-in.",
        "Synchronization Profiles, Add, Generic CalDAV/CardDAV.",
        "Choose the Outlook folder, enter DAV URL {server}, user name {user} and your password.",
        "Test or discover settings, then pick a collection.",
    ),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Whose page it is."""

    user: str
    name: str = ""
    addresses: Sequence[str] = ()


def render(person: Person, places: Sequence[Place], base: str) -> str:
    """The page of a user; ``base`` is the server's URL without a slash at the end."""
    title = f"Calendars and contacts of {escape(person.name or person.user)}"
    own = [place for place in places if place.is_own]
    others = [place for place in places if not place.is_own]
    shared = f"<h2>Shared with you</h2>{''.join(_groups(person, others, base))}" if others else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head><body>
<h1>{title}</h1>
<dl class="me">{"".join(_me(person, base))}</dl>
<p class="dim">Clients find everything with these and your password. A click on an address selects it for copying.</p>
<h2>Setting up a client</h2>
{"".join(_clients(person, base))}
<h2>Your collections</h2>
{"".join(_groups(person, own, base))}
{shared}
</body></html>
"""


def _me(person: Person, base: str) -> Iterable[str]:
    yield f"<dt>Server</dt><dd><code>{escape(base)}/</code></dd>"
    yield f"<dt>User name</dt><dd><code>{escape(person.user)}</code></dd>"
    if person.addresses:
        yield f"<dt>Mail</dt><dd>{escape(', '.join(person.addresses))}</dd>"


def _groups(person: Person, places: Iterable[Place], base: str) -> Iterable[str]:
    """Places of a kind together; they come in that order."""
    order = list(dict.fromkeys(_GROUPS.values()))
    named = sorted(places, key=lambda place: order.index(_GROUPS[place.kind.name]))
    for group, members in groupby(named, key=lambda place: _GROUPS[place.kind.name]):
        rows = "".join(_row(person, place, base) for place in members)
        yield f"<h3>{group}</h3><ul class='places'>{rows}</ul>\n"


def _row(person: Person, place: Place, base: str) -> str:
    url = f"{base}/{quote(person.user)}/{quote(place.name)}/"
    remarks = [] if place.writable else ["read only"]
    if not place.is_own and place.home is not None:
        remarks.insert(0, f"of {escape(place.owner)}")
    if place.readable and place.home is not None:
        remarks.append(f'<a href="{escape(url)}" download>download</a>')
    return (
        f"<li><span><strong>{_dot(place)}{escape(place.title)}</strong><small>{', '.join(remarks)}</small></span>"
        f"<code>{escape(url)}</code></li>"
    )


def _dot(place: Place) -> str:
    """The collection's colour, as clients chose it."""
    colour = place.stored.get("ICAL:calendar-color", "")[:7]
    is_colour = (
        len(colour) == 7 and colour[0] == "#" and all(each in "0123456789abcdefABCDEF" for each in colour[1:])
    )
    return f'<span class="dot" style="background:{colour}"></span>' if is_colour else ""


def _clients(person: Person, base: str) -> Iterable[str]:
    values = {"server": f"<code>{escape(base)}/</code>", "user": f"<code>{escape(person.user)}</code>"}
    for name, *steps in _CLIENTS:
        items = "".join(f"<li>{escape(step).format(**values)}</li>" for step in steps)
        yield f"<details><summary>{escape(name)}</summary><ol>{items}</ol></details>\n"

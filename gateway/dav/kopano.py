"""The addresses that kopano-ical gave: ``/caldav/[USER/][FOLDER/][ITEM]`` and ``/ical/[USER/][FOLDER]``.

Clients that were set up with them are sent to where things are now. USER is left out for one's own, ``public`` are the
public folders; FOLDER is a name, an entry id, or kopano-ical's own id of a folder.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gateway.dav import hrefs
from gateway.dav.errors import Answer, Refused
from gateway.dav.places import Place
from gateway.dav.scope import RequestScope

CALDAV: Final = "caldav"
ICAL: Final = "ical"
_ID_PREFIX: Final = "FLDPRFX_"
_MAILBOXES: Final = {"inbox": "schedule-inbox", "outbox": "schedule-outbox"}
#: Answered with 301, which every client knows; others must repeat their method and body, which 308 says.
_READING: Final = ("GET", "HEAD", "OPTIONS", "PROPFIND")


def is_alias(scope: RequestScope, path: str) -> bool:
    """Whether a path is one of kopano-ical's, and not of a user with such a name."""
    parts = hrefs.split_path(path)
    return bool(parts) and parts[0] in (CALDAV, ICAL) and not scope.is_principal(parts[0])


def is_feed(path: str) -> bool:
    """Whether the path stands for a whole calendar as one text."""
    return hrefs.split_path(path)[0] == ICAL


def target(scope: RequestScope, path: str) -> str:
    """The path that is meant (Refused when there is nothing)."""
    first, *parts = hrefs.split_path(path)
    owner = scope.user
    if parts and scope.is_principal(parts[0]):
        owner = parts.pop(0)
    if not parts and first == CALDAV:
        return f"/{owner}/"
    folder, *item = parts or [""]
    if first == ICAL:
        folder = folder.removesuffix(".ics")
    name = _name(scope, owner, folder)
    return f"/{owner}/{name}/{'/'.join(item)}"


def redirect(method: str, path: str) -> Answer:
    """The answer that sends a client there."""
    return Answer(301 if method in _READING else 308, {"Location": quote(path)})


def _name(scope: RequestScope, owner: str, folder: str) -> str:
    """The name of the collection that a folder is."""
    if folder.lower() in _MAILBOXES and scope.shared.schedules:
        return _MAILBOXES[folder.lower()]
    places = [place for place in scope.places(owner) if place.owner == owner]
    found = next((place for place in places if _is_meant(place, folder)), None)
    if found is None:
        raise Refused(404, "", f"{owner} has no calendar {folder!r} that you may see")
    return found.name


def _is_meant(place: Place, folder: str) -> bool:
    """Whether a folder's name or id, or "" for the default calendar, means this place."""
    if not folder:
        return place.is_default and place.kind.name == "calendar"
    wanted = folder.removeprefix(_ID_PREFIX)
    ids = (place.name.lower(), place.entryid.hex(), place.source_key.hex())
    return wanted.lower() in ids or folder.casefold() == place.title.casefold()

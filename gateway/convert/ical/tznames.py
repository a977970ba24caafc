"""What people and programs write as TZID, and the IANA zone it means."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Final

from gateway.convert.ical.zonedata import iana_name, iana_names
from gateway.convert.windowszones import to_iana

#: Names that are neither IANA's nor Windows'.
_OTHERS: Final = {
    "z": "UTC",
    "utc": "UTC",
    "etc/utc": "UTC",
    "tzone://microsoft/utc": "UTC",
    "coordinated universal time": "UTC",
    "eastern time": "America/New_York",
    "eastern time (us & canada)": "America/New_York",
    "central time": "America/Chicago",
    "central time (us & canada)": "America/Chicago",
    "mountain time": "America/Denver",
    "mountain time (us & canada)": "America/Denver",
    "pacific time": "America/Los_Angeles",
    "pacific time (us & canada)": "America/Los_Angeles",
    "atlantic time (canada)": "America/Halifax",
    "newfoundland": "America/St_Johns",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "arizona": "America/Phoenix",
}
_DISPLAY: Final = re.compile(r"\((?:UTC|GMT)\s*([+-]\s*\d{1,2}[:.]?\d\d)?\)\s*(.*)\Z", re.IGNORECASE)
_OFFSET: Final = re.compile(r"\(?(?:UTC|GMT)?\s*([+-])\s*(\d{1,2}):?\.?(\d\d)?\)?(?![\d:])", re.IGNORECASE)


def iana_of_tzid(tzid: str) -> str | None:
    """The IANA name that a TZID means, None when it is none that is known.

    Known are IANA's names with or without the paths that programs put before them, Windows' names, and the
    names that Windows shows to people.
    """
    name = " ".join(tzid.replace('"', "").split())
    return (
        iana_name(name) or _OTHERS.get(name.casefold()) or to_iana(name) or _below_a_path(name) or _shown(name)
    )


def _below_a_path(name: str) -> str | None:
    """The last three, two or one components of a path, when they are a name ("/mozilla.org/2005/Europe/Berlin")."""
    if "/" not in name:
        return None
    parts = [part for part in re.split("[/]+", name) if part]
    for size in (3, 2):
        found = iana_name("/".join(parts[-size:])) if len(parts) >= size else None
        if found is not None:
            return found
    return None


def _shown(name: str) -> str | None:
    """The zone of a display name: by a phrase that is known, else by the first city that is one of IANA's."""
    match = _DISPLAY.match(name)
    if match is None:
        return None
    shown = match[2].strip()
    found = _OTHERS.get(shown.casefold()) or to_iana(shown)
    cities = (part.strip().casefold().replace(" ", "_") for part in shown.split(","))
    return found or next((_cities()[city] for city in cities if city in _cities()), None)


@cache
def _cities() -> dict[str, str]:
    """IANA names by their last component, of names like Europe/Berlin only."""
    names = (name for name in iana_names() if name.count("/") == 1 and not name.startswith("Etc/"))
    return {name.rpartition("/")[2].casefold(): name for name in names}


def offset_of_tzid(tzid: str) -> timedelta | None:
    """The offset that a TZID begins with ("GMT +0100 (Standard) / ...", "(UTC+05:30) ..."), None when it has none."""
    match = _OFFSET.match(tzid.strip().strip('"'))
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if size > timedelta(hours=18):
        return None
    return -size if match[1] == "-" else size

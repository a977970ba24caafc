"""The calendar object around an item: its header and the zones that it names (RFC 5545 3.4, 3.6.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.convert.ical.blocks import Block, block_of, encoded, flat
from gateway.convert.ical.timezones import Zone

PRODID: Final = "-//MAPI gateway//iCalendar//EN"


class ZonesUsed:
    """The zones that the items of an object name, each from the earliest year it is needed."""

    def __init__(self) -> None:
        self._years: dict[Zone, int] = {}

    def add(self, zone: Zone | None, year: int) -> None:
        """Note that a zone is used in a year."""
        if zone is not None and zone.name != "UTC":
            self._years[zone] = min(year, self._years.get(zone, year))

    def lines(self) -> list[str]:
        """The VTIMEZONEs, one for each name."""
        out: list[str] = []
        seen: set[str] = set()
        for zone, year in self._years.items():
            if zone.name not in seen:
                seen.add(zone.name)
                out += _vtimezone(zone, year)
        return out


@lru_cache(maxsize=512)
def _vtimezone(zone: Zone, year: int) -> tuple[str, ...]:
    out: list[str] = []
    flat(block_of(zone.vtimezone(year)), out)
    return tuple(out)


def calendar_object(
    blocks: list[Block], zones: ZonesUsed, method: str = "", more: list[str] | None = None
) -> bytes:
    """A VCALENDAR with these components."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}"]
    if method:
        lines.append(f"METHOD:{method}")
    lines += more or ()
    lines += zones.lines()
    for block in blocks:
        flat(block, lines)
    lines.append("END:VCALENDAR")
    return encoded(lines)

"""The calendar object around an item: its header and the zones that it names (RFC 5545 3.4, 3.6.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.convert.ical.blocks import Block, block_of, encoded, flat
from gateway.convert.ical.timezones import Zone

PRODID: Final = "-//MAPI gateway//iCalendar//EN"
_BEGIN: Final = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\n".encode()
_END: Final = b"END:VCALENDAR\r\n"


class ZonesUsed:
    """The zones that the items of an object name, each from the earliest year it is needed."""

    def __init__(self) -> None:
        self._years: dict[Zone, int] = {}

    def add(self, zone: Zone | None, year: int) -> None:
        """Note that a zone is used in a year."""
        if zone is not None and zone.name != "UTC":
            self._years[zone] = min(year, self._years.get(zone, year))

    def encoded(self) -> bytes:
        """The VTIMEZONEs, one for each name."""
        chosen = {zone.name: (zone, year) for zone, year in reversed(self._years.items())}
        return b"".join(_vtimezone(zone, year) for zone, year in reversed(chosen.values()))


@lru_cache(maxsize=512)
def _vtimezone(zone: Zone, year: int) -> bytes:
    out: list[str] = []
    flat(block_of(zone.vtimezone(year)), out)
    return encoded(out)


def calendar_object(
    blocks: list[Block], zones: ZonesUsed, method: str = "", more: list[str] | None = None
) -> bytes:
    """A VCALENDAR with these components."""
    head = [f"METHOD:{method}"] if method else []
    head += more or ()
    lines: list[str] = []
    for block in blocks:
        flat(block, lines)
    return b"".join((_BEGIN, encoded(head), zones.encoded(), encoded(lines), _END))

"""The time zone of an item: found in its properties (MS-OXOCAL 2.2.1.39-43), and written there.

Reading blobs and making them is the same work for every item of a zone, so both are remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.timezones import UTC_ZONE, Zone, zone_of_definition, zone_of_iana, zone_of_struct
from gateway.convert.ical.values import octets, text
from gateway.mapi.props import NamedProps

_KEPT: Final = 1024


def start_zone(props: NamedProps, year: int, *, recurring: bool) -> Zone | None:
    """The zone of the start; of a series first that of its pattern. None when the item names none."""
    name = text(props, ids.ZONE_NAME)
    if recurring:
        return (
            _defined(octets(props, ids.ZONE_RECUR), year, name)
            or _structured(octets(props, ids.ZONE_STRUCT), year, name)
            or _defined(octets(props, ids.ZONE_START), year, name)
            or _named(name)
        )
    return (
        _defined(octets(props, ids.ZONE_START), year, name)
        or _structured(octets(props, ids.ZONE_STRUCT), year, name)
        or _named(name)
    )


def end_zone(props: NamedProps, year: int, start: Zone | None) -> Zone | None:
    """The zone of the end; the start's when both have the same definition or the end has none."""
    blob, own = octets(props, ids.ZONE_END), text(props, ids.END_ZONE_NAME)
    if not blob or (blob == octets(props, ids.ZONE_START) and not own):
        return start
    found = _defined(blob, year, own or text(props, ids.ZONE_NAME))
    return start if found is None or (start is not None and found.name == start.name) else found


@lru_cache(maxsize=_KEPT)
def _defined(blob: bytes, year: int, name: str) -> Zone | None:
    return _plain(zone_of_definition(blob, year, name)) if blob else None


@lru_cache(maxsize=_KEPT)
def _structured(blob: bytes, year: int, name: str) -> Zone | None:
    return _plain(zone_of_struct(blob, year, name)) if blob else None


@lru_cache(maxsize=_KEPT)
def _named(name: str) -> Zone | None:
    """A zone of which nothing but the name is stored, which must be one that everybody knows."""
    return _plain(zone_of_iana(name)) if name else None


def _plain(zone: Zone | None) -> Zone | None:
    return UTC_ZONE if zone is not None and zone.name == "UTC" else zone


@lru_cache(maxsize=_KEPT)
def _definition(zone: Zone, year: int, recurring: bool) -> bytes:
    return zone.definition(year, recurring)


@lru_cache(maxsize=_KEPT)
def _struct(zone: Zone, year: int) -> bytes:
    return zone.struct(year)


def write_zones(props: NamedProps, start: Zone, end: Zone, year: int, *, recurring: bool) -> None:
    """Set the zones of an item; blobs that mean the same zones already stay as they are."""
    before = start_zone(props, year, recurring=recurring)
    before_end = end_zone(props, year, before)
    complete = ids.ZONE_START in props and (not recurring or ids.ZONE_RECUR in props)
    names = None if before is None or before_end is None else (before.name, before_end.name)
    if complete and names == (start.name, end.name):
        return
    props[ids.ZONE_START] = _definition(start, year, False)
    props[ids.ZONE_END] = _definition(end, year, False)
    props[ids.ZONE_NAME] = start.name
    if end.name != start.name:
        props[ids.END_ZONE_NAME] = end.name
    else:
        props.pop(ids.END_ZONE_NAME, None)
    if recurring:
        props[ids.ZONE_RECUR] = _definition(start, year, True)
        props[ids.ZONE_STRUCT] = _struct(start, year)
    else:
        props.pop(ids.ZONE_RECUR, None)
        props.pop(ids.ZONE_STRUCT, None)

"""Which calendars make their owner busy: the default one, as with MAPI clients, unless he says otherwise (RFC 6638 9.1)."""

from __future__ import annotations

from typing import Final

from gateway.dav.places import Place
from gateway.dav.properties import tree_key

PROPERTY: Final = "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp"
#: Its value, as XML, for a calendar that keeps its owner busy.
OPAQUE: Final = f'<x:schedule-calendar-transp xmlns:x="{PROPERTY[1:].partition("}")[0]}"><x:opaque/></x:schedule-calendar-transp>'
_OPAQUE: Final = "opaque"


def makes_busy(place: Place, *, is_default: bool) -> bool:
    """Whether the events of a calendar keep its owner busy."""
    said = place.stored.get(tree_key(PROPERTY), "")
    return _OPAQUE in said if said else is_default

"""iCalendar and MAPI calendar objects, both ways (RFC 5545, MS-OXCICAL, MS-OXOCAL).

`to_ical` writes the calendar object of an item, `from_ical` merges one into an item.
"""

from gateway.convert.ical.identity import uid_of
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.propids import RETAINED
from gateway.convert.ical.reading import from_ical
from gateway.convert.ical.rrule import Unrepresentable
from gateway.convert.ical.writing import to_ical

__all__ = ["RETAINED", "Options", "Unrepresentable", "from_ical", "kind_of", "to_ical", "uid_of"]

"""iCalendar and MAPI calendar objects, both ways (RFC 5545, RFC 5546, MS-OXCICAL, MS-OXOCAL).

`to_ical` writes the calendar object of an item, `from_ical` merges one into an item. `calendar_part` and
`meeting_content` are the same for mails. `happenings` expands items in a window, `busy_periods`,
`write_freebusy` and `published` tell when somebody is busy; `scheduling` carries meetings between calendars.
`availability_of` and `working_hours_of` are VAVAILABILITY and working hours.
"""

from gateway.convert.ical.availability import availability_of, beside, unavailable, working_hours_of
from gateway.convert.ical.busytimes import Busy, Happening, busy_periods, happenings
from gateway.convert.ical.freebusy import busy_of_published, published, read_freebusy, write_freebusy
from gateway.convert.ical.identity import uid_of
from gateway.convert.ical.itip_in import meeting_content
from gateway.convert.ical.itip_out import calendar_part
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.propids import RETAINED
from gateway.convert.ical.reading import from_ical
from gateway.convert.ical.rruleparts import Unrepresentable
from gateway.convert.ical.workinghours import WorkingHours, hours_of, with_hours
from gateway.convert.ical.writing import to_ical

__all__ = [
    "RETAINED",
    "Busy",
    "Happening",
    "Options",
    "Unrepresentable",
    "WorkingHours",
    "availability_of",
    "beside",
    "busy_of_published",
    "busy_periods",
    "calendar_part",
    "from_ical",
    "happenings",
    "hours_of",
    "kind_of",
    "meeting_content",
    "published",
    "read_freebusy",
    "to_ical",
    "uid_of",
    "unavailable",
    "with_hours",
    "working_hours_of",
    "write_freebusy",
]

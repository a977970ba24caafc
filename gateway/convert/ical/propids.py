"""Properties of calendar items, tasks and notes by the names of MS-OXPROPS, as tags with their fixed ids.

Times are FILETIMEs in UTC unless said otherwise.
"""

from __future__ import annotations

from typing import Final

from gateway.mapi.propnames import (
    PS_PUBLIC_STRINGS,
    PSETID_Appointment,
    PSETID_Common,
    PSETID_Gateway,
    PSETID_Kopano_CalDav,
    PSETID_Log,
    PSETID_Meeting,
    PSETID_Note,
    PSETID_Task,
    static,
)
from gateway.mapi.props import (
    PT_BINARY,
    PT_BOOLEAN,
    PT_DOUBLE,
    PT_LONG,
    PT_MV_UNICODE,
    PT_SHORT,
    PT_SYSTIME,
    PT_UNICODE,
    NamedTag,
    PropName,
)

# PSETID_Appointment
SEQUENCE: Final = static(PSETID_Appointment, 0x8201, PT_LONG)
BUSY_STATUS: Final = static(PSETID_Appointment, 0x8205, PT_LONG)
EXCEPTIONAL_BODY: Final = static(PSETID_Appointment, 0x8206, PT_BOOLEAN)
LOCATION: Final = static(PSETID_Appointment, 0x8208, PT_UNICODE)
START: Final = static(PSETID_Appointment, 0x820D, PT_SYSTIME)
END: Final = static(PSETID_Appointment, 0x820E, PT_SYSTIME)
DURATION: Final = static(PSETID_Appointment, 0x8213, PT_LONG)
COLOR: Final = static(PSETID_Appointment, 0x8214, PT_LONG)
ALL_DAY: Final = static(PSETID_Appointment, 0x8215, PT_BOOLEAN)
RECUR: Final = static(PSETID_Appointment, 0x8216, PT_BINARY)
STATE: Final = static(PSETID_Appointment, 0x8217, PT_LONG)
RESPONSE: Final = static(PSETID_Appointment, 0x8218, PT_LONG)
REPLY_TIME: Final = static(PSETID_Appointment, 0x8220, PT_SYSTIME)
RECURRING: Final = static(PSETID_Appointment, 0x8223, PT_BOOLEAN)
INTENDED_BUSY: Final = static(PSETID_Appointment, 0x8224, PT_LONG)
REPLACE_TIME: Final = static(PSETID_Appointment, 0x8228, PT_SYSTIME)
INVITED: Final = static(PSETID_Appointment, 0x8229, PT_BOOLEAN)
EXCEPTIONAL_ATTENDEES: Final = static(PSETID_Appointment, 0x822B, PT_BOOLEAN)
REPLY_NAME: Final = static(PSETID_Appointment, 0x8230, PT_UNICODE)
RECURRENCE_TYPE: Final = static(PSETID_Appointment, 0x8231, PT_LONG)
RECURRENCE_TEXT: Final = static(PSETID_Appointment, 0x8232, PT_UNICODE)
ZONE_STRUCT: Final = static(PSETID_Appointment, 0x8233, PT_BINARY)
ZONE_NAME: Final = static(PSETID_Appointment, 0x8234, PT_UNICODE)
CLIP_START: Final = static(PSETID_Appointment, 0x8235, PT_SYSTIME)
CLIP_END: Final = static(PSETID_Appointment, 0x8236, PT_SYSTIME)
ALL_ATTENDEES: Final = static(PSETID_Appointment, 0x8238, PT_UNICODE)
TO_ATTENDEES: Final = static(PSETID_Appointment, 0x823B, PT_UNICODE)
CC_ATTENDEES: Final = static(PSETID_Appointment, 0x823C, PT_UNICODE)
URL: Final = static(PSETID_Appointment, 0x8248, PT_UNICODE)
PROPOSED_START: Final = static(PSETID_Appointment, 0x8250, PT_SYSTIME)
PROPOSED_END: Final = static(PSETID_Appointment, 0x8251, PT_SYSTIME)
COUNTER: Final = static(PSETID_Appointment, 0x8257, PT_BOOLEAN)
NO_COUNTER: Final = static(PSETID_Appointment, 0x825A, PT_BOOLEAN)
ZONE_START: Final = static(PSETID_Appointment, 0x825E, PT_BINARY)
ZONE_END: Final = static(PSETID_Appointment, 0x825F, PT_BINARY)
ZONE_RECUR: Final = static(PSETID_Appointment, 0x8260, PT_BINARY)

# PSETID_Meeting
ATTENDEE_CHANGE: Final = static(PSETID_Meeting, 0x0001, PT_SYSTIME)
WHERE: Final = static(PSETID_Meeting, 0x0002, PT_UNICODE)
GLOBAL_ID: Final = static(PSETID_Meeting, 0x0003, PT_BINARY)
IS_RECURRING: Final = static(PSETID_Meeting, 0x0005, PT_BOOLEAN)
IS_EXCEPTION: Final = static(PSETID_Meeting, 0x000A, PT_BOOLEAN)
START_DATE: Final = static(PSETID_Meeting, 0x000D, PT_LONG)
START_TIME: Final = static(PSETID_Meeting, 0x000E, PT_LONG)
END_DATE: Final = static(PSETID_Meeting, 0x000F, PT_LONG)
END_TIME: Final = static(PSETID_Meeting, 0x0010, PT_LONG)
DAY_INTERVAL: Final = static(PSETID_Meeting, 0x0011, PT_SHORT)
WEEK_INTERVAL: Final = static(PSETID_Meeting, 0x0012, PT_SHORT)
MONTH_INTERVAL: Final = static(PSETID_Meeting, 0x0013, PT_SHORT)
YEAR_INTERVAL: Final = static(PSETID_Meeting, 0x0014, PT_SHORT)
DAY_OF_WEEK_MASK: Final = static(PSETID_Meeting, 0x0015, PT_LONG)
DAY_OF_MONTH_MASK: Final = static(PSETID_Meeting, 0x0016, PT_LONG)
MONTH_OF_YEAR_MASK: Final = static(PSETID_Meeting, 0x0017, PT_LONG)
OLD_RECURRENCE_TYPE: Final = static(PSETID_Meeting, 0x0018, PT_SHORT)
DAY_OF_WEEK_START: Final = static(PSETID_Meeting, 0x0019, PT_SHORT)
OWNER_CHANGE: Final = static(PSETID_Meeting, 0x001A, PT_SYSTIME)
CLEAN_GLOBAL_ID: Final = static(PSETID_Meeting, 0x0023, PT_BINARY)
MEETING_TYPE: Final = static(PSETID_Meeting, 0x0026, PT_LONG)

# PSETID_Common
REMINDER_DELTA: Final = static(PSETID_Common, 0x8501, PT_LONG)
REMINDER_TIME: Final = static(PSETID_Common, 0x8502, PT_SYSTIME)
REMINDER_SET: Final = static(PSETID_Common, 0x8503, PT_BOOLEAN)
PRIVATE: Final = static(PSETID_Common, 0x8506, PT_BOOLEAN)
SIDE_EFFECTS: Final = static(PSETID_Common, 0x8510, PT_LONG)
COMMON_START: Final = static(PSETID_Common, 0x8516, PT_SYSTIME)
COMMON_END: Final = static(PSETID_Common, 0x8517, PT_SYSTIME)
TASK_MODE: Final = static(PSETID_Common, 0x8518, PT_LONG)
CONTACTS: Final = static(PSETID_Common, 0x853A, PT_MV_UNICODE)
REMINDER_SIGNAL: Final = static(PSETID_Common, 0x8560, PT_SYSTIME)

# PSETID_Task; start, due and completion dates are local midnights as if they were UTC
TASK_STATUS: Final = static(PSETID_Task, 0x8101, PT_LONG)
TASK_PERCENT: Final = static(PSETID_Task, 0x8102, PT_DOUBLE)
TASK_START: Final = static(PSETID_Task, 0x8104, PT_SYSTIME)
TASK_DUE: Final = static(PSETID_Task, 0x8105, PT_SYSTIME)
TASK_RESET_REMINDER: Final = static(PSETID_Task, 0x8107, PT_BOOLEAN)
TASK_DEAD: Final = static(PSETID_Task, 0x8109, PT_BOOLEAN)
TASK_COMPLETED: Final = static(PSETID_Task, 0x810F, PT_SYSTIME)
TASK_VERSION: Final = static(PSETID_Task, 0x8112, PT_LONG)
TASK_STATE: Final = static(PSETID_Task, 0x8113, PT_LONG)
TASK_RECUR: Final = static(PSETID_Task, 0x8116, PT_BINARY)
TASK_COMPLETE: Final = static(PSETID_Task, 0x811C, PT_BOOLEAN)
TASK_OWNER: Final = static(PSETID_Task, 0x811F, PT_UNICODE)
TASK_RECURRING: Final = static(PSETID_Task, 0x8126, PT_BOOLEAN)
TASK_OWNERSHIP: Final = static(PSETID_Task, 0x8129, PT_LONG)
TASK_ACCEPTANCE: Final = static(PSETID_Task, 0x812A, PT_LONG)

# Journal entries and notes
LOG_TYPE: Final = static(PSETID_Log, 0x8700, PT_UNICODE)
LOG_START: Final = static(PSETID_Log, 0x8706, PT_SYSTIME)
LOG_DURATION: Final = static(PSETID_Log, 0x8707, PT_LONG)
LOG_END: Final = static(PSETID_Log, 0x8708, PT_SYSTIME)
NOTE_COLOR: Final = static(PSETID_Note, 0x8B00, PT_LONG)

# Registered names
LOCATION_URL: Final = NamedTag(PropName(PS_PUBLIC_STRINGS, "urn:schemas:calendar:locationurl"), PT_UNICODE)
LAST_ACK: Final = NamedTag(PropName(PSETID_Kopano_CalDav, 1), PT_SYSTIME)
END_ZONE_NAME: Final = NamedTag(PropName(PSETID_Gateway, "end-zone"), PT_UNICODE)
"""The zone of the end as the client named it, when that is not the start's; MAPI has a place for one name only."""
RETAINED: Final = NamedTag(PropName(PSETID_Gateway, "iCalendar"), PT_BINARY)
"""What iCalendar carries and MAPI does not, see `gateway.convert.ical.retained`."""

# Recipient rows
PR_RECIPIENT_TRACKSTATUS_TIME: Final = 0x5FFB0040
PR_RECIPIENT_PROPOSED: Final = 0x5FE1000B
PR_RECIPIENT_PROPOSEDSTARTTIME: Final = 0x5FE30040
PR_RECIPIENT_PROPOSEDENDTIME: Final = 0x5FE40040

#: PidLidBusyStatus.
FREE, TENTATIVE, BUSY, OUT_OF_OFFICE, WORKING_ELSEWHERE = range(5)
#: Bits of PidLidAppointmentStateFlags.
IS_MEETING: Final = 1
IS_RECEIVED: Final = 2
IS_CANCELED: Final = 4
#: PidLidResponseStatus and PR_RECIPIENT_TRACKSTATUS.
NO_RESPONSE, ORGANIZED, TENTATIVELY, ACCEPTED, DECLINED, NOT_RESPONDED = range(6)
#: Bits of PR_RECIPIENT_FLAGS.
SENDABLE: Final = 1
ORGANIZER: Final = 2
EXCEPTIONAL_DELETED: Final = 0x20

EXCEPTION_CLASS: Final = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}"
NO_DATE: Final = 0x0CB34557A3DD4000
"""4501-01-01, which MAPI clients write for no date at all."""
DEFAULT_DELTA: Final = 0x5AE980E1
"""Reminder delta that asks for the default."""

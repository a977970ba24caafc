"""Kinds of collections: which folders are calendars, tasks, notes and address books, and what lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: What `Kind.component_of` has answered; a folder of thousands of items has a few message classes.
_components: dict[tuple[str, str], str] = {}
_MOST_KNOWN: Final = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of collection."""

    name: str
    container: str
    """PR_CONTAINER_CLASS of its folders, in capitals, compared by prefix."""
    tag: str
    """What Radicale calls it: VCALENDAR or VADDRESSBOOK."""
    components: tuple[str, ...]
    """Components that its items may be made of."""
    suffix: str
    """The end of its items' hrefs."""
    content_type: str
    classes: tuple[str, ...]
    """PR_MESSAGE_CLASS of its items, in capitals, compared by prefix."""
    is_mailbox: bool = False
    """Whether it is for scheduling messages (RFC 6638 2): clients put nothing there, and much else may lie beside them."""

    @property
    def is_calendar(self) -> bool:
        """Whether items are iCalendar objects."""
        return self.tag == "VCALENDAR"

    @property
    def precondition(self) -> str:
        """The XML prefix of its RFC's preconditions."""
        return "C" if self.is_calendar else "CR"

    def component_of(self, message_class: str) -> str:
        """The component of an item of this class, "" when such a message is no item here."""
        key = self.name, message_class
        found = _components.get(key)
        if found is None:
            upper = message_class.upper()
            found = next((self.components[0] for each in self.classes if _begins(upper, each)), "")
            if len(_components) < _MOST_KNOWN:
                _components[key] = found
        return found


def _calendar(name: str, container: str, component: str, *classes: str) -> Kind:
    content_type = f"text/calendar; charset=utf-8; component={component}"
    return Kind(name, container, "VCALENDAR", (component,), ".ics", content_type, classes)


CALENDAR: Final = _calendar("calendar", "IPF.APPOINTMENT", "VEVENT", "IPM.APPOINTMENT")
TASKS: Final = _calendar("tasks", "IPF.TASK", "VTODO", "IPM.TASK")
NOTES: Final = _calendar("notes", "IPF.STICKYNOTE", "VJOURNAL", "IPM.STICKYNOTE")
JOURNAL: Final = _calendar("journal", "IPF.JOURNAL", "VJOURNAL", "IPM.ACTIVITY")
CONTACTS: Final = Kind(
    "contacts",
    "IPF.CONTACT",
    "VADDRESSBOOK",
    ("VCARD",),
    ".vcf",
    "text/vcard; charset=utf-8",
    ("IPM.CONTACT", "IPM.DISTLIST"),
)
DIRECTORY: Final = Kind("directory", "", "VADDRESSBOOK", ("VCARD",), ".vcf", "text/vcard; charset=utf-8", ())
_MESSAGES: Final = "text/calendar; charset=utf-8"
SCHEDULE_INBOX: Final = Kind(
    "schedule-inbox",
    "",
    "VCALENDAR",
    ("VEVENT",),
    ".ics",
    _MESSAGES,
    ("IPM.SCHEDULE.MEETING",),
    is_mailbox=True,
)
SCHEDULE_OUTBOX: Final = Kind(
    "schedule-outbox", "", "VCALENDAR", ("VEVENT",), ".ics", _MESSAGES, (), is_mailbox=True
)
KINDS: Final = (CALENDAR, TASKS, NOTES, JOURNAL, CONTACTS)
#: What other programs keep beside their contacts; nobody wants to see it.
_HIDDEN: Final = (
    "IPF.CONTACT.MOC.QUICKCONTACTS",
    "IPF.CONTACT.MOC.IMCONTACTLIST",
    "IPF.CONTACT.GALCONTACTS",
    "IPF.CONTACT.ORGANIZATIONALCONTACTS",
    "IPF.CONTACT.RECIPIENTCACHE",
)
#: PR_CONTAINER_CLASS of a new collection, as other clients write it.
CONTAINER_CLASSES: Final = {
    "calendar": "IPF.Appointment",
    "tasks": "IPF.Task",
    "notes": "IPF.StickyNote",
    "journal": "IPF.Journal",
    "contacts": "IPF.Contact",
}


def _begins(upper: str, prefix: str) -> bool:
    return upper == prefix or upper.startswith(prefix + ".")


def kind_of(container_class: str) -> Kind | None:
    """The kind of a folder, None when it is none of ours."""
    upper = container_class.upper()
    if any(_begins(upper, each) for each in _HIDDEN):
        return None
    return next((kind for kind in KINDS if _begins(upper, kind.container)), None)


def kind_of_components(tag: str, components: str) -> Kind | None:
    """The kind of a collection that a client makes: its type and its components ("VEVENT,VTODO", "" = any)."""
    if tag == "VADDRESSBOOK":
        return CONTACTS
    if tag != "VCALENDAR":
        return None
    wanted = {each.strip().upper() for each in components.split(",") if each.strip()}
    if not wanted or "VEVENT" in wanted:
        return CALENDAR
    return TASKS if "VTODO" in wanted else NOTES if "VJOURNAL" in wanted else None

"""What conversion depends on beside the item and its text. There is no clock and no chance: the same in, the same out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.lines import Line
from gateway.mapi.content import AttachmentContent


@dataclass(frozen=True, slots=True)
class Options:
    """How to read and write one item of a calendar."""

    zone: Zone = UTC_ZONE
    """The calendar owner's zone: of floating times, of all-day events, and of unknown zones."""
    owner: tuple[str, ...] = ()
    """All SMTP addresses of the calendar's owner, the main one first; they tell organizer from attendee."""
    owner_name: str = ""
    sees_private: bool = True
    """Whether the reader may see private items; others get their times only."""
    alarms: bool = True
    """Whether alarms are written; off for calendars of other people."""
    html: bool = False
    """Whether HTML bodies are written (X-ALT-DESC) even when no client wrote one."""
    inline: int = 256 * 1024
    """Attachments of at most this many octets are written into the text; larger ones stay in the store only."""
    method: str = ""
    """METHOD of the text that is written."""
    from_organizer: bool = False
    """Whether a text is the organizer's word: he may move a meeting, the owner who was invited to it may not."""
    note_class: str = "IPM.Activity"
    """Message class of a new VJOURNAL: IPM.Activity, or IPM.StickyNote in a folder of notes."""
    link: Callable[[AttachmentContent], tuple[str, str] | None] | None = None
    """Gives an attachment's address and MANAGED-ID (RFC 8607); those without one are written into the text."""
    attached: Callable[[Line], AttachmentContent | None] | None = None
    """Gives the file that an ATTACH with a MANAGED-ID names and the item lacks (RFC 8607 3.7); else it stays a link."""
    now: int | None = None
    """FILETIME of the conversion, for the next reminder of a series and for DTSTAMP of what was never stored."""

    def owns(self, address: str) -> bool:
        """Whether an address is the owner's."""
        return address.lower() in {own.lower() for own in self.owner}


DEFAULTS: Final = Options()

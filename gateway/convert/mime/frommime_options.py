"""What reading a mail depends on beside its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.convert.mime.charsets import DEFAULT_CHARSET
from gateway.convert.mime.structure import DEFAULT_LIMITS, Limits
from gateway.mapi.content import MessageContent

#: Reads iCalendar (UTF-8) that came as a body of a mail, with the method that its Content-Type names (or nothing);
#: None when it is not exactly one item.
CalendarContent: TypeAlias = "Callable[[bytes, str], MessageContent | None]"


@dataclass(frozen=True, slots=True)
class FromMimeOptions:
    """How to read a mail. The same bytes and options always give the same content."""

    default_charset: str = DEFAULT_CHARSET
    """What 8-bit text is that says nothing of its charset and is not UTF-8."""
    delivery_time: int | None = None
    """FILETIME of arrival; without it the topmost Received field tells, else Date."""
    calendar_content: CalendarContent | None = None
    """The calendar converter. Meeting requests, answers and cancellations become what it makes of them;
    without it, and for all else, text/calendar is an attachment."""
    indexed_headers: frozenset[str] = frozenset()
    """Lower-case names of fields that become named properties of PS_INTERNET_HEADERS."""
    limits: Limits = DEFAULT_LIMITS
    embedded: int = 7
    """How many messages inside one another are converted; what is deeper stays bytes."""


DEFAULTS = FromMimeOptions()

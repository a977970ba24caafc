"""Which kind of calendar component a message is, by its class (MS-OXCICAL 2.1.3.1.1.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.convert.ical.values import text
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps

_KINDS: Final = (
    ("ipm.appointment", "VEVENT"),
    ("ipm.schedule.meeting", "VEVENT"),
    ("ipm.ole.class.{00061055", "VEVENT"),
    ("ipm.meeting", "VEVENT"),
    ("ipm.task", "VTODO"),
    ("ipm.activity", "VJOURNAL"),
    ("ipm.stickynote", "VJOURNAL"),
)
_METHODS: Final = {
    "ipm.schedule.meeting.request": "REQUEST",
    "ipm.schedule.meeting.resp.pos": "REPLY",
    "ipm.schedule.meeting.resp.neg": "REPLY",
    "ipm.schedule.meeting.resp.tent": "REPLY",
    "ipm.schedule.meeting.canceled": "CANCEL",
}


def kind_of(props: NamedProps) -> str | None:
    """VEVENT, VTODO or VJOURNAL; None for what has no form in a calendar (a request to do a task, a mail)."""
    return _kind_of_class(text(props, pt.PR_MESSAGE_CLASS))


@lru_cache(maxsize=256)
def _kind_of_class(name: str) -> str | None:
    name = name.lower()
    for beginning, kind in _KINDS:
        if name == beginning or name.startswith((beginning + ".", beginning + "-")):
            return kind
    return "VEVENT" if name.startswith("ipm.ole.class.{00061055") else None


def method_of(props: NamedProps) -> str:
    """The iTIP method of a meeting message, empty for all else; a proposal (COUNTER) is not told apart here."""
    name = text(props, pt.PR_MESSAGE_CLASS).lower()
    for beginning, method in _METHODS.items():
        if name == beginning or name.startswith(beginning + "."):
            return method
    return ""

"""What the tests of calendar items share: short ways to write objects and to look at what they become."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.convert.ical import Options, from_ical, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.timezones import zone_of_iana
from gateway.convert.lines import Component, parse
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

BERLIN = zone_of_iana("Europe/Berlin")
assert BERLIN is not None
OWNER = "owner@x.example"
OPTIONS = Options(zone=BERLIN, owner=(OWNER,), owner_name="Owner")
EPOCH = datetime(1601, 1, 1)


def at(text: str) -> int:
    """The FILETIME of "2026-07-14 08:00" in UTC."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) * 10


def rtime(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(minutes=1)


def calendar(*components: str, method: str = "") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    if method:
        lines.append(f"METHOD:{method}")
    return "\r\n".join([*lines, *components, "END:VCALENDAR", ""]).encode()


def component(kind: str, *lines: str, uid: str = "abc@example.com") -> str:
    return "\r\n".join([f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, f"END:{kind}"])


TIMES = ("DTSTART;TZID=Europe/Berlin:20260714T100000", "DTEND;TZID=Europe/Berlin:20260714T103000")


def vevent(*lines: str, times: tuple[str, ...] = TIMES, uid: str = "abc@example.com") -> str:
    return component("VEVENT", *times, *lines, uid=uid)


def alarm(*lines: str, action: str = "DISPLAY") -> str:
    return "\r\n".join(["BEGIN:VALARM", f"ACTION:{action}", *lines, "END:VALARM"])


def read(
    *components: str, existing: MessageContent | None = None, options: Options = OPTIONS
) -> MessageContent:
    return from_ical(calendar(*components), existing, options)


def event(
    *lines: str,
    times: tuple[str, ...] = TIMES,
    existing: MessageContent | None = None,
    options: Options = OPTIONS,
) -> MessageContent:
    return read(vevent(*lines, times=times), existing=existing, options=options)


def written(content: MessageContent, options: Options = OPTIONS) -> list[Component]:
    """The components of an item, without the zones."""
    (found,) = parse(to_ical(content, options))
    return [child for child in found.children if child.name != "VTIMEZONE"]


def first(content: MessageContent, options: Options = OPTIONS) -> Component:
    return written(content, options)[0]


def line(part: Component, name: str) -> str | None:
    """A property as written: its parameters and value."""
    found = part.first(name)
    if found is None:
        return None
    params = "".join(f";{key}={','.join(values)}" for key, values in found.params.items())
    return f"{params}:{found.value}"


def lines(part: Component, name: str) -> list[str]:
    return [each.value for each in part.all(name)]


def stored(start: str = "2026-07-14 08:00", end: str = "2026-07-14 08:30", **props: object) -> MessageContent:
    """An appointment as a MAPI client stored it; keywords are names of `propids`."""
    known: dict = {
        pt.PR_MESSAGE_CLASS: "IPM.Appointment",
        pt.PR_SUBJECT: "stored",
        pt.PR_SOURCE_KEY: bytes(range(22)),
        ids.START: at(start),
        ids.END: at(end),
    }
    for name, value in props.items():
        known[getattr(ids, name) if hasattr(ids, name) else getattr(pt, name)] = value
    return MessageContent(known)

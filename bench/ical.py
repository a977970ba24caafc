"""What calendar objects cost: writing and reading a typical event, a series, a task; recurrence blobs; expansion.

Prints process CPU time; needs nothing but the package.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.convert.ical import Options, from_ical, happenings, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.timezones import UTC_ZONE, zone_of_iana

OPTIONS = Options(zone=zone_of_iana("Europe/Berlin") or UTC_ZONE, owner=("owner@x.example",))
YEAR = (0x01DC7AB7F0CB8000, 0x01DC7AB7F0CB8000 + 366 * 864_000_000_000)


def calendar(*events: str) -> bytes:
    """A calendar object as clients write it."""
    zone = to_ical(from_ical(event_text("abc").encode(), None, OPTIONS), OPTIONS).decode()
    zone = zone[zone.index("BEGIN:VTIMEZONE") : zone.index("END:VTIMEZONE") + 15]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", zone, *events, "END:VCALENDAR", ""]).encode()


def event_text(uid: str) -> str:
    """A lone event around which there is a calendar."""
    return "\r\n".join(["BEGIN:VCALENDAR", vevent(uid), "END:VCALENDAR", ""])


def vevent(uid: str, *more: str) -> str:
    """An event with the fields that most events have."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        "DTSTART;TZID=Europe/Berlin:20260714T100000",
        "DTEND;TZID=Europe/Berlin:20260714T103000",
        "SUMMARY:Besprechung der nächsten Schritte",
        "LOCATION:Raum 2",
        "DESCRIPTION:Wie immer\\, mit allen.\\nBitte pünktlich.",
        "CATEGORIES:Arbeit",
        "TRANSP:OPAQUE",
        "SEQUENCE:0",
        *more,
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:Reminder",
        "END:VALARM",
        "END:VEVENT",
    ]
    return "\r\n".join(lines)


PEOPLE = (
    "ORGANIZER;CN=Boss:mailto:boss@x.example",
    *(f"ATTENDEE;CN=Person {n};PARTSTAT=ACCEPTED:mailto:p{n}@x.example" for n in range(5)),
)
OVERRIDE = vevent("abc", "RECURRENCE-ID;TZID=Europe/Berlin:20260728T100000").replace("0714T", "0729T")


def measure(name: str, action: Callable[[], object]) -> None:
    """Print the CPU time of one call, the best of five rounds."""
    action()
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(300):
            action()
        rounds.append((time.process_time() - start) / 300)
    print(f"{name:48} {min(rounds) * 1e6:9.1f} us")


def main() -> None:
    """Measure everything."""
    plain = calendar(vevent("abc"))
    meeting = calendar(vevent("abc", *PEOPLE))
    series = calendar(vevent("abc", "RRULE:FREQ=WEEKLY;COUNT=40"), OVERRIDE)
    contents = {"event": plain, "meeting of six": meeting, "series with an exception": series}
    for name, text in contents.items():
        content = from_ical(text, None, OPTIONS)
        measure(f"write {name}", lambda content=content: to_ical(content, OPTIONS))  # type: ignore[misc]
        measure(f"read {name}", lambda text=text: from_ical(text, None, OPTIONS))  # type: ignore[misc]
        measure(
            f"merge {name}",
            lambda text=text, content=content: from_ical(text, content, OPTIONS),  # type: ignore[misc]
        )
    item = from_ical(series, None, OPTIONS)
    blob = item.props[ids.RECUR]
    pattern = decode(blob)
    measure("decode a recurrence blob", lambda: decode(blob))
    measure("encode a recurrence blob", lambda: encode(pattern))
    measure("instances of a series in a year", lambda: happenings(item, *YEAR, OPTIONS))


if __name__ == "__main__":
    main()

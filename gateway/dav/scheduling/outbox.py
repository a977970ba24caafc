"""The scheduling Outbox: asking when others are busy (RFC 6638 5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from gateway.convert.errors import ParseError
from gateway.convert.ical import Busy, write_freebusy
from gateway.convert.ical.moments import Zones, filetime
from gateway.convert.ical.options import DEFAULTS
from gateway.convert.ical.people import calendar_address
from gateway.convert.ical.reading import single_calendar
from gateway.convert.lines import Component, Line
from gateway.dav import hrefs
from gateway.dav.errors import Answer, Refused
from gateway.dav.scheduling import mailboxes
from gateway.dav.scheduling.busy import busy_times
from gateway.dav.scheduling.users import User, users_of
from gateway.dav.scope import RequestScope
from gateway.dav.xmltext import xml_text
from gateway.mapi.times import from_unix, to_unix

MAX_ATTENDEES: Final = 200
MAX_DAYS: Final = 400
_SUCCESS: Final = "2.0;Success"
_INVALID: Final = "3.7;Invalid Calendar User"
_UNKNOWN: Final = "5.3;No scheduling support for user"


@dataclass(frozen=True, slots=True)
class Question:
    """A VFREEBUSY that is asked. Times are FILETIMEs."""

    uid: str
    organizer: str
    attendees: tuple[Line, ...]
    start: int
    end: int


def is_outbox(scope: RequestScope, path: str) -> bool:
    """Whether a path is the user's own Outbox."""
    parts = hrefs.split_path(path)
    return (
        len(parts) == 2
        and parts[0] == scope.user
        and parts[1] == mailboxes.OUTBOX
        and bool(scope.mailboxes(parts[0]))
    )


def post(scope: RequestScope, body: bytes) -> Answer:
    """The busy times of everybody who is named (Refused with the precondition that the question breaks)."""
    question = _question(body)
    own = scope.wait(lambda: scope.shared.people.addresses(scope.session, scope.user))[0]
    if question.organizer not in {each.lower() for each in own} | {_path_of(scope.user)}:
        raise Refused(403, "C:valid-organizer", "you ask in your own name")
    asked = {line.value: _address(line) for line in question.attendees}
    users = scope.wait(
        lambda: users_of(scope.session, [each for each in dict.fromkeys(asked.values()) if "@" in each])
    )
    users |= _by_path(scope, list(asked.values()))
    scope.wait(lambda: scope.shared.publisher.publish([user.login for user in users.values()]))
    found = busy_times(scope, users.values(), to_unix(question.start), to_unix(question.end))
    parts = [
        _response(scope, question, line, users.get(asked[line.value]), found) for line in question.attendees
    ]
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<C:schedule-response xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"{''.join(parts)}</C:schedule-response>\n"
    )
    return Answer(200, {"Content-Type": "application/xml; charset=utf-8"}, text.encode())


def _question(body: bytes) -> Question:
    try:
        calendar = single_calendar(body)
        asked = list(calendar.components("VFREEBUSY"))
        if (calendar.text("METHOD") or "").upper() != "REQUEST" or len(asked) != 1:
            raise Refused(
                403, "C:valid-scheduling-message", "busy times are asked with one VFREEBUSY, METHOD:REQUEST"
            )
        return _of_component(asked[0], Zones(calendar, DEFAULTS.zone))
    except ParseError as error:
        raise Refused(403, "C:valid-calendar-data", str(error)) from error


def _of_component(component: Component, zones: Zones) -> Question:
    first, last, organizer = (component.first(name) for name in ("DTSTART", "DTEND", "ORGANIZER"))
    attendees = tuple(component.all("ATTENDEE"))
    if first is None or last is None or organizer is None or not attendees:
        raise Refused(403, "C:valid-scheduling-message", "DTSTART, DTEND, ORGANIZER and an ATTENDEE are needed")
    if len(attendees) > MAX_ATTENDEES:
        raise Refused(403, "C:valid-scheduling-message", f"at most {MAX_ATTENDEES} people are asked at once")
    start, end = filetime(zones.when(first).utc), filetime(zones.when(last).utc)
    if not 0 < to_unix(end) - to_unix(start) <= MAX_DAYS * 86_400:
        raise Refused(
            403, "C:valid-scheduling-message", f"the time asked for is none, or more than {MAX_DAYS} days"
        )
    return Question(component.text("UID") or "", _address(organizer), attendees, start, end)


def _address(line: Line) -> str:
    """A calendar user's address in small letters, or the path of his principal."""
    found = calendar_address(line).lower()
    return found or hrefs.path_of(line.value)


def _path_of(login: str) -> str:
    return f"/{login}/"


def _by_path(scope: RequestScope, asked: Collection[str]) -> dict[str, User]:
    """The user himself when he is named by his principal; others are asked by their addresses."""
    path = _path_of(scope.user)
    return {path: User(scope.user, b"")} if path in asked else {}


def _response(
    scope: RequestScope, question: Question, line: Line, user: User | None, found: dict[str, list[Busy]]
) -> str:
    recipient = f"<C:recipient><href>{xml_text(line.value.strip())}</href></C:recipient>"
    if user is None:
        return f"<C:response>{recipient}<C:request-status>{_INVALID}</C:request-status></C:response>"
    if user.login not in found:
        return f"<C:response>{recipient}<C:request-status>{_UNKNOWN}</C:request-status></C:response>"
    data = write_freebusy(
        found[user.login],
        question.start,
        question.end,
        now=from_unix(scope.shared.now()),
        uid=question.uid,
        organizer=question.organizer,
        attendee=_address(line),
        method="REPLY",
    )
    return (
        f"<C:response>{recipient}<C:request-status>{_SUCCESS}</C:request-status>"
        f"<C:calendar-data>{escape(data.decode())}</C:calendar-data></C:response>"
    )

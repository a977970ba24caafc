"""When users are busy: from their calendars where rights allow, else from what they publish (MS-OXOPFFB 2.2.1).

Beside that they are unavailable outside of their working hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import Busy, beside, busy_of_published, unavailable
from gateway.convert.ical.busytimes import merged
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.timezones import Zone
from gateway.dav.collection import Collection
from gateway.dav.places import Place
from gateway.dav.scheduling import availability
from gateway.dav.scheduling.published import PUBLISHED, published_folder
from gateway.dav.scheduling.transparency import makes_busy
from gateway.dav.scheduling.users import User
from gateway.dav.scope import RequestScope
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapi.props import NamedProps, present
from gateway.mapi.restrictions import Or, equals
from gateway.mapi.tables import TableFlags
from gateway.mapi.times import from_unix
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table, rows_of

_STATUSES: Final = {"BUSY-TENTATIVE": 1, "BUSY": 2, "BUSY-UNAVAILABLE": 3}


def busy_times(scope: RequestScope, users: Iterable[User], start: int, end: int) -> dict[str, list[Busy]]:
    """When users are busy in a time range (Unix times), by login name; nothing for those of whom nothing is known."""
    wanted = {user.login: user for user in users}
    found: dict[str, list[Busy]] = {}
    for login in list(wanted):
        places = _calendars_of(scope, login)
        if places is not None:
            found[login] = _of_calendars(scope, places, start, end)
    missing = [user for login, user in wanted.items() if login not in found]
    if missing:
        found |= scope.wait(lambda: _of_publishers(scope.session, missing, start, end))
    return _with_hours(scope, found, from_unix(start), from_unix(end))


def _with_hours(
    scope: RequestScope, found: dict[str, list[Busy]], first: int, last: int
) -> dict[str, list[Busy]]:
    """Busy times with those at which users are not available (RFC 7953 7.2.4)."""
    shared = scope.shared
    texts = scope.wait(
        lambda: availability.of_users(scope.homes, scope.session, found, shared.zone, shared.now())
    )
    away = {text: _away(text, first, last, shared.zone) for text in set(texts.values())}
    for login, text in texts.items():
        found[login] = sorted([*found[login], *beside(away[text], found[login])])
    return found


def _away(text: bytes, first: int, last: int, zone: Zone) -> list[Busy]:
    try:
        return unavailable(text, first, last, IcalOptions(zone=zone))
    except ParseError:
        return []


def default_calendar(scope: RequestScope, login: str) -> Place | None:
    """Somebody's default calendar, None when the user may not read it."""
    places = _calendars(scope, login)
    if not places or login == scope.user:
        return next((each for each in places if each.is_default), None)
    home = places[0].home
    if home is None:
        return None
    try:
        props, _ = scope.wait(lambda: load_props(home.store.session, home.store.root))
    except (NoAccess, NotFound):
        return None
    wanted = props.get(pr.PR_IPM_APPOINTMENT_ENTRYID)
    return next((each for each in places if each.entryid == wanted), None)


def _calendars_of(scope: RequestScope, login: str) -> list[Place] | None:
    """The calendars that make somebody busy, None when the user may not read the default one."""
    default = default_calendar(scope, login)
    if default is None:
        return None
    return [
        each
        for each in _calendars(scope, login)
        if makes_busy(each, is_default=each.source_key == default.source_key)
    ]


def _calendars(scope: RequestScope, login: str) -> list[Place]:
    return [each for each in scope.places(login) if each.owner == login and each.kind.name == "calendar"]


def _of_calendars(scope: RequestScope, places: list[Place], start: int, end: int) -> list[Busy]:
    periods = [each for place in places for each in Collection(scope, place.owner, place).free_busy(start, end)]
    return merged(Busy(from_unix(first), from_unix(last), _STATUSES[kind]) for first, last, kind in periods)


async def _of_publishers(
    session: Session, users: Sequence[User], start: int, end: int
) -> dict[str, list[Busy]]:
    """What users have published, all read at once."""
    folder = await published_folder(session)
    if folder is None:
        return {}
    public, entryid = folder
    wanted = Or(tuple(equals(pr.PR_ADDRESS_BOOK_ENTRYID, user.entryid) for user in users))
    table = Table.contents(public.session, entryid, PUBLISHED, restriction=wanted, flags=TableFlags.NOCAP)
    logins = {user.entryid: user.login for user in users}
    found: dict[str, list[Busy]] = {}
    for row in await rows_of(table):
        props: NamedProps = dict(present(row.items()))
        login = logins.get(props.get(pr.PR_ADDRESS_BOOK_ENTRYID, b""))
        if login is not None:
            found[login] = _within(busy_of_published(props), from_unix(start), from_unix(end))
    return found


def _within(periods: Iterable[Busy], first: int, last: int) -> list[Busy]:
    return [
        Busy(max(each.start, first), min(each.end, last), each.status)
        for each in periods
        if each.start < last and each.end > first
    ]

"""The calendar that invitations go to is what the user has chosen (RFC 6638 9.2)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gateway.mapi.rights import Rights
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import C, Reply, event
from tests.dav.test_availability import TEXT
from tests.dav.test_scheduling_busy import DAY, busy
from tests.dav.test_scheduling_inbox import receive
from tests.dav.test_sharing import share

TAG = f"{C}schedule-default-calendar-URL"


def choose(person: Person, href: str | None, more: str = "") -> Reply:
    """Set the property; None takes it away."""
    value = "" if href is None else f"<href>{href}</href>"
    inner = f"<prop><C:schedule-default-calendar-URL>{value}</C:schedule-default-calendar-URL>{more}</prop>"
    action = f"<remove>{inner}</remove>" if href is None else f"<set>{inner}</set>"
    body = f'<propertyupdate xmlns="DAV:" xmlns:C="{C[1:-1]}">{action}</propertyupdate>'
    answer = person("PROPPATCH", person.inbox, body)
    assert answer.status == 207, answer.text
    return answer


def chosen(person: Person) -> str | None:
    return person.propfind(person.inbox, TAG).found(person.inbox, TAG)


@pytest.fixture
def second(ann: Person) -> str:
    """A second calendar of Ann's."""
    path = f"{ann.home}second/"
    assert ann("MKCALENDAR", path).status == 201
    return path


def uids(person: Person, path: str) -> list[str]:
    return sorted(text.partition("UID:")[2].split()[0] for text in person.texts(path).values())


def test_invitations_go_to_the_chosen_calendar(site: Site, boss: Person, ann: Person, second: str) -> None:
    assert chosen(ann) == ann.calendar
    assert "200 OK" in choose(ann, second).text
    assert chosen(ann) == second
    boss.put("m", meeting("c-1", boss, ann))
    site.deliver()
    ann.messages()
    assert (uids(ann, second), uids(ann, ann.calendar)) == (["c-1"], [])
    later = Person(site, ann.user)
    later.port = site.new_head()
    assert chosen(later) == second


def test_updates_stay_where_the_meeting_is(site: Site, boss: Person, ann: Person, second: str) -> None:
    boss.put("m", meeting("c-2", boss, ann))
    site.deliver()
    ann.messages()
    choose(ann, second)
    boss.put("m", meeting("c-2", boss, ann, start="20261201T150000"))
    site.deliver()
    ann.messages()
    assert "T150000" in ann.event("c-2")
    assert uids(ann, second) == []


@pytest.mark.parametrize("how", ["removed", "no address", "the default one", "deleted"])
def test_without_a_choice_it_is_the_default_one(
    site: Site, boss: Person, ann: Person, second: str, how: str
) -> None:
    choose(ann, second)
    if how == "deleted":
        assert ann("DELETE", second).status in (200, 204)
    else:
        choose(ann, {"removed": None, "no address": "", "the default one": ann.calendar}[how])
    assert chosen(ann) == ann.calendar
    receive(site, ann, meeting("c-3", boss, ann))
    ann.messages()
    assert uids(ann, ann.calendar) == ["c-3"]


def test_addresses_in_all_forms(ann: Person) -> None:
    path = f"{ann.home}{quote('Büro 2')}/"
    assert ann("MKCALENDAR", path).status == 201
    for href in (f"http://127.0.0.1:{ann.port}{path}", path, path.rstrip("/")):
        choose(ann, None)
        assert "200 OK" in choose(ann, href).text
        assert chosen(ann) == path


def test_only_ones_own_calendars_can_be_chosen(site: Site, boss: Person, ann: Person) -> None:
    share(site, boss.user, ann.user, Rights.EDITOR)
    shared = ann.home + boss.calendar.removeprefix(boss.home)
    for href in (
        boss.calendar,
        shared,
        ann.home,
        ann.inbox,
        ann.outbox,
        ann.collection("VTODO"),
        ann.collection("addressbook"),
        f"{ann.home}nowhere/",
        f"{ann.calendar}x.ics",
        "nonsense",
        "http://[",
    ):
        assert "valid-schedule-default-calendar-URL" in choose(ann, href).text, href
        assert chosen(ann) == ann.calendar


def test_all_of_a_change_or_none(site: Site, ann: Person, second: str) -> None:
    hours = f"<C:calendar-availability>{TEXT}</C:calendar-availability>"
    answer = choose(ann, "/nowhere/", hours)
    assert "424" in answer.text
    assert (
        ann.propfind(ann.inbox, f"{C}calendar-availability").found(ann.inbox, f"{C}calendar-availability")
        is None
    )
    assert "424" in choose(ann, second, "<getetag/>").text
    assert chosen(ann) == ann.calendar
    assert "424" not in choose(ann, second, hours).text
    assert chosen(ann) == second
    assert ann.propfind(ann.inbox, f"{C}calendar-availability").found(ann.inbox, f"{C}calendar-availability")


def test_it_is_the_inbox_that_has_the_property(ann: Person, second: str) -> None:
    body = (
        f'<propertyupdate xmlns="DAV:" xmlns:C="{C[1:-1]}"><set><prop><C:schedule-default-calendar-URL><href>{second}</href>'
        "</C:schedule-default-calendar-URL></prop></set></propertyupdate>"
    )
    assert "cannot-modify-protected-property" in ann("PROPPATCH", ann.calendar, body).text


def test_meetings_in_it_keep_their_guest_busy(site: Site, boss: Person, ann: Person, second: str) -> None:
    assert ann("PUT", f"{second}e.ics", event("c-4", "E", "20261201T100000Z")).status == 201
    ann.put("e", event("c-5", "E", "20261201T150000Z"))
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == ["20261201T150000Z/20261201T160000Z"]
    choose(ann, second)
    both = ["20261201T100000Z/20261201T110000Z", "20261201T150000Z/20261201T160000Z"]
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == both
    assert busy(ann.asks([ann.address], *DAY)[ann.address]) == both
    assert ann("DELETE", second).status in (200, 204)
    assert busy(boss.asks([ann.address], *DAY)[ann.address]) == both[1:]


def test_who_said_that_a_calendar_leaves_him_free_stays_so(ann: Person, second: str) -> None:
    tag = f"{C}schedule-calendar-transp"
    body = (
        f'<propertyupdate xmlns="DAV:" xmlns:C="{C[1:-1]}"><set><prop><C:schedule-calendar-transp><C:transparent/>'
        "</C:schedule-calendar-transp></prop></set></propertyupdate>"
    )
    assert ann("PROPPATCH", second, body).status == 207
    choose(ann, second)
    found: Any = ann.propfind(second, tag).xml.find(f".//{tag}/{C}transparent")
    assert found is not None

"""Calendars: put, read, query, move, collections made and changed."""

from __future__ import annotations

import pytest

from tests.dav.server import C, Client, D, card, event, multiget, unfolded

ICAL = "{http://apple.com/ns/ical/}"


def query(start: str = "", end: str = "", inner: str = "", *, component: str = "VEVENT") -> str:
    bounds = (f' start="{start}"' if start else "") + (f' end="{end}"' if end else "")
    time_range = f"<C:time-range{bounds}/>" if bounds else ""
    return (
        '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/></prop><C:filter>'
        f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="{component}">{time_range}{inner}</C:comp-filter>'
        "</C:comp-filter></C:filter></C:calendar-query>"
    )


def test_an_event_that_was_put_is_read_listed_and_changed(client: Client) -> None:
    calendar = client.collection("calendar")
    path = calendar + "meeting.ics"
    assert client("PUT", path, event("e-1", "Meeting"), If_None_Match="*").status == 201
    assert client("PUT", path, event("e-1", "Meeting"), If_None_Match="*").status == 412
    first = client("GET", path)
    assert "SUMMARY:Meeting" in first.text
    assert "UID:e-1" in first.text
    assert first.headers["content-type"].startswith("text/calendar")
    etag = first.headers["etag"]
    assert client("PUT", path, event("e-1", "Later"), If_Match='"other"').status == 412
    changed = client("PUT", path, event("e-1", "Later"), If_Match=etag)
    assert changed.status == 204
    assert "etag" not in changed.headers
    second = client("GET", path)
    assert "SUMMARY:Later" in second.text
    assert second.headers["etag"] != etag
    assert client("GET", path, If_None_Match=second.headers["etag"]).status == 304
    assert client("GET", path, If_Match='"00"').status == 412
    assert client("GET", path, If_Match=second.headers["etag"]).status == 200
    assert client("HEAD", path).headers["etag"] == second.headers["etag"]


def test_many_are_read_at_once(client: Client) -> None:
    calendar = client.collection("calendar")
    paths = [f"{calendar}e {number}.ics".replace(" ", "%20") for number in range(5)]
    for number, path in enumerate(paths):
        assert client("PUT", path, event(f"uid-{number}", f"Event {number} <&>")).status == 201
    answer = client("REPORT", calendar, multiget("calendar", *paths, calendar + "none.ics"))
    assert answer.status == 207
    for number, path in enumerate(paths):
        assert f"SUMMARY:Event {number} <&>" in (answer.found(path, f"{C}calendar-data") or "")
    assert " 404 " in (answer.responses[calendar + "none.ics"].findtext(f"{D}status") or "")


def test_a_deleted_event_is_gone(client: Client) -> None:
    calendar = client.collection("calendar")
    path = calendar + "short.ics"
    client("PUT", path, event("short", "Short"))
    assert client("DELETE", path, If_Match='"no"').status == 412
    assert client("DELETE", path).status == 204
    assert client("GET", path).status == 404
    assert client("DELETE", path).status == 404
    assert client("PUT", path, event("short", "Again")).status == 201


def test_time_ranges(client: Client) -> None:
    calendar = client.collection("calendar")
    client("PUT", calendar + "one.ics", event("one", "One", "20260310T100000Z"))
    client("PUT", calendar + "two.ics", event("two", "Two", "20260410T100000Z"))
    client(
        "PUT",
        calendar + "weekly.ics",
        event("weekly", "Weekly", "20260105T080000Z", "RRULE:FREQ=WEEKLY;COUNT=14"),
    )

    def found(start: str, end: str) -> set[str]:
        return {
            each.removeprefix(calendar)
            for each in client("REPORT", calendar, query(start, end), Depth="1").hrefs
        }

    assert found("20260301T000000Z", "20260401T000000Z") == {"one.ics", "weekly.ics"}
    assert found("20260410T105900Z", "20260411T000000Z") == {"two.ics"}
    assert found("20260410T110000Z", "20260411T000000Z") == set()
    assert found("20260106T000000Z", "20260107T000000Z") == set()
    assert found("20260112T000000Z", "20260113T000000Z") == {"weekly.ics"}
    assert found("20270101T000000Z", "") == set()
    assert found("", "") == {"one.ics", "two.ics", "weekly.ics"}


def test_texts_are_searched(client: Client) -> None:
    calendar = client.collection("calendar")
    client("PUT", calendar + "one.ics", event("one", "Breakfast"))
    client("PUT", calendar + "two.ics", event("two", "Dinner"))
    match = '<C:prop-filter name="SUMMARY"><C:text-match collation="i;ascii-casemap">BREAK</C:text-match></C:prop-filter>'
    assert client("REPORT", calendar, query(inner=match)).hrefs == [calendar + "one.ics"]


def test_a_series_is_expanded(client: Client) -> None:
    calendar = client.collection("calendar")
    client(
        "PUT", calendar + "daily.ics", event("daily", "Daily", "20260601T080000Z", "RRULE:FREQ=DAILY;COUNT=10")
    )
    body = (
        '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><C:calendar-data>'
        '<C:expand start="20260603T000000Z" end="20260605T000000Z"/></C:calendar-data></prop><C:filter>'
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260603T000000Z" '
        'end="20260605T000000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
    )
    text = client("REPORT", calendar, body).text
    assert text.count("BEGIN:VEVENT") == 2
    assert "RRULE" not in text


def test_free_and_busy_times(client: Client) -> None:
    calendar = client.collection("calendar")
    client("PUT", calendar + "busy.ics", event("busy", "Busy", "20260701T080000Z"))
    body = (
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        '<C:time-range start="20260701T000000Z" end="20260702T000000Z"/></C:free-busy-query>'
    )
    answer = client("REPORT", calendar, body, Depth="1")
    assert answer.status == 200
    assert "20260701T080000Z/20260701T090000Z" in unfolded(answer.text)


@pytest.mark.parametrize(
    ("body", "precondition"),
    [
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "valid-calendar-data"),
        ("nonsense", "valid-calendar-data"),
        (
            event("m", "With method").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
            "valid-calendar-object-resource",
        ),
        (event("t", "Task").replace("VEVENT", "VTODO"), "supported-calendar-component"),
        (event("d", "No date", "yesterday"), "valid-calendar-data"),
    ],
)
def test_what_does_not_belong_into_a_calendar_is_refused(client: Client, body: str, precondition: str) -> None:
    answer = client("PUT", client.collection("calendar") + "wrong.ics", body)
    assert answer.status == 403
    assert answer.xml.find(f"{C}{precondition}") is not None


def test_a_uid_lies_in_a_collection_once(client: Client) -> None:
    calendar = client.collection("calendar")
    client("PUT", calendar + "one.ics", event("same", "One"))
    answer = client("PUT", calendar + "two.ics", event("same", "Two"))
    assert answer.status == 409
    assert answer.xml.find(f"{C}no-uid-conflict") is not None
    assert client("PUT", calendar + "one.ics", event("other", "One")).status == 409


def test_a_calendar_is_made_named_coloured_and_deleted(client: Client) -> None:
    path = client.home + "my-calendar/"
    body = (
        '<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><set><prop>'
        "<displayname>Garden</displayname><C:calendar-description>When to water</C:calendar-description>"
        '<calendar-color xmlns="http://apple.com/ns/ical/">#ff0000ff</calendar-color></prop></set></C:mkcalendar>'
    )
    assert client("MKCALENDAR", path, body).status == 201
    assert client("MKCALENDAR", path, body).status == 409
    tags = (f"{D}displayname", f"{C}calendar-description", f"{ICAL}calendar-color", f"{ICAL}calendar-order")
    answer = client.propfind(path, *tags)
    assert [answer.found(path, tag) for tag in tags] == ["Garden", "When to water", "#ff0000ff", None]
    patch = (
        '<propertyupdate xmlns="DAV:"><set><prop><displayname>Orchard</displayname>'
        '<calendar-order xmlns="http://apple.com/ns/ical/">7</calendar-order></prop></set></propertyupdate>'
    )
    assert client("PROPPATCH", path, patch).status == 207
    answer = client.propfind(path, *tags)
    assert [answer.found(path, tag) for tag in tags] == ["Orchard", "When to water", "#ff0000ff", "7"]
    assert client("PUT", path + "e.ics", event("e", "In it")).status == 201
    assert client("DELETE", path).status == 204
    assert client.propfind(path, *tags).status == 404
    assert path not in client.propfind(client.home, f"{D}displayname", depth="1").hrefs


def test_two_calendars_may_have_the_same_name(client: Client) -> None:
    for name in ("a", "b"):
        body = '<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/><C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/></resourcetype><displayname>Same</displayname></prop></set></mkcol>'
        assert client("MKCOL", f"{client.home}{name}/", body).status == 201


def test_a_default_calendar_cannot_be_deleted(client: Client) -> None:
    assert client("DELETE", client.collection("calendar")).status == 403


def test_an_event_is_copied_and_moved(client: Client) -> None:
    calendar, other = client.collection("calendar"), client.home + "second/"
    assert client("MKCALENDAR", other).status == 201
    client("PUT", calendar + "one.ics", event("one", "One"))
    destination = f"http://127.0.0.1:{client.port}{other}two.ics"
    assert client("COPY", calendar + "one.ics", Destination=destination).status == 201
    assert "SUMMARY:One" in client("GET", other + "two.ics").text
    assert client("COPY", calendar + "one.ics", Destination=destination, Overwrite="F").status == 412
    assert client("DELETE", other + "two.ics").status == 204
    assert client("MOVE", calendar + "one.ics", Destination=destination).status == 201
    assert client("GET", calendar + "one.ics").status == 404
    assert "UID:one" in client("GET", other + "two.ics").text
    renamed = f"http://127.0.0.1:{client.port}{other}three.ics"
    assert client("MOVE", other + "two.ics", Destination=renamed).status == 201
    assert client("GET", other + "two.ics").status == 404
    assert client("GET", other + "three.ics").status == 200


def test_a_whole_calendar_is_one_text(client: Client) -> None:
    calendar = client.collection("calendar")
    for name in ("one", "two"):
        client("PUT", f"{calendar}{name}.ics", event(name, name))
    answer = client("GET", calendar)
    assert answer.status == 200
    assert answer.text.count("BEGIN:VEVENT") == 2
    assert answer.text.count("BEGIN:VCALENDAR") == 1


def test_tasks_and_notes(client: Client) -> None:
    tasks, notes = client.collection("VTODO"), client.collection("VJOURNAL")
    todo = event("t", "Buy milk").replace("VEVENT", "VTODO").replace("DURATION:PT1H\r\n", "")
    assert client("PUT", tasks + "t.ics", todo).status == 201
    assert "SUMMARY:Buy milk" in client("GET", tasks + "t.ics").text
    journal = event("n", "Note").replace("VEVENT", "VJOURNAL").replace("DURATION:PT1H\r\n", "")
    assert client("PUT", notes + "n.ics", journal + "").status == 201
    assert "BEGIN:VJOURNAL" in client("GET", notes + "n.ics").text
    assert client.propfind(notes, f"{D}getetag", depth="1").hrefs == [notes, notes + "n.ics"]


def test_a_card_is_no_event(client: Client) -> None:
    assert client("PUT", client.collection("calendar") + "c.ics", card("c", "A Card")).status == 403
    assert client("PUT", client.collection("addressbook") + "e.vcf", event("e", "Event")).status == 403

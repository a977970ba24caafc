"""MKCALENDAR and extended MKCOL with the bodies that clients send (RFC 4791 5.3.1, RFC 5689)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.dav.server import CR, C, Client, D, event

ICAL = "{http://apple.com/ns/ical/}"
BERLIN = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
"""
APPLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav">
  <A:set xmlns:A="DAV:">
    <A:prop>
      <D:calendar-order xmlns:D="http://apple.com/ns/ical/">11</D:calendar-order>
      <B:supported-calendar-component-set><B:comp name="VEVENT"/></B:supported-calendar-component-set>
      <D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="green">#63DA38FF</D:calendar-color>
      <B:calendar-free-busy-set><NO/></B:calendar-free-busy-set>
      <B:schedule-calendar-transp><B:transparent/></B:schedule-calendar-transp>
      <B:calendar-timezone>{BERLIN}</B:calendar-timezone>
      <A:displayname>Ärger &amp; Spaß</A:displayname>
    </A:prop>
  </A:set>
</B:mkcalendar>"""
DAVX5 = f"""<?xml version='1.0' encoding='UTF-8' ?><CAL:mkcalendar xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"
 xmlns:CARD="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection /><CAL:calendar /></resourcetype>
<displayname>Ärger &amp; Spaß</displayname><CAL:calendar-description>Beschreibung</CAL:calendar-description>
<n1:calendar-color xmlns:n1="http://apple.com/ns/ical/">#63DA38FF</n1:calendar-color>
<CAL:calendar-timezone-id>Europe/Berlin</CAL:calendar-timezone-id><CAL:calendar-timezone><![CDATA[{BERLIN}]]></CAL:calendar-timezone>
<CAL:supported-calendar-component-set><CAL:comp name="VEVENT" /></CAL:supported-calendar-component-set></prop></set></CAL:mkcalendar>"""
EVOLUTION = """<?xml version="1.0" encoding="UTF-8"?>
<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:" xmlns:IC="http://apple.com/ns/ical/"><D:set><D:prop>
<D:displayname>Ärger &amp; Spaß</D:displayname><IC:calendar-color>#63DA38FF</IC:calendar-color>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"""
PYTHON = """<mkcalendar xmlns="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:" xmlns:IC="http://apple.com/ns/ical/"><D:set><D:prop>
<D:resourcetype><D:collection/><calendar/></D:resourcetype><IC:calendar-color>#63DA38FF</IC:calendar-color>
<D:displayname>Ärger &amp; Spaß</D:displayname></D:prop></D:set></mkcalendar>"""


@pytest.mark.parametrize(
    "body", [APPLE, DAVX5, EVOLUTION, PYTHON], ids=["apple", "davx5", "evolution", "python"]
)
def test_the_bodies_of_clients(client: Client, body: str) -> None:
    path = f"{client.home}new/"
    made = client("MKCALENDAR", path, body, Content_Type='application/xml; charset="utf-8"')
    assert (made.status, made.headers["cache-control"], made.body) == (201, "no-cache", b""), made.text
    tags = f"{D}displayname", f"{ICAL}calendar-color", f"{C}supported-calendar-component-set"
    told = client.propfind(path, *tags)
    assert [told.found(path, tag) for tag in tags] == ["Ärger & Spaß", "#63DA38FF", ""]
    assert [each.get("name") for each in told.xml.iter(f"{C}comp")] == ["VEVENT"]
    assert client("PUT", f"{path}e.ics", event("e", "In it")).status == 201


@pytest.mark.parametrize("body", [APPLE, DAVX5], ids=["apple", "davx5"])
def test_the_time_zone_is_kept_as_it_came(client: Client, body: str) -> None:
    path = f"{client.home}zone/"
    assert client("MKCALENDAR", path, body).status == 201
    told = client.propfind(path, f"{C}calendar-timezone")
    assert (told.found(path, f"{C}calendar-timezone") or "").strip() == BERLIN.strip()


def test_xml_is_kept_whole(client: Client) -> None:
    path = f"{client.home}xml/"
    dead = '<x:note xmlns:x="urn:x" kind="a"><x:b>one</x:b> two <x:c y="3"/></x:note>'
    assert client("MKCALENDAR", path, APPLE.replace("</A:prop>", f"{dead}</A:prop>")).status == 201
    tags = "{urn:x}note", f"{C}schedule-calendar-transp", f"{C}calendar-free-busy-set", f"{ICAL}calendar-color"
    told = client.propfind(path, *tags)
    note, transp, busy, color = [next(told.xml.iter(tag)) for tag in tags]
    same = ET.canonicalize(dead, rewrite_prefixes=True)
    assert ET.canonicalize(ET.tostring(note, "unicode"), rewrite_prefixes=True) == same
    assert [each.tag for each in transp] == [f"{C}transparent"]
    assert [each.tag for each in busy] == ["NO"]
    assert color.attrib == {"symbolic-color": "green"}
    assert "{urn:x}note" in {each.tag for each in client("PROPFIND", path, Depth="0").xml.iter()}


BOOK = """<?xml version="1.0" encoding="utf-8"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype><D:displayname xml:lang="en">Friends</D:displayname>
<C:addressbook-description>All of them</C:addressbook-description></D:prop></D:set></D:mkcol>"""


def test_an_address_book(client: Client) -> None:
    path = f"{client.home}book/"
    assert client("MKCOL", path, BOOK).status == 201
    tags = f"{D}displayname", f"{CR}addressbook-description"
    told = client.propfind(path, *tags)
    assert [told.found(path, tag) for tag in tags] == ["Friends", "All of them"]
    assert client("MKCOL", path, BOOK).status == 405


@pytest.mark.parametrize(
    ("method", "prop", "wrong", "precondition"),
    [
        (
            "MKCOL",
            "<D:resourcetype><D:collection/></D:resourcetype>",
            f"{D}resourcetype",
            f"{D}valid-resourcetype",
        ),
        (
            "MKCOL",
            '<D:resourcetype><x xmlns="urn:x"/></D:resourcetype>',
            f"{D}resourcetype",
            f"{D}valid-resourcetype",
        ),
        (
            "MKCALENDAR",
            '<C:supported-calendar-component-set><C:comp name="VPOLL"/></C:supported-calendar-component-set>',
            f"{C}supported-calendar-component-set",
            f"{C}supported-calendar-component",
        ),
        (
            "MKCALENDAR",
            "<C:calendar-timezone>x</C:calendar-timezone>",
            f"{C}calendar-timezone",
            f"{C}valid-calendar-data",
        ),
        (
            "MKCALENDAR",
            "<C:calendar-timezone-id>x</C:calendar-timezone-id>",
            f"{C}calendar-timezone-id",
            f"{C}valid-timezone",
        ),
        ("MKCALENDAR", "<D:getetag>x</D:getetag>", f"{D}getetag", f"{D}cannot-modify-protected-property"),
    ],
)
def test_what_is_wrong_is_said_of_each_property(
    client: Client, method: str, prop: str, wrong: str, precondition: str
) -> None:
    """RFC 5689 3, RFC 4791 5.3.1: nothing is made when a property cannot be set."""
    root = "D:mkcol" if method == "MKCOL" else "C:mkcalendar"
    body = (
        f'<{root} xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>{prop}'
        f"<D:displayname>New</D:displayname></D:prop></D:set></{root}>"
    )
    refused = client(method, f"{client.home}wrong/", body)
    assert refused.status == 403
    answer = {"MKCOL": f"{D}mkcol-response", "MKCALENDAR": f"{C}mkcalendar-response"}
    assert refused.xml.tag == answer[method]
    found = {
        (
            each.tag,
            (propstat.findtext(f"{D}status") or "").split()[1],
            *[e.tag for e in propstat.iterfind(f"{D}error/*")],
        )
        for propstat in refused.xml.iterfind(f"{D}propstat")
        for each in propstat.iterfind(f"{D}prop/*")
    }
    assert found == {(wrong, "403", precondition), (f"{D}displayname", "424")}
    assert client.propfind(f"{client.home}wrong/", f"{D}displayname").status == 404


@pytest.mark.parametrize(
    ("method", "root"), [("MKCOL", "C:mkcalendar"), ("MKCALENDAR", "D:mkcol"), ("MKCOL", "D:propfind")]
)
def test_a_body_of_another_method(client: Client, method: str, root: str) -> None:
    """RFC 5689 3: a body that is not understood is 415."""
    body = f'<{root} xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    assert client(method, f"{client.home}other/", body).status == 415


def test_only_in_ones_own_home(client: Client) -> None:
    refused = client("MKCALENDAR", "/somebody/new/", APPLE)
    assert (refused.status, "calendar-collection-location-ok" in refused.text) == (403, True)
    assert client("MKCALENDAR", f"{client.home}new/", APPLE).status == 201
    again = client("MKCALENDAR", f"{client.home}new/", APPLE)
    assert (again.status, "resource-must-be-null" in again.text) == (409, True)

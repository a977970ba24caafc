"""What an answer says that is no success: preconditions with what belongs to them, in XML that can be read."""

from __future__ import annotations

import pytest

from gateway.dav.options import Options
from gateway.units import Size
from tests.dav.server import CR, C, Client, D, Server, card, event


@pytest.mark.parametrize("zone", ["---", "a--", "a\x07b", "<&]]>", "\u00e4\ufffe"])
def test_the_words_of_a_refusal_do_not_break_its_xml(client: Client, zone: str) -> None:
    text = event("z", "Zone").replace("DTSTART:", f"DTSTART;TZID={zone}:")
    answer = client("PUT", client.collection("calendar") + "z.ics", text)
    assert answer.status == 403
    assert answer.xml.find(f"{C}valid-calendar-data") is not None
    assert "no known time zone" in (answer.xml.findtext(f"{D}responsedescription") or "")


def test_an_event_of_the_same_uid_is_named(client: Client) -> None:
    """RFC 4791 5.3.2.1: no-uid-conflict has the href of the other one."""
    calendar = client.collection("calendar")
    assert client("PUT", calendar + "the%20first@x.ics", event("u", "First")).status == 201
    answer = client("PUT", calendar + "second.ics", event("u", "Second"))
    assert answer.status == 409
    there = answer.xml.findtext(f"{C}no-uid-conflict/{D}href")
    assert there == client.propfind(calendar, f"{D}getetag", depth="1").hrefs[1]
    answer = client("COPY", there, Destination=calendar + "copy.ics")
    assert answer.xml.findtext(f"{C}no-uid-conflict/{D}href") == there
    assert client("PUT", calendar + "other.ics", event("o", "Other")).status == 201
    answer = client("PUT", calendar + "other.ics", event("u", "Other"))
    assert answer.xml.findtext(f"{C}no-uid-conflict/{D}href") == there
    answer = client("PUT", calendar + "other.ics", event("unknown", "Other"))
    assert answer.xml.findtext(f"{C}no-uid-conflict/{D}href") == calendar + "other.ics"


def test_a_card_of_the_same_uid_is_named(client: Client) -> None:
    """RFC 6352 6.3.2.1."""
    book = client.collection("addressbook")
    assert client("PUT", book + "a.vcf", card("u", "A Name")).status == 201
    answer = client("PUT", book + "b.vcf", card("u", "A Name"))
    assert answer.xml.findtext(f"{CR}no-uid-conflict/{D}href") == book + "a.vcf"


@pytest.mark.parametrize(("kind", "ns"), [("calendar", C), ("addressbook", CR)])
def test_what_is_larger_than_was_told_is_refused(dav: Server, kind: str, ns: str) -> None:
    """max-resource-size (RFC 4791 5.2.5, RFC 6352 6.2.3) is told, and holds."""
    client = dav.client(options=Options(max_request=Size(50_000), timezone="Europe/Berlin"))
    path = client.collection(kind)
    told = int(client.propfind(path, f"{ns}max-resource-size").found(path, f"{ns}max-resource-size") or 0)
    assert 0 < told < 50_000
    lines = ["20261201T100000Z"] if kind == "calendar" else []
    make = event if kind == "calendar" else card
    room = told - len(make("u", "A Name", *lines, "X-PAD:"))
    assert client("PUT", path + "u", make("u", "A Name", *lines, "X-PAD:" + "x" * room)).status == 201
    answer = client("PUT", path + "v", make("v", "A Name", *lines, "X-PAD:" + "x" * (room + 1)))
    assert answer.status == 403
    assert answer.xml.find(f"{ns}max-resource-size") is not None


@pytest.mark.parametrize("name", ["", " ", "1", "-a", "a b", "http://[", "\U0001f600", "a&gt;&lt;b", "a:b"])
def test_names_that_no_property_can_have(client: Client, name: str) -> None:
    """They would be elements of the answer."""
    body = f'<expand-property xmlns="DAV:"><property name="{name}"/></expand-property>'
    assert client("REPORT", client.home, body).status == 400
    assert client("REPORT", client.home, body.replace(f'"{name}"', '"\u00e4-1.x"')).status == 207

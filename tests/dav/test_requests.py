"""Requests in all the forms that HTTP and WebDAV allow, and those that must not be taken for something else."""

from __future__ import annotations

import gzip
import socket
from urllib.parse import quote

import pytest

from tests.dav.server import Client, D, card, event, multiget, prop

NAMES = (
    "a b.ics", "a@b.ics", "\u00e4 \u00f6.ics", "a+b.ics", "a&b.ics", "a%b.ics", "a#b.ics", "a?b.ics", "a;b=c.ics",
    "a'b.ics", 'a"b.ics', "a<b>.ics", "a:b.ics", "a,b.ics", "noext", "x.ICS", "a!b$c*(d).ics", "a\\b|[c].ics", "{u}.ics",
    "=e.ics", "a\u0308.ics", ".hidden.ics", ".ics",
)  # fmt: skip


def spoken(client: Client, *lines: str, body: bytes = b"") -> str:
    """The answer to a request that is written as it is."""
    login = client.authorization["Authorization"]
    head = "\r\n".join((*lines, f"Authorization: {login}", "Connection: close", f"Content-Length: {len(body)}"))
    with socket.create_connection(("127.0.0.1", client.port), 10) as link:
        link.sendall(f"{head}\r\n\r\n".encode() + body)
        return b"".join(iter(lambda: link.recv(1 << 16), b"")).decode()


def test_an_item_has_one_href_wherever_it_is_told(client: Client) -> None:
    """Clients compare what one request told with what another one did, letter by letter."""
    calendar = client.collection("calendar")
    for number, name in enumerate(NAMES):
        assert client("PUT", calendar + quote(name), event(f"u{number}", name)).status == 201
    hrefs = client.propfind(calendar, f"{D}getetag", depth="1").hrefs[1:]
    assert len(hrefs) == len(NAMES)
    assert list(client.sync(calendar)[1]) == hrefs
    assert client("REPORT", calendar, multiget("calendar", *hrefs)).hrefs == hrefs
    everything = '<propfind xmlns="DAV:"><propname/></propfind>'
    assert client("PROPFIND", calendar, everything, Depth="1").hrefs[1:] == hrefs
    assert [client.propfind(each, f"{D}getetag").hrefs for each in hrefs] == [[each] for each in hrefs]


@pytest.mark.parametrize("form", ["{}", "http://127.0.0.1{}", "https://other.example:8443{}", "\n  {}\n"])
def test_items_are_found_however_their_address_is_written(client: Client, form: str) -> None:
    calendar = client.collection("calendar")
    for number, name in enumerate(NAMES):
        assert client("PUT", calendar + quote(name), event(f"u{number}", name)).status == 201
    asked = [form.format(calendar + quote(name, safe="")) for name in NAMES]
    answer = client("REPORT", calendar, multiget("calendar", *asked))
    assert sorted(answer.hrefs) == sorted(client.sync(calendar)[1])
    assert " 404 " not in answer.text


def test_a_request_may_name_the_server_too(client: Client) -> None:
    """RFC 9112 3.2.2: absolute-form must be accepted."""
    path = client.collection("calendar") + "a.ics"
    assert client("PUT", path, event("a", "Whole")).status == 201
    for server in ("http://example.org", "https://example.org:8443"):
        assert "SUMMARY:Whole" in spoken(client, f"GET {server}{path} HTTP/1.1", "Host: example.org")
    assert spoken(client, "GET ftp://x/ HTTP/1.1", "Host: x").startswith("HTTP/1.1 400 ")


def test_a_part_is_not_taken_for_the_whole(client: Client) -> None:
    """RFC 9110 14.5: a PUT with Content-Range."""
    path = client.collection("calendar") + "a.ics"
    answer = client("PUT", path, event("a", "Part"), Content_Range="bytes 0-10/200")
    assert answer.status == 400
    assert client("GET", path).status == 404


def test_a_body_in_another_coding_is_refused(client: Client) -> None:
    """RFC 9110 8.4: 415, and what would be taken."""
    path = client.collection("calendar")
    answer = client("PUT", path + "a.ics", gzip.compress(event("a", "A").encode()), Content_Encoding="gzip")
    assert answer.status == 415
    assert answer.headers["accept-encoding"] == "identity"
    assert client("PUT", path + "a.ics", event("a", "A"), Content_Encoding="identity").status == 201
    assert client("PROPFIND", path, gzip.compress(b"<x/>"), Content_Encoding="gzip", Depth="0").status == 415


@pytest.mark.parametrize("depth", ["2", "-1", "one"])
def test_depths_that_there_are_not(client: Client, depth: str) -> None:
    assert client.propfind(client.home, f"{D}getetag", depth=depth).status == 400
    assert client.propfind(client.home, f"{D}getetag", depth="1,noroot").status == 207


def test_a_collection_is_deleted_with_all_or_not(client: Client) -> None:
    """RFC 4918 9.6.1: Depth is infinity."""
    path = client.home + "gone/"
    assert client("MKCALENDAR", path).status == 201
    assert client("DELETE", path, Depth="0").status == 400
    assert client("DELETE", path, Depth="infinity").status == 204


def test_more_than_everything_is_told_to_who_asks(client: Client) -> None:
    """allprop with include (RFC 4918 9.1, 14.8)."""
    calendar = client.collection("calendar")
    assert client("PUT", calendar + "a.ics", event("a", "A")).status == 201
    body = (
        '<propfind xmlns="DAV:"><allprop/><include><acl/><supported-privilege-set/><none/></include></propfind>'
    )
    for depth in ("0", "1"):
        answer = client("PROPFIND", calendar, body, Depth=depth)
        for path in answer.hrefs:
            for name in ("getetag", "acl", "supported-privilege-set", "resourcetype"):
                assert answer.found(path, f"{D}{name}") is not None
            assert answer.found(path, f"{D}none") is None
    for element in answer.xml.iter(f"{D}prop"):
        assert len({each.tag for each in element}) == len(element)


def test_what_was_found_comes_before_what_is_missing(client: Client) -> None:
    """Clients that look at the first propstat only."""
    calendar = client.collection("calendar")
    for path, depth in ((client.home, "1"), (calendar, "0")):
        answer = client.propfind(
            path, f"{D}none", f"{D}displayname", f"{D}nothing", f"{D}resourcetype", depth=depth
        )
        for response in answer.responses.values():
            statuses = [each.text or "" for each in response.iterfind(f"{D}propstat/{D}status")]
            assert [each.split()[1] for each in statuses] == ["200", "404"]


def test_components_are_told_of_calendars_only(client: Client) -> None:
    tag = "{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set"
    book = client.collection("addressbook")
    assert client.propfind(book, tag).found(book, tag) is None


def test_texts_that_begin_with_a_mark_of_their_coding(client: Client) -> None:
    """Programs of Windows write one."""
    calendar, book = client.collection("calendar"), client.collection("addressbook")
    assert client("PUT", calendar + "a.ics", "\ufeff" + event("a", "A")).status == 201
    assert client("PUT", book + "a.vcf", "\ufeff" + card("a", "A Name")).status == 201
    assert "FN:A Name" in client("GET", book + "a.vcf").text


NAMELESS = '<mine xmlns="">a<b/></mine><other xmlns="" x="y"/>'


def test_properties_without_a_namespace(client: Client) -> None:
    """RFC 4918 allows them: they are missing, set, told and taken away as others are."""
    calendar = client.collection("calendar")
    asked = '<propfind xmlns="DAV:"><prop><mine xmlns=""/><other xmlns=""/><getetag/></prop></propfind>'
    for depth in ("0", "1"):
        answer = client("PROPFIND", calendar, asked, Depth=depth)
        assert answer.found(calendar, "mine") is None
        assert answer.found(calendar, f"{D}getetag")
    body = f'<propertyupdate xmlns="DAV:"><set><prop>{NAMELESS}</prop></set></propertyupdate>'
    answer = client("PROPPATCH", calendar, body)
    assert [each.tag for each in answer.xml.iterfind(f"{D}response/{D}propstat/{D}prop/*")] == ["mine", "other"]
    for depth in ("0", "1"):
        answer = client("PROPFIND", calendar, asked, Depth=depth)
        assert answer.found(calendar, "mine") == "a"
        assert answer.responses[calendar].find(f"{D}propstat/{D}prop/mine/b") is not None
    names = client("PROPFIND", calendar, '<propfind xmlns="DAV:"><propname/></propfind>', Depth="0")
    assert names.found(calendar, "other") is not None
    told = '<expand-property xmlns="DAV:"><property name="mine" namespace=""/></expand-property>'
    assert client("REPORT", calendar, told).found(calendar, "mine") == "a"
    removal = '<propertyupdate xmlns="DAV:"><remove><prop><mine xmlns=""/></prop></remove></propertyupdate>'
    assert client("PROPPATCH", calendar, removal).status == 207
    assert client("PROPFIND", calendar, asked, Depth="0").found(calendar, "mine") is None


def test_properties_without_a_namespace_of_others_and_new_ones(client: Client) -> None:
    body = f'<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/><addressbook xmlns="urn:ietf:params:xml:ns:carddav"/></resourcetype>{NAMELESS}</prop></set></mkcol>'
    path = client.home + "made/"
    assert client("MKCOL", path, body).status == 201
    asked = '<propfind xmlns="DAV:"><prop><mine xmlns=""/></prop></propfind>'
    assert client("PROPFIND", path, asked, Depth="0").found(path, "mine") == "a"
    item = path + "a.vcf"
    assert client("PUT", item, card("a", "A Name")).status == 201
    for target, depth in ((item, "0"), (path, "1"), (client.home, "1"), ("/", "0")):
        assert client("PROPFIND", target, asked, Depth=depth).status == 207


@pytest.mark.parametrize(
    ("since", "status"),
    [("Mon, 01 Jan 2001 00:00:00 GMT", 412), ("Fri, 01 Jan 9999 00:00:00 GMT", 204), ("yesterday", 204)],
)
def test_a_date_as_a_condition(client: Client, since: str, status: int) -> None:
    """If-Unmodified-Since (RFC 9110 13.1.4); what is no date is ignored, and so is any beside If-Match."""
    path = client.collection("calendar") + "a.ics"
    assert client("PUT", path, event("a", "A"), If_Unmodified_Since=since).status == 201
    assert client("PUT", path, event("a", "B"), If_Unmodified_Since=since).status == status
    assert client("PUT", path, event("a", "C"), If_Unmodified_Since=since, If_Match="*").status == 204
    assert client("DELETE", path, If_Unmodified_Since=since).status == status


@pytest.mark.parametrize("report", ["sync", "query", "multiget"])
def test_reports_tell_what_propfind_does(client: Client, report: str) -> None:
    """RFC 4791 7.8, RFC 6578 3.3: all properties of an item, and allprop too."""
    calendar = client.collection("calendar")
    path = calendar + "a.ics"
    assert client("PUT", path, event("a", "A")).status == 201
    tags = [f"{D}{name}" for name in ("owner", "current-user-privilege-set", "getetag", "resourcetype", "none")]
    wanted = client.propfind(path, *tags)
    bodies = {
        "sync": '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level>{}</sync-collection>',
        "query": '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:">{}<C:filter>'
        '<C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>',
        "multiget": '<C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:">{}'
        f"<href>{path}</href></C:calendar-multiget>",
    }
    answer = client("REPORT", calendar, bodies[report].format(prop(*tags)), Depth="1")
    assert [answer.found(path, tag) for tag in tags] == [wanted.found(path, tag) for tag in tags]
    rights = answer.responses[path].findall(f".//{D}privilege/*")
    assert [each.tag for each in rights] == [each.tag for each in wanted.xml.findall(f".//{D}privilege/*")]
    everything = client("REPORT", calendar, bodies[report].format("<allprop/>"), Depth="1")
    assert everything.found(path, f"{D}getlastmodified")
    assert " 404 " not in everything.text


@pytest.mark.parametrize(
    ("method", "name"), [("PUT", ""), ("POST", ""), ("MKCOL", ""), ("LOCK", ""), ("PUT", "a/b/c")]
)
def test_who_may_not_is_told_what_he_may(client: Client, method: str, name: str) -> None:
    """RFC 9110 15.5.6: 405 has Allow."""
    answer = client(method, client.collection("calendar") + name, event("a", "A") if method == "PUT" else "")
    assert answer.status == 405
    allowed = answer.headers["allow"].split(", ")
    assert "PROPFIND" in allowed
    assert method not in allowed


@pytest.mark.parametrize(("kind", "name"), [("calendar", "a.ics"), ("addressbook", "a.vcf")])
def test_type_and_time_are_the_same_wherever_they_are_told(client: Client, kind: str, name: str) -> None:
    path = client.collection(kind)
    tags = (f"{D}getcontenttype", f"{D}getlastmodified")
    assert (
        " 1970 "
        not in client.propfind(path, tags[1]).text + client.propfind(client.home, tags[1], depth="1").text
    )
    assert (
        client("PUT", path + name, event("a", "A") if kind == "calendar" else card("a", "A Name")).status == 201
    )
    item, listed, read = (
        client.propfind(path + name, *tags),
        client.propfind(path, *tags, depth="1"),
        client("GET", path + name),
    )
    assert [item.found(path + name, tag) for tag in tags] == [listed.found(path + name, tag) for tag in tags]
    assert [item.found(path + name, tag) for tag in tags] == [
        read.headers["content-type"],
        read.headers["last-modified"],
    ]
    whole = client("GET", path)
    assert [listed.found(path, tag) for tag in tags][1] == whole.headers["last-modified"]
    assert " 1970 " not in whole.headers["last-modified"]

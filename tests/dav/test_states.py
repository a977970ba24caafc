"""The If header (RFC 4918 10.4, RFC 6578 5), and collections that are moved (RFC 4918 9.9)."""

from __future__ import annotations

import pytest

from gateway.dav.condition import Condition, Demand, demands, holds
from gateway.dav.errors import BadRequest
from gateway.mapi.rights import Rights
from tests.dav.server import Client, D, Server, event
from tests.dav.test_sharing import share, shared_path


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('(["a"])', [Demand("", (Condition('"a"', True, False),))]),
        ("(<urn:x> Not <urn:y>)", [Demand("", (Condition("urn:x", False, False), Condition("urn:y", False, True)))]),
        ('(["a"]) ([W/"b"])', [Demand("", (Condition('"a"', True, False),)), Demand("", (Condition('W/"b"', True, False),))]),
        (
            '<http://h/a%20b/> (<t>)(not ["e"]) </c> (<DAV:no-lock>)',
            [
                Demand("/a b/", (Condition("t", False, False),)),
                Demand("/a b/", (Condition('"e"', True, True),)),
                Demand("/c", (Condition("DAV:no-lock", False, False),)),
            ],
        ),
    ],
)  # fmt: skip
def test_headers(header: str, found: list[Demand]) -> None:
    assert demands(header) == found


@pytest.mark.parametrize(
    "header", ["", "()", "(", "(<a>", "<a>", '["a"]', "(Not)", "(not not <a>)", "((<a>))", "(x)", "(<a>)" * 300]
)
def test_what_is_no_header(header: str) -> None:
    with pytest.raises(BadRequest):
        demands(header)


@pytest.mark.parametrize(
    ("header", "true"),
    [
        ('(["1"])', True), ('(["2"])', False), ('(Not ["2"])', True), ("(<t>)", True), ("(<u>)", False),
        ('(["1"] <u>)', False), ('(["2"]) (<t>)', True), ("(Not <DAV:no-lock>)", True), ("</gone> (<t>)", False),
        ('</gone> (Not ["1"])', True),
    ],
)  # fmt: skip
def test_lists(header: str, true: bool) -> None:
    """One list must be true, in it all conditions."""
    assert holds(header, lambda path: ("", "") if path else ('"1"', "t")) is true


def test_only_what_is_in_the_state_that_a_client_means_is_changed(client: Client) -> None:
    calendar = client.collection("calendar")
    path = f"{calendar}e.ics"
    client("PUT", path, event("e", "One"))
    etag, (token, _) = client("GET", path).headers["etag"], client.sync(calendar)
    assert client("PUT", path, event("e", "No"), If='(["other"])').status == 412
    assert client("PUT", path, event("e", "No"), If="(<opaquelocktoken:x>)").status == 412
    assert client("PUT", path, event("e", "Two"), If=f"([{etag}])").status == 204
    assert client("DELETE", path, If=f"([{etag}])").status == 412
    # RFC 6578 5: only when nothing else has changed in the collection.
    assert client("DELETE", path, If=f"<{calendar}> (<{token}>)").status == 412
    token, _ = client.sync(calendar)
    assert client("PUT", f"{calendar}f.ics", event("f", "New"), If=f"<{calendar}> (<{token}>)").status == 201
    assert client("PROPPATCH", calendar, "<x/>", If=f"(<{token}>)").status == 412
    assert "SUMMARY:Two" in client("GET", path).text
    assert client("PUT", path, event("e", "No"), If="nonsense").status == 400


def test_a_calendar_gets_another_address(client: Client) -> None:
    old, new = f"{client.home}old/", f"{client.home}new/"
    assert client("MKCALENDAR", old).status == 201
    client("PUT", f"{old}e.ics", event("e", "Stays"))
    assert client("MOVE", old, Destination=new, Overwrite="F").status == 201
    assert client("GET", f"{old}e.ics").status == 404
    assert "SUMMARY:Stays" in client("GET", f"{new}e.ics").text
    told = client.propfind(new, f"{D}displayname")
    assert told.found(new, f"{D}displayname") == "old"
    assert client("MKCALENDAR", old).status == 201
    assert client("MOVE", new, Destination=old, Overwrite="F").status == 412
    assert client("MOVE", new, Destination=old).status == 204
    assert "SUMMARY:Stays" in client("GET", f"{old}e.ics").text
    assert client.propfind(new, f"{D}displayname").status == 404


def test_where_a_collection_cannot_go(dav: Server, client: Client) -> None:
    owner = dav.client()
    share(dav, owner.user, client.user, Rights.OWNER)
    theirs = shared_path(client, owner)
    default, mine = client.collection("calendar"), f"{client.home}mine/"
    assert client("MKCALENDAR", mine).status == 201
    for source, destination, status in (
        (mine, default, 403),  # the default calendar is not replaced
        (mine, f"{default}deeper/", 403),
        (mine, "/somebody/mine/", 403),
        (mine, mine, 403),
        (theirs, f"{client.home}stolen/", 403),
        (client.home, "/somebody/", 403),
        (mine, "http://elsewhere.example/x/", 502),
    ):
        assert client("MOVE", source, Destination=destination).status == status, destination
    assert client("COPY", mine, Destination=f"{client.home}copy/").status == 403
    assert client("MOVE", mine, Destination=f"{client.home}x/", Depth="0").status == 400
    assert client.propfind(mine, f"{D}displayname").status == 207

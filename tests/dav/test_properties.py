"""Properties set and told: all or nothing, Prefer and Brief (RFC 8144), quota (RFC 4331), public folders."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.ids import EVERYONE
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import Store
from gateway.mapiclient.folder import create_folder, load_props, set_rights
from gateway.mapiclient.message import set_props
from gateway.mapiclient.wire import calls_directory as directory
from tests.dav.server import CR, CS, C, Client, D, Reply, Server, card, event

ICAL = "{http://apple.com/ns/ical/}"


def patch(client: Client, path: str, inner: str, **headers: str) -> Reply:
    body = (
        '<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/"'
        f' xmlns:X="urn:x">{inner}</propertyupdate>'
    )
    return client("PROPPATCH", path, body, **headers)


def setting(*props: str) -> str:
    return f"<set><prop>{''.join(props)}</prop></set>"


def statuses(answer: Reply) -> dict[str, str]:
    """What became of each property: its name and the number."""
    return {
        each.tag.rpartition("}")[2]: (propstat.findtext(f"{D}status") or "").split()[1]
        for propstat in answer.xml.iter(f"{D}propstat")
        for each in propstat.iterfind(f"{D}prop/*")
    }


@pytest.fixture
def calendar(client: Client) -> str:
    path = client.home + "mine/"
    assert client("MKCALENDAR", path).status == 201
    return path


# PROPPATCH


def test_properties_are_set_and_removed(client: Client, calendar: str) -> None:
    answer = patch(
        client, calendar, setting("<I:calendar-color>#112233</I:calendar-color>", "<X:mine>words</X:mine>")
    )
    assert statuses(answer) == {"calendar-color": "200", "mine": "200"}
    tags = (f"{ICAL}calendar-color", "{urn:x}mine")
    assert [client.propfind(calendar, *tags).found(calendar, tag) for tag in tags] == ["#112233", "words"]
    patch(client, calendar, "<remove><prop><X:mine/></prop></remove>")
    assert [client.propfind(calendar, *tags).found(calendar, tag) for tag in tags] == ["#112233", None]


def test_a_property_whose_value_is_xml_comes_back_as_it_was(client: Client, calendar: str) -> None:
    patch(client, calendar, setting('<X:tree kind="oak"><X:leaf>green &amp; small</X:leaf><X:leaf/></X:tree>'))
    tree = client.propfind(calendar, "{urn:x}tree").xml.find(".//{urn:x}tree")
    assert tree is not None
    assert tree.get("kind") == "oak"
    assert [each.text for each in tree] == ["green & small", None]
    patch(client, calendar, setting("<X:tree>felled</X:tree>"))
    assert client.propfind(calendar, "{urn:x}tree").found(calendar, "{urn:x}tree") == "felled"


@pytest.mark.parametrize(
    ("refused", "name"),
    [
        ("<getetag>x</getetag>", "getetag"),
        ("<resourcetype><collection/></resourcetype>", "resourcetype"),
        ("<sync-token>x</sync-token>", "sync-token"),
        ("<owner><href>/me/</href></owner>", "owner"),
        ("<acl/>", "acl"),
        ('<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>', "supported-calendar-component-set"),
        ("<C:calendar-timezone>nonsense</C:calendar-timezone>", "calendar-timezone"),
        ("<C:calendar-timezone-id>Mars/Olympus</C:calendar-timezone-id>", "calendar-timezone-id"),
    ],
)  # fmt: skip
def test_all_of_a_request_is_done_or_nothing(client: Client, calendar: str, refused: str, name: str) -> None:
    answer = patch(client, calendar, setting("<displayname>Changed</displayname>", refused))
    assert answer.status == 207
    assert statuses(answer) == {"displayname": "424", name: "403"}
    assert client.propfind(calendar, f"{D}displayname").found(calendar, f"{D}displayname") != "Changed"


def test_principals_and_items_keep_their_properties(client: Client, calendar: str) -> None:
    client("PUT", calendar + "e.ics", event("e", "One"))
    for path in (client.home, calendar + "e.ics"):
        assert statuses(patch(client, path, setting("<displayname>X</displayname>"))) == {"displayname": "403"}
    assert patch(client, calendar + "none.ics", setting("<displayname>X</displayname>")).status == 404
    assert client("PROPPATCH", calendar, "").status == 400
    assert client("PROPPATCH", calendar, '<propfind xmlns="DAV:"/>').status == 400


# Prefer


def test_a_minimal_answer_to_a_change_is_empty_when_all_was_done(client: Client, calendar: str) -> None:
    done = patch(client, calendar, setting("<displayname>New</displayname>"), Prefer="return=minimal")
    assert (done.status, done.body) == (200, b"")
    assert done.headers["preference-applied"] == "return=minimal"
    assert "Prefer" in done.headers["vary"]
    failed = patch(client, calendar, setting("<getetag>x</getetag>"), Prefer="return=minimal")
    assert statuses(failed) == {"getetag": "403"}


@pytest.mark.parametrize(
    "header", [{"Prefer": "return=minimal"}, {"Prefer": "wait=3, Return=Minimal; x=1"}, {"Brief": "t"}]
)
def test_minimal_answers_tell_only_what_is_there(client: Client, calendar: str, header: dict[str, str]) -> None:
    client("PUT", calendar + "e.ics", event("e", "One"))
    tags = (f"{D}displayname", "{urn:x}unknown")
    for path, depth in (
        (client.home, "0"),
        (client.home, "1"),
        (calendar, "0"),
        (calendar, "1"),
        (calendar + "e.ics", "0"),
    ):
        answer = client.propfind(path, *tags, depth=depth, **header)
        assert " 404 " not in answer.text
        assert all(each.find(f"{D}propstat") is not None for each in answer.responses.values())
    body = '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/><u xmlns="urn:x"/></prop></sync-collection>'
    assert " 404 " not in client("REPORT", calendar, body, **header).text
    assert " 404 " in client("REPORT", calendar, body).text


def test_a_listing_without_the_collection_itself(client: Client, calendar: str) -> None:
    client("PUT", calendar + "e.ics", event("e", "One"))
    answer = client.propfind(calendar, f"{D}getetag", depth="1", Prefer="depth-noroot")
    assert answer.hrefs == [calendar + "e.ics"]
    assert answer.headers["preference-applied"] == "depth-noroot"
    assert calendar in client.propfind(client.home, f"{D}displayname", depth="1", Prefer="depth-noroot").hrefs
    assert (
        client.home
        not in client.propfind(client.home, f"{D}displayname", depth="1", Prefer="depth-noroot").hrefs
    )
    assert client.propfind(calendar, f"{D}displayname", depth="0", Prefer="depth-noroot").hrefs == [calendar]


@pytest.mark.parametrize("depth", ["", "infinity"])
def test_a_listing_has_a_depth(client: Client, depth: str) -> None:
    headers = {"Depth": depth} if depth else {}
    answer = client("PROPFIND", client.home, '<propfind xmlns="DAV:"><allprop/></propfind>', **headers)
    assert answer.status == 403
    assert answer.xml.find(f"{D}propfind-finite-depth") is not None


def test_what_was_put_is_read_back_at_once(client: Client, calendar: str) -> None:
    path = calendar + "e.ics"
    made = client("PUT", path, event("e", "First"), Prefer="return=representation")
    assert made.status == 201
    read = client("GET", path)
    assert made.body == read.body
    assert made.headers["etag"] == read.headers["etag"]
    assert made.headers["content-location"] == path
    assert made.headers["preference-applied"] == "return=representation"
    changed = client(
        "PUT", path, event("e", "Second"), Prefer="return=representation", If_Match=made.headers["etag"]
    )
    assert changed.status == 200
    assert "SUMMARY:Second" in changed.text
    # Too late: what is there now comes with the refusal.
    late = client(
        "PUT", path, event("e", "Third"), Prefer="return=representation", If_Match=made.headers["etag"]
    )
    assert late.status == 412
    assert late.headers["etag"] == changed.headers["etag"]
    assert "SUMMARY:Second" in late.text


def test_a_card_is_read_in_the_version_that_is_preferred(client: Client) -> None:
    path = client.collection("addressbook") + "a.vcf"
    client("PUT", path, card("a", "Anna Miller"))
    assert "VERSION:3.0" in client("GET", path).text
    assert "VERSION:3.0" in client("GET", path, Accept="text/vcard").text
    four = client("GET", path, Accept="text/vcard; version=4.0, text/vcard;q=0.5")
    assert "VERSION:4.0" in four.text
    assert four.headers["vary"] == "Accept"
    assert (
        client("GET", path, Accept="text/vcard;version=4.0", If_None_Match=four.headers["etag"]).status == 304
    )


# Quota


def test_quota(dav: Server, client: Client) -> None:
    used, free = f"{D}quota-used-bytes", f"{D}quota-available-bytes"
    calendar = client.collection("calendar")
    unlimited = client.propfind(client.home, used, free)
    assert int(unlimited.found(client.home, used) or "-1") >= 0
    assert unlimited.found(client.home, free) is None
    with dav.store.system() as system:
        user = system.ok(directory.ResolveUsername(username=client.user))
        limits = directory.Quota(hard_size=1_000_000, soft_size=900_000, warn_size=800_000)
        system.ok(directory.SetQuota(user.user_id, None, limits))
    limited = client.propfind(calendar, used, free)
    assert int(limited.found(calendar, used) or 0) + int(limited.found(calendar, free) or 0) == 1_000_000
    other = dav.client()
    assert other.propfind(client.home, used).found(client.home, used) is None


# What collections can


def test_what_a_collection_supports(client: Client) -> None:
    book, calendar = client.collection("addressbook"), client.collection("calendar")
    answer = client.propfind(book, f"{CR}supported-address-data", f"{CR}supported-collation-set")
    assert [each.get("version") for each in answer.xml.iter(f"{CR}address-data-type")] == ["3.0", "4.0"]
    assert "i;unicode-casemap" in answer.text
    answer = client.propfind(calendar, f"{C}supported-calendar-data", f"{C}supported-collation-set")
    assert [each.get("content-type") for each in answer.xml.iter(f"{C}calendar-data")] == ["text/calendar"]
    assert "i;octet" in answer.text
    home = client.propfind(client.home, f"{CR}directory-gateway", f"{CS}email-address-set")
    assert home.found(client.home, f"{CR}directory-gateway") == f"{client.home}global-address-book/"


def reports(client: Client, path: str) -> set[str]:
    answer = client.propfind(path, f"{D}supported-report-set")
    return {each[0].tag.rpartition("}")[2] for each in answer.xml.iter(f"{D}report")}


def test_every_report_that_is_told_is_answered(client: Client) -> None:
    calendar, book = client.collection("calendar"), client.collection("addressbook")
    client("PUT", calendar + "e.ics", event("e", "One"))
    for path in ("/", client.home, calendar, book, client.collection("VTODO")):
        for name in reports(client, path):
            namespace = {"c": C, "a": CR, "f": C}.get(name[0], D)
            namespace = (
                CS if "calendarserver" in name else D if name in ("acl-principal-prop-set",) else namespace
            )
            answer = client("REPORT", path, f'<{name} xmlns="{namespace[1:-1]}"/>')
            assert answer.status in (200, 207, 400, 403), name
            assert b"<supported-report/>" not in answer.body, name
    assert "free-busy-query" in reports(client, calendar)
    assert "addressbook-query" in reports(client, book)
    assert not {each for each in reports(client, client.home) if "calendar-" in each or "sync" in each}


# Public folders


@pytest.fixture(scope="module")
def public(dav: Server) -> str:
    """The name of a calendar in the public store that everybody reads."""
    admin = "public-admin"
    dav.store.add_user(admin, admin=1)

    async def work(session: Any) -> str:
        store = await Store.public(session)
        folder = await create_folder(session, store.ipm_subtree, "Company events")
        props, server_id = await load_props(session, folder)
        changes = {pr.PR_CONTAINER_CLASS: "IPF.Appointment"}
        await set_props(session, store.entryid, folder, server_id, changes, object_type=ObjectType.FOLDER)
        entry = AccessEntry(0, AccessType.GRANT, int(Rights.REVIEWER), EntryState.NEW, EVERYONE)
        await set_rights(session, folder, [entry])
        return str(props[pr.PR_SOURCE_KEY].hex())

    return dav.run(admin, work)


def test_public_folders_are_listed_and_read(dav: Server, public: str, client: Client) -> None:
    admin = dav.client("public-admin")
    path = f"{admin.home}{public}/"
    assert admin("PUT", path + "party.ics", event("party", "Party")).status == 201
    for home in (client.home, "/public/"):
        mine = f"{home}{public}/"
        listed = client.propfind(home, f"{D}displayname", f"{D}owner", depth="1")
        assert listed.found(mine, f"{D}displayname") == "Company events"
        assert listed.found(mine, f"{D}owner") == "/public/"
        assert "SUMMARY:Party" in client("GET", mine + "party.ics").text
        assert set(client.sync(mine)[1]) == {mine + "party.ics"}
    assert client("PUT", f"{client.home}{public}/n.ics", event("n", "New")).status == 403
    assert client("DELETE", f"{client.home}{public}/party.ics").status == 403


def test_public_folders_are_written_by_rights(dav: Server, public: str, client: Client) -> None:
    admin = dav.client("public-admin")
    path = f"{admin.home}{public}/"
    entries = (
        f"<ace><principal><href>{client.home}</href></principal><grant><privilege><read/></privilege><privilege><write/></privilege></grant></ace>"
        "<ace><principal><authenticated/></principal><grant><privilege><read/></privilege></grant></ace>"
    )
    assert admin("ACL", path, f'<acl xmlns="DAV:">{entries}</acl>').status == 200
    mine = f"{client.home}{public}/"
    assert (
        client("PUT", mine + "w.ics", event("w", "By a member", "20260301T080000Z", "CLASS:PRIVATE")).status
        == 201
    )
    # In a public folder nothing is private.
    assert "By a member" in dav.client()("GET", f"/public/{public}/w.ics").text
    assert client("DELETE", mine + "w.ics").status == 204
    other = dav.client()
    assert other("PUT", f"{other.home}{public}/x.ics", event("x", "Not allowed")).status == 403


@pytest.mark.parametrize(
    "body",
    ["<propfind xmlns='DAV:'/>", "<prop xmlns='DAV:'/>", "<propfind xmlns='DAV:'><prop/><allprop/></propfind>"],
)
def test_a_propfind_that_makes_no_sense(client: Client, body: str) -> None:
    """RFC 4918 14.20."""
    assert client("PROPFIND", client.home, body, Depth="0").status == 400


def test_names_of_all_properties_without_values(client: Client) -> None:
    """RFC 4918 9.1: propname; what a client keeps as XML is among them."""
    path = client.collection("calendar")
    note = (
        '<propertyupdate xmlns="DAV:"><set><prop><note xmlns="urn:x"><b/></note></prop></set></propertyupdate>'
    )
    assert client("PROPPATCH", path, note).status == 207
    told = client("PROPFIND", path, '<propfind xmlns="DAV:"><propname/></propfind>', Depth="0")
    props = list(told.xml.iterfind(f"{D}response/{D}propstat/{D}prop/*"))
    assert {f"{D}displayname", f"{D}resourcetype", "{urn:x}note"} <= {each.tag for each in props}
    assert not any(len(each) or each.text for each in props)
    assert "radicale" not in told.text


ALLPROP = '<propfind xmlns="DAV:"><allprop/></propfind>'


@pytest.mark.parametrize("body", [ALLPROP, ""])
def test_everything_about_a_collection_and_its_items(client: Client, body: str) -> None:
    """RFC 4918 9.1: nothing is read for it that costs more than the listing."""
    path = client.collection("calendar")
    for name in ("a", "b"):
        client("PUT", f"{path}{name}.ics", event(name, name))
    told = client("PROPFIND", path, body, Depth="1")
    assert sorted(told.hrefs) == [path, f"{path}a.ics", f"{path}b.ics"]
    assert told.found(path, f"{D}displayname") == "Calendar"
    assert told.found(f"{path}a.ics", f"{D}getetag") == client("GET", f"{path}a.ics").headers["etag"]
    assert told.found(f"{path}a.ics", f"{D}owner") == client.home
    assert " 404 " not in told.text
    assert f"{D}getcontentlength" not in {each.tag for each in told.responses[path].iter()}


def test_the_length_of_an_item(client: Client) -> None:
    path = f"{client.collection('calendar')}a.ics"
    client("PUT", path, event("a", "Ä"))
    told = client.propfind(path, f"{D}getcontentlength")
    assert told.found(path, f"{D}getcontentlength") == client("GET", path).headers["content-length"]
    assert client("HEAD", path).headers["content-type"] == "text/calendar; charset=utf-8; component=VEVENT"


def test_what_calendars_can_be_made_for(client: Client) -> None:
    """Apple's clients ask which kinds of items a home takes, and offer to make a list of tasks."""
    told = client.propfind(client.home, f"{C}supported-calendar-component-sets")
    assert [each.get("name") for each in told.xml.iter(f"{C}comp")] == ["VEVENT", "VTODO", "VJOURNAL"]


def test_where_a_calendar_comes_from(client: Client) -> None:
    """calendarserver's subscriptions: what nobody has said is not there."""
    path = client.collection("calendar")
    assert client.propfind(path, f"{CS}source").found(path, f"{CS}source") is None
    source = '<S:source xmlns:S="http://calendarserver.org/ns/"><href>https://x.example/a.ics</href></S:source>'
    assert patch(client, path, f"<set><prop>{source}</prop></set>").status == 207
    assert client.propfind(path, f"{CS}source").found(path, f"{CS}source") == "https://x.example/a.ics"

"""Who may do what: privileges and access control lists over the store's rights (RFC 3744), proxy groups."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.mapiclient import Special, Store
from gateway.mapiclient.folder import get_rights, set_rights
from gateway.mapiclient.wire import calls_directory as directory
from tests.dav.server import CS, C, Client, D, Reply, Server, event
from tests.dav.test_sharing import share, shared_path

_NUMBERS = count(1)
EVERYTHING = {
    "all",
    "read",
    "write",
    "write-content",
    "write-properties",
    "bind",
    "unbind",
    "read-acl",
    "write-acl",
}


@pytest.fixture
def owner(dav: Server) -> Client:
    return dav.client()


def make_group(dav: Server, *members: str) -> str:
    """A group nobody else uses; its name."""
    name = f"crew{next(_NUMBERS)}"
    with dav.store.system() as system:
        group = system.ok(directory.CreateGroup(directory.Group(group_name=name, full_name=f"The {name}")))
        for member in members:
            user = system.ok(directory.ResolveUsername(username=member))
            system.ok(directory.AddGroupUser(group.group_id, None, user.user_id, None))
    return name


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def privileges(answer: Reply, path: str) -> set[str]:
    """current-user-privilege-set."""
    found = answer.responses[path].find(f".//{D}current-user-privilege-set")
    assert found is not None
    return {local(each[0].tag) for each in found} - {"read-current-user-privilege-set", "read-free-busy"}


def aces(client: Client, path: str) -> dict[str, set[str]]:
    """The acl property: who to what; protected and inherited entries are marked."""
    answer = client.propfind(path, f"{D}acl")
    found: dict[str, set[str]] = {}
    for ace in answer.xml.iter(f"{D}ace"):
        (principal,) = ace.find(f"{D}principal") or ()
        who = principal.text or "" if principal.tag == f"{D}href" else local(principal.tag)
        who = local(principal[0].tag) if principal.tag == f"{D}property" else who
        mark = (
            "!"
            if ace.find(f"{D}protected") is not None
            else "^"
            if ace.find(f"{D}inherited") is not None
            else ""
        )
        found[mark + who] = {local(each[0].tag) for each in ace.iterfind(f"{D}grant/{D}privilege")}
    return found


def ace(who: str, *names: str, how: str = "grant") -> str:
    inner = f"<href>{who}</href>" if who.startswith(("/", "http", "mailto:")) else f"<{who}/>"
    granted = "".join(f"<privilege><{name}/></privilege>" for name in names)
    return f"<ace><principal>{inner}</principal><{how}>{granted}</{how}></ace>"


def set_acl(client: Client, path: str, *entries: str) -> Reply:
    return client("ACL", path, f'<acl xmlns="DAV:">{"".join(entries)}</acl>')


def stored(dav: Server, user: str, part: Special = Special.CALENDAR) -> set[int]:
    """The rights of the entries on a user's folder."""

    async def work(session: Any) -> set[int]:
        folder = (await (await Store.default(session)).special_folders())[part]
        return {entry.rights for entry in await get_rights(session, folder)}

    return dav.run(user, work)


# Privileges


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (Rights.REVIEWER, {"read"}),
        (Rights.AUTHOR, {"read", "bind"}),
        (Rights.SECRETARY, {"read", "write", "write-content", "write-properties", "bind", "unbind"}),
        (Rights.REVIEWER | Rights.EDIT_ANY, {"read", "write-content", "write-properties"}),
        (Rights.OWNER, EVERYTHING),
    ],
)
def test_privileges_are_what_rights_allow(
    dav: Server, owner: Client, client: Client, rights: int, expected: set[str]
) -> None:
    share(dav, owner.user, client.user, rights)
    path = shared_path(client, owner)
    tag = f"{D}current-user-privilege-set"
    assert privileges(client.propfind(path, tag), path) == expected
    item = owner.collection("calendar") + "e.ics"
    assert owner("PUT", item, event("e", "One")).status == 201
    for depth, target in (("0", path + "e.ics"), ("1", path)):
        answer = client.propfind(target, tag, depth=depth)
        assert privileges(answer, path + "e.ics") == expected


def test_the_owner_may_do_everything_and_everybody_may_look_at_principals(
    owner: Client, client: Client
) -> None:
    calendar, tag = owner.collection("calendar"), f"{D}current-user-privilege-set"
    assert privileges(owner.propfind(calendar, tag), calendar) == EVERYTHING
    assert {"read", "bind", "unbind"} <= privileges(owner.propfind(owner.home, tag), owner.home)
    assert privileges(client.propfind(owner.home, tag), owner.home) == {"read"}
    book = f"{owner.home}global-address-book/"
    assert privileges(owner.propfind(book, tag), book) == {"read"}


def test_the_privileges_that_there_are(owner: Client) -> None:
    answer = owner.propfind(owner.collection("calendar"), f"{D}supported-privilege-set", f"{D}acl-restrictions")
    top = answer.xml.find(f".//{D}supported-privilege-set/{D}supported-privilege")
    assert top is not None
    assert [local(each.tag) for each in top.iterfind(f"{D}privilege/*")] == ["all"]
    names = {local(each[0].tag): each for each in top.iter(f"{D}privilege")}
    assert {"read", "read-free-busy", "write", "bind", "read-acl", "read-current-user-privilege-set"} <= set(
        names
    )
    abstract = {
        local(each.find(f"{D}privilege")[0].tag)
        for each in top.iter(f"{D}supported-privilege")
        if each.find(f"{D}abstract") is not None
    }
    assert abstract == {"read-free-busy", "write-properties", "read-acl"}
    assert {local(each.tag) for each in answer.xml.find(f".//{D}acl-restrictions")} == {
        "grant-only",
        "no-invert",
    }


# Lists


def test_a_list_tells_what_rights_grant(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.SECRETARY)
    found = aces(owner, owner.collection("calendar"))
    assert found["!owner"] == {"all"}
    assert found[client.home] == {"read", "write", "read-current-user-privilege-set"}
    assert not aces(client, shared_path(client, owner))
    assert " 403 " in client.propfind(shared_path(client, owner), f"{D}acl").text


def test_rights_are_granted_to_users_groups_and_everybody(dav: Server, owner: Client, client: Client) -> None:
    group = quote(f"/group:{make_group(dav, client.user)}/")
    other, calendar = dav.client(), owner.collection("calendar")
    answer = set_acl(
        owner, calendar, ace(other.home, "read"), ace(group, "read", "write"), ace("authenticated", "read")
    )
    assert answer.status == 200, answer.text
    found = aces(owner, calendar)
    assert {who: tags - {"read-current-user-privilege-set"} for who, tags in found.items()} == {
        "!owner": {"all"}, other.home: {"read"}, group: {"read", "write"}, "authenticated": {"read"},
    }  # fmt: skip
    assert stored(dav, owner.user) == {int(Rights.REVIEWER), int(Rights.SECRETARY)}
    assert client("PUT", shared_path(client, owner) + "g.ics", event("g", "By a member")).status == 201
    assert other("PUT", shared_path(other, owner) + "o.ics", event("o", "By a reader")).status == 403
    assert dav.client().propfind(calendar, f"{D}displayname").status == 207


def test_a_list_replaces_the_one_before(dav: Server, owner: Client, client: Client) -> None:
    calendar = owner.collection("calendar")
    assert set_acl(owner, calendar, ace(client.home, "read"), ace("all", "read")).status == 200
    assert set_acl(owner, calendar).status == 200
    assert stored(dav, owner.user) == set()
    assert set(aces(owner, calendar)) == {"!owner"}


def test_what_was_read_can_be_written_back(dav: Server, owner: Client, client: Client) -> None:
    rights = int(Rights.REVIEWER | Rights.EDIT_OWNED | Rights.CREATE_SUBFOLDER)
    share(dav, owner.user, client.user, rights)
    calendar = owner.collection("calendar")
    told = owner.propfind(calendar, f"{D}acl").xml.find(f".//{D}acl")
    assert told is not None
    assert owner("ACL", calendar, ET.tostring(told)).status == 200
    assert stored(dav, owner.user) == {rights}
    # Bits that no privilege tells stay when another is added.
    assert set_acl(owner, calendar, ace(client.home, "read", "bind")).status == 200
    assert stored(dav, owner.user) == {int(Rights.REVIEWER | Rights.CREATE | Rights.CREATE_SUBFOLDER)}


def test_what_lies_above_is_inherited(dav: Server, owner: Client, client: Client) -> None:
    async def work(session: Any) -> bytes:
        return (await Store.default(session)).ipm_subtree

    root = dav.run(owner.user, work)

    async def grant(session: Any) -> None:
        user = (await session.call(directory.ResolveUsername(username=client.user))).user_entryid
        await set_rights(
            session, root, [AccessEntry(0, AccessType.GRANT, int(Rights.REVIEWER), EntryState.NEW, user)]
        )

    dav.run(owner.user, grant)
    calendar = owner.collection("calendar")
    assert "read" in aces(owner, calendar)[f"^{client.home}"]
    told = owner.propfind(calendar, f"{D}acl").xml.find(f".//{D}acl")
    assert told is not None
    assert owner("ACL", calendar, ET.tostring(told)).status == 200
    assert stored(dav, owner.user) == set()


@pytest.mark.parametrize(
    ("entry", "status", "precondition"),
    [
        (ace("/nobody-of-this-name/", "read"), 403, "recognized-principal"),
        (ace("http://example.org/somebody/else/", "read"), 403, "recognized-principal"),
        (ace("{user}", "read", how="deny"), 403, "grant-only"),
        (ace("self", "read"), 403, "allowed-principal"),
        (ace("unauthenticated", "read"), 403, "allowed-principal"),
        (ace("{user}", "unlock"), 403, "not-supported-privilege"),
        (ace("{user}", "read-acl"), 403, "no-abstract"),
        (ace("{owner}", "read"), 403, "no-protected-ace-conflict"),
        ("<ace><invert><principal><all/></principal></invert><grant><privilege><read/></privilege></grant></ace>", 403, "no-invert"),
        ("<ace><principal><all/></principal></ace>", 400, ""),
    ],
)  # fmt: skip
def test_what_rights_cannot_express_is_refused(
    dav: Server, owner: Client, client: Client, entry: str, status: int, precondition: str
) -> None:
    calendar = owner.collection("calendar")
    assert set_acl(owner, calendar, ace(client.home, "read")).status == 200
    filled = entry.replace("<{user}/>", f"<href>{client.home}</href>").replace(
        "<{owner}/>", f"<href>{owner.home}</href>"
    )
    answer = set_acl(owner, calendar, ace("all", "read"), filled)
    assert answer.status == status
    if precondition:
        assert answer.xml.find(f"{D}{precondition}") is not None
    assert stored(dav, owner.user) == {int(Rights.REVIEWER)}
    assert "authenticated" not in aces(owner, calendar)


def test_only_the_owner_says_who_may_do_what(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.SECRETARY)
    answer = set_acl(client, shared_path(client, owner), ace(client.home, "all"))
    assert answer.status == 403
    assert answer.xml.find(f"{D}need-privileges") is not None
    for path in (owner.home, f"{owner.home}global-address-book/"):
        assert set_acl(owner, path, ace(client.home, "read")).status == 403
    assert owner("ACL", owner.collection("calendar"), "").status == 400
    assert "ACL" in owner("OPTIONS", "/").headers["allow"]


# Principals


def test_groups_are_principals(dav: Server, owner: Client, client: Client) -> None:
    name = make_group(dav, client.user)
    path = quote(f"/group:{name}/")
    answer = owner.propfind(
        path, f"{D}displayname", f"{D}group-member-set", f"{C}calendar-user-type", f"{C}calendar-home-set"
    )
    assert answer.found(path, f"{D}displayname") == f"The {name}"
    assert answer.found(path, f"{D}group-member-set") == client.home
    assert answer.found(path, f"{C}calendar-user-type") == "GROUP"
    assert answer.found(path, f"{C}calendar-home-set") is None
    groups = client.propfind(client.home, f"{D}group-membership").found(client.home, f"{D}group-membership")
    assert path in (groups or "")
    assert owner.propfind("/group:none-of-this-name/", f"{D}displayname").status == 404


def search(client: Client, words: str, *, attributes: str = "", prop: str = "<displayname/>") -> list[str]:
    body = (
        f'<principal-property-search xmlns="DAV:"{attributes}><property-search><prop>{prop}</prop>'
        f"<match>{words}</match></property-search><prop><displayname/></prop></principal-property-search>"
    )
    answer = client("REPORT", "/", body, Depth="0")
    assert answer.status == 207
    return answer.hrefs


def test_people_and_groups_are_searched_by_any_part_of_their_name(dav: Server, client: Client) -> None:
    dav.store.add_user("searched1", full_name="Maren Uhlenbrock", email="maren@find.example")
    dav.store.add_user("searched2", full_name="Uwe Uhlenbrock", email="uwe@find.example")
    assert search(client, "uhlenb") == ["/searched1/", "/searched2/"]
    assert search(
        client, "maren@find", prop='<C:calendar-user-address-set xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    ) == ["/searched1/"]
    assert search(
        client, "mailto:uwe@find.example", prop='<email-address-set xmlns="http://calendarserver.org/ns/"/>'
    ) == ["/searched2/"]
    name = make_group(dav)
    assert search(client, f"The {name}") == [quote(f"/group:{name}/")]
    assert search(client, "no such name at all") == []
    both = (
        "<property-search><prop><displayname/></prop><match>uhlenbrock</match></property-search>"
        "<property-search><prop><displayname/></prop><match>uwe</match></property-search>"
    )
    for test, found in (
        ("", ["/searched2/"]),
        (' test="allof"', ["/searched2/"]),
        (' test="anyof"', ["/searched1/", "/searched2/"]),
    ):
        body = f'<principal-property-search xmlns="DAV:"{test}>{both}<prop><displayname/></prop></principal-property-search>'
        assert client("REPORT", "/", body).hrefs == found
    tokens = (
        '<CS:calendarserver-principal-search xmlns:CS="http://calendarserver.org/ns/" xmlns="DAV:">'
        "<CS:search-token>uhlen</CS:search-token><CS:search-token>Maren</CS:search-token><prop><displayname/></prop>"
        "</CS:calendarserver-principal-search>"
    )
    assert client("REPORT", "/", tokens).hrefs == ["/searched1/"]


def test_what_can_be_searched(client: Client) -> None:
    answer = client("REPORT", "/", '<principal-search-property-set xmlns="DAV:"/>')
    assert answer.status == 200
    assert [local(each[0].tag) for each in answer.xml.iter(f"{D}prop")] == [
        "displayname", "calendar-user-address-set", "email-address-set", "first-name", "last-name",
    ]  # fmt: skip


def test_properties_are_followed_to_principals(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.SECRETARY)
    body = (
        '<expand-property xmlns="DAV:"><property name="displayname"/>'
        '<property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">'
        '<property name="displayname"/><property name="principal-URL"/></property>'
        '<property name="current-user-principal"/></expand-property>'
    )
    answer = client("REPORT", client.home, body)
    assert answer.status == 207
    inner = answer.xml.find(f".//{CS}calendar-proxy-write-for/{D}response")
    assert inner is not None
    assert inner.findtext(f"{D}href") == owner.home
    assert inner.findtext(f".//{D}displayname") == owner.user
    assert inner.findtext(f".//{D}principal-URL/{D}href") == owner.home
    # Without properties inside, an href stays one.
    assert answer.xml.findtext(f".//{D}current-user-principal/{D}href") == client.home


def test_an_expansion_ends(client: Client) -> None:
    inner = '<property name="displayname"/>'
    for _ in range(30):
        inner = f'<property name="current-user-principal">{inner}</property>'
    answer = client("REPORT", client.home, f'<expand-property xmlns="DAV:">{inner}</expand-property>')
    assert answer.status == 207
    wide = '<property name="owner"><property name="displayname"/></property>' * 3000
    assert (
        client("REPORT", client.home, f'<expand-property xmlns="DAV:">{wide}</expand-property>').status == 207
    )


def test_which_principals_and_resources_are_the_user(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    group = quote(f"/group:{make_group(dav, client.user)}/")
    me = '<principal-match xmlns="DAV:"><self/><prop><displayname/></prop></principal-match>'
    assert set(client("REPORT", "/", me).hrefs) == {client.home, group}
    assert client("REPORT", client.home, me).hrefs == [client.home]
    mine = '<principal-match xmlns="DAV:"><principal-property><owner/></principal-property><prop><displayname/></prop></principal-match>'
    found = client("REPORT", client.home, mine).hrefs
    assert client.collection("calendar") in found
    assert shared_path(client, owner) not in found
    assert client("REPORT", "/", '<principal-match xmlns="DAV:"/>').status == 400


def test_properties_of_everybody_in_a_list(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    body = '<acl-principal-prop-set xmlns="DAV:"><prop><displayname/></prop></acl-principal-prop-set>'
    answer = owner("REPORT", owner.collection("calendar"), body)
    assert {path: answer.found(path, f"{D}displayname") for path in answer.hrefs} == {
        owner.home: owner.user, client.home: client.user,
    }  # fmt: skip
    assert client("REPORT", shared_path(client, owner), body).status == 403
    assert owner("REPORT", owner.home, body).status == 403


# Proxy groups


def members(client: Client, group: str) -> list[str]:
    answer = client.propfind(f"{client.home}{group}/", f"{D}group-member-set", f"{D}resourcetype")
    assert answer.status == 207
    found = answer.xml.find(f".//{D}group-member-set")
    return [each.text or "" for each in found] if found is not None else []


def set_members(client: Client, group: str, *paths: str, home: str = "") -> Reply:
    hrefs = "".join(f"<href>{path}</href>" for path in paths)
    body = f'<propertyupdate xmlns="DAV:"><set><prop><group-member-set>{hrefs}</group-member-set></prop></set></propertyupdate>'
    return client("PROPPATCH", f"{home or client.home}{group}/", body)


READ, WRITE = "calendar-proxy-read", "calendar-proxy-write"


def test_those_who_act_for_somebody_are_told_to_both(dav: Server, owner: Client, client: Client) -> None:
    reader = dav.client()
    share(dav, owner.user, client.user, Rights.SECRETARY)
    share(dav, owner.user, reader.user, Rights.REVIEWER)
    assert members(owner, WRITE) == [client.home]
    assert members(owner, READ) == [reader.home]
    for somebody, group in ((client, WRITE), (reader, READ)):
        tags = [f"{CS}{READ}-for", f"{CS}{WRITE}-for", f"{D}group-membership"]
        answer = somebody.propfind(somebody.home, *tags)
        other = {READ: WRITE, WRITE: READ}[group]
        told = {tag: answer.found(somebody.home, tag) or "" for tag in tags}
        assert owner.home in told[f"{CS}{group}-for"]
        assert owner.home not in told[f"{CS}{other}-for"]
        assert f"{owner.home}{group}/" in told[f"{D}group-membership"]
        assert f"{owner.home}{other}/" not in told[f"{D}group-membership"]
    assert "calendar-proxy" in owner("OPTIONS", "/").headers["dav"]


def test_a_proxy_group_is_a_principal_whose_members_its_owner_sees(owner: Client, client: Client) -> None:
    path = f"{owner.home}{WRITE}/"
    answer = client.propfind(path, f"{D}resourcetype", f"{D}displayname", f"{D}group-member-set")
    types = {local(each.tag) for each in answer.xml.find(f".//{D}resourcetype")}
    assert types == {"principal", "collection", WRITE}
    assert answer.found(path, f"{D}group-member-set") is None
    assert " 403 " in answer.text
    assert client.propfind(f"/nobody-of-this-name/{WRITE}/", f"{D}resourcetype").status == 404


def test_members_are_added_changed_and_taken_away(dav: Server, owner: Client, client: Client) -> None:
    other = dav.client()
    assert set_members(owner, WRITE, client.home, other.home).status == 207
    assert set(members(owner, WRITE)) == {client.home, other.home}
    assert client("PUT", shared_path(client, owner) + "d.ics", event("d", "By the delegate")).status == 201
    assert set_members(owner, READ, client.home).status == 207
    assert members(owner, READ) == [client.home]
    assert members(owner, WRITE) == [other.home]
    assert set_members(owner, WRITE).status == 207
    assert members(owner, WRITE) == []
    assert members(owner, READ) == [client.home]
    assert stored(dav, owner.user) == {int(Rights.REVIEWER)}


def test_members_that_do_not_exist_and_groups_of_others(owner: Client, client: Client) -> None:
    answer = set_members(owner, WRITE, client.home, "/nobody-of-this-name/")
    assert answer.status == 207
    assert answer.xml.find(f".//{D}recognized-principal") is not None
    assert members(owner, WRITE) == []
    assert set_members(client, WRITE, client.home, home=owner.home).status == 403

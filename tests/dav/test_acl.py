"""Who may do what: privileges and access control lists over the store's rights (RFC 3744)."""

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
from tests.dav.server import Client, D, Reply, Server, event
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

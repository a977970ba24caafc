"""Synchronisation: tokens, ETags, what two gateways say of the same store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import delete_messages, save_new_message
from tests.dav.server import CS, Client, D, Server, card, event, prop


def put(client: Client, book: str, name: str) -> str:
    path = f"{book}{name}.vcf"
    assert client("PUT", path, card(f"uid-{name}", f"Name {name}")).status in (201, 204)
    return path


def test_changes_and_removals_since_a_token(client: Client) -> None:
    book = client.collection("addressbook")
    one, two = put(client, book, "one"), put(client, book, "two")
    token, found = client.sync(book)
    assert set(found) == {one, two}
    assert client.sync(book, token) == (token, {})
    three = put(client, book, "three")
    assert client("DELETE", one).status == 204
    put(client, book, "two")
    newer, changes = client.sync(book, token)
    assert set(changes) == {one, two, three}
    assert changes[one] == ""
    assert changes[two] != found[two]
    assert client.sync(book, newer) == (newer, {})


def test_an_item_in_place_of_a_removed_one_is_told_once(dav: Server, client: Client, tmp_path: Path) -> None:
    """Also by a gateway that was started anew."""
    kept = tmp_path / "hrefs.sqlite"
    before = Client(dav.new_head(kept=kept), client.user)
    path = client.collection("calendar")
    assert before("PUT", path + "e.ics", event("e", "Old")).status == 201
    token, _ = before.sync(path)
    assert before("DELETE", path + "e.ics").status == 204
    assert before("PUT", path + "e.ics", event("e", "New")).status == 201
    for somebody in (before, Client(dav.new_head(kept=kept), client.user)):
        answer = somebody("REPORT", path, changes_since(token), Depth="0")
        assert answer.hrefs == [path + "e.ics"]
        assert answer.found(path + "e.ics", f"{D}getetag") == client("GET", path + "e.ics").headers["etag"]
        dav.end_head(somebody.port)


def changes_since(token: str) -> str:
    inner = f"<sync-token>{token}</sync-token><sync-level>1</sync-level>{prop(f'{D}getetag')}"
    return f'<sync-collection xmlns="DAV:">{inner}</sync-collection>'


@pytest.mark.parametrize("put_here", [True, False])
def test_what_was_removed_is_told_by_a_gateway_that_was_started_anew(
    dav: Server, client: Client, tmp_path: Path, put_here: bool
) -> None:
    """Under the name that the client gave it: the store's change log knows only source keys."""
    kept = tmp_path / "hrefs.sqlite"
    before = Client(dav.new_head(kept=kept), client.user)
    book = client.collection("addressbook")
    one, two = (put(before if put_here else client, book, name) for name in ("one", "two"))
    token, _ = before.sync(book)
    dav.end_head(before.port)
    assert client("DELETE", one).status == 204  # while it was away
    after = Client(dav.new_head(kept=kept), client.user)
    assert after.sync(book, token)[1] == {one: ""}
    assert client("DELETE", two).status == 204
    assert after.sync(book, token)[1] == {one: "", two: ""}
    # Who never knew the names has the client list everything.
    stranger = Client(dav.new_head(), client.user)
    answer = stranger("REPORT", book, changes_since(token), Depth="0")
    assert answer.status == 403
    assert answer.xml.find(f"{D}valid-sync-token") is not None


def test_a_new_gateway_answers_the_token_of_another(dav: Server, client: Client) -> None:
    book = client.collection("addressbook")
    one = put(client, book, "one")
    token, found = client.sync(book)
    other = Client(dav.new_head(), client.user)
    assert other.sync(book, token) == (token, {})
    assert other.sync(book)[1] == found
    two = put(other, book, "two")
    assert list(client.sync(book, token)[1]) == [two]
    listed = other.propfind(book, f"{D}getetag", depth="1")
    assert listed.found(one, f"{D}getetag") == found[one]


def test_a_token_that_nobody_gave_is_refused(client: Client) -> None:
    book = client.collection("addressbook")
    token, _ = client.sync(book)
    for wrong in ("http://example.org/1", "data:,00-1-0", re.sub(r"-\d+-", "-4000000000-", token)):
        body = f'<sync-collection xmlns="DAV:"><sync-token>{wrong}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
        answer = client("REPORT", book, body)
        assert answer.status == 403
        assert answer.xml.find(f"{D}valid-sync-token") is not None


def test_the_ctag_changes_with_every_change(client: Client) -> None:
    book = client.collection("addressbook")

    def ctag() -> str | None:
        return client.propfind(book, f"{CS}getctag").found(book, f"{CS}getctag")

    seen = [ctag(), ctag()]
    assert seen[0] == seen[1]
    path = put(client, book, "one")
    seen.append(ctag())
    client("DELETE", path)
    seen.append(ctag())
    assert len(set(seen)) == 3


def test_an_item_of_another_program_is_named_by_its_source_key_and_stays_as_it_is(
    dav: Server, client: Client
) -> None:
    async def make(session: object) -> bytes:
        store = await Store.default(session)
        folder = (await store.special_folders())[Special.CONTACTS]
        content = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Contact", pr.PR_DISPLAY_NAME: "From Outlook"})
        saved = await save_new_message(session, folder, parse_object_entryid(folder).store, content)
        return saved.entryid

    book = client.collection("addressbook")
    token, _ = client.sync(book)
    entryid = dav.run(client.user, make)
    newer, changes = client.sync(book, token)
    (path,) = changes
    assert re.fullmatch(r"[0-9a-f]{44}\.vcf", path.removeprefix(book))
    first = client("GET", path)
    assert "FN:From Outlook" in first.text
    assert client("GET", path).text == first.text
    assert client.sync(book, newer) == (newer, {})

    async def remove(session: object) -> None:
        assert await delete_messages(session, [entryid])

    dav.run(client.user, remove)
    assert client.sync(book, newer)[1] == {path: ""}


def limited(client: Client, path: str, token: str, most: int) -> tuple[list[str], bool, str]:
    """The paths that a limited sync-collection tells, whether there is more, and the token to go on from."""
    body = (
        f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>'
        f"<limit><nresults>{most}</nresults></limit><prop><getetag/></prop></sync-collection>"
    )
    answer = client("REPORT", path, body)
    assert answer.status == 207, answer.text
    cut = answer.responses.get(path)
    if cut is not None:
        assert " 507 " in (cut.findtext(f"{D}status") or "")
        assert cut.find(f"{D}error/{D}number-of-matches-within-limits") is not None
    told = [href for href in answer.hrefs if href != path]
    assert len(told) <= most
    return told, cut is not None, answer.xml.findtext(f"{D}sync-token") or ""


def all_pages(client: Client, path: str, token: str, most: int) -> tuple[list[str], str]:
    found: list[str] = []
    more = True
    while more:
        told, more, token = limited(client, path, token, most)
        assert told or not more
        found += told
    return found, token


@pytest.mark.parametrize("most", [1, 2, 4, 5, 6])
def test_a_first_listing_is_cut_where_the_client_wants(client: Client, most: int) -> None:
    book = client.collection("addressbook")
    paths = {put(client, book, f"c{number}") for number in range(5)}
    found, token = all_pages(client, book, "", most)
    assert len(found) == 5
    assert set(found) == paths
    assert limited(client, book, token, most) == ([], False, token)


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_changes_are_cut_where_the_client_wants(client: Client, most: int) -> None:
    book = client.collection("addressbook")
    old = [put(client, book, f"old{number}") for number in range(3)]
    token, _ = client.sync(book)
    new = [put(client, book, f"new{number}") for number in range(3)]
    client("DELETE", old[0])
    put(client, book, "old1")
    found, token = all_pages(client, book, token, most)
    assert set(found) == {*new, old[0], old[1]}
    assert client.sync(book, token) == (token, {})


def test_what_changes_between_two_pages_is_told_after_the_last(client: Client) -> None:
    book = client.collection("addressbook")
    for number in range(4):
        put(client, book, f"c{number}")
    first, more, token = limited(client, book, "", 2)
    assert more
    put(client, book, first[0].removeprefix(book).removesuffix(".vcf"))
    client("DELETE", first[1])
    fresh = put(client, book, "fresh")
    rest, token = all_pages(client, book, token, 2)
    _, changes = client.sync(book, token)
    assert changes[first[1]] == ""
    assert changes[first[0]]
    assert fresh in {*rest, *changes}


def test_a_page_of_another_gateway_is_gone_on_with(dav: Server, client: Client) -> None:
    book = client.collection("addressbook")
    paths = {put(client, book, f"c{number}") for number in range(3)}
    first, _, token = limited(client, book, "", 1)
    rest, _ = all_pages(Client(dav.new_head(), client.user), book, token, 1)
    assert {*first, *rest} == paths


@pytest.mark.parametrize("most", ["0", "-1", "many"])
def test_a_limit_under_which_nothing_can_be_told_is_refused(client: Client, most: str) -> None:
    body = f'<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><limit><nresults>{most}</nresults></limit><prop><getetag/></prop></sync-collection>'
    answer = client("REPORT", client.collection("addressbook"), body)
    assert answer.status == 507
    assert answer.xml.find(f"{D}number-of-matches-within-limits") is not None


def test_an_item_with_another_name_is_gone_under_the_one_before(
    dav: Server, client: Client, tmp_path: Path
) -> None:
    """MOVE within a collection is told as both (RFC 6578 3.5), by others and after a restart, too."""
    kept = tmp_path / "hrefs.sqlite"
    mover, other = (Client(dav.new_head(kept=each), client.user) for each in (kept, None))
    path = mover.collection("calendar")
    a, b, c = (f"{path}{name}.ics" for name in "abc")
    assert mover("PUT", a, event("e", "One")).status == 201
    token, _ = mover.sync(path)
    assert other.sync(path)[0] == token
    assert mover("MOVE", a, Destination=b).status == 201
    etag = mover("GET", b).headers["etag"]
    middle, _ = mover.sync(path)
    dav.end_head(mover.port)
    mover = Client(dav.new_head(kept=kept), client.user)
    for somebody in (other, mover):
        assert somebody.sync(path, token)[1] == {a: "", b: etag}
    assert mover("MOVE", b, Destination=c).status == 201
    etag = mover("GET", c).headers["etag"]
    assert mover.sync(path, token)[1] == {a: "", b: "", c: etag}
    assert mover.sync(path, middle)[1][b] == ""
    assert mover("MOVE", c, Destination=a).status == 201
    etag = mover("GET", a).headers["etag"]
    assert mover.sync(path, token)[1] == {a: etag, b: "", c: ""}
    assert mover("DELETE", a).status == 204
    assert mover.sync(path, token)[1] == {a: "", b: "", c: ""}
    dav.end_head(mover.port)
    mover = Client(dav.new_head(kept=kept), client.user)
    assert mover.sync(path, token)[1] == {a: "", b: "", c: ""}

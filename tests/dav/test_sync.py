"""Synchronisation: tokens, ETags, what two gateways say of the same store."""

from __future__ import annotations

import re

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import delete_messages, save_new_message
from tests.dav.server import CS, Client, D, Server, card


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
    assert client("DELETE", one).status == 200
    put(client, book, "two")
    newer, changes = client.sync(book, token)
    assert set(changes) == {one, two, three}
    assert changes[one] == ""
    assert changes[two] != found[two]
    assert client.sync(book, newer) == (newer, {})


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


def test_a_limit_that_is_too_small_is_told(client: Client) -> None:
    book = client.collection("addressbook")
    put(client, book, "one")
    put(client, book, "two")
    body = '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><limit><nresults>1</nresults></limit><prop><getetag/></prop></sync-collection>'
    assert client("REPORT", book, body).status == 507

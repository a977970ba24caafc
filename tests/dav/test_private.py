"""Private tasks, notes and contacts of others are not there: not in what changed, and nothing takes their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gateway.mapi.rights import Rights
from gateway.mapiclient import Special
from tests.dav.server import Client, Server, card, event
from tests.dav.test_sharing import share, shared_path


def task(uid: str, summary: str, *more: str) -> str:
    return event(uid, summary, "20261201T100000Z", *more).replace("VEVENT", "VTODO")


@dataclass
class Shared:
    """A folder in which both may write, as its owner and as the other one sees it."""

    owner: Client
    other: Client
    theirs: str
    path: str
    suffix: str
    make: Callable[..., str]

    def put(self, client: Client, name: str, text: str, **headers: str) -> int:
        base = self.theirs if client is self.owner else self.path
        return client("PUT", f"{base}{name}{self.suffix}", text, **headers).status

    def name(self, name: str) -> str:
        return f"{self.path}{name}{self.suffix}"


@pytest.fixture(params=["VTODO", "addressbook"])
def folder(dav: Server, request: pytest.FixtureRequest) -> Shared:
    owner, other = dav.client(), dav.client()
    is_book = request.param == "addressbook"
    share(dav, owner.user, other.user, Rights.EDITOR, Special.CONTACTS if is_book else Special.TASKS)
    theirs, path = owner.collection(request.param), shared_path(other, owner, request.param)
    return Shared(owner, other, theirs, path, ".vcf" if is_book else ".ics", card if is_book else task)


def test_what_becomes_private_is_told_as_removed(folder: Shared) -> None:
    """RFC 6578 3.5.2: what the user does not see any more is gone for him; a copy of it must not stay at the client."""
    make = folder.make
    assert folder.put(folder.owner, "a", make("a", "Known Name")) == 201
    token, found = folder.other.sync(folder.path)
    assert list(found) == [folder.name("a")]
    assert folder.put(folder.owner, "a", make("a", "Secret Name", "CLASS:PRIVATE")) == 204
    token, found = folder.other.sync(folder.path, token)
    assert found == {folder.name("a"): ""}
    assert folder.put(folder.owner, "a", make("a", "Known Again", "CLASS:PUBLIC")) == 204
    token, found = folder.other.sync(folder.path, token)
    assert list(found) == [folder.name("a")]
    assert found[folder.name("a")]


@pytest.mark.parametrize("uid", ["a", "other"])
def test_nothing_is_put_where_a_private_item_is(folder: Shared, uid: str) -> None:
    """It would lie under another name than the client was told."""
    assert folder.put(folder.owner, "a", folder.make("a", "Secret Name", "CLASS:PRIVATE")) == 201
    assert folder.put(folder.other, "a", folder.make(uid, "New Name")) == 403
    assert folder.put(folder.other, "a", folder.make(uid, "New Name"), If_None_Match="*") == 403
    assert folder.put(folder.other, "b", folder.make("b", "Moved Name")) == 201
    assert folder.other("MOVE", folder.name("b"), Destination=folder.name("a")).status == 403
    assert list(folder.other.sync(folder.path)[1]) == [folder.name("b")]
    assert "Secret Name" in folder.owner("GET", f"{folder.theirs}a{folder.suffix}").text

"""Names and passwords as clients send them: whatever spelling the store takes, it is one user with one home."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.dav.server import Client, D, Server, event


@pytest.mark.parametrize("spelled", [str.upper, str.capitalize])
def test_a_user_is_the_same_in_every_spelling(
    dav: Server, client: Client, spelled: Callable[[str], str]
) -> None:
    """Phones write names with a capital letter, and stores do not mind."""
    calendar = client.collection("calendar")
    secret = event("s", "Secret", "20261201T100000Z", "CLASS:PRIVATE")
    assert client("PUT", calendar + "s.ics", secret).status == 201
    phone = Client(client.port, spelled(client.user), client.user)
    told = phone.propfind("/", f"{D}current-user-principal")
    assert told.found("/", f"{D}current-user-principal") == client.home
    listed = phone.propfind(client.home, f"{D}displayname", depth="1")
    assert listed.hrefs == client.propfind(client.home, f"{D}displayname", depth="1").hrefs
    assert listed.found(calendar, f"{D}displayname") == "Calendar"
    assert "Secret" in phone("GET", calendar + "s.ics").text
    assert "SUMMARY:Secret" in phone("GET", calendar.replace(client.home, phone.home) + "s.ics").text
    assert phone.propfind(phone.home, f"{D}displayname").hrefs == [client.home]
    wrong = Client(client.port, spelled(client.user), "wrong")
    assert wrong.propfind("/", f"{D}displayname").status == 401


def test_a_password_in_latin_1(dav: Server) -> None:
    """Clients that do not know RFC 7617 send what they like."""
    dav.store.add_user("jutta", "k\u00e4se")
    for coding in ("utf-8", "latin-1"):
        client = Client(dav.port(), "jutta", "")
        token = base64.b64encode("jutta:k\u00e4se".encode(coding)).decode()
        client.authorization = {"Authorization": f"Basic {token}"}
        assert client.propfind("/", f"{D}displayname").status == 207


@pytest.mark.parametrize("spelled", [" {}", "{} ", "\t{}"])
def test_blanks_around_a_name_are_none_of_it(client: Client, spelled: str) -> None:
    """Keyboards of phones complete a name with one."""
    phone = Client(client.port, spelled.format(client.user), client.user)
    told = phone.propfind("/", f"{D}current-user-principal")
    assert told.found("/", f"{D}current-user-principal") == client.home

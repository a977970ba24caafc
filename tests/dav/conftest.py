"""One store and one DAV head for the tests of each file: every new user looks at what the others of it share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dav.meetings import Person, Site, running_site
from tests.dav.server import Client, Server, running_server


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("dav")) as server:
        yield server


@pytest.fixture
def client(dav: Server) -> Client:
    return dav.client()


@pytest.fixture(scope="module")
def running_post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("scheduling")) as site:
        yield site


@pytest.fixture
def site(running_post: Site) -> Site:
    """Users with mail between them; nothing is on its way."""
    running_post.sent()
    running_post.post.smarthost.mails.clear()
    return running_post


@pytest.fixture
def boss(site: Site) -> Person:
    return site.person()


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person()


@pytest.fixture
def bob(site: Site) -> Person:
    return site.person()

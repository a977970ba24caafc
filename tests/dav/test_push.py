"""WebDAV-Push over the wire: a client registers, the store changes, the push service gets a message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from twisted.web.client import Agent

from gateway.dav.options import Options
from gateway.dav.push.service import Settings
from gateway.dav.service import DavFactory
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.sessions import Credentials, Sessions, Trusted
from tests.dav.pushing import Device, P, Service, running_service
from tests.dav.server import Client, D, Reply, Server, event
from tests.support import reactor


class Site:
    """DAV heads with push before the store of all tests."""

    def __init__(self, dav: Server, directory: Path, service: Service) -> None:
        self.dav = dav
        self.service = service
        self.directory = directory
        self.options = Options(
            timezone="Europe/Berlin", push=True, push_private=True, push_ca_file=service.ca_file
        )
        self._heads: list[tuple[DavFactory, Any]] = []
        self._trusting = reactor.call(lambda: Sessions(dav.pool, parse_server(dav.store.unix)))

    def head(self, *, trusted: bool = False, options: Options | None = None, state: str = "state") -> int:
        """A head; its port."""
        return reactor.call(self._listen, trusted, options or self.options, self.directory / state)

    def _listen(self, trusted: bool, options: Options, state: Path) -> int:
        async def lease(user: str) -> Any:
            return await self._trusting.lease(Trusted(user), application="dav")

        settings = Settings(state, "mailto:a@example.com", lease if trusted else None, pace=0.01)
        head = DavFactory(self.dav.sessions, options, reactor.reactor, pushing=settings)
        port = reactor.reactor.listenTCP(0, head, interface="127.0.0.1")
        self._heads.append((head, port))
        return int(port.getHost().port)

    def end_heads(self) -> None:
        """As when the gateway stops."""

        async def close() -> None:
            heads, self._heads[:] = [*self._heads], []
            for head, port in heads:
                await port.stopListening()
                await head.shut_down()

        reactor.run(close)

    def close(self) -> None:
        self.end_heads()
        reactor.run(self._trusting.close)


@pytest.fixture
def site(dav: Server, tmp_path: Path) -> Iterator[Site]:
    with running_service(tmp_path) as service:
        site = Site(dav, tmp_path, service)
        try:
            yield site
        finally:
            site.close()


class User:
    """A user with a calendar and a device."""

    def __init__(self, site: Site, *, name: str = "", port: int = 0) -> None:
        name = name or site.dav.new_user()
        self.client = Client(port or site.head(), name)
        self.calendar = self.client.collection("calendar")
        self.device = Device(f"{site.service.origin}/{name}")

    def register(self, **more: str) -> Reply:
        return self.client("POST", self.calendar, self.device.registers(**more), Content_Type="application/xml")

    def put(self, name: str, **headers: str) -> None:
        answer = self.client("PUT", f"{self.calendar}{name}.ics", event(name, name), **headers)
        assert answer.status == 201, answer.text

    def hears(self, site: Site) -> Any:
        """The next message, decrypted."""
        return self.device.reads(site.service.next())


def path_of(answer: Reply) -> str:
    """The path of a registration."""
    assert answer.status in (201, 204), answer.text
    return "/" + answer.headers["location"].split("/", 3)[3]


def test_a_collection_tells_how_push_works(site: Site) -> None:
    user = User(site)
    tags = [f"{P}{name}" for name in ("transports", "topic", "supported-triggers")]
    first = user.client.propfind(user.calendar, *tags)
    key = first.xml.find(f".//{P}transports/{P}web-push/{P}vapid-public-key")
    assert key is not None
    assert key.get("type") == "p256ecdsa"
    assert len(key.text or "") == 87
    assert first.xml.findtext(f".//{P}supported-triggers/{P}content-update/{D}depth") == "1"
    assert "webdav-push" in first.headers["dav"].split(", ")
    assert "webdav-push" in user.client("OPTIONS", user.calendar).headers["dav"].split(", ")
    topics = {each: user.client.propfind(each, *tags).found(each, tags[1]) for each in (
        user.calendar, user.client.collection("addressbook")
    )}  # fmt: skip
    assert topics[user.calendar] == first.found(user.calendar, tags[1])
    assert len(set(topics.values())) == 2


def test_nothing_of_push_is_told_unless_it_is_switched_on(dav: Server) -> None:
    client = dav.client()
    calendar = client.collection("calendar")
    assert "webdav-push" not in client("OPTIONS", calendar).headers["dav"]
    assert client.propfind(calendar, f"{P}topic").found(calendar, f"{P}topic") is None
    assert client("POST", calendar, Device("https://push.example.com/1").registers()).status == 405


@pytest.mark.parametrize("trusted", [False, True])
def test_a_change_is_told_with_topic_and_sync_token(site: Site, trusted: bool) -> None:
    user = User(site, port=site.head(trusted=trusted))
    topic = user.client.propfind(user.calendar, f"{P}topic").found(user.calendar, f"{P}topic")
    answer = user.register()
    assert answer.status == 201
    assert answer.headers["location"].startswith(f"http://127.0.0.1:{user.client.port}{user.client.home}")
    user.put("one")
    sent = site.service.next()
    message = user.device.reads(sent)
    assert message.tag == f"{P}push-message"
    assert message.findtext(f"{P}topic") == topic
    assert message.findtext(f"{P}content-update/{D}sync-token") == user.client.sync(user.calendar)[0]
    assert sent.path == f"/{user.client.user}"
    assert sent.headers["content-encoding"] == "aes128gcm"
    assert sent.headers["ttl"] == "86400"
    assert sent.headers["urgency"] == "normal"
    assert len(sent.headers["topic"]) == 32
    assert sent.headers["topic"] != topic
    assert sent.headers["authorization"].startswith("vapid t=")

"""WebDAV-Push over the wire: a client registers, the store changes, the push service gets a message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.dav.options import Options
from gateway.dav.push.service import Settings
from gateway.dav.service import DavFactory
from gateway.mapi import proptags as pr
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.message import delete_messages
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Sessions, Trusted
from gateway.mapiclient.store import Special, Store
from gateway.mapiclient.table import Table, rows_of
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


def test_many_changes_at_once_are_told(site: Site) -> None:
    """Of more than ten items the store tells no single one, only that their folder has changed."""
    user = User(site)
    for number in range(12):
        user.put(f"e{number}")
    user.register()
    user.put("one")
    user.hears(site)

    async def work(session: Session) -> None:
        calendar = (await (await Store.default(session)).special_folders())[Special.CALENDAR]
        rows = await rows_of(Table.contents(session, calendar, (pr.PR_ENTRYID,)))
        await delete_messages(session, [row[pr.PR_ENTRYID] for row in rows])

    site.dav.run(user.client.user, work)
    assert user.hears(site).tag == f"{P}push-message"


def test_a_registration_is_renewed_not_doubled(site: Site) -> None:
    user = User(site)
    first = user.register()
    again = user.register()
    assert (first.status, again.status) == (201, 204)
    assert first.headers["location"] == again.headers["location"]
    user.put("one")
    user.hears(site)
    assert user.client("DELETE", path_of(first)).status == 204
    assert user.client("DELETE", path_of(first)).status == 404


@pytest.mark.parametrize(("wanted", "days"), [(None, 7), (4, 4), (30, 7)], ids=["none", "four", "thirty"])
def test_a_registration_lasts_as_long_as_wished_but_a_week_at_most(
    site: Site, wanted: int | None, days: int
) -> None:
    user = User(site)
    end = "" if wanted is None else formatdate(time.time() + wanted * 86_400, usegmt=True)
    until = parsedate_to_datetime(user.register(expires=end).headers["expires"]).timestamp()
    assert abs(until - time.time() - days * 86_400) < 60


def test_after_its_end_nothing_is_sent(site: Site) -> None:
    user = User(site)
    other = Device(f"{site.service.origin}/other")
    ended = path_of(user.register())
    user.client("POST", user.calendar, other.registers(), Content_Type="application/xml")
    assert user.client("DELETE", ended).status == 204
    user.put("one")
    assert site.service.next().path == "/other"
    assert site.service.messages.empty()


def test_nobody_ends_the_registration_of_another(site: Site) -> None:
    port = site.head()
    user, other = User(site, port=port), User(site, port=port)
    path = path_of(user.register())
    assert other.client("DELETE", path).status == 404
    assert other.client("DELETE", path.replace(user.client.user, other.client.user)).status == 404
    assert user.client("DELETE", path).status == 204


def test_a_client_is_not_told_of_what_it_writes_itself(site: Site) -> None:
    """The other device is told of both changes, the first one only of what the other wrote."""
    user = User(site)
    other = Device(f"{site.service.origin}/other")
    own = user.register().headers["location"]
    user.client("POST", user.calendar, other.registers(), Content_Type="application/xml")
    user.put("one", Push_Dont_Notify=f'"{own}"')
    assert site.service.next().path == "/other"
    assert user.client("DELETE", f"{user.calendar}one.ics", Push_Dont_Notify=f'"{own}"').status < 300
    assert site.service.next().path == "/other"
    user.put("two")
    assert {site.service.next().path, site.service.next().path} == {"/other", f"/{user.client.user}"}
    assert site.service.messages.empty()


def test_a_star_silences_all_of_the_users_registrations(site: Site) -> None:
    user = User(site)
    user.register()
    user.put("one", Push_Dont_Notify="*")
    user.put("two")
    message = user.hears(site)
    assert message.findtext(f"{P}content-update/{D}sync-token") == user.client.sync(user.calendar)[0]
    assert site.service.messages.empty()


def test_a_change_while_the_gateway_was_stopped_is_told_when_the_store_trusts_it(site: Site) -> None:
    user = User(site, port=site.head(trusted=True))
    user.register()
    site.end_heads()
    other = Client(site.dav.port(), user.client.user)
    assert other("PUT", f"{user.calendar}late.ics", event("late", "late")).status == 201
    site.head(trusted=True)
    assert user.hears(site).tag == f"{P}push-message"


def test_a_message_that_was_not_taken_before_the_gateway_stopped_is_sent_afterwards(site: Site) -> None:
    user = User(site, port=site.head(trusted=True))
    user.register()
    site.service.answers.put((503, {"Retry-After": "3600"}))
    user.put("one")
    site.service.next()
    site.end_heads()
    site.head(trusted=True)
    assert user.hears(site).tag == f"{P}push-message"


def test_elsewhere_it_is_told_at_the_users_next_visit(site: Site) -> None:
    user = User(site)
    user.register()
    site.end_heads()
    other = Client(site.dav.port(), user.client.user)
    assert other("PUT", f"{user.calendar}late.ics", event("late", "late")).status == 201
    Client(site.head(), user.client.user).propfind(user.calendar, f"{D}displayname")
    assert user.hears(site).tag == f"{P}push-message"


@pytest.mark.parametrize("status", [404, 410])
def test_a_push_resource_that_is_gone_ends_the_registration(site: Site, status: int) -> None:
    user = User(site)
    path = path_of(user.register())
    site.service.answers.put((status, {}))
    user.put("one")
    site.service.next()
    user.put("two")
    assert user.register().status == 201
    assert user.client("DELETE", path).status == 404


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_message_that_cannot_be_taken_now_is_sent_again(site: Site, status: int) -> None:
    user = User(site)
    user.register()
    site.service.answers.put((status, {"Retry-After": "0"}))
    user.put("one")
    first, again = site.service.next(), site.service.next()
    assert user.device.reads(first).attrib == user.device.reads(again).attrib
    assert first.body != again.body


def test_a_redirect_is_not_followed(site: Site) -> None:
    user = User(site)
    user.register()
    site.service.answers.put((307, {"Location": f"{site.service.origin}/elsewhere"}))
    user.put("one")
    assert site.service.next().path == f"/{user.client.user}"
    user.put("two")
    assert site.service.next().path == f"/{user.client.user}"


ADDRESSES = [
    "http://push.example.com/1", "https://user:pw@push.example.com/1", "https://push.example.com/1#a", "https:///1",
    "https://127.0.0.1/1", "https://[::1]/1", "https://10.1.2.3/1", "https://192.168.0.1:8443/1", "https://169.254.169.254/",
    "https://[::ffff:127.0.0.1]/1", "https://[64:ff9b::7f00:1]/1", "https://[fe80::1]/1", "https://[::7f00:1]/1", "https://0.0.0.0/1",
    "https://push.example.com:99999/1", "https://[1/", "ftp://push.example.com/", "push",
]  # fmt: skip


@pytest.mark.parametrize("url", ADDRESSES)
def test_push_resources_that_are_refused(site: Site, url: str) -> None:
    options = Options(timezone="Europe/Berlin", push=True)
    user = User(site, port=site.head(options=options))
    answer = user.register(url=url)
    assert answer.status == 403
    assert answer.xml.find(f"{P}invalid-subscription") is not None


def test_names_of_local_addresses_are_refused_when_something_is_sent(site: Site) -> None:
    public = Options(timezone="Europe/Berlin", push=True, push_ca_file=site.service.ca_file)
    user = User(site, port=site.head(options=public))
    assert user.register().status == 201
    user.put("one")
    allowed = User(site, port=site.head(state="other"))
    allowed.register()
    allowed.put("one")
    assert site.service.next().path == f"/{allowed.client.user}"
    assert site.service.messages.empty()


BODIES = [
    ("no subscription", ("subscription>", "other>"), "invalid-subscription"),
    ("no key", ("subscription-public-key", "other"), "invalid-subscription"),
    ("no secret", ("auth-secret", "other"), "invalid-subscription"),
    ("another encoding", ("aes128gcm", "aesgcm"), "invalid-subscription"),
    ("a key that is none", ('type="p256dh">', 'type="p256dh">AAAA'), "invalid-subscription"),
    ("property-update only", ("content-update", "property-update"), "no-supported-trigger"),
    ("no trigger", ("trigger>", "other>"), "no-supported-trigger"),
]


@pytest.mark.parametrize(
    ("change", "precondition"), [each[1:] for each in BODIES], ids=[each[0] for each in BODIES]
)
def test_requests_that_are_refused(site: Site, change: tuple[str, str], precondition: str) -> None:
    user = User(site)
    body = user.device.registers().replace(*change)
    answer = user.client("POST", user.calendar, body, Content_Type="application/xml")
    assert answer.status == 403
    assert answer.xml.find(f"{P}{precondition}") is not None


@pytest.mark.parametrize("path", ["/{user}/", "/{user}/global-address-book/", "/{user}/nothing/", "/"])
def test_only_changes_of_collections_are_told(site: Site, path: str) -> None:
    user = User(site)
    where = path.format(user=user.client.user)
    answer = user.client("POST", where, user.device.registers(), Content_Type="application/xml")
    assert answer.status == 403
    assert answer.xml.find(f"{P}push-not-available") is not None

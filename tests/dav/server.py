"""A DAV head before an embedded store, both on the shared reactor, and a small client for it."""

from __future__ import annotations

import base64
import http.client
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav.kepthrefs import KeptHrefs
from gateway.dav.options import Options
from gateway.dav.service import DavFactory
from gateway.mailbox.sharers import PORTION
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.options import PoolOptions, SessionOptions, ThrottleOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Credentials, Sessions
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.store import RunningStore, running_store

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
CR = "{urn:ietf:params:xml:ns:carddav}"
CS = "{http://calendarserver.org/ns/}"
OPTIONS = Options(timezone="Europe/Berlin")
_BEGAN = time.monotonic()
#: Before the events of the tests, and not ahead of the store, whose mails would come from the past.
_START = min(datetime(2026, 11, 22, tzinfo=UTC).timestamp(), time.time())


def clock() -> float:
    """The time of the heads: it goes on from some days before the events of the tests, whatever the day."""
    return _START + time.monotonic() - _BEGAN


@dataclass
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @cached_property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)

    @property
    def hrefs(self) -> list[str]:
        """The paths of the responses."""
        return [each.findtext(f"{D}href") or "" for each in self.xml.iter(f"{D}response")]

    @cached_property
    def responses(self) -> dict[str, ET.Element]:
        return {each.findtext(f"{D}href") or "": each for each in self.xml.iter(f"{D}response")}

    def found(self, path: str, tag: str) -> str | None:
        """The text of a property in the 200 part of a response."""
        for propstat in self.responses[path].iterfind(f"{D}propstat"):
            if " 200 " in (propstat.findtext(f"{D}status") or ""):
                element = propstat.find(f"{D}prop/{tag}")
                if element is not None:
                    return "".join(element.itertext())
        return None


class Client:
    """A client of one user; each request is a connection of its own."""

    def __init__(self, port: int, user: str, password: str | None = None) -> None:
        self.port = port
        self.user = user
        token = base64.b64encode(f"{user}:{user if password is None else password}".encode()).decode()
        self.authorization = {"Authorization": f"Basic {token}"} if user else {}

    def __call__(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        try:
            connection.request(method, path, data, self.authorization | names)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    @property
    def home(self) -> str:
        return f"/{quote(self.user)}/"

    def propfind(self, path: str, *tags: str, depth: str = "0", **headers: str) -> Reply:
        """PROPFIND of tags in Clark notation."""
        return self("PROPFIND", path, propfind(*tags), Depth=depth, **headers)

    def collection(self, container: str) -> str:
        """The path of the user's first collection of a kind: calendar, VTODO, VJOURNAL, addressbook."""
        wanted = f"{CR}addressbook" if container == "addressbook" else f"{C}calendar"
        set_tag = f"{C}supported-calendar-component-set"
        answer = self.propfind(self.home, f"{D}resourcetype", set_tag, depth="1")
        assert answer.status == 207, answer.text
        for path, response in answer.responses.items():
            if response.find(f".//{wanted}") is None:
                continue
            component = {"calendar": "VEVENT"}.get(container, container)
            names = [each.get("name") for each in response.iter(f"{C}comp")]
            if container == "addressbook" or component in names:
                return path
        raise AssertionError(f"no {container}: {answer.text}")

    def sync(self, path: str, token: str = "", *tags: str) -> tuple[str, dict[str, str]]:
        """sync-collection: the new token, and path to ETag ("" for what is gone)."""
        body = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>'
            f"{prop(*(tags or (f'{D}getetag',)))}</sync-collection>"
        )
        answer = self("REPORT", path, body, Depth="0")
        assert answer.status == 207, answer.text
        found = {}
        for href, response in answer.responses.items():
            gone = " 404 " in (response.findtext(f"{D}status") or "")
            found[href] = "" if gone else answer.found(href, f"{D}getetag") or "?"
        return answer.xml.findtext(f"{D}sync-token") or "", found


def element(tag: str) -> str:
    namespace, name = tag[1:].split("}")
    return f'<{name} xmlns="{namespace}"/>'


def prop(*tags: str) -> str:
    return f'<prop xmlns="DAV:">{"".join(map(element, tags))}</prop>'


def propfind(*tags: str) -> str:
    return f'<propfind xmlns="DAV:">{prop(*tags)}</propfind>'


def multiget(kind: str, *paths: str) -> str:
    """calendar-multiget or addressbook-multiget."""
    namespace = C if kind == "calendar" else CR
    data = f"{namespace}{'calendar' if kind == 'calendar' else 'address'}-data"
    hrefs = "".join(f'<href xmlns="DAV:">{path}</href>' for path in paths)
    return f'<{kind}-multiget xmlns="{namespace[1:-1]}">{prop(f"{D}getetag", data)}{hrefs}</{kind}-multiget>'


class Server:
    """The head and what lies under it."""

    def __init__(self, store: RunningStore) -> None:
        self.store = store
        self._names = count(1)
        self._heads: list[tuple[DavFactory, Any]] = []
        self._ports: dict[Options, int] = {}
        reactor.call(self._build)

    def _build(self) -> None:
        self.pool = Pool(reactor.reactor, PoolOptions())
        options = SessionOptions(throttle=ThrottleOptions(first=0.01, most=0.02))
        self.sessions = Sessions(self.pool, parse_server(self.store.url), options)

    def port(self, options: Options = OPTIONS) -> int:
        if options not in self._ports:
            self._ports[options] = self.new_head(options)
        return self._ports[options]

    def new_head(self, options: Options = OPTIONS, portion: int = PORTION, kept: Path | None = None) -> int:
        """Another head with empty caches, which asks so many users at a time what they share; its port.

        It keeps hrefs in a file, if one is named.
        """
        return reactor.call(self._listen, options, portion, kept)

    def end_head(self, port: int) -> None:
        """Shut down the head at a port."""

        async def end() -> None:
            head, listening = next(each for each in self._heads if each[1].getHost().port == port)
            self._heads.remove((head, listening))
            await listening.stopListening()
            await head.shut_down()

        reactor.run(end)

    def _head(self, options: Options, portion: int, kept: KeptHrefs | None) -> DavFactory:
        return DavFactory(self.sessions, options, reactor.reactor, clock=clock, portion=portion, kept=kept)

    def _listen(self, options: Options, portion: int = PORTION, kept: Path | None = None) -> int:
        head = self._head(options, portion, None if kept is None else KeptHrefs(reactor.reactor, kept))
        port = reactor.reactor.listenTCP(0, head, interface="127.0.0.1")
        self._heads.append((head, port))
        return port.getHost().port

    def new_user(self) -> str:
        """A user nobody else uses; the password is the name."""
        name = f"user{next(self._names)}"
        self.store.add_user(name)
        return name

    def client(self, user: str | None = None, options: Options = OPTIONS) -> Client:
        """A client of a user, of a new one unless named."""
        return Client(self.port(options), self.new_user() if user is None else user)

    def run(self, user: str, work: Any) -> Any:
        """Run a coroutine function with a user's session."""

        async def leased() -> Any:
            with await self.sessions.lease(Credentials(user, user)) as lease:
                return await work(lease.session)

        return reactor.run(leased)

    def close(self) -> None:
        async def close() -> None:
            for head, port in self._heads:
                await port.stopListening()
                await head.shut_down()
            await self.sessions.close()
            self.pool.close()

        reactor.run(close)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    with running_store(directory / "store") as store:
        server = Server(store)
        try:
            yield server
        finally:
            server.close()


def card(uid: str, name: str, *more: str) -> str:
    """A vCard."""
    family = name.split()[-1]
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{uid}",
        f"FN:{name}",
        f"N:{family};{name.split()[0]};;;",
        *more,
        "END:VCARD",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def event(uid: str, summary: str, start: str = "20261201T100000Z", *more: str) -> str:
    """An event of one hour."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20261101T000000Z", f"DTSTART:{start}", "DURATION:PT1H", f"SUMMARY:{summary}", *more,
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)


def unfolded(text: str) -> str:
    return re.sub(r"\r?\n[ \t]", "", text)

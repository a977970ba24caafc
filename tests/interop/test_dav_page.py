"""The page at ``/`` in a browser: Chromium without a screen. The page has no script and allows none."""

from __future__ import annotations

import os
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.dav.server import C, Client, D
from tests.support.gateway import GatewayProcess, run_program

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium: apt install chromium"),
    pytest.mark.skipif(shutil.which("convert") is None, reason="needs convert: apt install imagemagick"),
]


def chromium(home: Path, *arguments: str) -> str:
    """Run it on a profile of its own; what it wrote."""
    assert _CHROMIUM
    quiet = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
    return run_program(
        _CHROMIUM, *quiet, "--disable-background-networking",
        f"--user-data-dir={home / 'profile'}", *arguments, env={**os.environ, "HOME": str(home)},
    )  # fmt: skip


class _Texts(HTMLParser):
    """The texts of the elements of one name."""

    def __init__(self, element: str) -> None:
        super().__init__()
        self._element = element
        self._inside = False
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == self._element:
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != self._element

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def texts(page: str, element: str) -> list[str]:
    parser = _Texts(element)
    parser.feed(page)
    return parser.found


def test_the_page_tells_who_one_is_and_where_the_collections_are(
    gateway: GatewayProcess, user: str, tmp_path: Path
) -> None:
    port = gateway.port("dav")
    client = Client(port, user)
    named = (
        f'<C:mkcalendar xmlns:C="{C[1:-1]}" xmlns="DAV:"><set><prop>'
        '<displayname>Team &amp; "friends" &lt;b&gt;</displayname>'
        '<calendar-color xmlns="http://apple.com/ns/ical/">#ff8800ff</calendar-color></prop></set></C:mkcalendar>'
    )
    assert client("MKCALENDAR", f"{client.home}team/", named).status == 201
    shot = tmp_path / "page.png"
    address = f"http://{user}:{user}@127.0.0.1:{port}/"
    seen = chromium(tmp_path, "--dump-dom", address)
    base = f"http://127.0.0.1:{port}"
    assert "<script" not in seen
    assert texts(seen, "h1") == [f"Calendars and contacts of {user}"]
    codes = texts(seen, "code")
    assert codes[:2] == [f"{base}/", user]
    listed = client.propfind(client.home, f"{D}resourcetype", depth="1").hrefs
    collections = [href for href in listed if len(href.strip("/").split("/")) == 2]
    assert {f"{base}{href}" for href in collections if "box" not in href} <= set(codes)
    assert 'Team & "friends" <b>' in [unescape(each) for each in texts(seen, "strong")]
    clients = texts(seen, "summary")
    for name in ("Thunderbird", "iPhone", "Mac", "DAVx⁵", "Evolution", "Outlook"):
        assert any(name in each for each in clients)
    chromium(tmp_path, "--window-size=1000,1400", f"--screenshot={shot}", address)
    assert len(colours(shot).splitlines()) > 20, "the picture is empty"
    assert "#FF8800" in colours(shot), "the calendar's colour is not shown"


def test_without_a_login_nothing_is_shown(gateway: GatewayProcess, user: str, tmp_path: Path) -> None:
    seen = chromium(tmp_path, "--dump-dom", f"http://127.0.0.1:{gateway.port('dav')}/")
    assert user not in seen
    assert "Your" not in "".join(texts(seen, "h2"))


def colours(picture: Path) -> str:
    """The colours of a picture, one a line."""
    return run_program("convert", str(picture), "-unique-colors", "txt:-").upper()

"""Store addresses and the alarm."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway.mapiclient.address import Server, parse_server
from gateway.mapiclient.alarm import Alarm


@pytest.mark.parametrize(
    ("url", "server", "text"),
    [
        (
            "http://mail.example.org:1236/",
            Server("http", "mail.example.org", 1236),
            "http://mail.example.org:1236",
        ),
        ("http://localhost", Server("http", "localhost", 236), "http://localhost:236"),
        ("https://[::1]/kopano", Server("https", "::1", 237, "/kopano"), "https://[::1]:237/kopano"),
        ("HTTPS://Host:443", Server("https", "host", 443), "https://host:443"),
        ("unix:/run/store.sock", Server("unix", path="/run/store.sock"), "unix:/run/store.sock"),
        ("file:///run/store.sock", Server("unix", path="/run/store.sock"), "unix:/run/store.sock"),
        ("default:", Server("unix", path="/var/run/kopano/server.sock"), "unix:/var/run/kopano/server.sock"),
    ],
)
def test_addresses(url: str, server: Server, text: str) -> None:
    assert parse_server(url) == server
    assert str(parse_server(url)) == text


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "ftp://host", "http://", "http://h:0", "http://h:99999", "http://h:x", "unix:relative",
     "http://u:p@h", "http://h/a b", "http://h/?q", "unix:/a\nb", "http://h/\u00e4"],
)  # fmt: skip
def test_bad_addresses_are_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="store address"):
        parse_server(url)


def test_the_host_header_is_empty_on_sockets() -> None:
    assert parse_server("unix:/s").host_header == ""
    assert parse_server("https://[::1]").host_header == "[::1]:237"
    assert parse_server("http://h").as_trusted(True).trusted


def test_an_alarm_that_moves_away_keeps_its_delayed_call() -> None:
    clock, rung = Clock(), []
    alarm = Alarm(clock, lambda: rung.append(clock.seconds()))
    alarm.set(10)
    for at in range(11, 30):
        alarm.set(at)
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(10)
    assert rung == []
    clock.advance(18.9)
    assert rung == []
    clock.advance(0.1)
    assert rung == [29]
    assert clock.getDelayedCalls() == []


def test_an_alarm_that_moves_nearer_rings_earlier() -> None:
    clock, rung = Clock(), []
    alarm = Alarm(clock, lambda: rung.append(clock.seconds()))
    alarm.set(10)
    alarm.set(3)
    clock.advance(3)
    assert rung == [3]


def test_a_cleared_alarm_is_silent() -> None:
    clock, rung = Clock(), []
    alarm = Alarm(clock, lambda: rung.append(clock.seconds()))
    alarm.set(1)
    alarm.clear()
    clock.advance(5)
    assert rung == []
    alarm.set(6)
    alarm.stop()
    assert clock.getDelayedCalls() == []

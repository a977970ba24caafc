"""The connection itself: time limits, clients that leave, that do not read, that send too much; the end of the server."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gateway.mapi.errors import FeatureOff, LogonFailed, NotFound
from gateway.mapiclient.errors import CallTimeout, TooManyFailures
from gateway.pop3 import codec
from gateway.pop3.commands import COMMANDS
from gateway.pop3.options import Options
from gateway.pop3.protocol import POP3, POP3Factory
from tests.pop3.server import Client, Server
from tests.pop3.test_dialogues import mail
from tests.support import reactor
from tests.support.reactor import OwnTime

Connect = Callable[..., Client]


class Transport(StringTransport):
    """A connection in memory."""

    aborted = False

    def __init__(self, host: str = "192.0.2.1") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, 40000))

    def abortConnection(self) -> None:
        self.aborted = True


class Waiting:
    """Logins that are never answered, and whether they were given up."""

    def __init__(self) -> None:
        self.given_up = 0

    async def __call__(self, user: str, password: str, peer: str) -> Any:
        try:
            await Deferred()
        except CancelledError:
            self.given_up += 1
            raise


def connected(authenticate: Any, **options: Any) -> tuple[POP3, Transport, Clock]:
    clock = Clock()
    factory = POP3Factory(authenticate, Options(plaintext_login="always", **options), clock)
    protocol, transport = factory.buildProtocol(None), Transport()
    protocol.makeConnection(transport)
    transport.clear()
    return protocol, transport, clock


def lose(protocol: POP3) -> None:
    protocol.connectionLost(Failure(ConnectionDone()))


def test_every_command_of_the_grammar_does_something() -> None:
    assert codec.GRAMMAR.keys() == COMMANDS.keys()


def test_who_does_not_log_in_is_sent_away() -> None:
    protocol, transport, clock = connected(Waiting(), login_timeout=60)
    clock.advance(50)
    protocol.dataReceived(b"CAPA\r\n")
    assert not transport.disconnecting
    clock.advance(9.9)
    assert not transport.disconnecting
    clock.advance(0.2)
    assert transport.disconnecting
    assert transport.value().endswith(
        b"-ERR [SYS/TEMP] closing the connection: nothing was heard for too long\r\n"
    )
    lose(protocol)
    assert clock.getDelayedCalls() == []


def test_a_login_that_is_being_answered_is_waited_for() -> None:
    protocol, transport, clock = connected(Waiting(), login_timeout=10)
    protocol.dataReceived(b"USER a\r\nPASS b\r\n")
    clock.pump([1] * 30)
    assert not transport.disconnecting
    assert transport.value() == b"+OK send PASS\r\n"


def test_a_client_that_leaves_gives_up_its_login() -> None:
    waiting = Waiting()
    protocol, _, clock = connected(waiting)
    protocol.dataReceived(b"USER a\r\nPASS b\r\nCAPA\r\n")
    lose(protocol)
    assert waiting.given_up == 1
    assert clock.getDelayedCalls() == []


def test_the_server_says_goodbye() -> None:
    waiting = Waiting()
    protocol, transport, _ = connected(waiting)
    done = protocol._factory.shut_down()
    assert transport.value() == b"-ERR [SYS/TEMP] the server is shutting down\r\n"
    assert transport.disconnecting
    assert done.called
    busy, other, _ = connected(waiting)
    busy.dataReceived(b"USER a\r\nPASS b\r\n")
    busy._factory.shut_down()
    assert waiting.given_up == 1
    assert other.aborted


ERRORS = [
    (LogonFailed(), b"-ERR [AUTH] user name or password is wrong"),
    (FeatureOff(), b"-ERR [SYS/PERM] POP3 is switched off for this user in the store"),
    (NotFound(), b"-ERR [SYS/PERM] there is no such mailbox or message"),
    (
        CallTimeout("late", server="http://store"),
        b"-ERR [SYS/TEMP] the mail store does not answer; try again later",
    ),
    (TooManyFailures("many"), b"-ERR [SYS/TEMP] too many logins failed; try again later"),
]


@pytest.mark.parametrize(("error", "reply"), ERRORS)
def test_what_a_failed_login_answers(error: Exception, reply: bytes) -> None:
    async def refuse(user: str, password: str, peer: str) -> Any:
        raise error

    protocol, transport, _ = connected(refuse)
    protocol.dataReceived(b"USER a\r\nPASS b\r\n")
    assert transport.value() == b"+OK send PASS\r\n" + reply + b"\r\n"
    assert not transport.disconnecting


def test_a_defect_has_an_id_that_the_log_knows() -> None:
    async def break_down(user: str, password: str, peer: str) -> Any:
        raise RuntimeError("secret detail")

    protocol, transport, _ = connected(break_down)
    protocol.dataReceived(b"USER a\r\nPASS b\r\n")
    assert b"-ERR [SYS/PERM] an error of this server; its log tells more under " in transport.value()
    assert b"secret" not in transport.value()


def test_what_is_sent_ahead_is_held_back() -> None:
    protocol, transport, _ = connected(Waiting())
    protocol.dataReceived(b"USER a\r\nPASS b\r\n")
    for _ in range(20):
        protocol.dataReceived(b"NOOP\r\n" * 1000)
    assert transport.producerState == "paused"


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_octets_give_replies_and_nothing_breaks(data: bytes, size: int) -> None:
    async def refuse(user: str, password: str, peer: str) -> Any:
        raise LogonFailed

    protocol, transport, clock = connected(refuse, max_bad_commands=5)
    for start in range(0, len(data), size):
        protocol.dataReceived(data[start : start + size])
        clock.advance(0)
    assert transport.value().endswith(b"\r\n") or not transport.value()
    assert b"SYS/PERM" not in transport.value()
    lose(protocol)
    assert clock.getDelayedCalls() == []


def test_autologout_after_login(server: Server, connect: Connect, user: str) -> None:
    server.given(user, mail("one"))
    time = OwnTime()
    client = connect(time=time, idle_timeout=600)
    client.log_in(user)
    time.passes(599)
    assert client.ask("DELE 1").startswith("+OK")
    time.passes(599)
    assert client.ask("NOOP").startswith("+OK")
    time.passes(600)
    assert client.line().startswith(b"-ERR [SYS/TEMP] closing")
    assert client.line() == b""
    assert len(server.look(user)) == 1


def test_a_client_that_does_not_read_is_dropped_and_costs_little(
    server: Server, connect: Connect, user: str
) -> None:
    server.given(user, mail("large", "0123456789\r\n" * 1_000_000))
    client = connect(write_timeout=0.5)
    client._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.log_in(user)
    connection = next(iter(server.factories[-1].connections))
    waiting: Deferred[int] = Deferred()

    def gone(reason: Any) -> None:
        waiting.callback(connection.transport._tempDataLen + len(connection.transport.dataBuffer))

    async def until_gone() -> int:
        lost = connection.connectionLost

        def watch(reason: Any) -> None:
            gone(reason)
            lost(reason)

        connection.connectionLost = watch  # type: ignore[method-assign]
        client.send(b"RETR 1\r\n" * 20)
        return await waiting

    assert reactor.run(until_gone, 20) < 1 << 20


def test_a_connection_that_is_reset_in_the_middle_of_a_reply(
    server: Server, connect: Connect, user: str
) -> None:
    server.given(user, mail("large", "0123456789\r\n" * 200_000))
    client = connect(exclusive=True)
    client.log_in(user)
    client.send(b"RETR 1\r\n")
    client.line()
    client._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    for _ in range(200):
        if connect(exclusive=True).log_in(user) == "+OK 1 messages":
            return
    pytest.fail("the lock was not released")

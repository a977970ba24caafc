"""The way to the smarthost: one connection for many mails, TLS as wanted, and what a smaller server cannot take."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults

from gateway.config import Tls
from gateway.smtp.codec.replies import Reply
from gateway.submission.options import Options
from gateway.submission.relay import Outcome, Relay
from gateway.submission.sevenbit import NotConvertible, seven_bit
from gateway.tls import Certificates
from tests.submission.smarthosts import EHLO, Script, smarthost
from tests.support import reactor

MAIL = b"From: me@example.com\r\n\r\nHello\r\n.\r\n"
ME, ANN, BOB = "me@example.com", "ann@example.org", "bob@example.org"


@contextmanager
def relay_to(script: Script, **options: Any) -> Iterator[Relay]:
    chosen = Options(**{"smarthost": script.address, "smarthost_timeout": 5, **options})
    relay = reactor.call(lambda: Relay(reactor.reactor, chosen, hostname="mail.example"))
    try:
        yield relay
    finally:
        reactor.call(relay.close)


def send(relay: Relay, *recipients: str, mail: bytes = MAIL, sender: str = ME) -> Outcome:
    return reactor.run(lambda: relay.send(sender, recipients or [ANN], mail))


def test_one_connection_carries_many_mails() -> None:
    with smarthost() as script, relay_to(script) as relay:
        for _ in range(5):
            assert send(relay, ANN, BOB).sent == [ANN, BOB]
        assert relay.connected == 1
        (said,) = script.sessions
    assert said[:5] == ["EHLO mail.example", f"MAIL FROM:<{ME}> SIZE=34", f"RCPT TO:<{ANN}>", f"RCPT TO:<{BOB}>", "DATA"]  # fmt: skip
    assert (said.count("DATA"), said.count("RSET"), script.mails) == (5, 0, [MAIL.replace(b"\n.", b"\n..")] * 5)
    assert 4 in script.reads  # MAIL, two RCPT and DATA came together


def test_a_server_without_pipelining_is_asked_one_by_one() -> None:
    with smarthost("h", "8BITMIME") as script, relay_to(script) as relay:
        assert [send(relay, ANN, BOB).sent for _ in range(2)] == [[ANN, BOB]] * 2
        assert (relay.connected, set(script.reads)) == (1, {1})
        assert f"MAIL FROM:<{ME}>" in script.sessions[0]


def test_several_at_a_time_but_not_too_many() -> None:
    with smarthost() as script, relay_to(script, connections=3) as relay:

        async def many() -> list[Outcome]:
            return await gatherResults([Deferred.fromCoroutine(relay.send(ME, [ANN], MAIL)) for _ in range(12)])  # type: ignore[no-any-return]

        assert [outcome.sent for outcome in reactor.run(many)] == [[ANN]] * 12
        assert relay.connected <= 3


def test_lmtp_replies_for_each_recipient() -> None:
    carl = "carl@example.org"
    with smarthost(
        lmtp=True, **{BOB: ["550 5.1.1 nobody"], "end": ["250 2.1.5 ok", "452 4.2.2 full"]}
    ) as script:
        with relay_to(script, smarthost_protocol="lmtp") as relay:
            outcome = send(relay, ANN, BOB, carl)
            assert (outcome.sent, [*outcome.failed], [*outcome.later]) == ([ANN], [BOB], [carl])
            assert outcome.later[carl] == Reply(452, "4.2.2", "full")
            assert send(relay, ANN, BOB).sent == [ANN, BOB]
            assert relay.connected == 1
        assert script.sessions[0][0] == "LHLO mail.example"


@pytest.mark.parametrize("extensions", [EHLO, ("h", "8BITMIME")], ids=["pipelining", "plain"])
class TestReplies:
    """The same with and without pipelining: what each recipient is told, and that the next mail goes well."""

    def check(self, extensions: tuple[str, ...], expected: Outcome, **replies: Any) -> list[str]:
        with smarthost(*extensions, **replies) as script, relay_to(script) as relay:
            assert send(relay, ANN, BOB) == expected
            assert send(relay, ANN).sent == [ANN]
            assert relay.connected == 1
            return script.sessions[0]

    def test_a_recipient_is_refused(self, extensions: tuple[str, ...]) -> None:
        no = Outcome([ANN], {BOB: Reply(550, "5.1.1", "no bob")})
        self.check(extensions, no, **{BOB: ["550 5.1.1 no bob"]})

    def test_a_recipient_is_refused_for_now(self, extensions: tuple[str, ...]) -> None:
        later = Outcome([BOB], {}, {ANN: Reply(450, "4.2.0", "grey")})
        self.check(extensions, later, **{ANN: ["450 4.2.0 grey"]})

    def test_all_recipients_are_refused(self, extensions: tuple[str, ...]) -> None:
        no = Outcome([], {ANN: Reply(550, "5.0.0", "no")}, {BOB: Reply(450, "4.0.0", "grey")})
        data = {"DATA": ["554 none"]} if extensions is EHLO else {}
        said = self.check(extensions, no, **{ANN: ["550 no"], BOB: ["450 grey"], **data})
        assert "RSET" in said

    def test_all_are_refused_but_data_is_wanted(self, extensions: tuple[str, ...]) -> None:
        """RFC 2920 3.1: the client ends it at once."""
        no = Outcome([], {ANN: Reply(550, "5.0.0", "no"), BOB: Reply(550, "5.0.0", "no")})
        self.check(extensions, no, **{ANN: ["550 no"], BOB: ["550 no"], "end": ["554 nothing"]} if extensions is EHLO else {ANN: ["550 no"], BOB: ["550 no"]})  # fmt: skip

    def test_the_sender_is_refused(self, extensions: tuple[str, ...]) -> None:
        reply = Reply(550, "5.7.1", "not you")
        more = {BOB: ["503 no"], "DATA": ["503 no"]} if extensions is EHLO else {}
        self.check(extensions, Outcome([], {ANN: reply, BOB: reply}), **{ME: ["550 5.7.1 not you"], **({ANN: ["503 no"]} if more else {}), **more})  # fmt: skip

    def test_the_data_is_refused(self, extensions: tuple[str, ...]) -> None:
        reply = Reply(554, "5.7.1", "spam")
        self.check(extensions, Outcome([], {ANN: reply, BOB: reply}), end=["554 5.7.1 spam"])


def test_a_connection_that_has_ended_meanwhile_is_replaced() -> None:
    with smarthost(**{ME: ["250 ok", "close"]}) as script, relay_to(script) as relay:
        assert [send(relay).sent for _ in range(2)] == [[ANN]] * 2
        assert relay.connected == 2


def test_a_mail_that_has_left_is_not_sent_again() -> None:
    """Only whoever queues it may try again: the server may have taken it (RFC 1047)."""
    with smarthost(end=["250 taken", "hang"]) as script, relay_to(script) as relay:
        assert send(relay).sent == [ANN]
        ((client, _),) = relay._idle
        client.timeout = 0.3
        outcome = send(relay)
        assert (outcome.sent, list(outcome.later), len(script.mails)) == ([], [ANN], 2)


@pytest.mark.parametrize("step", [ME, ANN, "DATA"])
def test_a_server_that_dies_or_hangs_is_tried_later(step: str) -> None:
    for replies in (["close"], ["hang"]):
        with smarthost(**{step: replies}) as script, relay_to(script, smarthost_timeout=0.3) as relay:
            outcome = send(relay)
            assert (outcome.sent, outcome.failed, list(outcome.later)) == ([], {}, [ANN])
            assert outcome.later[ANN].status == "4.4.1"


def test_a_server_that_says_goodbye_is_left() -> None:
    with smarthost(end=["421 4.3.2 going down"]) as script, relay_to(script) as relay:
        assert send(relay).later == {ANN: Reply(421, "4.3.2", "going down")}
        assert send(relay).sent == [ANN]
        assert relay.connected == 2


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("tls") / "tls.pem")
    Certificates(Tls(certificate=path, self_signed=True))
    return path


def server_side(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
def test_tls_to_a_server_that_proves_its_name(kind: str, certificate: str) -> None:
    with smarthost(*EHLO, "STARTTLS", tls=server_side(certificate), implicit=kind == "implicit") as script:
        address = f"localhost:{script.port}"
        options = {"smarthost": address, "smarthost_tls": kind, "smarthost_ca_file": certificate}
        with relay_to(script, **options) as relay:
            assert [send(relay).sent for _ in range(2)] == [[ANN]] * 2
            assert relay.connected == 1
        assert ("STARTTLS" in script.sessions[0]) is (kind == "starttls")


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
@pytest.mark.parametrize("wrong", ["the authority", "the name"])
def test_nothing_goes_to_a_server_that_cannot_prove_its_name(kind: str, wrong: str, certificate: str) -> None:
    with smarthost(*EHLO, "STARTTLS", tls=server_side(certificate), implicit=kind == "implicit") as script:
        host = "localhost" if wrong == "the authority" else "127.0.0.1.nip.example"
        options = {
            "smarthost": f"{host}:{script.port}" if wrong == "the authority" else f"127.0.0.2:{script.port}",
            "smarthost_tls": kind,
            "smarthost_ca_file": certificate if wrong == "the name" else "",
        }
        with relay_to(script, **options) as relay:
            assert list(send(relay).later) == [ANN]
        assert script.mails == []


def test_nothing_goes_without_tls_where_it_is_wanted() -> None:
    with smarthost() as script, relay_to(script, smarthost_tls="starttls") as relay:
        outcome = send(relay)
        assert list(outcome.later) == [ANN]
        assert not any(line.startswith("MAIL") for line in script.sessions[0])


def test_opportunistic_tls(certificate: str) -> None:
    with smarthost(*EHLO, "STARTTLS", tls=server_side(certificate)) as script:
        with relay_to(script, smarthost_tls="opportunistic") as relay:
            assert send(relay).sent == [ANN]
        assert "STARTTLS" in script.sessions[0]
    with smarthost() as script, relay_to(script, smarthost_tls="opportunistic") as relay:
        assert send(relay).sent == [ANN]
    refusing = smarthost(*EHLO, "STARTTLS", STARTTLS=["454 not now"])
    with refusing as script, relay_to(script, smarthost_tls="opportunistic") as relay:
        assert send(relay).sent == [ANN]


def test_replies_that_were_sent_ahead_of_tls_are_not_believed(certificate: str) -> None:
    """Else somebody on the way could say in the clear what the server can."""
    injected = b"250-evil\r\n250 AUTH PLAIN\r\n"
    with smarthost(*EHLO, "STARTTLS", tls=server_side(certificate), injected=injected) as script:
        options = {"smarthost": f"localhost:{script.port}", "smarthost_tls": "starttls", "smarthost_ca_file": certificate}  # fmt: skip
        with relay_to(script, **options, smarthost_user="u", smarthost_password="p") as relay:
            assert list(send(relay).later) == [ANN]
        assert not any("AUTH" in line for said in script.sessions for line in said)


@pytest.mark.parametrize(
    ("mechanisms", "answer"), [("AUTH PLAIN LOGIN", "AUTH PLAIN dQB1AHA="), ("AUTH LOGIN", "AUTH LOGIN")]
)
def test_passwords(mechanisms: str, answer: str) -> None:
    more = {"AUTH": ["235 in"] if "PLAIN" in mechanisms else ["334 VXNlcm5hbWU6"], "dQ==": ["334 UGFzc3dvcmQ6"], "cA==": ["235 in"]}  # fmt: skip
    with smarthost(*EHLO, mechanisms, **more) as script:
        with relay_to(script, smarthost_user="u", smarthost_password="p") as relay:
            assert send(relay).sent == [ANN]
        assert answer in script.sessions[0]


@pytest.mark.parametrize("extensions", [(*EHLO, "AUTH CRAM-MD5"), EHLO, (*EHLO, "AUTH PLAIN")])
def test_nothing_goes_when_the_password_is_not_taken(extensions: tuple[str, ...]) -> None:
    with smarthost(*extensions, AUTH=["535 no", "535 no"]) as script:
        with relay_to(script, smarthost_user="u", smarthost_password="p") as relay:
            assert list(send(relay).later) == [ANN]
        assert script.mails == []


# what a server cannot take

EIGHT_BIT = "From: me@example.com\r\nSubject: grüße\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nzäh\r\n.\r\n".encode()


def test_parameters_of_mail_are_what_is_needed() -> None:
    with smarthost() as script, relay_to(script) as relay:
        send(relay, mail=EIGHT_BIT)
        send(relay, "jörg@example.org")
        mails = [line for line in script.sessions[0] if line.startswith("MAIL")]
    assert mails == [f"MAIL FROM:<{ME}> SIZE={len(EIGHT_BIT)} BODY=8BITMIME SMTPUTF8", f"MAIL FROM:<{ME}> SIZE={len(MAIL)} SMTPUTF8"]  # fmt: skip


def test_a_server_without_8bitmime_gets_7_bits() -> None:
    with smarthost("h", "PIPELINING") as script, relay_to(script) as relay:
        assert send(relay, mail=EIGHT_BIT).sent == [ANN]
        (mail,) = script.mails
    assert mail.isascii()
    message = message_from_bytes(mail, policy=policy.default)
    assert (message["Subject"], message.get_content()) == ("grüße", "zäh\r\n.\r\n")  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "data" / "mime").glob("*.eml")), ids=lambda path: path.stem)  # fmt: skip
def test_seven_bits_say_the_same(path: Path) -> None:
    mail = path.read_bytes()
    try:
        converted = seven_bit(mail)
    except NotConvertible:
        return
    assert converted.isascii()
    before, after = (message_from_bytes(data) for data in (mail, converted))
    assert [part.get_content_type() for part in before.walk()] == [
        part.get_content_type() for part in after.walk()
    ]
    for one, other in zip(before.walk(), after.walk(), strict=True):
        if not one.is_multipart() and not str(one.get_payload()).isascii():
            assert one.get_payload(decode=True) == other.get_payload(decode=True)


@pytest.mark.parametrize(
    "mail",
    [
        "From: Jörg <j@example.com>\r\n\r\nx\r\n".encode(),
        b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\xe9\r\n--b--\r\n",
    ],
    ids=["an address", "what is signed"],
)
def test_what_cannot_be_said_in_7_bits_comes_back(mail: bytes) -> None:
    with smarthost("h") as script, relay_to(script) as relay:
        outcome = send(relay, mail=mail)
    assert outcome.failed[ANN].status == "5.6.3"


def test_addresses_outside_ascii_need_smtputf8() -> None:
    with smarthost("h", "8BITMIME") as script, relay_to(script) as relay:
        outcome = send(relay, ANN, "jörg@example.org")
        assert (outcome.sent, outcome.failed["jörg@example.org"].status) == ([ANN], "5.6.7")
        assert send(relay, ANN, sender="jörg@example.com").failed[ANN].status == "5.6.7"


def test_a_mail_that_is_too_large_for_the_server() -> None:
    with smarthost("h", "SIZE 20") as script, relay_to(script) as relay:
        assert send(relay).failed[ANN].status == "5.3.4"
        assert not any(line.startswith("MAIL") for line in script.sessions[0])


def test_an_address_that_would_be_a_command() -> None:
    with smarthost() as script, relay_to(script) as relay:
        outcome = send(relay, ANN, "x@y>\r\nRSET", "a b@c")
        assert (outcome.sent, len(outcome.failed)) == ([ANN], 2)
        assert "RSET" not in script.sessions[0]

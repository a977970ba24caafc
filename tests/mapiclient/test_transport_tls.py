"""TLS to the store: which certificates are believed, and which of ours is shown."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import ssl

from gateway.mapiclient.errors import ConnectFailed, TlsFailed
from gateway.mapiclient.options import PoolOptions, TlsOptions
from gateway.mapiclient.pool import Pool
from tests.mapiclient.toy import Say, encode
from tests.support import scripted
from tests.support.reactor import reactor, run
from tests.support.scripted import Script, echo


@dataclass
class Identity:
    """A self-signed certificate and its key, in files and in memory."""

    certificate: Path
    key: Path
    fingerprint: str

    def context(self, trusts: Identity | None) -> ssl.CertificateOptions:
        """What a server with this identity needs; it asks for a client certificate when it trusts one."""
        options: dict[str, Any] = {
            "privateKey": serialization.load_pem_private_key(self.key.read_bytes(), None),
            "certificate": x509.load_pem_x509_certificate(self.certificate.read_bytes()),
        }
        if trusts is not None:
            root = ssl.Certificate.loadPEM(trusts.certificate.read_bytes())  # type: ignore[no-untyped-call]
            options |= {"verify": True, "caCerts": [root.original], "requireCertificate": False}
        return ssl.CertificateOptions(**options)


def identity(folder: Path, name: str, address: str) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return Identity(*paths, certificate.fingerprint(hashes.SHA256()).hex(":"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("tls"), "store", "127.0.0.1")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("tls"), "elsewhere", "192.0.2.1")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("tls"), "gateway", "192.0.2.2")


def say(server: Identity, tls: TlsOptions, *, trusted: bool = False, shown: Identity | None = None) -> str:
    """Two calls to a TLS server; what certificate it was shown."""
    seen: list[str] = []

    def step(conversation: scripted.Conversation) -> None:
        peer = conversation.transport.getPeerCertificate()
        seen.append(peer.to_cryptography().subject.rfc4514_string() if peer else "")
        echo(conversation)

    async def story() -> str:
        script = Script(step)
        pool = Pool(reactor, PoolOptions(tls=tls, connect_seconds=5.0), encode=encode)
        async with scripted.listening(script, context=server.context(shown)) as where:
            try:
                for text in "ab":
                    assert (await pool.call(where.as_trusted(trusted), Say(text))).text == f"0:{text}"
                assert script.accepted == 1
            finally:
                pool.close()
                assert pool.open == 0
        return seen[0]

    return run(story)


def test_a_certificate_of_the_ca_file(store: Identity) -> None:
    assert say(store, TlsOptions(ca_file=str(store.certificate))) == ""


def test_an_unknown_issuer_is_refused(store: Identity) -> None:
    with pytest.raises(TlsFailed, match="certificate"):
        say(store, TlsOptions())


def test_another_ca_is_refused(store: Identity, elsewhere: Identity) -> None:
    with pytest.raises(TlsFailed):
        say(store, TlsOptions(ca_file=str(elsewhere.certificate)))


def test_another_name_is_refused_unless_names_do_not_matter(elsewhere: Identity) -> None:
    with pytest.raises(TlsFailed, match="another name"):
        say(elsewhere, TlsOptions(ca_file=str(elsewhere.certificate)))
    say(elsewhere, TlsOptions(ca_file=str(elsewhere.certificate), verify_hostname=False))


def test_a_pinned_certificate_is_enough(store: Identity, elsewhere: Identity) -> None:
    say(elsewhere, TlsOptions(pinned=(store.fingerprint, elsewhere.fingerprint.upper())))
    with pytest.raises(TlsFailed):
        say(elsewhere, TlsOptions(pinned=(store.fingerprint,)))


def test_the_certificate_that_trusts_is_shown_on_trusted_connections_only(
    store: Identity, gateway: Identity
) -> None:
    tls = TlsOptions(ca_file=str(store.certificate), certificate=str(gateway.certificate), key=str(gateway.key))
    assert say(store, tls, shown=gateway) == ""
    assert say(store, tls, shown=gateway, trusted=True) == "CN=gateway"
    pinned = TlsOptions(
        pinned=(store.fingerprint,), certificate=tls.certificate, key=tls.key, always_show_certificate=True
    )
    assert say(store, pinned, shown=gateway) == "CN=gateway"


def test_missing_files_are_named(store: Identity, tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed, match=r"missing\.crt"):
        say(store, TlsOptions(ca_file=str(tmp_path / "missing.crt")))
    (tmp_path / "empty.crt").write_text("nothing")
    with pytest.raises(ConnectFailed, match="contains no certificate"):
        say(store, TlsOptions(ca_file=str(tmp_path / "empty.crt")))


def test_a_server_that_speaks_no_tls(store: Identity) -> None:
    async def story() -> None:
        script = Script(echo)
        pool = Pool(reactor, PoolOptions(connect_seconds=5.0), encode=encode)
        async with scripted.listening(script) as plain:
            where = type(plain)("https", plain.host, plain.port)
            with pytest.raises(ConnectFailed):
                await pool.call(where, Say("a"))
        assert pool.open == 0

    run(story)


def test_a_handshake_that_never_ends_is_given_up() -> None:
    class Mute(scripted.Conversation):
        def dataReceived(self, data: bytes) -> None:
            pass

    class Muted(Script):
        def buildProtocol(self, _addr: Any) -> Mute:
            return Mute(self)

    async def story() -> None:
        script = Muted(echo)
        pool = Pool(reactor, PoolOptions(connect_seconds=0.2), encode=encode)
        async with scripted.listening(script) as plain:
            where = type(plain)("https", plain.host, plain.port)
            with pytest.raises(ConnectFailed, match=r"within 0\.2 seconds"):
                await pool.call(where, Say("a"))
            await script.until(lambda: not script.open)
        assert pool.open == 0

    run(story)

"""Certificates: made, chosen by name, read again, and refused in words."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from gateway.config import Tls
from gateway.tls import CertificateError, Certificates, make_self_signed


def handshake(certificates: Certificates, name: str | None, **limits: Any) -> tuple[dict[str, Any], str]:
    """Shake hands in memory; the certificate that came and the TLS version."""
    ours = certificates.serverConnectionForTLS(None)
    ours.set_accept_state()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata="".join(ALL.values()))
    for attribute, value in limits.items():
        setattr(context, attribute, value)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = context.wrap_bio(incoming, outgoing, server_hostname=name)
    for _ in range(10):
        try:
            theirs.do_handshake()
            break
        except ssl.SSLWantReadError:
            ours.bio_write(outgoing.read())
        try:
            ours.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            raise ConnectionError from error
        with contextlib.suppress(SSL.WantReadError):
            incoming.write(ours.bio_read(65536))
    return theirs.getpeercert(), theirs.version()


ALL: dict[str, str] = {}


def make(file: Path, *names: str) -> Path:
    make_self_signed(file, names)
    ALL[str(file)] = file.read_text().partition("-----END PRIVATE KEY-----\n")[2]
    return file


def names_of(certificate: dict[str, Any]) -> set[str]:
    return {value for kind, value in certificate["subjectAltName"] if kind == "DNS"}


def test_a_certificate_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "self.pem"
    options = Tls(certificate=str(file), self_signed=True)
    Certificates(options)
    text = file.read_bytes()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    Certificates(options)
    assert file.read_bytes() == text


def test_the_certificate_names_this_machine(tmp_path: Path) -> None:
    certificates = Certificates(Tls(certificate=str(make(tmp_path / "c.pem"))))
    certificate, version = handshake(certificates, "localhost")
    assert names_of(certificate) >= {"localhost", socket.gethostname()}
    assert ("IP Address", "127.0.0.1") in certificate["subjectAltName"]
    assert version == "TLSv1.3"


def test_the_name_a_client_asks_for_chooses(tmp_path: Path) -> None:
    default = make(tmp_path / "default.pem", "default.example")
    more = tmp_path / "more"
    make(more / "one.pem", "one.example", "*.wild.example")
    certificates = Certificates(Tls(certificate=str(default), directory=str(more)))
    for name, expected in {
        "one.example": "one.example",
        "ONE.example": "one.example",
        "any.wild.example": "*.wild.example",
        "a.b.wild.example": "default.example",
        "unknown.example": "default.example",
        None: "default.example",
    }.items():
        assert expected in names_of(handshake(certificates, name)[0]), name


def test_a_reload_reaches_the_next_handshake(tmp_path: Path) -> None:
    file = make(tmp_path / "c.pem", "old.example")
    certificates = Certificates(Tls(certificate=str(file)))
    make(tmp_path / "n.pem", "new.example").rename(file)
    assert "old.example" in names_of(handshake(certificates, None)[0])
    certificates.reload()
    assert "new.example" in names_of(handshake(certificates, None)[0])


def test_a_reload_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = make(tmp_path / "c.pem", "old.example")
    certificates = Certificates(Tls(certificate=str(file)))
    file.write_text("nonsense")
    with pytest.raises(CertificateError):
        certificates.reload()
    assert "old.example" in names_of(handshake(certificates, None)[0])


def test_old_versions_are_refused(tmp_path: Path) -> None:
    certificates = Certificates(Tls(certificate=str(make(tmp_path / "c.pem")), minimum="1.3"))
    with pytest.raises((ConnectionError, ssl.SSLError)):
        handshake(certificates, None, maximum_version=ssl.TLSVersion.TLSv1_2)


def test_a_cipher_list_is_obeyed(tmp_path: Path) -> None:
    options = Tls(certificate=str(make(tmp_path / "c.pem")), ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")
    _, version = handshake(Certificates(options), None, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"


def test_what_is_wrong_is_said_with_the_files_name(tmp_path: Path) -> None:
    good, other = make(tmp_path / "good.pem"), make(tmp_path / "other.pem")
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(ALL[str(good)])
    empty = tmp_path / "empty.pem"
    empty.touch()
    for certificate_file, key_file, problem in [
        (tmp_path / "missing.pem", good, "missing.pem: No such file"),
        (empty, good, "empty.pem: no PEM certificate"),
        (certificate, certificate, "certificate.pem: no PEM private key"),
        (good, other, "other.pem: the key does not belong to"),
    ]:
        with pytest.raises(CertificateError, match=problem):
            Certificates(Tls(certificate=str(certificate_file), key=str(key_file)))

"""The gateway's certificates: read from PEM files, chosen by the name a client asks for, read again on demand.

`Certificates` is what Twisted asks for each server connection, both on ports that begin with TLS and for STARTTLS, so a reload
reaches every later handshake. Contexts come from CertificateOptions, which lets OpenSSL release its buffers when idle.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from twisted.logger import Logger
from zope.interface import implementer

from gateway.config import Tls

log: Final = Logger()
_SELF_SIGNED_DAYS: Final = 3650
_OLDEST: Final = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}


class CertificateError(ValueError):
    """A certificate cannot be used; the text names the file and says why."""


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """All certificates of the gateway; give it to TLSMemoryBIOFactory and to startTLS."""

    def __init__(self, options: Tls) -> None:
        self._options = options
        self._by_name: dict[str, SSL.Context] = {}
        if options.self_signed and not Path(options.certificate).exists():
            make_self_signed(Path(options.certificate))
        self.reload()

    def reload(self) -> None:
        """Read every file again; raise CertificateError and keep the present ones when one cannot be used."""
        options = self._options
        default = self._read(Path(options.certificate), Path(options.key or options.certificate))[0]
        by_name: dict[str, SSL.Context] = {}
        files = sorted(Path(options.directory).glob("*.pem")) if options.directory else []
        for file in files:
            context, names = self._read(file, file)
            by_name.update(dict.fromkeys(names, context))
        default.set_tlsext_servername_callback(self._choose)
        self._default, self._by_name = default, by_name

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """One server connection (IOpenSSLServerConnectionCreator)."""
        return SSL.Connection(self._default, None)

    def _choose(self, connection: SSL.Connection) -> None:
        """Take the certificate that bears the name the client asks for (RFC 6066 section 3), else the default."""
        name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
        context = self._by_name.get(name) or self._by_name.get("*." + name.partition(".")[2])
        if context is not None:
            connection.set_context(context)

    def _read(self, certificate_file: Path, key_file: Path) -> tuple[SSL.Context, list[str]]:
        """The context of one certificate, and the names it is for."""
        chain = _read_chain(certificate_file)
        key = _read_key(key_file)
        try:
            context = CertificateOptions(
                privateKey=key,
                certificate=chain[0],
                extraCertChain=chain[1:],
                raiseMinimumTo=_OLDEST[self._options.minimum],
                **self._ciphers(),
            ).getContext()
        except SSL.Error as error:
            raise CertificateError(_refusal(error, certificate_file, key_file)) from error
        context.set_options(SSL.OP_NO_RENEGOTIATION)
        return context, _names(chain[0])

    def _ciphers(self) -> dict[str, Any]:
        """The cipher list of the configuration, if it has one."""
        text = self._options.ciphers
        if not text:
            return {}
        return {"acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString(text)}  # type: ignore[no-untyped-call]


def _refusal(error: SSL.Error, certificate_file: Path, key_file: Path) -> str:
    """Why OpenSSL does not take a certificate."""
    reasons = ", ".join(reason[-1] for reason in error.args[0]) if error.args else "unknown"
    if "mismatch" in reasons:
        return f"{key_file}: the key does not belong to {certificate_file}"
    return f"{certificate_file}: OpenSSL refuses it: {reasons}"


def _read_chain(file: Path) -> list[Any]:
    """The certificates of a PEM file, the server's own first."""
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise CertificateError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(f"{file}: no PEM certificate in it") from error
    left = chain[0].not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    if left < datetime.timedelta(days=7):
        how = "has expired" if left.days < 0 else f"expires in {left.days} days"
        log.warn("{file}: the certificate {how}", file=file, how=how)
    return chain


def _read_key(file: Path) -> Any:
    """The private key of a PEM file."""
    try:
        return serialization.load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise CertificateError(f"{file}: {error.strerror}") from error
    except TypeError as error:
        raise CertificateError(f"{file}: the key is protected by a passphrase; store it without one") from error
    except ValueError as error:
        raise CertificateError(f"{file}: no PEM private key in it") from error


def _names(certificate: x509.Certificate) -> list[str]:
    """The DNS names a certificate is for, in lower case."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def make_self_signed(file: Path, names: Iterable[str] = ()) -> None:
    """Write a key and a certificate for this machine into `file`, readable by the owner only."""
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = dict.fromkeys(["localhost", socket.gethostname(), *names])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mapi-gateway, self-signed")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, hosts), *_LOOPBACK]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(text)


_LOOPBACK: Final = tuple(x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1"))

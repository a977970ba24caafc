"""A push service of its own, on loopback with TLS, and what a client does with its messages."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from gateway.dav.push.encryption import derived
from gateway.dav.push.keys import point_of, text_of
from tests.support.patience import PATIENCE

P = "{https://bitfire.at/webdav-push}"
AUTH = b"sixteen bytes..."


@dataclass
class Message:
    """What the push service was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """Takes messages; ``answers`` are the statuses (and Retry-After) of the next ones, 201 when there are none."""

    def __init__(self, directory: Path) -> None:
        self.ca_file = str(directory / "service.pem")
        self.messages: queue.Queue[Message] = queue.Queue()
        self.answers: queue.Queue[tuple[int, dict[str, str]]] = queue.Queue()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more = (201, {}) if service.answers.empty() else service.answers.get()
                self.send_response(status)
                for name, value in {"Content-Length": "2", **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")
                with suppress(OSError):
                    self.rfile.read(1)  # the end: the gateway has taken the answer
                service.messages.put(Message(self.path, headers, body))

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certificate(Path(self.ca_file))
        context.load_cert_chain(self.ca_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.origin = f"https://localhost:{self._server.server_port}"

    def next(self, seconds: float = PATIENCE) -> Message:
        """The next message."""
        return self.messages.get(timeout=seconds)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def running_service(directory: Path) -> Iterator[Service]:
    service = Service(directory)
    try:
        yield service
    finally:
        service.close()


def _certificate(file: Path) -> None:
    """A certificate for localhost that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))


class Device:
    """A client's side of Web Push: its keys, and its push resource."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.point = point_of(self._key.public_key())

    def registers(self, *, url: str | None = None, expires: str = "") -> str:
        """push-register, as DAVx5 sends it."""
        end = f"<expires>{expires}</expires>" if expires else ""
        return (
            '<push-register xmlns="https://bitfire.at/webdav-push"><subscription><web-push-subscription>'
            f"<push-resource>{url or self.url}</push-resource><content-encoding>aes128gcm</content-encoding>"
            f'<subscription-public-key type="p256dh">{text_of(self.point)}</subscription-public-key>'
            f"<auth-secret>{text_of(AUTH)}</auth-secret></web-push-subscription></subscription>"
            f'<trigger><content-update><depth xmlns="DAV:">1</depth></content-update></trigger>{end}</push-register>'
        )

    def reads(self, message: Message) -> ET.Element:
        """Decrypt a message (RFC 8291, RFC 8188)."""
        salt, length = message.body[:16], message.body[20]
        server, text = message.body[21 : 21 + length], message.body[21 + length :]
        shared = self._key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), server)
        )
        key, nonce = derived(shared, AUTH, self.point, server, salt)
        plain = AESGCM(key).decrypt(nonce, text, None)
        assert plain[-1:] == b"\x02"
        return ET.fromstring(plain[:-1])

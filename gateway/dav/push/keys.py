"""The key of this gateway for push services (VAPID, RFC 8292), and what is derived from it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

FILE: Final = "webpush.pem"
#: How long (seconds) a token is valid, and until when it is used again.
_VALID: Final = 12 * 3600
_USED: Final = 6 * 3600
_MOST_TOKENS: Final = 256


def text_of(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def bytes_of(text: str) -> bytes:
    """What base64url, with or without padding, stands for (ValueError)."""
    bare = text.strip().rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as an uncompressed point: 65 bytes."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class ServerKey:
    """The key pair of the gateway. ``contact`` is a mailto: URI that operators of push services may write to."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str = "") -> None:
        self._key = key
        self._contact = contact
        self._secret = key.private_numbers().private_value.to_bytes(32, "big")
        self._tokens: dict[str, tuple[float, str]] = {}
        self.public: Final = text_of(point_of(key.public_key()))

    def topic(self, source_key: bytes) -> str:
        """The topic of a collection: always the same, and nobody else can compute it."""
        return self._derived(b"topic", source_key)

    def header_topic(self, registration: str) -> str:
        """The Topic header of a registration's messages (RFC 8030 5.4): tells the push service of no collection."""
        return self._derived(b"message", registration.encode())

    def _derived(self, *parts: bytes) -> str:
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return text_of(hmac.new(self._secret, text, hashlib.sha256).digest()[:24])

    def authorization(self, url: str, now: float) -> str:
        """The Authorization header for a push service (RFC 8292 3); ``now`` is Unix time."""
        parts = urlsplit(url)
        audience = f"{parts.scheme}://{parts.netloc}"
        made, token = self._tokens.get(audience, (0.0, ""))
        if not token or not 0 <= now - made < _USED:
            if len(self._tokens) >= _MOST_TOKENS:
                self._tokens.clear()
            token = self._token(audience, now)
            self._tokens[audience] = now, token
        return f"vapid t={token}, k={self.public}"

    def _token(self, audience: str, now: float) -> str:
        """A JSON web token, signed with ES256 (RFC 7515, RFC 7518 3.4)."""
        claims = {"aud": audience, "exp": int(now) + _VALID} | ({"sub": self._contact} if self._contact else {})
        head = text_of(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
        signed = f"{head}.{text_of(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{text_of(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def load_key(directory: Path, contact: str = "") -> ServerKey:
    """The key of a state directory, made when it is not there (OSError, ValueError)."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / FILE
    if not file.exists():
        _write_new(file)
    try:
        key: object = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{file} is no PEM file of a P-256 key; move it away, and the gateway makes another")
    return ServerKey(key, contact)


def _write_new(file: Path) -> None:
    """Put a new key there, whole or not at all; of two processes the first one wins."""
    made = ec.generate_private_key(ec.SECP256R1())
    text = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    new = file.with_suffix(f".{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as output:
        output.write(text)
        output.flush()
        os.fsync(handle)
    try:
        os.link(new, file)
    except FileExistsError:
        pass
    finally:
        new.unlink()

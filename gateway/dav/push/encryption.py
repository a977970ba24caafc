"""Encryption of push messages for the client's key (RFC 8291), as one record of aes128gcm (RFC 8188)."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.dav.push.keys import point_of

AUTH_LENGTH: Final = 16
POINT_LENGTH: Final = 65
_RECORD: Final = 4096
#: What fits into the one record: without its delimiter and tag, and without the header.
LARGEST: Final = _RECORD - 17 - 86
_LAST: Final = b"\x02"


def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """The key of an uncompressed point (ValueError when it is none of P-256)."""
    if len(point) != POINT_LENGTH:
        raise ValueError("a key is an uncompressed point of 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def encrypted(
    text: bytes,
    client: bytes,
    auth: bytes,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """A message for the client's public key and secret (ValueError); ``key`` and ``salt`` are new for each one."""
    if len(text) > LARGEST:
        raise ValueError("a push message is too long")
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    shared = key.exchange(ec.ECDH(), public_key(client))
    own = point_of(key.public_key())
    content_key, nonce = derived(shared, auth, client, own, salt)
    header = salt + _RECORD.to_bytes(4, "big") + bytes((len(own),)) + own
    return header + AESGCM(content_key).encrypt(nonce, text + _LAST, None)


def derived(shared: bytes, auth: bytes, client: bytes, server: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Content key and nonce of a message (RFC 8291 3.4)."""
    mixed = _hmac(_hmac(auth, shared), b"WebPush: info\0" + client + server + b"\1")
    base = _hmac(salt, mixed)
    content_key = _hmac(base, b"Content-Encoding: aes128gcm\0\1")[:16]
    return content_key, _hmac(base, b"Content-Encoding: nonce\0\1")[:12]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()

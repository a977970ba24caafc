"""The seal on mail that delivery puts into an outgoing queue: proof that the gateway, and no user, wrote it.

Without it a user could have any mail sent under any name. The key lies in the directory that delivery and
submission share; where they do not share one, such mail is written anew from its properties, as any other.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

_SIZE = 32


def key_in(state: Path | None) -> bytes:
    """The key of a directory, made when there is none; without a directory one that nobody else knows."""
    if state is None:
        return secrets.token_bytes(_SIZE)
    file = state / "seal.key"
    state.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(secrets.token_bytes(_SIZE))
    return file.read_bytes()


def sealed(key: bytes, sender: str, mail: bytes) -> str:
    """What is kept beside a mail: the seal and its envelope sender."""
    return f"{_mac(key, sender, mail)} {sender}"


def opened(key: bytes, text: str, mail: bytes) -> str | None:
    """The envelope sender of a sealed mail; None when the seal is not ours, or not for this mail."""
    mac, _, sender = text.partition(" ")
    return sender if hmac.compare_digest(mac.encode(), _mac(key, sender, mail).encode()) else None


def _mac(key: bytes, sender: str, mail: bytes) -> str:
    return hmac.new(key, sender.encode() + b"\0" + mail, "sha256").hexdigest()

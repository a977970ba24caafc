"""How a user proves who he is, and the digest under which a proof is remembered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

#: Longer names and secrets are refused without asking anybody.
MOST_CHARACTERS: Final = 4096


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    kind: ClassVar = b"password"
    trusted: ClassVar = False
    user: str
    password: str = field(repr=False)

    @property
    def secret(self) -> str:
        """What has to be proven."""
        return self.password


@dataclass(frozen=True, slots=True)
class Token:
    """A user name and an OpenID Connect bearer token (scope ``kopano/gc``); the store must have SSO enabled."""

    kind: ClassVar = b"token"
    trusted: ClassVar = False
    user: str
    token: str = field(repr=False)

    @property
    def secret(self) -> str:
        """What has to be proven."""
        return self.token


@dataclass(frozen=True, slots=True)
class Trusted:
    """A user whom the store logs on because it trusts the gateway: by Unix socket or client certificate.

    With ``admin`` (``SYSTEM``, say) the gateway logs on as him and impersonates the user; without, it logs on as
    the user himself, which a store that trusts it allows as well.
    """

    kind: ClassVar = b"trusted"
    trusted: ClassVar = True
    user: str
    admin: str = ""

    @property
    def secret(self) -> str:
        """There is nothing to prove."""
        return self.admin


AnyCredentials: TypeAlias = "Credentials | Token | Trusted"


def digest(credentials: AnyCredentials, salt: bytes) -> bytes:
    """What a proof is remembered by; without the salt, which never leaves the process, it tells nothing."""
    maker = hashlib.blake2b(salt, digest_size=32, person=b"proof")
    for part in (credentials.kind, credentials.user.encode("utf-8", "surrogatepass")):
        maker.update(len(part).to_bytes(8, "big") + part)
    maker.update(credentials.secret.encode("utf-8", "surrogatepass"))
    return maker.digest()


def is_plausible(credentials: AnyCredentials) -> bool:
    """Whether a store could know them at all."""
    name, secret = credentials.user, credentials.secret
    return (
        bool(name)
        and len(name) <= MOST_CHARACTERS
        and len(secret) <= MOST_CHARACTERS
        and "\0" not in name + secret
    )

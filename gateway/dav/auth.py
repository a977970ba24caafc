"""Who asks: the Basic login of a request, and from where passwords are taken (RFC 7617)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BinasciiError
from ipaddress import ip_address

from gateway.dav.errors import Answer, BadRequest, Refused, plain
from gateway.dav.hrefs import is_name
from gateway.dav.options import Options
from gateway.mapiclient.credentials import Credentials


def credentials_of(header: str) -> Credentials | None:
    """The user and password of an Authorization header, None without one (BadRequest)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        data = b64decode(encoded.strip(), validate=True)
    except (BinasciiError, ValueError) as error:
        raise BadRequest("the Authorization header is not Basic") from error
    user, colon, password = _text(data).partition(":")
    user = user.strip()
    if not colon or not user:
        return None
    if not is_name(user) or user in ("public", "directory"):
        raise Refused(403, "", "such a user name cannot be part of an address")
    return Credentials(user, password)


def _text(data: bytes) -> str:
    """UTF-8 as it is asked for (RFC 7617 2.1), else what old clients send."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def may_send_password(options: Options, *, secure: bool, peer: str) -> bool:
    """Whether a password is taken over this connection."""
    if secure or options.plaintext_login == "always":
        return True
    if options.plaintext_login == "never":
        return False
    try:
        return not peer or ip_address(peer.partition("%")[0]).is_loopback
    except ValueError:
        return False


def challenge(options: Options, text: str = "a user name and a password are needed") -> Answer:
    """The answer that asks for a login."""
    answer = plain(401, text)
    realm = options.realm.replace("\\", "").replace('"', "")
    answer.headers["WWW-Authenticate"] = f'Basic realm="{realm}", charset="UTF-8"'
    return answer

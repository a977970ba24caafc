"""Trying a gateway as a mail client does: connect, shake hands, log in, read; each step's failure in plain words."""

from __future__ import annotations

import http.client
import imaplib
import poplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

TIMEOUT: Final = 20.0
"""Seconds for each answer; more than the longest delay of a wrong password."""

_PROPFIND: Final = b'<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to try, and as whom."""

    host: str
    user: str
    password: str
    context: ssl.SSLContext
    """Verifies the certificate, or not."""


class Problem(Exception):
    """A step failed; the text says which, why, and what to do."""


@contextmanager
def _closing(close: Callable[[], object]) -> Iterator[None]:
    """Close a client at the end; what goes wrong with that does not hide what went wrong before."""
    try:
        yield
    finally:
        with suppress(OSError):
            close()


def imap(target: Target, port: int) -> str:
    """Log in over IMAP, after STARTTLS if it is offered."""
    client = imaplib.IMAP4(target.host, port, TIMEOUT)
    with _closing(client.shutdown):
        how = "without TLS (STARTTLS is not offered)"
        if "STARTTLS" in client.capabilities:
            client.starttls(target.context)
            how = "after STARTTLS"
        return f"logged in {how}, {_read_imap(client, target)}"


def imaps(target: Target, port: int) -> str:
    """Log in over IMAP with TLS from the first byte."""
    client = imaplib.IMAP4_SSL(target.host, port, ssl_context=target.context, timeout=TIMEOUT)
    with _closing(client.shutdown):
        return f"logged in, {_read_imap(client, target)}"


def _read_imap(client: imaplib.IMAP4, target: Target) -> str:
    """Log in and look into the INBOX."""
    if "LOGINDISABLED" in client.capabilities:
        raise Problem(
            "passwords are not taken here without TLS. Configure [tls] certificate, or [imap] plaintext_login"
        )
    client.login(target.user, target.password)
    status, counts = client.select("INBOX", readonly=True)
    if status != "OK":
        raise Problem(f"INBOX cannot be opened: {counts}")
    return f"INBOX has {int(counts[0] or b'0')} messages"


def pop3(target: Target, port: int) -> str:
    """Log in over POP3, after STLS if it is offered."""
    client = poplib.POP3(target.host, port, TIMEOUT)
    with _closing(client.close):
        how = "without TLS (STLS is not offered)"
        if "STLS" in client.capa():
            client.stls(target.context)
            how = "after STLS"
        return f"logged in {how}, {_read_pop3(client, target)}"


def pop3s(target: Target, port: int) -> str:
    """Log in over POP3 with TLS from the first byte."""
    client = poplib.POP3_SSL(target.host, port, timeout=TIMEOUT, context=target.context)
    with _closing(client.close):
        return f"logged in, {_read_pop3(client, target)}"


def _read_pop3(client: poplib.POP3, target: Target) -> str:
    """Log in and count."""
    client.user(target.user)
    client.pass_(target.password)
    count, octets = client.stat()
    client.quit()
    return f"the maildrop has {count} messages, {octets} octets"


def dav(target: Target, port: int) -> str:
    """Ask over HTTP whose calendars and contacts there are."""
    return _read_dav(http.client.HTTPConnection(target.host, port, timeout=TIMEOUT), target)


def davs(target: Target, port: int) -> str:
    """The same over HTTPS."""
    connection = http.client.HTTPSConnection(target.host, port, timeout=TIMEOUT, context=target.context)
    return _read_dav(connection, target)


def _read_dav(connection: http.client.HTTPConnection, target: Target) -> str:
    """List the collections of the user."""
    login = b64encode(f"{target.user}:{target.password}".encode()).decode()
    with _closing(connection.close):
        headers = {"Authorization": f"Basic {login}", "Depth": "1"}
        connection.request("PROPFIND", f"/{quote(target.user)}/", _PROPFIND, headers)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status == http.client.UNAUTHORIZED:
        raise Problem("the password is wrong, or the user's feature is switched off in the store")
    if answer.status != http.client.MULTI_STATUS:
        raise Problem(f"HTTP {answer.status}: {body[:200].decode(errors='replace').strip()}")
    return f"logged in, {body.count(b'<C:calendar />')} calendars, {body.count(b'<CR:addressbook />')} address books"


PROBES: Final[dict[str, Callable[[Target, int], str]]] = {
    "imap": imap,
    "imaps": imaps,
    "pop3": pop3,
    "pop3s": pop3s,
    "dav": dav,
    "davs": davs,
}
"""The probes by the name of the protocol."""


def explain(error: Exception) -> str:
    """What an error means for the administrator, and what to do."""
    if isinstance(error, Problem):
        return str(error)
    for kind, text in _NETWORK:
        if isinstance(error, kind):
            return text.format(error=error)
    said = (
        error.args[0].decode("utf-8", "replace")
        if error.args and isinstance(error.args[0], bytes)
        else str(error)
    )
    for code, advice in _ANSWERS.items():
        if code in said:
            return f"{said}: {advice}"
    return said or type(error).__name__


_NETWORK: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        ConnectionRefusedError,
        "nothing listens there. Is the gateway running, and is `listen` of this protocol right?",
    ),
    (
        TimeoutError,
        f"no answer within {TIMEOUT:.0f} seconds. Is there a firewall between, or is the store too slow?",
    ),
    (socket.gaierror, "the host name is unknown: {error}"),
    (
        ssl.SSLCertVerificationError,
        "the certificate is not trusted: {error.verify_message}. Clients will complain; --insecure goes on without",
    ),
    (ssl.SSLError, "the TLS handshake failed: {error.reason}. Is this a port that begins with TLS?"),
    (ConnectionError, "the connection was closed. Limits? A missing PROXY header? The gateway's log says why"),
    (OSError, "{error}"),
)
_ANSWERS: Final = {
    "AUTHENTICATIONFAILED": "the password is wrong, or the user's feature is switched off in the store",
    "[AUTH]": "the password is wrong, or the user's feature is switched off in the store",
    "UNAVAILABLE": "the gateway does not reach the store: see [store] url, and whether the store runs",
    "SYS/TEMP": "the gateway does not reach the store: see [store] url, and whether the store runs",
    "SERVERBUG": "a defect of the gateway: its log tells more under this id",
    "SYS/PERM": "the gateway's log tells more",
    "clear": "configure [tls] certificate, or plaintext_login",
    "EOF": "the connection was closed. Limits? A missing PROXY header? The gateway's log says why",
}

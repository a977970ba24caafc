"""Python's own clients: imaplib and poplib, in the clear and over TLS."""

from __future__ import annotations

import imaplib
import poplib
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


def trusting(gateway: GatewayProcess) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=gateway.certificate)


def imap_plain(gateway: GatewayProcess) -> imaplib.IMAP4:
    return imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE)


def imap_starttls(gateway: GatewayProcess) -> imaplib.IMAP4:
    client = imaplib.IMAP4("localhost", gateway.port("imap"), timeout=PATIENCE)
    client.starttls(trusting(gateway))
    return client


def imap_tls(gateway: GatewayProcess) -> imaplib.IMAP4:
    return imaplib.IMAP4_SSL(
        "localhost", gateway.port("imaps"), ssl_context=trusting(gateway), timeout=PATIENCE
    )


def pop3_plain(gateway: GatewayProcess) -> poplib.POP3:
    return poplib.POP3(*gateway.address("pop3"), timeout=PATIENCE)


def pop3_stls(gateway: GatewayProcess) -> poplib.POP3:
    client = poplib.POP3("localhost", gateway.port("pop3"), timeout=PATIENCE)
    client.stls(trusting(gateway))
    return client


def pop3_tls(gateway: GatewayProcess) -> poplib.POP3:
    return poplib.POP3_SSL("localhost", gateway.port("pop3s"), context=trusting(gateway), timeout=PATIENCE)


def good(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    assert status == "OK", answer
    return data


@pytest.mark.parametrize("connect", [imap_plain, imap_starttls, imap_tls])
def test_imaplib(
    gateway: GatewayProcess, user: str, connect: Callable[[GatewayProcess], imaplib.IMAP4]
) -> None:
    client = connect(gateway)
    client.login(user, user)
    good(client.create("Work/2024"))
    for number in range(5):
        good(client.append("Work/2024", r"(\Seen)" if number % 2 else None, None, mail(number)))
    assert good(client.select("Work/2024")) == [b"5"]
    assert good(client.search(None, "UNSEEN")) == [b"1 3 5"]
    for number in range(5):
        ((_, data), _) = good(client.fetch(str(number + 1), "(BODY.PEEK[])"))
        assert data == mail(number)
    good(client.store("2", "+FLAGS", r"(\Deleted \Flagged)"))
    assert good(client.expunge()) == [b"2"]
    good(client.copy("1:2", "INBOX"))
    assert good(client.select("INBOX", readonly=True)) == [b"2"]
    good(client.rename("Work/2024", "Archive-2024"))
    names = [line.decode().rpartition(" ")[2].strip('"') for line in good(client.list())]
    assert "Archive-2024" in names
    assert "Work/2024" not in names
    client.logout()


@pytest.mark.parametrize("connect", [pop3_plain, pop3_stls, pop3_tls])
def test_poplib(gateway: GatewayProcess, user: str, connect: Callable[[GatewayProcess], poplib.POP3]) -> None:
    with imap_plain(gateway) as imap:
        imap.login(user, user)
        for number in range(8):
            good(imap.append("INBOX", None, None, mail(number)))
    client = connect(gateway)
    client.user(user)
    client.pass_(user)
    assert client.stat() == (8, sum(len(mail(number)) for number in range(8)))
    for number in range(8):
        _, lines, _ = client.retr(number + 1)
        assert b"\r\n".join(lines) + b"\r\n" == mail(number)
        _, lines, _ = client.top(number + 1, 0)
        assert b"\r\n".join(lines) + b"\r\n" == mail(number).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    client.dele(3)
    client.quit()
    client = connect(gateway)
    client.user(user)
    client.pass_(user)
    assert client.stat()[0] == 7
    client.quit()


def test_a_wrong_password(gateway: GatewayProcess, user: str) -> None:
    with imap_plain(gateway) as imap, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap.login(user, "wrong")
    pop3 = pop3_plain(gateway)
    pop3.user(user)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        pop3.pass_("wrong")
    pop3.close()

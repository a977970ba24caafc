"""Users hand in mail: who may, what goes out, and what they are told."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.mapiclient.wire.calls_directory import AddSendAsUser, ResolveUsername
from gateway.smtp.codec.replies import Refused
from gateway.submission.header import addresses_of, completed, without_bcc
from gateway.submission.passage import stuffed
from tests.submission.server import Server
from tests.support.patience import PATIENCE

MAIL = b"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nFrom: %b@example.com\r\nTo: ann@example.org\r\n\r\nHi.\r\n..\r\n"


@contextmanager
def client(server: Server, user: str = "", **options: Any) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", server.listen(**options), timeout=PATIENCE) as connection:
        if user:
            connection.login(user, user)
        yield connection


def test_a_mail_goes_to_the_smarthost(server: Server, user: str) -> None:
    mail, me = MAIL % user.encode(), f"{user}@example.com"
    with client(server, user) as connection:
        assert connection.sendmail(me, ["ann@example.org", "bob@example.org"], mail) == {}
    assert server.smarthost.mails == [(me, ["ann@example.org", "bob@example.org"], mail)]
    assert server.mails(user, "Sent Items") == []


def test_a_copy_is_filed_and_bcc_stays_at_home(server: Server, user: str) -> None:
    mail = b"Bcc: carl@example.org\r\n" + MAIL % user.encode()
    with client(server, user, sent_items=True) as connection:
        connection.sendmail(f"{user}@example.com", ["carl@example.org"], mail)
    assert server.smarthost.mails[0][2] == MAIL % user.encode()
    assert server.mails(user, "Sent Items") == [mail]


def test_nobody_sends_without_a_login(server: Server, user: str) -> None:
    with client(server) as connection:
        connection.ehlo()
        assert connection.mail("ann@example.org") == (530, b"5.7.0 log in first")
        assert connection.docmd("AUTH", "XYZ")[0] == 504
        assert connection.docmd("AUTH", "PLAIN !")[0] == 501
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            connection.login(user, "wrong")
        assert refused.value.smtp_code == 535
    with client(server, plaintext_login="never") as connection:
        connection.ehlo()
        assert not connection.has_extn("auth")
        assert connection.docmd("AUTH", "PLAIN AGEAYQ==")[0] == 502


def test_only_under_ones_own_name(server: Server, user: str) -> None:
    other, me = server.new_user(), f"{user}@example.com"
    with client(server, user) as connection:
        for sender in (f"{other}@example.com", "somebody@example.net"):
            with pytest.raises(smtplib.SMTPSenderRefused):
                connection.sendmail(sender, ["ann@example.org"], b"")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            connection.sendmail(me, ["ann@example.org"], MAIL % other.encode())
        assert refused.value.smtp_code == 553
    assert server.smarthost.mails == []


def test_send_as(server: Server, user: str) -> None:
    other = server.new_user()
    with server.store.system() as system:
        ids = [system.ok(ResolveUsername(username=name)).user_entryid for name in (other, user)]
        system.ok(AddSendAsUser(user_entryid=ids[0], sender_entryid=ids[1]))
    with client(server, user) as connection:
        connection.sendmail(f"{other}@example.com", ["ann@example.org"], MAIL % other.encode())
    assert len(server.smarthost.mails) == 1


def test_what_the_smarthost_refuses_the_user_hears(server: Server, user: str) -> None:
    me, mail = f"{user}@example.com", MAIL % user.encode()
    server.smarthost.data = Refused(554, "5.7.1", "spam")
    with client(server, user) as connection:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            connection.sendmail(me, ["ann@example.org"], mail)
        assert (refused.value.smtp_code, refused.value.smtp_error) == (554, b"5.7.1 spam")
        server.smarthost.data = None
        server.smarthost.recipients["bob@example.org"] = Refused(550, "5.1.1", "no bob")
        connection.sendmail(me, ["ann@example.org", "bob@example.org"], mail)
    assert [mail[1] for mail in server.smarthost.mails] == [["ann@example.org"]]
    (report,) = server.mails(user)
    assert b"Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" in report


def test_a_smarthost_that_is_away_is_no_end(server: Server, user: str) -> None:
    with client(server, user, smarthost="127.0.0.1:1") as connection:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            connection.sendmail(f"{user}@example.com", ["ann@example.org"], MAIL % user.encode())
        assert refused.value.smtp_code == 451


def test_the_smarthost_wants_a_password(server: Server, user: str) -> None:
    with client(server, user, smarthost_user="gate", smarthost_password="secret") as connection:
        connection.sendmail(f"{user}@example.com", ["ann@example.org"], MAIL % user.encode())
    assert server.smarthost.logins[-1] == ("gate", "secret")


def test_a_smarthost_without_tls_gets_nothing_when_tls_is_wanted(server: Server, user: str) -> None:
    with client(server, user, smarthost_tls="starttls") as connection, pytest.raises(smtplib.SMTPDataError):
        connection.sendmail(f"{user}@example.com", ["ann@example.org"], MAIL % user.encode())
    assert server.smarthost.mails == []


def test_headers() -> None:
    assert without_bcc(b"Bcc: a,\r\n b\r\nTo: c\r\n\r\nBcc: d\r\n") == b"To: c\r\n\r\nBcc: d\r\n"
    header = b'From: "A, b" <A@b>,\r\n c@d\r\nfrom: e@f\r\nSender: x@y\r\n\r\nFrom: g@h'
    assert addresses_of(header, "from") == ["a@b", "c@d", "e@f"]
    assert addresses_of(header, "sender") == ["x@y"]
    assert completed(b"Date: x\nMessage-Id: y\n\n", "h", 0) == b"Date: x\nMessage-Id: y\n\n"
    assert completed(b"\r\n", "h", 0) == completed(b"\r\n", "h", 0)


@pytest.mark.parametrize(
    ("mail", "wire"),
    [
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\rb\r\n", b"a\r\n..\r\nb\r\n"),
        (b".a\r\n", b"..a\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_nothing_smuggled_goes_out(mail: bytes, wire: bytes) -> None:
    assert stuffed(mail) == wire

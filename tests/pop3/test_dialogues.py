"""POP3 as clients speak it, against a real store (RFC 1939 and its extensions)."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import Tls
from gateway.tls import Certificates
from tests.pop3.server import Client, Server

Connect = Callable[..., Client]


def mail(subject: str, body: str = "hello\r\n") -> bytes:
    return f"From: a@example.com\r\nTo: b@example.com\r\nSubject: {subject}\r\n\r\n{body}".encode()


ONE, TWO, THREE = (
    mail("one"),
    mail("two", ".\r\n..\r\n.hidden\r\n\r\nend\r\n"),
    mail("three", "x" * 70 + "\r\n"),
)


def test_a_session_as_in_the_rfc(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO)
    client = connect()
    assert client.greeting == b"+OK pop.example POP3 ready"
    client.talk(f"""
        C: USER {user}
        S: +OK send PASS
        C: PASS {user}
        S: +OK 2 messages
        C: STAT
        S: +OK 2 {len(ONE) + len(TWO)}
        C: LIST
        S: +OK 2 messages
        S: 1 {len(ONE)}
        S: 2 {len(TWO)}
        S: .
        C: LIST 2
        S: +OK 2 {len(TWO)}
        C: NOOP
        S: +OK
        C: DELE 1
        S: +OK message 1 deleted
        C: LIST
        S: +OK 2 messages
        S: 2 {len(TWO)}
        S: .
        C: STAT
        S: +OK 1 {len(TWO)}
        C: QUIT
        S: +OK bye
    """)
    assert client.line() == b""
    assert len(server.look(user)) == 1


def test_the_octets_of_retr_are_those_of_list(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO, THREE)
    client = connect()
    client.log_in(user)
    for number, message in enumerate((ONE, TWO, THREE), 1):
        assert client.ask(f"LIST {number}") == f"+OK {number} {len(message)}"
        assert client.many(f"RETR {number}") == message


def test_top(server: Server, connect: Connect, user: str) -> None:
    server.given(user, TWO)
    client = connect()
    client.log_in(user)
    header, _, body = TWO.partition(b"\r\n\r\n")
    lines = body.split(b"\r\n")
    for count in range(6):
        expected = (
            header + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in lines[:count] if line or count < 6)
        )
        assert client.many(f"TOP 1 {count}") == expected[: len(TWO)]
    assert client.many("TOP 1 9999999999") == TWO


def test_reset_and_what_a_deleted_message_answers(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO)
    client = connect()
    client.log_in(user)
    client.talk("""
        C: DELE 2
        S: +OK message 2 deleted
        C: RETR 2
        S: -ERR message 2 is deleted
        C: TOP 2 0
        S: -ERR message 2 is deleted
        C: LIST 2
        S: -ERR message 2 is deleted
        C: UIDL 2
        S: -ERR message 2 is deleted
        C: DELE 2
        S: -ERR message 2 is deleted
        C: DELE 3
        S: -ERR there is no message 3, the maildrop has 2
        C: RETR 0
        S: -ERR there is no message 0, the maildrop has 2
        C: RSET
        S: +OK 2 messages
        C: LIST 2
        S: +OK 2 ...
        C: QUIT
        S: +OK bye
    """)
    assert len(server.look(user)) == 2


def test_without_quit_nothing_is_deleted(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE)
    client = connect()
    client.log_in(user)
    assert client.ask("DELE 1").startswith("+OK")
    client.close()
    assert len(server.look(user)) == 1


def test_unique_ids_stay_the_same_and_are_short(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO)
    client = connect()
    client.log_in(user)
    first = [line.split(b" ")[1] for line in client.many("UIDL").split(b"\r\n")[:-1]]
    assert len(set(first)) == 2
    assert all(0 < len(each) <= 70 and all(0x21 <= octet <= 0x7E for octet in each) for each in first)
    assert client.ask("UIDL 2") == f"+OK 2 {first[1].decode()}"
    client.ask("DELE 1")
    client.ask("QUIT")
    server.given(user, THREE)
    client = connect()
    client.log_in(user)
    again = [line.split(b" ")[1] for line in client.many("UIDL").split(b"\r\n")[:-1]]
    assert again[0] == first[1]
    assert again[1] not in first


def test_kopanos_own_unique_ids(server: Server, connect: Connect, user: str) -> None:
    """The entry id in capitals: a client that comes from Kopano's gateway downloads nothing twice."""
    server.given(user, ONE, TWO)
    client = connect(uidl="kopano")
    client.log_in(user)
    told = [line.split(b" ")[1] for line in client.many("UIDL").splitlines()]
    assert told == [entryid.hex().upper().encode() for entryid in server.entryids(user)]
    assert client.ask("UIDL 2") == f"+OK 2 {told[1].decode()}"


def test_capabilities_before_and_after(connect: Connect, user: str) -> None:
    client = connect(login_delay=0, implementation="test 1")
    before = client.many("CAPA").decode().split("\r\n")[:-1]
    assert before == [
        "TOP",
        "UIDL",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "PIPELINING",
        "USER",
        "SASL PLAIN LOGIN",
        "UTF8 USER",
        "LANG",
        "EXPIRE NEVER",
        "IMPLEMENTATION test 1",
    ]
    client.log_in(user)
    assert "STLS" not in client.many("CAPA").decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_auth(connect: Connect, user: str) -> None:
    plain = encoded(f"\0{user}\0{user}")
    connect().talk(f"""
        C: AUTH
        S: +OK mechanisms follow
        S: PLAIN
        S: LOGIN
        S: .
        C: AUTH PLAIN {plain}
        S: +OK 0 messages
        C: AUTH PLAIN {plain}
        S: -ERR you are logged in already
    """)
    connect().talk(f"""
        C: auth plain
        S: + ...
        C: {plain}
        S: +OK 0 messages
    """)
    connect().talk(f"""
        C: AUTH LOGIN
        S: + {encoded("Username:")}
        C: {encoded(user)}
        S: + {encoded("Password:")}
        C: {encoded(user)}
        S: +OK 0 messages
    """)
    connect().talk(f"""
        C: AUTH PLAIN
        S: + ...
        C: *
        S: -ERR the exchange was cancelled
        C: AUTH CRAM-MD5
        S: -ERR no such mechanism; there are PLAIN LOGIN
        C: AUTH PLAIN !!!
        S: -ERR the response is not base64 of UTF-8
        C: AUTH PLAIN {encoded("only two" + chr(0) + "parts")}
        S: -ERR a PLAIN message has three parts
        C: AUTH PLAIN {encoded("root" + chr(0) + user + chr(0) + user)}
        S: -ERR logging in for somebody else is not offered
        C: AUTH PLAIN =
        S: -ERR a PLAIN message has three parts
        C: AUTH PLAIN {encoded(chr(0) + user + chr(0) + "wrong")}
        S: -ERR [AUTH] user name or password is wrong
        C: AUTH PLAIN {plain}
        S: +OK 0 messages
    """)


def test_order_of_commands(connect: Connect, user: str) -> None:
    connect().talk(f"""
        C: STAT
        S: -ERR log in first
        C: PASS {user}
        S: -ERR send USER first
        C: USER {user}
        S: +OK send PASS
        C: PASS wrong
        S: -ERR [AUTH] user name or password is wrong
        C: PASS {user}
        S: -ERR send USER first
        C: APOP {user} 0123456789abcdef
        S: -ERR unknown command
        C: STLS
        S: -ERR TLS is not configured here
        C: USER {user}
        S: +OK send PASS
        C: PASS {user}
        S: +OK 0 messages
        C: USER {user}
        S: -ERR you are logged in already
        C: XTND XMIT
        S: -ERR unknown command
        C: QUIT
        S: +OK bye
    """)


def test_quit_before_login(connect: Connect) -> None:
    client = connect()
    assert client.ask("QUIT") == "+OK bye"
    assert client.line() == b""


def test_utf8_and_languages(server: Server, connect: Connect, user: str) -> None:
    server.given(user, mail("gr\u00fc\u00dfe", "z\u00e4h\r\n"))
    client = connect()
    client.talk(f"""
        C: UTF8
        S: +OK UTF-8 it is
        C: LANG
        S: +OK languages follow
        S: en English
        S: i-default English
        S: .
        C: LANG *
        S: +OK en English it is
        C: LANG xx
        S: -ERR this language is not spoken here
        C: USER {user}
        S: +OK send PASS
        C: PASS {user}
        S: +OK 1 messages
        C: UTF8
        S: -ERR you are logged in already
    """)
    assert client.many("RETR 1") == mail("gr\u00fc\u00dfe", "z\u00e4h\r\n")


def test_pipelining(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO, THREE)
    client = connect()
    client.send(
        f"USER {user}\r\nPASS {user}\r\n".encode()
        + b"RETR 1\r\nRETR 2\r\nRETR 3\r\nNOOP\r\n" * 30
        + b"QUIT\r\n"
    )
    assert client.line() == b"+OK send PASS"
    assert client.line() == b"+OK 3 messages"
    for _ in range(30):
        for message in (ONE, TWO, THREE):
            assert client.line() == b"+OK %d octets" % len(message)
            assert client.body() == message
        assert client.line() == b"+OK"
    assert client.line() == b"+OK bye"


def test_commands_in_pieces(connect: Connect, user: str) -> None:
    client = connect()
    for octet in f"USER {user}\r\nPASS {user}\r\n".encode():
        client.send(bytes([octet]))
    assert client.line() == b"+OK send PASS"
    assert client.line() == b"+OK 0 messages"


def test_another_folder(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, folder="Sent Items")
    client = connect()
    assert client.log_in(f"{user}+Sent Items", user) == "+OK 1 messages"
    assert client.many("RETR 1") == ONE
    assert connect().log_in(f"{user}+inbox", user) == "+OK 0 messages"
    assert connect().log_in(f"{user}+nothing", user) == "-ERR [SYS/PERM] there is no such mailbox or message"
    assert connect(folder_separator="").log_in(f"{user}+Sent Items", user).startswith("-ERR [AUTH]")
    assert connect(mailbox="Sent Items").log_in(user) == "+OK 1 messages"


def test_mark_read_happens_at_the_end_of_the_session(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO, THREE)
    client = connect(mark_read=True)
    client.log_in(user)
    client.many("RETR 1")
    client.many("TOP 2 5")
    client.many("RETR 3")
    client.ask("QUIT")
    assert [seen for _, seen in server.look(user)] == [True, False, True]
    client = connect()
    client.log_in(user)
    client.many("RETR 2")
    client.ask("QUIT")
    assert [seen for _, seen in server.look(user)] == [True, False, True]


def test_young_messages_are_kept(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, date=server.now - 8 * 86400)
    server.given(user, TWO, date=server.now - 6 * 86400)
    client = connect(keep=7 * 86400)
    client.log_in(user)
    client.ask("DELE 1")
    client.ask("DELE 2")
    assert client.ask("QUIT") == "+OK bye"
    client = connect()
    assert client.log_in(user) == "+OK 1 messages"
    assert client.many("RETR 1") == TWO


def test_one_session_at_a_time_if_wanted(connect: Connect, user: str) -> None:
    first, second = connect(exclusive=True), connect(exclusive=True)
    assert first.log_in(user).startswith("+OK")
    assert second.log_in(user).startswith("-ERR [IN-USE] ")
    assert second.log_in(f"{user}+Sent Items", user).startswith("+OK")
    assert first.ask("QUIT") == "+OK bye"
    assert connect(exclusive=True).log_in(user).startswith("+OK")


def test_the_lock_goes_with_the_connection(server: Server, connect: Connect, user: str) -> None:
    first = connect(exclusive=True)
    first.log_in(user)
    first.close()
    for _ in range(100):  # each try is a round trip; the server needs some to see that the first one has gone
        if (said := connect(exclusive=True).log_in(user)).startswith("+OK"):
            return
    pytest.fail(said)


def test_login_delay(server: Server, connect: Connect, user: str) -> None:
    client = connect(login_delay=60)
    assert b"LOGIN-DELAY 60\r\n" in client.many("CAPA")
    assert client.log_in(user).startswith("+OK")
    assert connect(login_delay=60).log_in(user).startswith("-ERR [LOGIN-DELAY] ")
    server.now += 61
    assert connect(login_delay=60).log_in(user).startswith("+OK")


def test_no_password_in_the_clear_where_that_is_forbidden(connect: Connect, user: str) -> None:
    client = connect(plaintext_login="never")
    assert b"USER" not in client.many("CAPA").replace(b"UTF8 USER", b"")
    client.talk(f"""
        C: USER {user}
        S: -ERR passwords are not taken in the clear: connect to the TLS port
        C: AUTH PLAIN {encoded(chr(0) + user + chr(0) + user)}
        S: -ERR passwords are not taken in the clear: connect to the TLS port
    """)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_stls(connect: Connect, user: str, tmp_path: Path) -> None:
    tls = Certificates(Tls(certificate=str(tmp_path / "c.pem"), self_signed=True))
    client = connect(tls=tls, plaintext_login="never")
    assert b"STLS\r\n" in client.many("CAPA")
    assert client.ask(f"USER {user}") == "-ERR passwords are not taken in the clear: send STLS first"
    assert client.ask("STLS") == "+OK begin TLS"
    client.start_tls(trusting())
    capabilities = client.many("CAPA")
    assert b"STLS" not in capabilities
    assert b"USER\r\n" in capabilities
    assert client.ask("STLS") == "-ERR TLS is active already"
    assert client.log_in(user) == "+OK 0 messages"
    assert client.ask("QUIT") == "+OK bye"


def test_commands_smuggled_before_tls_are_refused(connect: Connect, user: str, tmp_path: Path) -> None:
    tls = Certificates(Tls(certificate=str(tmp_path / "c.pem"), self_signed=True))
    client = connect(tls=tls)
    client.send(b"STLS\r\nUSER evil\r\n")
    assert client.line() == b"-ERR nothing may follow STLS before TLS begins"
    assert client.line() == b""


def test_too_many_bad_commands_end_the_session(connect: Connect) -> None:
    client = connect(max_bad_commands=3)
    client.send(b"x\r\nCAPA\r\nx\r\n\r\nSTAT\r\nCAPA\r\n")
    assert client.line() == b"-ERR unknown command"
    assert client.line() == b"+OK capabilities follow"
    assert b"TOP" in client.body()
    assert client.line() == b"-ERR unknown command"
    assert client.line() == b"-ERR unknown command"
    assert client.line() == b"-ERR log in first"
    assert client.line() == b""


def test_a_long_line_is_an_error_and_no_more(connect: Connect, user: str) -> None:
    client = connect()
    client.log_in(user)
    client.send(b"NOOP" + b" " * 600 + b"\r\nNOOP\r\n")
    assert client.line() == b"-ERR the line is too long"
    assert client.line() == b"+OK"


def test_two_sessions_see_what_each_of_them_saw_at_login(server: Server, connect: Connect, user: str) -> None:
    server.given(user, ONE, TWO)
    first, second = connect(), connect()
    first.log_in(user)
    second.log_in(user)
    first.ask("DELE 1")
    first.ask("QUIT")
    assert second.ask("LIST 2") == f"+OK 2 {len(TWO)}"
    assert second.ask("RETR 1") == "-ERR message 1 is gone: another client deleted it"
    assert second.many("RETR 2") == TWO
    second.ask("DELE 1")
    second.ask("DELE 2")
    assert second.ask("QUIT") == "+OK bye"
    assert server.look(user) == []


def test_a_large_message_and_many_small_ones(server: Server, connect: Connect, user: str) -> None:
    large = mail("large", ".dots\r\n" * 400_000)
    server.given(user, *[mail(f"number {number}") for number in range(40)], large)
    client = connect()
    assert client.log_in(user) == "+OK 41 messages"
    for number in range(40):
        assert client.many(f"RETR {number + 1}") == mail(f"number {number}")
    assert client.many("RETR 41") == large


@pytest.mark.parametrize("how", ["soft", "hard"])
def test_deletion_is_soft_or_hard(server: Server, connect: Connect, user: str, how: str) -> None:
    server.given(user, ONE)
    client = connect(delete=how)
    client.log_in(user)
    client.ask("DELE 1")
    assert client.ask("QUIT") == "+OK bye"
    assert server.look(user) == []

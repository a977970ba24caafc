"""The connection: TLS, compression, limits, bad input, timeouts, slow readers."""

from __future__ import annotations

import ssl
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from gateway.config import Tls
from gateway.imap.options import Options
from gateway.imap.protocol import IMAP
from gateway.tls import Certificates
from tests.imap.dialogue import Dialogue, Talker, message
from tests.imap.server import Server
from tests.support import reactor
from tests.support.reactor import OwnTime


def test_authenticate(imap: Dialogue) -> None:
    plain = b64encode(f"\0{imap.user}\0{imap.user}".encode()).decode()
    name = b64encode(imap.user.encode()).decode()
    for number, script in enumerate(
        (
            f"C: a AUTHENTICATE PLAIN {plain}\nS: a OK [CAPABILITY ...] ...",
            f"C: a AUTHENTICATE PLAIN\nS: + \nC: {plain}\nS: a OK ...",
            f"C: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: {name}\nS: + UGFzc3dvcmQ6\nC: {name}\nS: a OK ...",
        )
    ):
        imap.talker(str(number + 1), login=False)
        imap.talk("\n".join(f"{line[0]}{number + 1}{line[1:]}" for line in script.splitlines()))


def test_authenticate_that_fails(imap: Dialogue) -> None:
    imap.talker(login=False)
    other = b64encode(b"someone\0a\0b").decode()
    imap.talk(
        f"""
        C: a1 AUTHENTICATE PLAIN
        S: +
        C: *
        S: a1 BAD ...
        C: a2 AUTHENTICATE PLAIN !!!!
        S: a2 BAD ...
        C: a3 AUTHENTICATE CRAM-MD5
        S: a3 NO ...
        C: a4 AUTHENTICATE PLAIN {other}
        S: a4 NO [AUTHORIZATIONFAILED] ...
        C: a5 LOGIN @user@ wrong
        S: a5 NO [AUTHENTICATIONFAILED] ...
        C: a6 SELECT INBOX
        S: a6 BAD ...
        C: a7 LOGIN @user@ @user@
        S: a7 OK ...
        C: a8 LOGIN @user@ @user@
        S: a8 BAD ...
    """.replace("S: +\n", "S: + \n")
    )


def test_unauthenticate(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 UNAUTHENTICATE
        S: a2 OK ...
        C: a3 SELECT INBOX
        S: a3 BAD ...
        C: a4 LOGIN @user@ @user@
        S: a4 OK ...
    """)


def test_passwords_need_tls_where_it_is_demanded(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(plaintext_login="never")
    imap.talker(login=False)
    imap.talk("""
        C: a1 CAPABILITY
        S: * CAPABILITY ... LOGINDISABLED ...
        S: a1 OK ...
        C: a2 LOGIN @user@ @user@
        S: a2 NO [PRIVACYREQUIRED] ...
        C: a3 AUTHENTICATE PLAIN
        S: a3 NO [PRIVACYREQUIRED] ...
    """)


def test_starttls(imap_server: Server, tmp_path: Path) -> None:
    tls = Certificates(Tls(certificate=str(tmp_path / "tls.pem"), self_signed=True))
    imap = Dialogue(imap_server, Options(plaintext_login="never", name="tls"), tls)
    talker = imap.talker(login=False)
    # What comes in plain text behind STARTTLS must not be answered inside TLS.
    talker.send(b"a1 STARTTLS\r\na2 NOOP\r\n")
    assert talker.line() == "a1 OK Begin TLS negotiation now"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    talker.socket = context.wrap_socket(talker.socket)
    imap.talk("""
        C: a3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IMAP4rev2 AUTH=PLAIN ...
        S: a3 OK ...
        C: a4 STARTTLS
        S: a4 BAD ...
        C: a5 LOGIN @user@ @user@
        S: a5 OK ...
        C: a6 LOGOUT
        S: * BYE ...
        S: a6 OK ...
    """)
    imap.close()


class Deflating(Talker):
    """The same connection, compressed."""

    def __init__(self, talker: Talker) -> None:
        self.socket = talker.socket
        self._buffer = b""
        self._deflate = zlib.compressobj(wbits=-15)
        self._inflate = zlib.decompressobj(-15)
        self._readable = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def line(self) -> str:
        while b"\n" not in self._readable:
            self._readable += self._inflate.decompress(self.socket.recv(65536))
        line, _, self._readable = self._readable.partition(b"\n")
        return line.removesuffix(b"\r").decode()


def test_compress(imap: Dialogue) -> None:
    imap.given(inbox=[message("big", "x" * 70 + "\r\n")] * 3)
    imap.talk("""
        C: a0 COMPRESS LZMA
        S: a0 NO ...
        C: a1 COMPRESS DEFLATE
        S: a1 OK ...
    """)
    talker = Deflating(imap.talker())
    talker.command("SELECT INBOX")
    assert len(talker.command("FETCH 1:* (UID FLAGS)")) == 4
    # More than what one step of decompression gives.
    many = b"".join(b"t%d NOOP\r\n" % n for n in range(20000))
    talker.send(many)
    assert [talker.line() for _ in range(20000)][-1] == "t19999 OK Noop completed"
    talker.send(b"b COMPRESS DEFLATE\r\n")
    assert talker.line() == "b NO [COMPRESSIONACTIVE] Compression is active already"


def test_damaged_compression_ends_the_connection(imap: Dialogue) -> None:
    imap.talk("C: a1 COMPRESS DEFLATE\nS: a1 OK ...")
    imap.talker().send(b"\xff" * 100)
    assert imap.talker().closed()


def test_bad_input_is_answered(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 BOGUS
        S: a1 BAD ...
        C:
        S: * BAD ...
        C: a2 FETCH 1 FLAGS
        S: a2 BAD ...
        C: a3 LIST "" (
        S: a3 BAD ...
        C: a4 SEARCH {3+}
        C: ALL
        S: a4 BAD ...
        C: a5 BOGUS {10}
        S: a5 BAD ...
        C: a6 NOOP
        S: a6 OK ...
    """)


def test_too_many_errors_end_the_connection(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(max_bad_commands=3)
    imap.talk("""
        C: a1 BOGUS
        S: a1 BAD ...
        C: a2 BOGUS
        S: a2 BAD ...
        C: a3 NOOP
        S: a3 OK ...
        C: a4 BOGUS
        S: a4 BAD ...
        C: a5 BOGUS
        S: a5 BAD ...
        C: a6 BOGUS
        S: a6 BAD ...
        S: * BYE ...
    """)
    assert imap.talker().closed()


def test_limits_before_login(imap: Dialogue) -> None:
    imap.talker(login=False)
    imap.talk("""
        C: a1 LOGIN {5000}
        S: a1 NO [TOOBIG] ...
        C: a2 APPEND INBOX {10}
        S: a2 BAD ...
        C: a3 BOGUS {10}
        S: a3 BAD ...
        C: a4 LOGIN {99999999+}
        S: * BYE [TOOBIG] ...
    """)
    assert imap.talker().closed()


def test_a_message_that_is_too_large(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(max_message=1000, spool_above=100)
    imap.talk("""
        C: a1 APPEND INBOX {1001}
        S: a1 NO [TOOBIG] ...
        C: a2 CAPABILITY
        S: * CAPABILITY ... APPENDLIMIT=1000 ...
        S: a2 OK ...
    """)
    imap.talker().append("INBOX", message("spooled", "x" * 500))
    imap.talker().send(b"a3 APPEND INBOX {2000+}\r\n" + b"x" * 2000 + b"\r\na4 NOOP\r\n")
    imap.talk("""
        S: a3 NO [TOOBIG] ...
        S: a4 OK ...
    """)


def test_who_does_not_log_in_is_sent_away(imap_with: Callable[..., Dialogue]) -> None:
    time = OwnTime()
    talker = imap_with(time=time, login_timeout=60).talker(login=False)
    time.passes(60)
    assert talker.line() == "* BYE Idle for too long"
    assert talker.closed()


def test_who_does_nothing_is_sent_away(imap_with: Callable[..., Dialogue]) -> None:
    time = OwnTime()
    imap = imap_with(time=time, idle_timeout=1800, keepalive=120)
    imap.talk("C: a1 IDLE\nS: + idling")
    for _ in range(14):
        time.passes(120)
        imap.talk("S: * OK Still here")
    time.passes(119)
    imap.talk("C: DONE\nS: a1 OK ...\nC: a2 IDLE\nS: + idling")
    time.passes(1800)
    imap.talk("S: * OK Still here\nS: * BYE Idle for too long")
    assert imap.talker().closed()


class Narrow(StringTransport):
    """A client that takes in 64 KiB and then nothing until it is asked to."""

    def __init__(self) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "127.0.0.1", 1))
        self.total = 0
        self.held = b""
        self.full: Deferred[None] = Deferred()
        self.said: dict[bytes, Deferred[None]] = {}

    def write(self, data: bytes) -> None:
        self.total += len(data)
        heard = self.held + data
        self.held = heard[-100:]
        for text in [text for text in self.said if text in heard]:
            self.said.pop(text).callback(None)
        if self.total > 65536 and self.producer is not None and not self.full.called:
            self.producer.pauseProducing()
            self.full.callback(None)

    def hears(self, text: bytes) -> Deferred[None]:
        self.said[text] = Deferred()
        return self.said[text]

    def abortConnection(self) -> None:
        self.disconnected = True
        self.hung_up.callback(None)

    hung_up: Deferred[None]


async def fetching(server: Server, imap: Dialogue, options: Options) -> tuple[IMAP, Narrow]:
    """A client that has asked for a large message and has taken in the first octets."""
    protocol = server.factories[options].buildProtocol(None)
    transport = Narrow()
    transport.hung_up = Deferred()
    protocol.makeConnection(transport)
    for line in (f"a LOGIN {imap.user} {imap.user}", "b SELECT INBOX"):
        heard = transport.hears(line[:2].encode() + b"OK")
        protocol.dataReceived(line.encode() + b"\r\n")
        await heard
    protocol.dataReceived(b"c FETCH 1 BODY.PEEK[]\r\n")
    await transport.full
    return protocol, transport


def test_a_slow_reader_costs_little(imap: Dialogue, imap_server: Server) -> None:
    imap.given(inbox=[message("big", ("x" * 76 + "\r\n") * 40000)])

    async def read_slowly() -> None:
        protocol, transport = await fetching(imap_server, imap, Options())
        assert transport.total < 3 * 65536
        # While it waits nothing more is made, and further commands wait in the client.
        protocol.dataReceived(b"d NOOP\r\n" * 20000)
        assert transport.producerState == "paused"
        assert transport.total < 3 * 65536
        done = transport.hears(b"c OK")
        transport.producer.resumeProducing()
        await done
        protocol.connectionLost()
        assert transport.total > 3_000_000

    reactor.run(read_slowly)


def test_who_reads_nothing_is_dropped(imap: Dialogue, imap_server: Server) -> None:
    imap.given(inbox=[message("big", ("x" * 76 + "\r\n") * 40000)])

    options = Options(write_timeout=0.1)
    imap_server.port(options)

    async def read_nothing() -> None:
        protocol, transport = await fetching(imap_server, imap, options)
        await transport.hung_up
        protocol.connectionLost()
        assert transport.total < 3 * 65536

    reactor.run(read_nothing)


def test_who_guesses_passwords_is_sent_away(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(max_bad_commands=2, name="guess")
    imap.talker(login=False)
    imap.talk("""
        C: a1 AUTHENTICATE UNKNOWN
        S: a1 NO ...
        C: a2 LOGIN @user@ wrong
        S: a2 NO [AUTHENTICATIONFAILED] ...
        S: * BYE ...
    """)
    assert imap.talker().closed()

"""A session of SMTP or LMTP: commands in, replies out; what becomes of the mail is the backend's business.

LMTP (RFC 2033) differs in its hello and in one reply per recipient at the end of data.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from gateway.smtp.codec.address import Address
from gateway.smtp.codec.commands import (
    Auth,
    Bdat,
    Command,
    Data,
    Foreign,
    Hello,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
    parse,
)
from gateway.smtp.codec.data import DataReader
from gateway.smtp.codec.replies import OK, Refused, Reply
from gateway.smtp.errors import reply_of
from gateway.smtp.options import ServerOptions
from gateway.smtp.transaction import Body, Transaction


class Backend(Protocol):
    """What a server does with mail. Every method may raise Refused, or what `gateway.smtp.errors` knows."""

    lmtp: bool
    hostname: str

    @property
    def options(self) -> ServerOptions:
        """Limits."""

    def offers_auth(self, session: Session) -> bool:
        """Whether passwords are taken on this connection now."""

    async def login(self, session: Session, user: str, password: str) -> Any:
        """What is remembered of a user who proved the password; `logout` gives it back."""

    def logout(self, login: Any) -> None:
        """The connection of a login is gone."""

    async def sender(self, session: Session, mail: Mail) -> None:
        """Judge a sender."""

    async def recipient(self, session: Session, recipient: Address) -> Any:
        """Judge a recipient; what is remembered of it in the transaction."""

    async def take(self, session: Session, mail: Transaction) -> Sequence[Reply]:
        """Take responsibility for a mail: a reply for each recipient (LMTP), or one."""


class Connection(Protocol):
    """What a session needs of its connection."""

    def start_tls(self) -> None:
        """Begin TLS after the reply; Refused when something was sent ahead."""

    def close(self) -> None:
        """Close after the reply."""


_HELLOS: Final = {True: frozenset({"LHLO"}), False: frozenset({"HELO", "EHLO"})}
_NO_MAIL: Final = Refused(503, "5.5.1", "MAIL first")


class Session:
    """One connection's state. ``login`` is what the backend made of a proven password."""

    def __init__(
        self, backend: Backend, connection: Connection, peer: str, *, secure: bool, local: bool, tls: bool
    ) -> None:
        self.backend = backend
        self.options = backend.options
        self.peer = peer
        self.secure = secure
        self.local = local
        self.login: Any = None
        self.hello = ""
        self.data: DataReader | None = None
        """Reads a mail after DATA; None between mails."""
        self.octets = 0
        """Octets of a BDAT chunk that are still to come."""
        self._connection = connection
        self._tls = tls
        self._mail: Transaction | None = None
        self._chunked = False
        self._last = False
        self._refusal: Refused | None = None
        self._answering: Callable[[str], Awaitable[Reply]] | None = None
        self.bad = 0

    # lines

    async def line(self, line: bytes) -> bytes:
        """Answer a line (without its end)."""
        try:
            if self._answering is not None:
                answering, self._answering = self._answering, None
                reply = await answering(line.decode("ascii", "replace").strip())
            else:
                command = parse(line)
                reply = await _ANSWERS[type(command)](self, command)
        except Exception as error:
            return self._bad(reply_of(error))
        return reply.encode()

    def refuse(self, code: int, status: str, text: str) -> bytes:
        """The reply to what is no line at all."""
        return self._bad(Reply(code, status, text))

    def _bad(self, reply: Reply) -> bytes:
        if reply.code >= 500:
            self.bad += 1
            if self.bad >= self.options.max_bad_commands:
                self._connection.close()
                return reply.encode() + Reply(421, "4.7.0", "too many errors").encode()
        return reply.encode()

    async def _on_hello(self, command: Hello) -> Reply:
        if command.verb not in _HELLOS[self.backend.lmtp]:
            wanted = "LHLO" if self.backend.lmtp else "EHLO"
            raise Refused(500, "5.5.1", f"this is {'LMTP' if self.backend.lmtp else 'SMTP'}: say {wanted}")
        self.hello = command.name
        self._forget()
        if command.verb == "HELO":
            return Reply(250, "", self.backend.hostname)
        return Reply(250, "", self.backend.hostname, tuple(self._extensions()))

    def _extensions(self) -> list[str]:
        found = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"]
        found.append(f"SIZE {int(self.options.max_message)}")
        if self._tls and not self.secure:
            found.append("STARTTLS")
        if self.login is None and self.backend.offers_auth(self):
            found.append("AUTH PLAIN LOGIN")
        return found

    async def _on_mail(self, command: Mail) -> Reply:
        if not self.hello:
            raise Refused(503, "5.5.1", "say hello first")
        if self._mail is not None:
            raise Refused(503, "5.5.1", "one MAIL at a time")
        if command.size > self.options.max_message:
            raise Refused(
                552, "5.3.4", f"mails of more than {int(self.options.max_message)} octets are not taken"
            )
        await self.backend.sender(self, command)
        self._mail = Transaction(command.sender, self._new_body(), command.utf8)
        return Reply(250, "2.1.0", "sender ok")

    def _new_body(self) -> Body:
        return Body(self.options.max_message, self.options.spool_above)

    async def _on_rcpt(self, command: Rcpt) -> Reply:
        mail = self._mail
        if mail is None or self._chunked:
            raise _NO_MAIL
        if len(mail.recipients) >= self.options.max_recipients:
            raise Refused(452, "4.5.3", "too many recipients")  # RFC 5321 4.5.3.1.10
        if not command.recipient.is_ascii and not mail.utf8:
            raise Refused(553, "5.6.7", "this address needs SMTPUTF8")
        found = await self.backend.recipient(self, command.recipient)
        mail.recipients.append((command.recipient, found))
        return Reply(250, "2.1.5", "recipient ok")

    async def _on_data(self, _command: Data) -> Reply:
        self._check_recipients()
        if self._chunked:
            raise Refused(503, "5.5.1", "DATA cannot follow BDAT")  # RFC 3030 2
        self.data = DataReader()
        return Reply(354, "", "send the mail, end it with CRLF.CRLF")

    def _check_recipients(self) -> Transaction:
        if self._mail is None:
            raise _NO_MAIL
        if not self._mail.recipients:
            raise Refused(503, "5.5.1", "no valid recipients")  # RFC 2033 4.2
        return self._mail

    async def _on_bdat(self, command: Bdat) -> Reply:
        raise NotImplementedError  # `chunk` answers it

    async def _on_rset(self, _command: Rset) -> Reply:
        self._forget()
        return OK

    async def _on_noop(self, _command: Noop) -> Reply:
        return OK

    async def _on_vrfy(self, command: Vrfy) -> Reply:
        if command.verb == "VRFY":
            return Reply(252, "2.5.2", "send a mail and see")
        raise Refused(502, "5.5.1", f"{command.verb} is not for you")

    async def _on_quit(self, _command: Quit) -> Reply:
        self._connection.close()
        return Reply(221, "2.0.0", "bye")

    async def _on_foreign(self, _command: Foreign) -> Reply:
        self._connection.close()
        return Reply(421, "4.7.0", "that is another protocol")

    async def _on_start_tls(self, _command: StartTls) -> Reply:
        if not self._tls:
            raise Refused(502, "5.5.1", "no TLS here")
        if self.secure:
            raise Refused(503, "5.5.1", "TLS is on already")
        self._connection.start_tls()
        self.hello = ""  # RFC 3207 4.2: nothing that was said before counts
        self._forget()
        return Reply(220, "2.0.0", "begin TLS")

    # data

    def take_data(self, data: bytes) -> bytes | None:
        """Take mail data after DATA; after its end what came behind it, None before."""
        assert self.data is not None
        assert self._mail is not None
        mail, rest = self.data.feed(data)
        try:
            self._mail.body.add(mail)
        except OSError as error:
            self._refusal = Refused(452, "4.3.1", f"no space: {error.strerror}")
        return rest

    async def data_taken(self) -> bytes:
        """The reply to a mail that came whole after DATA."""
        reader, self.data = self.data, None
        if reader is not None and reader.smuggled:
            self._refusal = Refused(550, "5.6.0", "a lone dot between bare line ends; such mails are not taken")
        return await self._finish()

    async def chunk(self, line: bytes) -> bytes | None:
        """Answer BDAT when it has no octets or is refused; None: feed `octets` octets to `take_octets`.

        Whatever is wrong, the octets follow and must be read past (RFC 3030 2).
        """
        try:
            command = parse(line)
        except Refused as error:
            return self._bad(error.reply)
        assert isinstance(command, Bdat)
        self.octets, self._last = command.size, command.last
        try:
            self._check_recipients()
        except Refused as error:
            self._refusal = error
        self._chunked = True
        return None if self.octets else await self.chunk_taken()

    def take_octets(self, data: bytes) -> None:
        """Take octets of a chunk."""
        self.octets -= len(data)
        if self._mail is not None and self._refusal is None:
            try:
                self._mail.body.add(data)
            except OSError as error:
                self._refusal = Refused(452, "4.3.1", f"no space: {error.strerror}")

    async def chunk_taken(self) -> bytes:
        """The reply to a chunk that came whole."""
        mail = self._mail
        if mail is None or not mail.recipients:
            refusal, self._refusal, self._chunked = self._refusal, None, False
            return self._bad((refusal or _NO_MAIL).reply)
        if self._last:
            return await self._finish()
        if mail.body.is_too_big:
            return self._bad(Reply(552, "5.3.4", "the mail is too large"))
        return Reply(250, "2.0.0", f"{mail.body.size} octets").encode()

    async def _finish(self) -> bytes:
        mail, refusal = self._mail, self._refusal
        assert mail is not None
        if mail.body.is_too_big:
            refusal = Refused(552, "5.3.4", "the mail is too large")
        try:
            if refusal is not None:
                raise refusal
            replies = await self.backend.take(self, mail)
        except Exception as error:
            replies = [reply_of(error)] * (len(mail.recipients) if self.backend.lmtp else 1)
        finally:
            self._forget()
        return b"".join(reply.encode() for reply in replies)

    def _forget(self) -> None:
        if self._mail is not None:
            self._mail.body.close()
        self._mail = self._refusal = None
        self._chunked = self._last = False

    # logins

    async def _on_auth(self, command: Auth) -> Reply:
        if self.login is not None or self._mail is not None or not self.hello:
            raise Refused(503, "5.5.1", "not now")
        if not self.backend.offers_auth(self):
            raise Refused(538 if self._tls else 502, "5.7.11", "passwords are taken under TLS only")
        if command.mechanism == "PLAIN":
            return await self._ask("", command.initial, self._plain)
        if command.mechanism == "LOGIN":
            return await self._ask("VXNlcm5hbWU6", command.initial, self._login_name)
        raise Refused(504, "5.5.4", "the mechanisms are PLAIN and LOGIN")

    async def _ask(self, prompt: str, given: str | None, answer: Callable[[str], Awaitable[Reply]]) -> Reply:
        if given is not None:
            return await answer("" if given == "=" else given)
        self._answering = answer
        return Reply(334, "", prompt)

    async def _plain(self, response: str) -> Reply:
        parts = _decoded(response).split("\0")  # RFC 4616
        if len(parts) != 3 or not parts[1]:
            raise Refused(501, "5.5.2", "that is no PLAIN response")
        if parts[0] not in ("", parts[1]):
            raise Refused(535, "5.7.8", "nobody may act for another user here")
        return await self._log_in(parts[1], parts[2])

    async def _login_name(self, response: str) -> Reply:
        user = _decoded(response)

        async def password(answer: str) -> Reply:
            return await self._log_in(user, _decoded(answer))

        return await self._ask("UGFzc3dvcmQ6", None, password)

    async def _log_in(self, user: str, password: str) -> Reply:
        self.login = await self.backend.login(self, user, password)
        return Reply(235, "2.7.0", "welcome")

    def leave(self) -> None:
        """The connection is gone."""
        self._forget()
        login, self.login = self.login, None
        if login is not None:
            self.backend.logout(login)


def _decoded(response: str) -> str:
    if response == "*":
        raise Refused(501, "5.7.0", "cancelled")
    try:
        return b64decode(response, validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused(501, "5.5.2", "that is not base64 of UTF-8") from None


_ANSWERS: Final[dict[type[Command], Callable[[Session, Any], Awaitable[Reply]]]] = {
    Hello: Session._on_hello,
    Mail: Session._on_mail,
    Rcpt: Session._on_rcpt,
    Data: Session._on_data,
    Bdat: Session._on_bdat,
    Auth: Session._on_auth,
    StartTls: Session._on_start_tls,
    Rset: Session._on_rset,
    Noop: Session._on_noop,
    Vrfy: Session._on_vrfy,
    Quit: Session._on_quit,
    Foreign: Session._on_foreign,
}

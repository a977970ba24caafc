"""What a connection knows, one class per state: `Connection`, `User` after login, `Selection` in a mailbox.

Commands see these; transport and octets are behind `Wire`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeAlias

from twisted.logger import Logger

from gateway.imap import telling
from gateway.imap.answers import Goodbye, Refused
from gateway.imap.capabilities import capabilities
from gateway.imap.codec.commands import Notify, State
from gateway.imap.codec.cursor import Dialect
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.write_fetch import FlagTexts
from gateway.imap.codec.write_status import highest_modseq, untagged
from gateway.imap.interests import Kept, Notifications
from gateway.imap.options import Options
from gateway.imap.quirks import Quirks, quirks_of
from gateway.imap.selected import Rows, Selected
from gateway.imap.wire import Bell, Wire
from gateway.mailbox.account import Account
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.view import View
from gateway.mapi.errors import LogonFailed, MapiError
from gateway.mapiclient.errors import TransportError

log: Final = Logger()
#: Gives the account of a user who proves a password: (user, password, peer). Raises LogonFailed, TransportError.
Authenticate: TypeAlias = Callable[[str, str, str], Awaitable[Account]]


class Connection:
    """A client, before or after login."""

    options: Options
    __slots__ = ("_client", "authenticate", "compressed", "enabled", "options", "tag", "tls", "user", "wire")

    def __init__(self, authenticate: Authenticate, options: Options, wire: Wire, *, tls: bool) -> None:
        self.authenticate = authenticate
        self.options = options
        self.wire = wire
        self.tls = tls
        self.enabled: set[str] = set()
        self.compressed = False
        self.tag = ""
        self.user: User | None = None
        self._client: dict[str, str] = {}

    @property
    def state(self) -> State:
        """The state of RFC 9051 section 3."""
        if self.user is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.user.selection is None else State.SELECTED

    @property
    def capabilities(self) -> list[str]:
        """What is offered now."""
        return capabilities(self)

    @property
    def can_start_tls(self) -> bool:
        """Whether STARTTLS is possible."""
        return self.tls and not self.wire.secure and not self.compressed

    @property
    def can_compress(self) -> bool:
        """Whether COMPRESS is possible."""
        return self.options.compress and not self.compressed

    @property
    def may_log_in(self) -> bool:
        """Whether passwords are taken on this connection."""
        rule = self.options.plaintext_login
        return self.wire.secure or rule == "always" or (rule == "loopback" and self.wire.loopback)

    @property
    def utf8(self) -> bool:
        """Whether names are spoken in UTF-8."""
        return not self.enabled.isdisjoint(_UTF8)

    @property
    def rev2(self) -> bool:
        """Whether the client enabled IMAP4rev2."""
        return "IMAP4REV2" in self.enabled

    @property
    def dialect(self) -> Dialect:
        """How the client's commands are to be read."""
        return Dialect(self.utf8, "UTF8=ACCEPT" in self.enabled)

    @property
    def condstore(self) -> bool:
        """Whether mod-sequences are told (RFC 7162 3.1)."""
        return "CONDSTORE" in self.enabled

    @property
    def qresync(self) -> bool:
        """Whether VANISHED replaces EXPUNGE (RFC 7162 3.2)."""
        return "QRESYNC" in self.enabled

    @property
    def uid_only(self) -> bool:
        """Whether sequence numbers are abolished (RFC 9586)."""
        return "UIDONLY" in self.enabled

    @property
    def quirks(self) -> Quirks:
        """How this client differs from the RFCs."""
        if self.options.quirks == "none":
            return Quirks(self.options.commands_in_idle)
        found = quirks_of(self._client)
        return Quirks(self.options.commands_in_idle or found.commands_in_idle)

    def identify(self, fields: dict[str, str]) -> None:
        """Remember what the client says of itself."""
        self._client = fields

    async def log_in(self, user: str, password: str) -> User:
        """Prove a password and become its user. Raises LogonFailed, TransportError, Refused."""
        if not self.may_log_in:
            raise Refused("Use TLS first", "PRIVACYREQUIRED")
        try:
            account = await self.authenticate(user, password, self.wire.peer)
        except LogonFailed:
            log.info("login of {user!r} from {peer} failed", user=user, peer=self.wire.peer)
            raise
        log.info("login of {user!r} from {peer}", user=user, peer=self.wire.peer)
        self.user = User(self, account)
        self.wire.limits_changed()
        return self.user

    def refused(self, error: ParseError) -> None:
        """A command could not be read: a search that is answered with NO leaves an empty ``$`` (RFC 9051 6.4.4.1)."""
        if error.no and error.saves and self.user is not None and self.user.selection is not None:
            self.user.selection.told.forget_saved()

    def log_out(self) -> None:
        """Forget the user and everything the user did."""
        if self.user is not None:
            self.user.close()
            self.user = None
        self.enabled.clear()
        self.wire.limits_changed()


_UTF8: Final = frozenset({"IMAP4REV2", "UTF8=ACCEPT"})


_NO_WISHES: Final = Notify(())


class User:
    """A client that has logged in."""

    __slots__ = ("_bell", "_notifying", "account", "connection", "selection", "wishes")

    def __init__(self, connection: Connection, account: Account) -> None:
        self.connection = connection
        self.account = account
        self.selection: Selection | None = None
        self.wishes = _NO_WISHES
        """The last NOTIFY."""
        self._notifying: Notifications | None = None
        self._bell: Bell | None = None

    @property
    def options(self) -> Options:
        """The options of the head."""
        return self.connection.options

    async def mailbox(self, name: str) -> Mailbox:
        """The mailbox of a name. Raises NotFound."""
        return await self.account.mailbox(name)

    async def folder(self, name: str) -> Mailbox:
        """A mailbox that holds messages. Raises NotFound, Refused."""
        found = await self.mailbox(name)
        if not found.selectable:
            raise Refused("The mailbox holds no messages", "CANNOT")
        return found

    async def select(self, mailbox: Mailbox, *, read_only: bool) -> Selection:
        """Open a mailbox as the selected one."""
        view = await self.account.view(mailbox)
        self.selection = Selection(self, view, read_only=read_only)
        if self._notifying is not None:
            self._notifying.follow_selected()
        return self.selection

    @asynccontextmanager
    async def looking_into(self, mailbox: Mailbox) -> AsyncIterator[Selection]:
        """A mailbox for a while, the selected one or another."""
        if self.selection is not None and self.selection.mailbox.entryid == mailbox.entryid:
            yield self.selection
            return
        view = await self.account.view(mailbox)
        try:
            yield Selection(self, view, read_only=True)
        finally:
            self.account.release(view)

    def unselect(self) -> None:
        """Leave the selected mailbox."""
        if self.selection is not None:
            self.account.release(self.selection.view)
            self.selection = None
            if self._notifying is not None:
                self._notifying.follow_selected()

    async def updates(self, *, expunge: bool = True, unasked: bool = False) -> AsyncIterator[bytes]:
        """What happened that the client was not told yet, rendered. Raises Goodbye without the mailbox.

        A piece counts as told when it is there: send it before the next one is asked for, which may fail.
        `unasked`: not with the answer to a command, so that NOTIFY decides what of it is told (RFC 5465 section 4).
        """
        notifying, selection = self._notifying, self.selection
        if selection is not None and (notifying is None or notifying.selected_events or not unasked):
            if selection.view.gone:
                # Sequence numbers mean nothing any more (RFC 2180 3.3).
                raise Goodbye("The selected mailbox was deleted")
            highest = selection.told.uids[-1] if selection.told.count else 0
            flags = notifying is None or notifying.flag_events or not unasked
            yield selection.news(expunge=expunge, flags=flags)
            async for piece in selection.results():
                yield piece
            if notifying is not None and notifying.selected_events:
                yield await notifying.arrived(selection, highest)
        if notifying is not None:
            async for piece in notifying.tell():
                yield piece

    # -- NOTIFY

    def notify(self, notifying: Notifications | None) -> None:
        """Be told without asking from now on, or no more."""
        if self._notifying is not None:
            self._notifying.close()
        self._notifying = notifying

    def renames(self, *names: str) -> None:
        """The client creates, deletes, renames or subscribes these mailboxes itself."""
        if self._notifying is not None:
            self._notifying.renames(*names)

    def brings(self, mailbox: Mailbox, uids: Iterable[int]) -> None:
        """The client puts messages into a mailbox itself: it knows what is in them (RFC 5465 5.2)."""
        selection = self.selection
        if self._notifying is not None and selection and selection.mailbox.entryid == mailbox.entryid:
            selection.own_uids = selection.own_uids.union(uids)

    def annotates(self, mailbox: Mailbox | None, entries: dict[str, bytes | None]) -> None:
        """The client changed these annotations itself."""
        if self._notifying is not None:
            self._notifying.annotates(mailbox, entries)

    def ring(self) -> None:
        """There is something to tell: in IDLE at once, else when no command is being answered."""
        if self._bell is not None:
            self._bell.ring()
        else:
            self.connection.wire.interject(self._interjected)

    async def _interjected(self) -> None:
        notifying = self._notifying
        if notifying is not None:
            async for piece in self.updates(expunge=not notifying.delayed, unasked=True):
                await self.connection.wire.send(piece)

    @contextmanager
    def listening(self) -> Iterator[Bell]:
        """A bell that rings when there may be updates, or when the client sent a line."""
        bell = self._bell = Bell()
        selection = self.selection
        stops = [selection.view.watch(bell.ring)] if selection is not None else []
        if self.options.keepalive:
            stops.append(self.connection.wire.every(self.options.keepalive, self.still_here))
        self.connection.wire.line_rings(bell)
        try:
            yield bell
        finally:
            self._bell = None
            for stop in stops:
                stop()

    def is_done(self, line: bytes) -> bool:
        """Whether a line ends IDLE. For some clients any command does, which is carried out then (see quirks)."""
        if line.strip().upper() == b"DONE":
            return True
        if self.connection.quirks.commands_in_idle:
            self.connection.wire.unread(line)
            return True
        return False

    def still_here(self) -> None:
        """Tell a client that waits that the connection lives."""
        self.connection.wire.write(telling.STILL_HERE)

    def close(self) -> None:
        """Let go of everything."""
        self.notify(None)
        self.unselect()
        self.account.logout()


class Selection:
    """A client in a mailbox."""

    __slots__ = (
        "contexts", "flag_texts", "flags_told", "keyword_sets_told", "own_uids", "read_only", "told", "user", "view"
    )  # fmt: skip

    def __init__(self, user: User, view: View, *, read_only: bool) -> None:
        self.user = user
        self.view = view
        self.read_only = read_only
        self.flag_texts: FlagTexts = telling.flag_texts(view)
        self.keyword_sets_told = self.flags_told = 0
        self.told = Selected(view)
        self.contexts: dict[str, Kept] = {}
        """Results of searches that are kept up to date, by tag."""
        self.own_uids: frozenset[int] = frozenset()
        """Messages that this client put here itself and was not told of yet."""

    @property
    def connection(self) -> Connection:
        """The connection."""
        return self.user.connection

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox as it was when it was opened."""
        return self.view.mailbox

    def must_be_writable(self) -> None:
        """Raise Refused in a mailbox that was opened with EXAMINE."""
        if self.read_only:
            raise Refused("The mailbox was opened read-only")

    def news(self, *, expunge: bool, flags: bool) -> bytes:
        """All that changed in the mailbox itself, rendered; it counts as told."""
        left = [context.leave(self) for context in self.contexts.values()] if expunge else []
        said = b"".join(left) + self.updates(expunge=expunge, flags=flags)
        if self.connection.qresync and (self.told.waiting or self.told.hidden):
            # Mod-sequences told now must not hide an EXPUNGE that has to wait (RFC 7162 3.2), or a late message.
            said += highest_modseq(self.told.settled)
        return said

    async def results(self) -> AsyncIterator[bytes]:
        """What changed in results that are kept up to date; one that cannot be any more is given up."""
        serial = self.view.serial
        for tag, context in tuple(self.contexts.items()):
            try:
                async for piece in context.change(self, serial):
                    yield piece
            except (MapiError, TransportError) as error:
                log.info("the result {tag} is not kept up to date any more: {error}", tag=tag, error=error)
                del self.contexts[tag]
                yield untagged("NO", "The result is not kept up to date any more", f'NOUPDATE "{tag}"')

    def updates(
        self,
        *,
        expunge: bool,
        flags: bool = True,
        mention: Rows | None = None,
        leave_out: frozenset[int] = frozenset(),
    ) -> bytes:
        """What the client must be told now, rendered; it counts as told.

        Without `flags` changed flags are left out. `mention` are messages whose flags are told in any case, `leave_out` the UIDs of those the client asked to
        hear nothing of (.SILENT).
        """
        return telling.updates(self, expunge=expunge, flags=flags, mention=mention, leave_out=leave_out)

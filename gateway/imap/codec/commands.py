"""Every command as a value: a frozen dataclass, the states it is allowed in, nothing else.

A table: one class per command of RFC 9051, RFC 3501 and the extensions named at each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Flag, auto
from typing import ClassVar, TypeAlias

from gateway.imap.codec.cursor import Literal
from gateway.imap.codec.fetchitems import Item
from gateway.imap.codec.searchkeys import Key
from gateway.imap.codec.sequence import SequenceSet


class State(Flag):
    """The states of a connection (RFC 9051 section 3)."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()
    LOGGED_IN = AUTHENTICATED | SELECTED
    ANY = NOT_AUTHENTICATED | LOGGED_IN


@dataclass(frozen=True, slots=True)
class Command:
    """What every command tells of itself."""

    states: ClassVar[State] = State.LOGGED_IN

    @property
    def by_number(self) -> bool:
        """Whether no EXPUNGE may be told with the answer: FETCH, STORE and SEARCH by sequence number (7.5.1)."""
        return False

    @property
    def uses_numbers(self) -> bool:
        """Whether the command speaks of messages by sequence number, which UIDONLY forbids (RFC 9586)."""
        return not getattr(self, "by_uid", True)


@dataclass(frozen=True, slots=True)
class AnyState(Command):
    """Commands that are always allowed."""

    states: ClassVar[State] = State.ANY


@dataclass(frozen=True, slots=True)
class BeforeLogin(Command):
    """Commands of the not authenticated state."""

    states: ClassVar[State] = State.NOT_AUTHENTICATED


@dataclass(frozen=True, slots=True)
class InMailbox(Command):
    """Commands of the selected state."""

    states: ClassVar[State] = State.SELECTED


# -- any state


@dataclass(frozen=True, slots=True)
class Capability(AnyState):
    """CAPABILITY (6.1.1)."""


@dataclass(frozen=True, slots=True)
class Noop(AnyState):
    """NOOP (6.1.2)."""


@dataclass(frozen=True, slots=True)
class Logout(AnyState):
    """LOGOUT (6.1.3)."""


@dataclass(frozen=True, slots=True)
class Id(AnyState):
    """ID (RFC 2971): what the client says of itself, names in lower case."""

    fields: tuple[tuple[str, str | None], ...]


# -- before login


@dataclass(frozen=True, slots=True)
class StartTLS(BeforeLogin):
    """STARTTLS (6.2.1)."""


@dataclass(frozen=True, slots=True)
class Authenticate(BeforeLogin):
    """AUTHENTICATE (6.2.2). `initial` is the first response, base64 decoded (RFC 4959), None if none was sent."""

    mechanism: str
    initial: bytes | None


@dataclass(frozen=True, slots=True)
class Login(BeforeLogin):
    """LOGIN (6.2.3)."""

    user: str
    password: str


# -- logged in


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """ENABLE (6.3.1): names in capitals."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QResync:
    """The parameter of SELECT (RFC 7162 3.2.5); the last two are the sequence match data, or empty."""

    uid_validity: int
    modseq: int
    known_uids: SequenceSet | None
    match_numbers: SequenceSet | None
    match_uids: SequenceSet | None


@dataclass(frozen=True, slots=True)
class Select(Command):
    """SELECT and EXAMINE (6.3.2, 6.3.3)."""

    mailbox: str
    read_only: bool
    condstore: bool = False
    qresync: QResync | None = None


@dataclass(frozen=True, slots=True)
class Create(Command):
    r"""CREATE (6.3.4), with USE (RFC 6154): attributes such as ``\Sent``."""

    mailbox: str
    use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete(Command):
    """DELETE (6.3.5)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """RENAME (6.3.6)."""

    mailbox: str
    to: str


@dataclass(frozen=True, slots=True)
class Subscribe(Command):
    """SUBSCRIBE (6.3.7)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Unsubscribe(Command):
    """UNSUBSCRIBE (6.3.8)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class List(Command):
    """LIST (6.3.9, RFC 5258). `extended`: the syntax of the extension was used. Options are in capitals.

    `status` and `metadata` are what RETURN (STATUS ...), (METADATA ...) list.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub(Command):
    """LSUB (RFC 3501 6.3.9)."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """NAMESPACE (6.3.10)."""


@dataclass(frozen=True, slots=True)
class Status(Command):
    """STATUS (6.3.11): items in capitals."""

    mailbox: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UrlPart:
    """A piece of a CATENATE: an IMAP URL (RFC 4469)."""

    url: str


MessagePart: TypeAlias = "Literal | UrlPart"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to append: its pieces, one unless CATENATE was used."""

    parts: tuple[MessagePart, ...]
    flags: tuple[str, ...]
    date: datetime | None
    catenate: bool = False


@dataclass(frozen=True, slots=True)
class Append(Command):
    """APPEND (6.3.12), of several messages (RFC 3502)."""

    mailbox: str
    messages: tuple[NewMessage, ...]


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """IDLE (6.3.13)."""


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """COMPRESS (RFC 4978)."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class Unauthenticate(Command):
    """UNAUTHENTICATE (RFC 8437)."""


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """GETQUOTA (RFC 9208 4.1.1)."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(Command):
    """GETQUOTAROOT (RFC 9208 4.1.2)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class SetQuota(Command):
    """SETQUOTA (RFC 9208 4.1.3)."""

    root: str
    limits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class GetAcl(Command):
    """GETACL (RFC 4314 3.3)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class SetAcl(Command):
    """SETACL (RFC 4314 3.1): `change` is ``+``, ``-`` or empty for "exactly these"."""

    mailbox: str
    identifier: str
    change: str
    rights: str


@dataclass(frozen=True, slots=True)
class DeleteAcl(Command):
    """DELETEACL (RFC 4314 3.2)."""

    mailbox: str
    identifier: str


@dataclass(frozen=True, slots=True)
class ListRights(Command):
    """LISTRIGHTS (RFC 4314 3.4)."""

    mailbox: str
    identifier: str


@dataclass(frozen=True, slots=True)
class MyRights(Command):
    """MYRIGHTS (RFC 4314 3.5)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class GetMetadata(Command):
    """GETMETADATA (RFC 5464 4.2); an empty mailbox is the server. `depth` None means infinity."""

    mailbox: str
    entries: tuple[str, ...]
    max_size: int | None = None
    depth: int | None = 0


@dataclass(frozen=True, slots=True)
class SetMetadata(Command):
    """SETMETADATA (RFC 5464 4.3); None removes an entry."""

    mailbox: str
    entries: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """Which mailboxes (RFC 5465 section 6, RFC 7377).

    SELECTED SELECTED-DELAYED INBOXES PERSONAL SUBSCRIBED SUBTREE SUBTREE-ONE MAILBOXES; the last three name some.
    """

    kind: str
    mailboxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events asked for in some mailboxes; `fetch` is the list of MessageNew. No events means NONE."""

    filter: MailboxFilter
    events: frozenset[str]
    fetch: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify(Command):
    """NOTIFY (RFC 5465); no groups means NONE."""

    groups: tuple[EventGroup, ...]
    status: bool = False


# -- selected


@dataclass(frozen=True, slots=True)
class Check(InMailbox):
    """CHECK (RFC 3501 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Close(InMailbox):
    """CLOSE (6.4.1)."""


@dataclass(frozen=True, slots=True)
class Unselect(InMailbox):
    """UNSELECT (6.4.2)."""


@dataclass(frozen=True, slots=True)
class Expunge(InMailbox):
    """EXPUNGE (6.4.3); with `uids` UID EXPUNGE (6.4.9)."""

    uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """RETURN of SEARCH and SORT (6.4.4, RFC 9394, RFC 5267).

    `wanted`: MIN MAX ALL COUNT SAVE PARTIAL UPDATE CONTEXT. `update` is what is fetched of new messages that match.
    """

    wanted: frozenset[str]
    partial: tuple[int, int] | None = None
    update: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Search(InMailbox):
    """SEARCH and UID SEARCH (6.4.4)."""

    key: Key
    by_uid: bool
    returns: ReturnOptions | None = None

    @property
    def by_number(self) -> bool:
        """SEARCH of any kind forbids EXPUNGE unless by UID (7.5.1)."""
        return not self.by_uid


@dataclass(frozen=True, slots=True)
class MultiSearch(Command):
    """ESEARCH (RFC 7377): UIDs of several mailboxes; no `sources` means the selected one."""

    sources: tuple[MailboxFilter, ...]
    key: Key
    returns: ReturnOptions | None = None


@dataclass(frozen=True, slots=True)
class Sort(InMailbox):
    """SORT and UID SORT (RFC 5256): criteria as (key, reversed)."""

    criteria: tuple[tuple[str, bool], ...]
    key: Key
    by_uid: bool
    returns: ReturnOptions | None = None

    @property
    def by_number(self) -> bool:
        """As for SEARCH."""
        return not self.by_uid


@dataclass(frozen=True, slots=True)
class CancelUpdate(InMailbox):
    """CANCELUPDATE (RFC 5267 4.3.5): the tags of searches whose results are no longer kept up to date."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thread(InMailbox):
    """THREAD and UID THREAD (RFC 5256)."""

    algorithm: str
    key: Key
    by_uid: bool

    @property
    def by_number(self) -> bool:
        """As for SEARCH."""
        return not self.by_uid


@dataclass(frozen=True, slots=True)
class Fetch(InMailbox):
    """FETCH and UID FETCH (6.4.5, RFC 7162 3.1.4, 3.2.6, RFC 9394)."""

    messages: SequenceSet
    items: tuple[Item, ...]
    by_uid: bool
    changed_since: int | None = None
    vanished: bool = False
    partial: tuple[int, int] | None = None

    @property
    def by_number(self) -> bool:
        """UID FETCH may be interrupted by EXPUNGE."""
        return not self.by_uid


@dataclass(frozen=True, slots=True)
class Store(InMailbox):
    """STORE and UID STORE (6.4.6, RFC 7162 3.1.3): `change` is ``+``, ``-`` or empty for "exactly these"."""

    messages: SequenceSet
    change: str
    flags: tuple[str, ...]
    silent: bool
    by_uid: bool
    unchanged_since: int | None = None

    @property
    def by_number(self) -> bool:
        """As for FETCH."""
        return not self.by_uid


@dataclass(frozen=True, slots=True)
class Copy(InMailbox):
    """COPY and UID COPY (6.4.7)."""

    messages: SequenceSet
    mailbox: str
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Move(InMailbox):
    """MOVE and UID MOVE (6.4.8)."""

    messages: SequenceSet
    mailbox: str
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Replace(InMailbox):
    """REPLACE and UID REPLACE (RFC 8508): `number` 0 means ``*``."""

    number: int
    mailbox: str
    message: NewMessage
    by_uid: bool


@dataclass(frozen=True, slots=True)
class UidBatches(InMailbox):
    """UIDBATCHES: the UIDs of the mailbox in batches of `size`, newest first; of these only `batches`, if given."""

    size: int
    batches: tuple[int, int] | None = None

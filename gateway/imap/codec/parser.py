"""The table of commands: a name, the reader of its arguments (RFC 9051 section 6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.imap.codec import commands as c
from gateway.imap.codec import parse_append, parse_fetch, parse_mailbox, parse_notify, parse_search
from gateway.imap.codec.cursor import PLAIN, Cursor, Dialect, lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parse_mailbox import one_mailbox
from gateway.imap.codec.parse_values import base64, sequence_set
from gateway.imap.codec.reader import Received

Read = Callable[[Cursor], c.Command]
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+\x7f-\xff]{1,64} ')
_NAME: Final = re.compile(rb"[A-Za-z0-9]{1,32}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=]+")
MAX_ID_FIELDS: Final = 30


@dataclass(frozen=True, slots=True)
class Request:
    """A command and the tag its answer will carry."""

    tag: str
    command: c.Command


def parse(received: Received, dialect: Dialect = PLAIN) -> Request:
    """A received command as a value. Raises ParseError, with the tag if there was one."""
    cursor = Cursor(received.fragments, received.literals, dialect)
    found = cursor.match(_TAG)
    if found is None:
        raise ParseError("expected a tag and a command")
    tag = found[0][:-1].decode("ascii")
    try:
        return Request(tag, _command(cursor))
    except ParseError as error:
        raise error.tagged(tag) from None


def _command(cursor: Cursor) -> c.Command:
    table = COMMANDS
    name = _name(cursor)
    if name == "UID":
        cursor.space()
        table, name = UID_COMMANDS, _name(cursor)
    read = table.get(name)
    if read is None:
        raise ParseError(f"unknown command {name}")
    command = read(cursor)
    cursor.finish()
    return command


def _name(cursor: Cursor) -> str:
    found = cursor.match(_NAME)
    if found is None:
        raise ParseError("expected a command")
    return found[0].decode("ascii").upper()


def _bare(kind: type[c.Command]) -> Read:
    """A command without arguments."""
    return lambda cursor: kind()


def _id(cursor: Cursor) -> c.Id:
    cursor.space()
    if cursor.peek() != b"(":
        cursor.nstring()
        return c.Id(())
    fields = cursor.items(_id_field, empty=True)
    if len(fields) > MAX_ID_FIELDS:
        raise ParseError("at most 30 fields are allowed in ID")  # RFC 2971 3.3
    return c.Id(fields)


def _id_field(cursor: Cursor) -> tuple[str, str | None]:
    name = lenient(cursor.string()).lower()
    cursor.space()
    value = cursor.nstring()
    return name, None if value is None else lenient(value)


def _authenticate(cursor: Cursor) -> c.Authenticate:
    cursor.space()
    mechanism = cursor.word()
    if not cursor.skip(b" "):
        return c.Authenticate(mechanism, None)
    found = cursor.match(_BASE64)
    return c.Authenticate(mechanism, base64(found[0] if found else b""))


def _login(cursor: Cursor) -> c.Login:
    cursor.space()
    user = cursor.text()
    cursor.space()
    return c.Login(user, cursor.text())


def _enable(cursor: Cursor) -> c.Enable:
    return c.Enable(tuple(name.upper() for name in _words(cursor)))


def _words(cursor: Cursor) -> list[str]:
    words = []
    while cursor.more():
        words.append(cursor.atom())
    if not words:
        raise ParseError("an argument is missing")
    return words


def _compress(cursor: Cursor) -> c.Compress:
    cursor.space()
    return c.Compress(cursor.word())


def _get_quota(cursor: Cursor) -> c.GetQuota:
    cursor.space()
    return c.GetQuota(cursor.text())


def _expunge_uids(cursor: Cursor) -> c.Expunge:
    cursor.space()
    return c.Expunge(sequence_set(cursor))


def _copy(cursor: Cursor, *, by_uid: bool) -> c.Copy:
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    return c.Copy(messages, cursor.mailbox(), by_uid)


def _move(cursor: Cursor, *, by_uid: bool) -> c.Move:
    copied = _copy(cursor, by_uid=by_uid)
    return c.Move(copied.messages, copied.mailbox, by_uid)


_RANGE: Final = re.compile(rb" ([1-9][0-9]{0,9}):([1-9][0-9]{0,9})")


def _uid_batches(cursor: Cursor) -> c.UidBatches:
    cursor.space()
    size = cursor.nz_number()
    found = cursor.match(_RANGE)
    if found is None:
        return c.UidBatches(size)
    first, last = int(found[1]), int(found[2])
    if first > last:
        raise ParseError("the range is reversed", code="CLIENTBUG")
    return c.UidBatches(size, (first, last))


COMMANDS: Final[dict[str, Read]] = {
    "APPEND": parse_append.append,
    "AUTHENTICATE": _authenticate,
    "CANCELUPDATE": parse_search.cancel_update,
    "CAPABILITY": _bare(c.Capability),
    "CHECK": _bare(c.Check),
    "CLOSE": _bare(c.Close),
    "COMPRESS": _compress,
    "COPY": lambda cursor: _copy(cursor, by_uid=False),
    "CREATE": parse_mailbox.create,
    "DELETE": one_mailbox(c.Delete),
    "DELETEACL": parse_mailbox.delete_acl,
    "ENABLE": _enable,
    "ESEARCH": parse_search.multisearch,
    "EXAMINE": lambda cursor: parse_mailbox.select(cursor, read_only=True),
    "EXPUNGE": _bare(c.Expunge),
    "FETCH": lambda cursor: parse_fetch.fetch(cursor, by_uid=False),
    "GETACL": one_mailbox(c.GetAcl),
    "GETMETADATA": parse_mailbox.get_metadata,
    "GETQUOTA": _get_quota,
    "GETQUOTAROOT": one_mailbox(c.GetQuotaRoot),
    "ID": _id,
    "IDLE": _bare(c.Idle),
    "LIST": parse_mailbox.list_,
    "LISTRIGHTS": parse_mailbox.list_rights,
    "LOGIN": _login,
    "LOGOUT": _bare(c.Logout),
    "LSUB": parse_mailbox.lsub,
    "MOVE": lambda cursor: _move(cursor, by_uid=False),
    "MYRIGHTS": one_mailbox(c.MyRights),
    "NAMESPACE": _bare(c.Namespace),
    "NOOP": _bare(c.Noop),
    "NOTIFY": parse_notify.notify,
    "RENAME": parse_mailbox.rename,
    "REPLACE": lambda cursor: parse_append.replace(cursor, by_uid=False),
    "SEARCH": lambda cursor: parse_search.search(cursor, by_uid=False),
    "SELECT": lambda cursor: parse_mailbox.select(cursor, read_only=False),
    "SETACL": parse_mailbox.set_acl,
    "SETMETADATA": parse_mailbox.set_metadata,
    "SETQUOTA": parse_mailbox.set_quota,
    "SORT": lambda cursor: parse_search.sort(cursor, by_uid=False),
    "STARTTLS": _bare(c.StartTLS),
    "STATUS": parse_mailbox.status,
    "STORE": lambda cursor: parse_fetch.store(cursor, by_uid=False),
    "SUBSCRIBE": one_mailbox(c.Subscribe),
    "THREAD": lambda cursor: parse_search.thread(cursor, by_uid=False),
    "UIDBATCHES": _uid_batches,
    "UNAUTHENTICATE": _bare(c.Unauthenticate),
    "UNSELECT": _bare(c.Unselect),
    "UNSUBSCRIBE": one_mailbox(c.Unsubscribe),
}

UID_COMMANDS: Final[dict[str, Read]] = {
    "COPY": lambda cursor: _copy(cursor, by_uid=True),
    "EXPUNGE": _expunge_uids,
    "FETCH": lambda cursor: parse_fetch.fetch(cursor, by_uid=True),
    "MOVE": lambda cursor: _move(cursor, by_uid=True),
    "REPLACE": lambda cursor: parse_append.replace(cursor, by_uid=True),
    "SEARCH": lambda cursor: parse_search.search(cursor, by_uid=True),
    "SORT": lambda cursor: parse_search.sort(cursor, by_uid=True),
    "STORE": lambda cursor: parse_fetch.store(cursor, by_uid=True),
    "THREAD": lambda cursor: parse_search.thread(cursor, by_uid=True),
}

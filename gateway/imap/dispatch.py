"""From a request to its answer: the table of commands, the state check, errors put into words.

The only `try` around commands is here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, TypeAlias
from uuid import uuid4

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway.imap.answers import Done, Goodbye, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.parser import Request
from gateway.imap.codec.write_status import highest_modseq, in_progress, status, untagged
from gateway.imap.commands import (
    acl,
    append,
    authenticate,
    capability,
    copying,
    create,
    enable,
    expunge,
    fetch,
    idle,
    leaving,
    metadata,
    multisearch,
    namespace,
    notify,
    quota,
    replace,
    search,
    select,
    session,
    sort,
    store,
    thread,
    uidbatches,
)
from gateway.imap.commands import (
    list as listing,
)
from gateway.imap.commands import (
    status as statuses,
)
from gateway.imap.connection import Connection, Selection, User
from gateway.imap.errors import Answer, answer_to
from gateway.mapi.errors import MapiError
from gateway.mapiclient.errors import TransportError

Reply: TypeAlias = AsyncIterator["bytes | Done"]
log: Final = Logger()

#: Commands that see the connection, those that need a user, those that need a selected mailbox.
FOR_CONNECTION: Final[dict[type[c.Command], Callable[[Connection, Any], Reply]]] = {
    c.Authenticate: authenticate.authenticate,
    c.Capability: capability.capability,
    c.Compress: session.compress,
    c.Id: capability.identify,
    c.Login: authenticate.login,
    c.Logout: session.logout,
    c.Noop: session.noop,
    c.StartTLS: session.start_tls,
    c.Unauthenticate: session.unauthenticate,
}

FOR_USER: Final[dict[type[c.Command], Callable[[User, Any], Reply]]] = {
    c.Append: append.append,
    c.Create: create.create,
    c.Delete: create.delete,
    c.DeleteAcl: acl.delete_acl,
    c.Enable: enable.enable,
    c.GetAcl: acl.get_acl,
    c.GetMetadata: metadata.get_metadata,
    c.GetQuota: quota.get_quota,
    c.GetQuotaRoot: quota.get_quota_root,
    c.Idle: idle.idle,
    c.List: listing.list_,
    c.ListRights: acl.list_rights,
    c.Lsub: listing.lsub,
    c.MyRights: acl.my_rights,
    c.MultiSearch: multisearch.multisearch,
    c.Namespace: namespace.namespace,
    c.Notify: notify.notify,
    c.Rename: create.rename,
    c.Select: select.select,
    c.SetAcl: acl.set_acl,
    c.SetMetadata: metadata.set_metadata,
    c.SetQuota: quota.set_quota,
    c.Status: statuses.status,
    c.Subscribe: create.subscribe,
    c.Unsubscribe: create.unsubscribe,
}

FOR_SELECTION: Final[dict[type[c.Command], Callable[[Selection, Any], Reply]]] = {
    c.CancelUpdate: search.cancel_update,
    c.Check: leaving.check,
    c.Close: leaving.close,
    c.Copy: copying.copy,
    c.Expunge: expunge.expunge,
    c.Fetch: fetch.fetch,
    c.Move: copying.move,
    c.Replace: replace.replace,
    c.Search: search.search,
    c.Sort: sort.sort,
    c.Store: store.store,
    c.Thread: thread.thread,
    c.UidBatches: uidbatches.uid_batches,
    c.Unselect: leaving.unselect,
}

#: Commands that may take long and whose answer has no part that INPROGRESS could break in two.
_SLOW: Final = (c.Append, c.Copy, c.Expunge, c.Move, c.Search, c.Select, c.Sort, c.Store, c.Thread)


async def answer(connection: Connection, request: Request) -> bool:
    """Carry a request out and send everything it says; whether the client did nothing wrong. Raises Goodbye.

    A login that is refused is wrong too: somebody may be guessing.
    """
    connection.tag = request.tag
    condstore = connection.condstore
    try:
        ending = await _carried_out(connection, request)
    except (CancelledError, Goodbye):
        raise
    except Exception as error:
        ending = answer_to(error, request.command)
        if ending.ours:
            ending = _reported(connection, request, error)
    wire = connection.wire
    await _tell_updates(connection, request.command)
    if connection.condstore and not condstore and not isinstance(request.command, c.Select):
        await wire.send(_highest_modseq(connection))
    await wire.send(status(request.tag, ending.kind, ending.words, ending.code))
    return ending.kind == "OK" or (ending.kind == "NO" and connection.user is not None)


async def _carried_out(connection: Connection, request: Request) -> Answer:
    command = request.command
    _check(connection, command)
    done = Done()
    stop = _progress(connection, request)
    try:
        async with aclosing(_reply(connection, command)) as reply:
            async for piece in reply:
                if isinstance(piece, Done):
                    done = piece
                else:
                    await connection.wire.send(piece)
    finally:
        stop()
    return Answer("OK", done.words or f"{type(command).__name__} completed", done.code)


def _reply(connection: Connection, command: c.Command) -> Any:
    if (here := FOR_CONNECTION.get(type(command))) is not None:
        return here(connection, command)
    user = connection.user
    if user is not None:
        if (logged_in := FOR_USER.get(type(command))) is not None:
            return logged_in(user, command)
        if user.selection is not None and (inside := FOR_SELECTION.get(type(command))) is not None:
            return inside(user.selection, command)
    raise StateError("The command is not supported")


def _check(connection: Connection, command: c.Command) -> None:
    """Raise StateError when the command is not allowed now."""
    if connection.state not in command.states:
        where = _WHERE.get(command.states, "in another state")
        raise StateError(f"The command is allowed {where} only")
    if connection.uid_only and command.uses_numbers:
        raise StateError("Message numbers are not used any more", "UIDREQUIRED")  # RFC 9586 section 3


_WHERE: Final = {
    c.State.NOT_AUTHENTICATED: "before login",
    c.State.LOGGED_IN: "after login",
    c.State.SELECTED: "in a selected mailbox",
}


def _progress(connection: Connection, request: Request) -> Callable[[], None]:
    seconds = connection.options.progress
    if not seconds or not isinstance(request.command, _SLOW):
        return lambda: None
    return connection.wire.every(seconds, lambda: connection.wire.write(in_progress(request.tag)))


async def _tell_updates(connection: Connection, command: c.Command) -> None:
    """What happened meanwhile comes before the tagged response (7.5.1: but no EXPUNGE with sequence numbers)."""
    user = connection.user
    if user is None:
        return
    try:
        async for piece in user.updates(expunge=not command.by_number):
            await connection.wire.send(piece)
    except (MapiError, TransportError) as error:
        log.info("{peer} could not be told what is new: {error}", peer=connection.wire.peer, error=error)


def _highest_modseq(connection: Connection) -> bytes:
    """What the first command that asks for mod-sequences is told of the selected mailbox (RFC 7162 3.1)."""
    user = connection.user
    if user is None or user.selection is None:
        return b""
    return highest_modseq(user.selection.told.known_modseq)


def _reported(connection: Connection, request: Request, error: Exception) -> Answer:
    """Log a bug with its traceback; the client gets the number under which it is found."""
    number = uuid4().hex[:12]
    log.failure(
        "{command} of {peer} failed ({number})",
        command=type(request.command).__name__,
        peer=connection.wire.peer,
        number=number,
    )
    return Answer("NO", f"Internal error {number}", "SERVERBUG")


def refusal(tag: str, error: Exception) -> bytes:
    """The answer to something that is no command."""
    found = answer_to(error)
    return status(tag or "*", found.kind, found.words, found.code)


def farewell(error: Goodbye) -> bytes:
    """``* BYE``."""
    return untagged("BYE", error.words, error.code)

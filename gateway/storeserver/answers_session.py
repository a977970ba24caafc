"""Answers about sessions: logon, logoff."""

from __future__ import annotations

from typing import Final

from gateway.mapi.errors import ErrorCode, InvalidParameter, LogonFailed, MapiError
from gateway.mapiclient.wire.calls_session import (
    GetLicenseAuth,
    GetLicenseAuthReply,
    Logoff,
    Logon,
    LogonReply,
    Result,
    SsoLogon,
    SsoLogonReply,
)
from gateway.storeserver import stores
from gateway.storeserver.accounts import Account, Actor
from gateway.storeserver.context import Anonymous, Context, Quick, Server
from gateway.storeserver.dispatch import anonymous, quick
from gateway.storeserver.sessions import COMPRESSION, UNICODE, Client, Session, granted

VERSION: Final = "0,11,0,2"
"""The version this server says it is: that of the Kopano server whose behaviour it has."""
OLDEST_VERSION: Final = 6
NO_UID_AUTH: Final = 1
NO_REGISTER_SESSION: Final = 2


@anonymous(Logon)
async def logon(context: Anonymous, call: Logon) -> LogonReply:
    """Open a session for a user who proves who he is."""
    server = context.server
    capabilities = granted(call.capabilities)
    if not call.capabilities & UNICODE:
        return LogonReply(int(ErrorCode.BAD_CHARWIDTH))
    try:
        _check(call)
        account, actor = await server.credentials.log_on(
            call.username or "",
            call.password or "",
            call.impersonate_user or "",
            context.peer,
            # Without the element nobody is trusted without a password.
            use_uid=call.impersonate_user is not None and not call.flags & NO_UID_AUTH,
        )
    except MapiError as error:
        return LogonReply(error.code, 0, VERSION, capabilities)
    number, capabilities = _open(context, call, account, actor, capabilities)
    return LogonReply(0, number, VERSION, capabilities, b"", server.database.guid)


def _open(
    context: Anonymous, call: Logon, account: Account, actor: Actor, capabilities: int
) -> tuple[int, int]:
    """The id of the new session, and its capabilities."""
    server = context.server
    if call.flags & NO_REGISTER_SESSION:
        return server.sessions.new_id(call.capabilities), capabilities
    client = Client(
        call.version or "", call.client_app or "", call.client_app_version or "", call.client_app_misc or ""
    )
    session = server.sessions.open(
        actor, account.name, call.capabilities, call.session_group, context.peer, client
    )
    if server.options.compression and call.capabilities & COMPRESSION and not context.peer.is_local:
        session.compressed = True
        capabilities |= COMPRESSION
    server.notifier.join(session)
    _note(server, session)
    return session.id, capabilities


def _check(call: Logon) -> None:
    if call.username is None or call.password is None:
        raise LogonFailed("user name and password must be present")
    parts = [part.strip() for part in (call.version or "").split(",")]
    if len(parts) > 1 and all(part.isdecimal() for part in parts):
        general = parts[1] if parts[0] == "0" else parts[0]
        if int(general[:9]) < OLDEST_VERSION:
            raise InvalidParameter("the client is too old", code=ErrorCode.INVALID_VERSION)


def _note(server: Server, session: Session, *, logoff: bool = False) -> None:
    """Write down when a user came or went, when the writer has time for it."""
    user = session.actor.user_id
    if session.actor.is_system or not server.note_logon(user, logoff=logoff):
        return

    def write(context: Context) -> None:
        stores.note_logon(context.tx, user, logoff=logoff)

    server.in_background(session, write)


@anonymous(SsoLogon)
def sso_logon(context: Anonymous, call: SsoLogon) -> SsoLogonReply:
    """Single sign-on is not offered."""
    return SsoLogonReply(int(ErrorCode.LOGON_FAILED))


@quick(Logoff)
def logoff(context: Quick, call: Logoff) -> Result:
    """End the session and all it holds."""
    _note(context.server, context.session, logoff=True)
    context.server.sessions.close(context.session)
    return Result()


@quick(GetLicenseAuth)
def get_license_auth(context: Quick, call: GetLicenseAuth) -> GetLicenseAuthReply:
    """There are no licences; success for anything."""
    return GetLicenseAuthReply()

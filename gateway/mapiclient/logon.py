"""Logging on: what the gateway says to a store server about itself and its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.mapi.errors import ErrorCode, LogonFailed, error_of
from gateway.mapiclient.address import Server
from gateway.mapiclient.credentials import AnyCredentials, Token, Trusted
from gateway.mapiclient.options import SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.wire.calls_session import Logoff, Logon, LogonReply, SsoLogon, SsoLogonReply
from gateway.mapiclient.wire.errors import WireError

#: Capability bits of a client (``ulCapabilities``).
COMPRESSION: Final = 0x0001
MAILBOX_OWNER: Final = 0x0002
LARGE_SESSIONID: Final = 0x0010
MULTI_SERVER: Final = 0x0040
ENHANCED_ICS: Final = 0x0100
UNICODE: Final = 0x0200
MSGLOCK: Final = 0x0400
MAX_ABCHANGEID: Final = 0x2000
EXTENDED_ANON: Final = 0x4000
GIFN32: Final = 0x8000
CAPABILITIES: Final = (
    MAILBOX_OWNER | LARGE_SESSIONID | MULTI_SERVER | ENHANCED_ICS | UNICODE | MSGLOCK | MAX_ABCHANGEID
    | EXTENDED_ANON | GIFN32
)  # fmt: skip
#: Flags of logon.
NO_UID_AUTH: Final = 1
NO_REGISTER_SESSION: Final = 2
#: What marks the input of ssoLogon as an OpenID Connect token.
_OIDC: Final = b"KCOIDC"


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that a server has opened."""

    session_id: int
    server_guid: bytes
    capabilities: int
    version: str


async def log_on(
    pool: Pool,
    server: Server,
    credentials: AnyCredentials,
    options: SessionOptions,
    *,
    group: int = 0,
    proof_only: bool = False,
    turn: str = "",
    application: str = "",
) -> Opened:
    """Open a session; with ``proof_only`` only ask whether the credentials are right.

    Passwords are sent in a way that makes the server look at them: without the trust it may have in the
    gateway's Unix user (NO_UID_AUTH) or certificate (`Server.trusted`). Raises LogonFailed, TransportError.
    """
    server = server.as_trusted(credentials.trusted)
    capabilities = CAPABILITIES | (COMPRESSION if pool.options.compression else 0)
    try:
        if isinstance(credentials, Token):
            reply = await _by_token(pool, server, credentials, options, capabilities, group, turn, application)
            if proof_only and reply.er == 0:
                await pool.call(server, Logoff(), session_id=reply.session_id, turn=turn, repeat=True)
        else:
            call = _logon_call(credentials, options, capabilities, group, proof_only, application)
            reply = await pool.call(server, call, turn=turn, repeat=True)
    except WireError as error:
        raise LogonFailed(f"{credentials.user!r} or the password cannot be sent: {error}") from error
    if reply.er == ErrorCode.LOGON_FAILED:
        raise LogonFailed(f"the store refused user {credentials.user!r}", call="logon")
    problem = error_of(reply.er, "logon")
    if problem is not None:
        raise problem
    return Opened(reply.session_id, reply.server_guid, reply.capabilities, reply.version or "")


def _logon_call(
    credentials: AnyCredentials,
    options: SessionOptions,
    capabilities: int,
    group: int,
    proof_only: bool,
    application: str,
) -> Logon:
    admin = credentials.admin if isinstance(credentials, Trusted) else ""
    return Logon(
        username=admin or credentials.user,
        password="" if credentials.trusted else credentials.secret,
        impersonate_user=credentials.user if admin else "",
        version=options.client_version,
        capabilities=capabilities,
        flags=(0 if credentials.trusted else NO_UID_AUTH) | (NO_REGISTER_SESSION if proof_only else 0),
        session_group=group,
        client_app=options.client_app,
        client_app_version=options.client_version,
        client_app_misc=application,
    )


async def _by_token(
    pool: Pool,
    server: Server,
    token: Token,
    options: SessionOptions,
    capabilities: int,
    group: int,
    turn: str,
    application: str,
) -> LogonReply | SsoLogonReply:
    call = SsoLogon(
        username=token.user,
        input=_OIDC + token.token.encode(),
        client_version=options.client_version,
        client_caps=capabilities,
        session_group=group,
        client_app=options.client_app,
        client_app_version=options.client_version,
        client_app_misc=application,
    )
    return await pool.call(server, call, turn=turn, repeat=True)

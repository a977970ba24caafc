"""Calls about sessions: logon, single sign-on, logoff, licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapiclient.wire.schema import (
    Call,
    binary,
    maybe_binary,
    text,
    uint,
    ulong,
)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of calls that only succeed or fail."""

    er: Annotated[int, uint("result")] = 0


@dataclass(frozen=True, slots=True)
class LogonReply:
    """A session, or LOGON_FAILED."""

    er: Annotated[int, uint("er")] = 0
    session_id: Annotated[int, ulong("ulSessionId")] = 0
    version: Annotated[str | None, text("lpszVersion")] = None
    capabilities: Annotated[int, uint("ulCapabilities")] = 0
    license_response: Annotated[bytes, binary("sLicenseResponse")] = b""
    server_guid: Annotated[bytes, binary("sServerGuid")] = b""


@dataclass(frozen=True, slots=True)
class Logon(Call[LogonReply]):
    """Authenticate and open a session. ``impersonate_user`` must be present, empty when unused."""

    name: ClassVar = "logon"
    session_element: ClassVar = ""
    username: Annotated[str | None, text("szUsername")]
    password: Annotated[str | None, text("szPassword")]
    impersonate_user: Annotated[str | None, text("szImpersonateUser")] = ""
    version: Annotated[str | None, text("szVersion")] = ""
    capabilities: Annotated[int, uint("ulCapabilities")] = 0
    flags: Annotated[int, uint("ulFlags")] = 0
    license_req: Annotated[bytes, binary("sLicenseReq")] = b""
    session_group: Annotated[int, ulong("ullSessionGroup")] = 0
    client_app: Annotated[str | None, text("szClientApp")] = ""
    client_app_version: Annotated[str | None, text("szClientAppVersion")] = ""
    client_app_misc: Annotated[str | None, text("szClientAppMisc")] = ""


@dataclass(frozen=True, slots=True)
class SsoLogonReply:
    """A session, or SSO_CONTINUE with the next token."""

    er: Annotated[int, uint("er")] = 0
    session_id: Annotated[int, ulong("ulSessionId")] = 0
    version: Annotated[str | None, text("lpszVersion")] = None
    capabilities: Annotated[int, uint("ulCapabilities")] = 0
    output: Annotated[bytes | None, maybe_binary("lpOutput")] = None
    license_response: Annotated[bytes, binary("sLicenseResponse")] = b""
    server_guid: Annotated[bytes, binary("sServerGuid")] = b""


@dataclass(frozen=True, slots=True)
class SsoLogon(Call[SsoLogonReply]):
    """One step of a single sign-on; its session id is 0 at first, then that of the last answer."""

    name: ClassVar = "ssoLogon"
    username: Annotated[str | None, text("szUsername")]
    impersonate_user: Annotated[str | None, text("szImpersonateUser")] = ""
    input: Annotated[bytes | None, maybe_binary("lpInput")] = None
    client_version: Annotated[str | None, text("clientVersion")] = ""
    client_caps: Annotated[int, uint("clientCaps")] = 0
    license_req: Annotated[bytes, binary("sLicenseReq")] = b""
    session_group: Annotated[int, ulong("ullSessionGroup")] = 0
    client_app: Annotated[str | None, text("szClientApp")] = ""
    client_app_version: Annotated[str | None, text("szClientAppVersion")] = ""
    client_app_misc: Annotated[str | None, text("szClientAppMisc")] = ""


@dataclass(frozen=True, slots=True)
class Logoff(Call[Result]):
    """Close the session; its tables and subscriptions go with it."""

    name: ClassVar = "logoff"


@dataclass(frozen=True, slots=True)
class GetLicenseAuthReply:
    """The licence server's word."""

    auth_response: Annotated[bytes, binary("sAuthResponse")] = b""
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class GetLicenseAuth(Call[GetLicenseAuthReply]):
    """Opaque licence handshake."""

    name: ClassVar = "getLicenseAuth"
    auth_data: Annotated[bytes, binary("sAuthData")] = b""

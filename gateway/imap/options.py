"""What an administrator may choose about IMAP: section ``[imap]`` of the configuration."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.units import Duration, Size


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the IMAP head."""

    plaintext_login: Literal["always", "loopback", "never"] = "loopback"
    """From where passwords are taken without TLS; elsewhere LOGINDISABLED is announced."""
    name: str = "mapi-gateway"
    """The name that ID tells and the greeting shows ("" = neither)."""
    idle: bool = True
    """Offer IDLE and NOTIFY."""
    compress: bool = True
    """Offer COMPRESS=DEFLATE."""
    non_sync_literals: Literal["small", "any"] = "any"
    """Literals without asking: LITERAL- (4 KiB) or LITERAL+ after login; before login it is always LITERAL-."""
    expunge_on_delete: bool = False
    r"""Remove a message as soon as it is marked \Deleted."""
    quirks: Literal["auto", "none"] = "auto"
    """Whether clients that name themselves by ID are treated as the table of quirks says."""
    commands_in_idle: bool = False
    """Take a command during IDLE as the end of IDLE, for every client."""
    login_timeout: Duration = Duration(60)
    """How long a client may take to log in."""
    idle_timeout: Duration = Duration(1800)
    """Autologout after this long without a command (RFC 9051 5.4 asks for 30 minutes or more)."""
    write_timeout: Duration = Duration(300)
    """How long a client may take no answer in before it is dropped."""
    keepalive: Duration = Duration(120)
    """How often a client in IDLE is told that the connection lives (0 = never)."""
    progress: Duration = Duration(10)
    """How often a long command says that it goes on (0 = never)."""
    max_bad_commands: int = 20
    """Errors of the client in a row before the connection is closed."""
    max_line: Size = Size(256 * 1024)
    """Longest command, literals not counted; before login it is 16 KiB."""
    max_literal: Size = Size(1 << 20)
    """Largest literal that is no message."""
    max_message: Size = Size(128 << 20)
    """Largest message that APPEND takes, announced as APPENDLIMIT."""
    max_upload: Size = Size(512 << 20)
    """All messages of one APPEND together."""
    spool_above: Size = Size(256 * 1024)
    """A larger message is kept in a file while it arrives."""
    message_limit: int = 0
    """Messages that one command works on, announced as MESSAGELIMIT; clients that do not know it see only so many
    (0 = any number)."""
    max_fetch_memory: Size = Size(1 << 20)
    """A larger message is read piece by piece while it is sent."""

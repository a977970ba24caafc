"""What an administrator may choose about POP3: section ``[pop3]`` of the configuration."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.units import Duration, Size


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the POP3 head; the defaults are what RFC 1939 clients expect."""

    plaintext_login: Literal["always", "loopback", "never"] = "loopback"
    """From where USER/PASS and AUTH are taken without TLS."""
    mailbox: str = "INBOX"
    """The folder that is the maildrop when the user name carries no ``+folder``."""
    folder_separator: str = "+"
    """What parts user and folder in a login name ("" = never look for one)."""
    uidl: Literal["uid", "kopano"] = "uid"
    """Unique ids: UIDVALIDITY and UID, or the entry id as Kopano's own gateway gives it."""
    mark_read: bool = False
    """Mark a message read once RETR has sent it."""
    keep: Duration = Duration(0)
    """DELE of a message younger than this leaves it in the store (0 = delete at once)."""
    delete: Literal["soft", "hard"] = "soft"
    """Whether a deleted message can be restored by the user."""
    exclusive: bool = False
    """One session per maildrop and gateway process; a second one is told [IN-USE]."""
    login_delay: Duration = Duration(0)
    """Least time between two logins of a user, announced in CAPA (0 = none)."""
    idle_timeout: Duration = Duration(600)
    """Autologout after this long without a command (RFC 1939 asks for 10 minutes or more)."""
    login_timeout: Duration = Duration(60)
    """How long a client may take to log in."""
    write_timeout: Duration = Duration(300)
    """How long a client may take no answer in before it is dropped."""
    max_bad_commands: int = 20
    """Errors of the client in a row before the connection is closed."""
    max_line: Size = Size(512)
    """Longest command line; AUTH may send up to 16 KiB."""
    max_messages: int = 200_000
    """Messages a maildrop may show; the newest ones are left out."""
    implementation: str = "mapi-gateway"
    """The name in CAPA's IMPLEMENTATION ("" = none)."""

"""What may be chosen about any server that takes mail."""

from __future__ import annotations

import msgspec

from gateway.units import Duration, Size


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a server that takes mail."""

    max_message: Size = Size(128 << 20)
    """Largest mail that is taken, announced as SIZE."""
    max_recipients: int = 1000
    """Recipients of one mail."""
    max_line: Size = Size(4096)
    """Longest command."""
    max_bad_commands: int = 20
    """Refused commands before the connection is closed."""
    idle_timeout: Duration = Duration(300)
    """How long a client may send nothing (RFC 5321 4.5.3.2.7 asks for 5 minutes)."""
    mail_timeout: Duration = Duration(1800)
    """How long the data of one mail may take to arrive."""
    spool_above: Size = Size(1 << 20)
    """A larger mail is kept in a file while it arrives."""
    memory: Size = Size(64 << 20)
    """Octets of mail that are worked on at the same time; a mail waits for its share, a larger one is alone."""

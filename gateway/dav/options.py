"""What an administrator may choose about CalDAV and CardDAV: section ``[dav]`` of the configuration."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.units import Duration, Size


def is_zone(name: str) -> bool:
    """Whether a time zone has this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the DAV head."""

    plaintext_login: Literal["always", "loopback", "never"] = "loopback"
    """From where passwords are taken without TLS."""
    realm: str = "Calendars and contacts"
    """What clients show when they ask for the password."""
    threads: int = 4
    """Requests that are worked on at the same time."""
    max_waiting: int = 200
    """Requests that may wait for a thread; more are told to come again (503)."""
    request_timeout: Duration = Duration(60)
    """How long the store may take for one step of a request."""
    idle_timeout: Duration = Duration(120)
    """How long a connection may be silent."""
    max_request: Size = Size(16 << 20)
    """Largest request body, events and contacts included."""
    max_attachment: Size = Size(32 << 20)
    """Largest attachment that is added to an event."""
    max_results: int = 10_000
    """Most items in one answer; a client that asks for more is told so (507)."""
    cached_items: int = 200_000
    """Items of all collections together whose hrefs and ETags are kept in memory."""
    cached_text: Size = Size(32 << 20)
    """Converted events and contacts that are kept in memory."""
    timezone: str = ""
    """Zone of all-day events and floating times, e.g. "Europe/Berlin" ("" = the machine's own)."""
    others: bool = True
    """Show the folders of other users that they allow to be read."""
    public: bool = True
    """Show the calendars and contacts of the public store."""
    directory: bool = True
    """Show the global address book as a read-only address book."""
    max_directory: int = 5000
    """Entries of the global address book that are listed and searched."""
    scheduling: bool | Literal["auto"] = "auto"
    """Send invitations and answers for the users: always, never, or "auto" (when this gateway empties the outgoing queue)."""
    push: bool = False
    """Tell clients of changes through the push services that they name (WebDAV-Push); the gateway connects to these."""
    push_private: bool = False
    """Allow push services on private and local addresses, too: for sites with a push service of their own."""
    push_ca_file: str = ""
    """PEM file of the authorities that may sign push services' certificates ("" = the system's)."""

    @property
    def max_resource(self) -> int:
        """Bytes of the largest item that is taken."""
        return self.max_request * 4 // 5

"""What an administrator may choose about delivery: section ``[lmtp]`` of the configuration."""

from __future__ import annotations

from gateway.smtp.options import ServerOptions
from gateway.units import Duration


class Options(ServerOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the LMTP head."""

    clients: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks from which mail is taken; local sockets always may. Whoever may deliver is believed."""
    domains: tuple[str, ...] = ()
    """Domains whose local parts are login names, beside the addresses that the address book has."""
    separator: str = "+"
    """What separates a mailbox from a folder in addresses, user+folder@domain ("" = there are no such addresses)."""
    recipient_cache: Duration = Duration(20)
    """How long is known of a recipient what the store told (address, folders, rules, out of office)."""
    duplicates: Duration = Duration(600)
    """How long a Message-ID is remembered: a second mail with it to the same recipient is dropped (0 = never)."""
    max_received: int = 100
    """More Received fields than this are a loop (RFC 5321 6.3)."""
    spam: tuple[str, ...] = ("X-Spam-Flag: yes", "X-Spam-Status: yes", "X-Spam: yes")
    """Header fields that send a mail to the junk folder: name, and how the value begins, in any case."""
    rules: bool = True
    """Obey the rules of the Inbox."""
    forwarding: bool = True
    """Obey rules that send mail out of the house; their folders are obeyed anyway."""
    vacation: bool = True
    """Send the out of office answers that users have switched on."""
    vacation_period: Duration = Duration(7 * 86400)
    """How long a sender who got such an answer gets no other."""
    parallel: int = 8
    """Recipients of one mail that are served at the same time."""

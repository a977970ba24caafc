"""What an administrator may choose about sending: section ``[submission]`` of the configuration."""

from __future__ import annotations

from typing import Literal

from gateway.smtp.options import ServerOptions
from gateway.units import Duration


class Options(ServerOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of submission, the smarthost, and the outgoing queue."""

    smarthost: str = "127.0.0.1:25"
    """Where mail is handed to: host:port."""
    smarthost_protocol: Literal["smtp", "lmtp"] = "smtp"
    """What is spoken there: "lmtp" to what delivers and sends nothing on, this gateway's own [lmtp] for example."""
    smarthost_tls: Literal["none", "opportunistic", "starttls", "implicit"] = "none"
    """TLS to the smarthost: "starttls" and "implicit" send nothing without, to a certificate that is valid for its name."""
    smarthost_ca_file: str = ""
    """PEM file of the authorities that may sign the smarthost's certificate ("" = the system's)."""
    smarthost_user: str = ""
    """Login name at the smarthost ("" = none is needed)."""
    smarthost_password: str = ""
    """Password there."""
    smarthost_timeout: Duration = Duration(300)
    """How long the smarthost may take for an answer (RFC 5321 4.5.3.2 asks for minutes)."""
    connections: int = 5
    """Connections to the smarthost, and queued mails that are worked on at the same time."""
    plaintext_login: Literal["always", "loopback", "never"] = "loopback"
    """From where passwords are taken without TLS."""
    sent_items: bool = False
    """File what users submit in their Sent Items (most clients do that themselves)."""
    queue: bool = True
    """Send what MAPI clients and delivery put into the store's outgoing queue. Needs a store that trusts the gateway."""
    queue_interval: Duration = Duration(5)
    """How often the queue is looked at where the store does not tell of new mail in it; else once a minute."""
    retry: Duration = Duration(60)
    """How long a mail that the smarthost did not take waits; it doubles with each try."""
    retry_longest: Duration = Duration(3600)
    """The longest that it waits."""
    delay_notice: Duration = Duration(4 * 3600)
    """When the sender is told that a mail still waits (0 = never)."""
    give_up: Duration = Duration(5 * 86400)
    """When it is returned to its sender (RFC 5321 4.5.4.1 asks for 4 to 5 days)."""

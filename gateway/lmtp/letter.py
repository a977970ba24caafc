"""A mail as delivery passes it on: what came, and the message it becomes."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.lmtp.mail import Incoming
from gateway.mapi.content import MessageContent


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail and the message it becomes."""

    incoming: Incoming
    content: MessageContent
    is_spam: bool

"""Addresses of attachments in the texts of items (RFC 8607 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent


def managed_id(props: Any) -> str:
    """The MANAGED-ID of an attachment, "" when it has none."""
    key = props.get(pr.PR_RECORD_KEY)
    return key.hex() if isinstance(key, bytes) else ""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the attachments of one item; ``base`` is the collection's URL with a slash at the end."""

    base: str
    content: MessageContent

    def __call__(self, attachment: AttachmentContent) -> tuple[str, str] | None:
        """Address and MANAGED-ID; None for what only an instance has, or what has no key."""
        key, own = managed_id(attachment.props), self.content.props.get(pr.PR_SOURCE_KEY)
        if not key or not own or not any(each is attachment for each in self.content.attachments):
            return None
        name = attachment.props.get(pr.PR_ATTACH_LONG_FILENAME) or attachment.props.get(pr.PR_ATTACH_FILENAME)
        return f"{self.base}{own.hex()}.ics/{key}/{quote(name or 'attachment', safe='')}", key

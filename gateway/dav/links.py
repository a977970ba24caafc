"""Addresses of attachments in the texts of items (RFC 8607 4)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gateway.convert.ical.files import managed_id
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the attachments of one item; ``base`` is the collection's URL with a slash at the end."""

    base: str
    content: MessageContent

    def __call__(self, attachment: AttachmentContent) -> tuple[str, str] | None:
        """Address and MANAGED-ID; None for what has no key. An item that is not stored yet gives no real address."""
        key, own = managed_id(attachment.props), self.content.props.get(pr.PR_SOURCE_KEY) or b""
        if not key:
            return None
        name = attachment.props.get(pr.PR_ATTACH_LONG_FILENAME) or attachment.props.get(pr.PR_ATTACH_FILENAME)
        return f"{self.base}{own.hex()}.ics/{key}/{quote(name or 'attachment', safe='')}", key

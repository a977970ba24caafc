"""Files that go with invitations: those of the item, as far as a mail can carry them (RFC 8607 3.12.6, RFC 6047)."""

from __future__ import annotations

from typing import Final

from gateway.convert.ical.files import managed_id
from gateway.convert.ical.instancefiles import files_of
from gateway.convert.lines import Line
from gateway.mapi.content import AttachmentContent, Blob, MessageContent

#: Bytes of all files of one message; mail servers refuse mails of much more, and then nobody would be invited.
MOST: Final = 10 << 20


class Enclosed:
    """Gives the files that the text of a message names by MANAGED-ID; None for those that stay links."""

    def __init__(self, item: MessageContent) -> None:
        self._files = {managed_id(each.props): each for each in files_of(item)}
        self._left = MOST

    def __call__(self, line: Line) -> AttachmentContent | None:
        """A copy of a file, None when the item has no such file, or there is no room for it."""
        found = self._files.get(line.param("MANAGED-ID"))
        if found is None or found.data is None:
            return None
        size = found.data.size if isinstance(found.data, Blob) else len(found.data)
        if size > self._left:
            return None
        self._left -= size
        return AttachmentContent(dict(found.props), found.data)

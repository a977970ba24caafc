"""Files of a meeting at its guests: the organizer's follow his messages, a guest's own stay (RFC 8607 3.12.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.samefile import is_same
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_BOOLEAN, NamedTag, PropName

#: Marks a file that came with an invitation, and goes when a later one lacks it.
FROM_ORGANIZER: Final = NamedTag(PropName(PSETID_Gateway, "from-organizer"), PT_BOOLEAN)


def merged(own: Sequence[AttachmentContent], sent: Sequence[AttachmentContent]) -> list[AttachmentContent]:
    """The files of a guest's item after an invitation that came with ``sent``."""
    left = list(sent)
    found: list[AttachmentContent] = []
    for file in own:
        same = next((each for each in left if is_same(file, each)), None)
        if same is not None:
            left.remove(same)
        if same is not None or not file.props.get(FROM_ORGANIZER):
            found.append(file)
    return found + [_marked(each) for each in left]


def _marked(file: AttachmentContent) -> AttachmentContent:
    return AttachmentContent({**file.props, FROM_ORGANIZER: True}, file.data, file.embedded)


def instances_with_files(
    own: Sequence[AttachmentContent], sent: Sequence[AttachmentContent]
) -> list[AttachmentContent]:
    """The modified instances of an invitation, each with the files that the guest has of it."""
    before = {_original(each): each.embedded for each in own if is_exception(each)}
    return [_with_files(each, before.get(_original(each))) for each in sent if is_exception(each)]


def _original(exception: AttachmentContent) -> object:
    return exception.embedded.props.get(ids.REPLACE_TIME) if exception.embedded is not None else None


def _with_files(exception: AttachmentContent, before: MessageContent | None) -> AttachmentContent:
    new = exception.embedded
    if new is None or (not new.attachments and (before is None or not before.attachments)):
        return exception
    files = merged(before.attachments if before is not None else [], new.attachments)
    return AttachmentContent(exception.props, exception.data, MessageContent(new.props, new.recipients, files))

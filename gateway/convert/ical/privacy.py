"""What others see of a private item: when it is and how busy its owner is then, nothing else (MS-OXOCAL 3.1.5.5)."""

from __future__ import annotations

from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.marks import is_private
from gateway.convert.ical.options import Options
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps, PropKey

SUBJECT: Final = "Private Appointment"
_SHOWN: Final[frozenset[PropKey]] = frozenset(
    [
        pt.PR_MESSAGE_CLASS, pt.PR_SENSITIVITY, pt.PR_START_DATE, pt.PR_END_DATE, pt.PR_SOURCE_KEY, pt.PR_ENTRYID,
        pt.PR_SEARCH_KEY, pt.PR_CREATION_TIME, pt.PR_LAST_MODIFICATION_TIME, ids.PRIVATE, ids.SEQUENCE, ids.BUSY_STATUS,
        ids.START, ids.END, ids.DURATION, ids.ALL_DAY, ids.RECUR, ids.RECURRING, ids.REPLACE_TIME, ids.RECURRENCE_TYPE,
        ids.ZONE_STRUCT, ids.ZONE_NAME, ids.END_ZONE_NAME, ids.ZONE_START, ids.ZONE_END, ids.ZONE_RECUR, ids.CLIP_START, ids.CLIP_END,
        ids.GLOBAL_ID, ids.CLEAN_GLOBAL_ID, ids.IS_EXCEPTION, ids.IS_RECURRING, ids.OWNER_CHANGE, ids.COMMON_START,
        ids.COMMON_END, ids.TASK_START, ids.TASK_DUE, ids.TASK_STATUS, ids.TASK_COMPLETE,
    ]
)  # fmt: skip
_EXCEPTION_PROPS: Final = frozenset(
    (
        pt.PR_ATTACH_METHOD,
        pt.PR_EXCEPTION_STARTTIME,
        pt.PR_EXCEPTION_ENDTIME,
        pt.PR_EXCEPTION_REPLACETIME,
        pt.PR_ATTACHMENT_FLAGS,
    )
)


def shown(content: MessageContent, options: Options) -> MessageContent:
    """The item as its reader may see it."""
    if options.sees_private:
        return content
    if is_private(content.props):
        return _redacted(content)
    return MessageContent(
        content.props, content.recipients, [_shown_exception(one, options) for one in content.attachments]
    )


def hides(content: MessageContent, options: Options) -> bool:
    """Whether the reader sees less than everything of an item, and so must not write it."""
    return not options.sees_private and is_private(content.props)


def _redacted(content: MessageContent) -> MessageContent:
    props: NamedProps = {key: value for key, value in content.props.items() if key in _SHOWN}
    props[pt.PR_SUBJECT] = SUBJECT
    exceptions = [one for one in content.attachments if is_exception(one)]
    return MessageContent(props, [], [_redacted_exception(one) for one in exceptions])


def _redacted_exception(attachment: AttachmentContent) -> AttachmentContent:
    embedded = attachment.embedded
    props: NamedProps = {key: value for key, value in attachment.props.items() if key in _EXCEPTION_PROPS}
    return AttachmentContent(props, None, _redacted(embedded) if embedded is not None else None)


def _shown_exception(attachment: AttachmentContent, options: Options) -> AttachmentContent:
    embedded = attachment.embedded
    if embedded is None or not is_exception(attachment) or not hides(embedded, options):
        return attachment
    return _redacted_exception(attachment)

"""A whole contact: every slot of it, and a card read into it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from gateway.convert.vcard.card import Card
from gateway.convert.vcard.dates import export_dates, take_dates
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.emails import export_emails, settle_emails, take_emails
from gateway.convert.vcard.names import export_names, full_name, settle_names, take_names
from gateway.convert.vcard.options import Options
from gateway.convert.vcard.phones import export_phones, take_phones
from gateway.convert.vcard.photo import export_keys, export_photo, take_keys, take_photo
from gateway.convert.vcard.postal import export_addresses, take_addresses
from gateway.convert.vcard.retained import retain
from gateway.convert.vcard.slots import Slot, filled
from gateway.convert.vcard.texts import export_texts, take_texts
from gateway.convert.vcard.uid import put_uid
from gateway.convert.vcard.web import export_web, take_web
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent

CLASS = "IPM.Contact"
_ICON = 0x200


def slots_of(content: MessageContent, version: str, options: Options) -> dict[str, Slot]:
    """Everything a card of this version holds of a contact."""
    return filled(_slots(content, version, options))


def _slots(content: MessageContent, version: str, options: Options) -> Iterator[Slot]:
    yield from export_names(content, version, options)
    yield from export_emails(content, version, options)
    yield from export_phones(content, version)
    yield from export_addresses(content, version)
    yield from export_texts(content, version)
    yield from export_web(content, version)
    yield from export_dates(content, version, options)
    yield from export_keys(content, version)
    yield from export_photo(content, version)


def copied(content: MessageContent | None) -> MessageContent:
    """A copy whose properties and lists may be changed; attachments and recipients are the same objects."""
    if content is None:
        return MessageContent()
    return MessageContent(dict(content.props), copy(content.recipients), copy(content.attachments))


def read_contact(card: Card, existing: MessageContent | None, options: Options) -> MessageContent:
    """A card as a contact, merged into the one that is there."""
    version = "4.0" if card.version == "4.0" else "3.0"
    content = copied(existing)
    old = slots_of(content, version, options) if existing is not None else {}
    old_name = full_name(content, options) if existing is not None else ""
    draft = Draft(card, content, old, options)
    put_uid(content, card.text("UID"))
    message_class = content.get(pr.PR_MESSAGE_CLASS)
    if not isinstance(message_class, str) or not message_class.upper().startswith(CLASS.upper()):
        draft.put(pr.PR_MESSAGE_CLASS, CLASS)
        draft.put(pr.PR_ICON_INDEX, _ICON)
    for take in (
        take_names, take_emails, take_phones, take_addresses, take_texts, take_dates, take_web, take_keys, take_photo
    ):  # fmt: skip
        take(draft)
    settle_names(draft)
    settle_emails(draft, old_name)
    retain(draft, slots_of(content, version, options), version)
    return content

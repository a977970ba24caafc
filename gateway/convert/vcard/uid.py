"""The UID of a contact: as the client wrote it, in Kopano's place too, and a stable one where there is none."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from gateway.convert.errors import ParseError
from gateway.convert.ical import globalid
from gateway.convert.vcard.fields import VCARD_UID
from gateway.convert.vcard.slots import text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.propnames import PidLidGlobalObjectId, PSETID_Gateway

_NAMESPACE: Final = UUID(bytes_le=PSETID_Gateway)
_URN: Final = "urn:uuid:"


def bare(uid: str) -> str:
    """A UID for comparing: without ``urn:uuid:`` (4.0 writes it so, 3.0 does not)."""
    text = uid.strip()
    return text[len(_URN) :] if text[: len(_URN)].lower() == _URN else text


def uid_of(content: MessageContent) -> str:
    """The UID as the client sent it; without one it follows from the source key, so that every reader gets the same."""
    stored = content.get(VCARD_UID)
    if isinstance(stored, str) and stored:
        return stored
    blob = content.get(PidLidGlobalObjectId)
    if isinstance(blob, bytes) and blob:
        return globalid.to_uid(blob)
    return derived_uid(content)


def derived_uid(content: MessageContent) -> str:
    """The UID of an object that has none."""
    for tag in (pr.PR_SOURCE_KEY, pr.PR_ENTRYID, pr.PR_SEARCH_KEY):
        key = content.get(tag)
        if isinstance(key, bytes) and key:
            return uid_of_key(key)
    return uid_of_key(text_of(content, pr.PR_DISPLAY_NAME).encode("utf-8", "surrogatepass"))


def uid_of_key(key: bytes) -> str:
    """A UUID made from the key of an object."""
    return str(uuid5(_NAMESPACE, key.hex()))


def put_uid(content: MessageContent, uid: str) -> None:
    """Store a client's UID. Nothing is stored for a UID that would be derived anyway, or for none."""
    if len(uid) > globalid.MAX_UID:
        raise ParseError(f"a UID of more than {globalid.MAX_UID} characters")
    if not uid or (content.props and bare(uid) == bare(uid_of(content))):
        return
    content.props[VCARD_UID] = uid
    content.props[PidLidGlobalObjectId] = globalid.wrapped(bare(uid), terminated=True)

"""GET, HEAD and DELETE of one item, DELETE of a collection (RFC 4918 9.4, 9.6; RFC 6352 5.1 for versions of cards)."""

from __future__ import annotations

from gateway.dav import writing
from gateway.dav.asked import Asked, matches
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import Answer, Refused
from gateway.dav.query.addressdata import wanted_version
from gateway.dav.rights import letters
from gateway.dav.scheduling import resources


def fetch(item: StoredItem, path: str, asked: Asked) -> Answer:
    """The text of an item, a card in the version that the client prefers (Refused when it is gone, or another)."""
    collection, is_card = item.place_collection, item.entry.component == "VCARD"
    wanted = asked.header("if-match")
    if wanted and not matches(wanted, item.entry.etag):
        raise Refused(412, "", "the item has changed")
    version = wanted_version(asked.header("accept")) if is_card else "3.0"
    headers = {"ETag": item.entry.etag} | ({"Vary": "Accept"} if is_card else {})
    if matches(asked.header("if-none-match"), item.entry.etag):
        return Answer(304, headers)
    text = item.text_of(version)
    content_type = collection.place.kind.content_type
    headers["Content-Type"] = content_type.replace(";", "; version=4.0;") if version == "4.0" else content_type
    headers["Last-Modified"] = str(item.last_modified)
    return Answer(200, headers | resources.tag_headers(collection.scope, path, text), text)


def delete_item(item: StoredItem, asked: Asked) -> Answer:
    """Delete an item whose conditions hold; a meeting's guests or organizer are told (Refused)."""
    collection = item.place_collection
    if "w" not in letters(collection.place):
        raise Refused(403, "D:need-privileges", "you may not delete here")
    told = resources.delete(collection.scope, collection, item, asked.headers)
    if told is None:
        collection.delete(item.href)
    return told or Answer(204)


def delete_collection(collection: Collection, asked: Asked) -> Answer:
    """Delete a collection of the user's own with all that lies in it, of meetings people are told (Refused)."""
    wanted = asked.header("if-match")
    if wanted and not matches(wanted, collection.etag):
        raise Refused(412, "", "the collection has changed")
    if collection.place.kind.is_mailbox:
        writing.refuse_mailbox(collection.place)
    if not collection.place.is_owned:
        raise Refused(403, "D:need-privileges", "only its owner deletes a collection")
    resources.delete_collection(collection, asked.headers)
    return Answer(204)

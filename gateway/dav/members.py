"""Who is in the lists of an address book: its own cards, by their UIDs and by the entry ids that lists keep.

Entry ids and UIDs are those of the listing; names and addresses are read when a client puts a list, those of all
members that it names in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from gateway.convert.vcard import Person
from gateway.convert.vcard.emails import addresses_of
from gateway.convert.vcard.lists import is_list
from gateway.convert.vcard.options import DEFAULT
from gateway.convert.vcard.slots import text_of
from gateway.convert.vcard.uid import bare
from gateway.dav.entries import Entry
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_object_entryid

_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_MEMBER: Final = re.compile(
    rb"^(?:[^\r\n:;.]*\.)?(?:X-ADDRESSBOOKSERVER-)?MEMBER[^\r\n:]*:([^\r\n]*)", re.M | re.I
)
#: What reads whole items, those that are gone left out.
Load = Callable[[list[Entry]], Sequence[tuple[Entry, MessageContent]]]


class Members:
    """The members of lists of one collection, for one request. Runs in a DAV thread.

    ``listed`` gives the items that the user is shown; it is called when there is a list.
    """

    def __init__(self, listed: Callable[[], Sequence[Entry]], load: Load) -> None:
        self._listed = listed
        self._load = load
        self._read: dict[bytes, Person] = {}

    @cached_property
    def _by_id(self) -> dict[bytes, Entry]:
        return {_object_of(entry.entryid): entry for entry in self._listed()}

    @cached_property
    def _by_uid(self) -> dict[str, Entry]:
        return {entry.uid: entry for entry in self._by_id.values()}

    def expect(self, body: bytes) -> None:
        """Read the members that a client's text names."""
        if b"MEMBER" not in body.upper():
            return
        named = {bare(each.decode("utf-8", "replace")) for each in _MEMBER.findall(_FOLD.sub(b"", body))}
        found = [self._by_uid[uid] for uid in named if uid in self._by_uid] if named else []
        for entry, content in self._load(found) if found else ():
            self._read[entry.source_key] = _person(entry, content)

    def by_entryid(self, entryid: bytes) -> Person | None:
        """The card of an entry id as other cards name it; None when it is not in this collection, or not shown."""
        entry = self._by_id.get(_object_of(entryid))
        if entry is None:
            return None
        return self._read.get(entry.source_key) or Person(entry.uid, entry.entryid, "")

    def by_uid(self, uid: str) -> Person | None:
        """The card of a UID, one of those that were expected."""
        entry = self._by_uid.get(uid)
        return self._read.get(entry.source_key) if entry is not None else None


def _person(entry: Entry, content: MessageContent) -> Person:
    name = text_of(content, pr.PR_DISPLAY_NAME)
    return Person(entry.uid, entry.entryid, name, addresses_of(content, DEFAULT), is_list(content))


def _object_of(entryid: bytes) -> bytes:
    """What tells objects apart, in whatever form their entry id is."""
    try:
        found = parse_object_entryid(entryid)
    except ValueError:
        return entryid
    return found.store + found.unique

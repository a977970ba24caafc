"""EMAIL and the three e-mail entries of a contact (MS-OXOCNTC 2.2.1.2).

An entry keeps its place as long as its address stays, in whatever order a client sends the lines: distribution
lists refer to "the second address of". The address book shows only the entries that two lists name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import is_preferred
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import (
    ADDRESS_BOOK_LIST,
    ADDRESS_BOOK_MASK,
    EMAIL_SLOTS,
    FAX_SLOTS,
    entry_tags,
)
from gateway.convert.vcard.options import Options
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import OneOff, one_off_entryid

_ENTRIES: Final = tuple(entry_tags(first) for first in EMAIL_SLOTS)
_FAXES: Final = tuple(entry_tags(first) for first in FAX_SLOTS)
_KEYS: Final = ("EMAIL1", "EMAIL2", "EMAIL3")
#: Places of the fax numbers in the address book's lists (MS-OXOCNTC 2.2.1.2.11).
_FAX_PLACES: Final = ((3, pr.PR_BUSINESS_FAX_NUMBER), (4, pr.PR_HOME_FAX_NUMBER), (5, pr.PR_PRIMARY_FAX_NUMBER))


def addresses_of(content: MessageContent, options: Options) -> tuple[str, str, str]:
    """The SMTP addresses of the three entries, "" for one that is not used or has none."""
    first, second, third = (_address(content, number, options) for number in range(3))
    return first, second, third


def _address(content: MessageContent, number: int, options: Options) -> str:
    _, type_tag, address_tag, original_tag, entryid_tag = _ENTRIES[number]
    address, kind = text_of(content, address_tag).strip(), text_of(content, type_tag).upper()
    if not address and not kind:
        return ""
    if kind in ("", "SMTP"):
        return address
    if options.address_of is not None:
        entryid = content.get(entryid_tag)
        found = options.address_of(entryid if isinstance(entryid, bytes) else None, kind, address)
        if found:
            return found
    original = text_of(content, original_tag).strip()
    return next((text for text in (original, address) if "@" in text), "")


def export_emails(content: MessageContent, version: str, options: Options) -> Iterator[Slot]:
    """A line for every entry with an SMTP address."""
    first = True
    for key, address in zip(_KEYS, addresses_of(content, options), strict=True):
        if not address:
            continue
        if version == "3.0":
            params = {"TYPE": ("INTERNET", "PREF") if first else ("INTERNET",)}
        else:
            params = {"PREF": ("1",)} if first else {}
        yield Slot(key, address, [Line("EMAIL", escape(address), params)])
        first = False


def take_emails(draft: Draft) -> None:
    """EMAIL lines into entries; a fourth address stays a line."""
    lines = [line for line in draft.lines("EMAIL") if line.text.strip()]
    before = addresses_of(draft.content, draft.options)
    left: list[Line] = []
    kept: set[int] = set()
    for line in lines:
        place = _place_of(line, before, kept)
        if place is None:
            left.append(line)
        else:
            kept.add(place)
            draft.claim(line, _KEYS[place])
            if line.text.strip() != before[place]:
                _write(draft, place, line.text.strip())
    for place in range(3):
        if place not in kept and (before[place] or not _is_used(draft, place)):
            _clear(draft, place)
    free = iter([place for place in range(3) if place not in kept and not _is_used(draft, place)])
    for line in sorted(left, key=lambda line: not is_preferred(line)):
        place = next(free, None)
        if place is not None:
            draft.claim(line, _KEYS[place])
            _write(draft, place, line.text.strip())


def _place_of(line: Line, before: tuple[str, ...], taken: set[int]) -> int | None:
    wanted = line.text.strip().casefold()
    return next((n for n in range(3) if n not in taken and before[n].casefold() == wanted and before[n]), None)


def _is_used(draft: Draft, place: int) -> bool:
    """Whether an entry holds anything, perhaps an address that cannot be shown."""
    return any(draft.get(tag) for tag in _ENTRIES[place][1:3])


def _write(draft: Draft, place: int, address: str) -> None:
    """An SMTP address as an entry; its display name and entry id follow in `settle_emails`."""
    display, kind, where, original, entryid = _ENTRIES[place]
    draft.drop(display, entryid)
    draft.put(kind, "SMTP")
    draft.put(where, address)
    draft.put(original, address)


def _clear(draft: Draft, place: int) -> None:
    draft.drop(*_ENTRIES[place])


def settle_emails(draft: Draft, old_name: str) -> None:
    """When the name is known: display names and entry ids of new entries, and the address book's two lists."""
    name = draft.text(pr.PR_DISPLAY_NAME)
    places: list[int] = []
    for place, (display, kind, where, _, entryid) in enumerate(_ENTRIES):
        address = draft.text(where)
        if not address:
            continue
        places.append(place)
        shown = draft.text(display)
        if draft.text(kind).upper() == "SMTP" and shown in ("", f"{old_name} ({address})"):
            draft.put(display, f"{name} ({address})")
            draft.put(entryid, one_off_entryid(OneOff(name, "SMTP", address)))
    before = draft.get(ADDRESS_BOOK_LIST) or ()
    places += [place for place, tag in _FAX_PLACES if place in before and draft.get(tag)]
    if places:
        draft.put(ADDRESS_BOOK_LIST, tuple(places))
        draft.put(ADDRESS_BOOK_MASK, sum(1 << place for place in places))
    else:
        draft.drop(ADDRESS_BOOK_LIST, ADDRESS_BOOK_MASK)


def follow_fax(draft: Draft, old: str, new: str) -> None:
    """A fax number changed: the entries that made it an address follow, or go with it."""
    for display, kind, where, original, entryid in _FAXES:
        if not old or not draft.text(where).endswith(old):
            continue
        if not new:
            draft.drop(display, kind, where, original, entryid)
            continue
        address = draft.text(where)[: -len(old)] + new
        draft.put(where, address)
        draft.put(entryid, one_off_entryid(OneOff(draft.text(display), draft.text(kind) or "FAX", address)))

"""Distribution lists as group cards: ``KIND:group`` (4.0) or Apple's form of it (3.0).

Apple's form can name only cards of the same collection. What a client cannot be told of it cannot remove: such
members stay when the list comes back from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import Card, structured
from gateway.convert.vcard.contact import copied
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import FILE_AS, LIST_NAME, LIST_STREAM
from gateway.convert.vcard.memberids import (
    GROUP,
    LIST,
    LIST_TYPE,
    Member,
    contact_member,
    list_member,
    members_of,
    one_off_member,
    put_members,
)
from gateway.convert.vcard.names import NAMELESS
from gateway.convert.vcard.options import Options, Person
from gateway.convert.vcard.retained import retain
from gateway.convert.vcard.slots import Slot, filled, text_of
from gateway.convert.vcard.texts import export_texts, take_texts
from gateway.convert.vcard.uid import bare, put_uid
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import OneOff

CLASS: Final = "IPM.DistList"
_ICON: Final = 0x202
_APPLE_MEMBER: Final = "X-ADDRESSBOOKSERVER-MEMBER"
_NAMED: Final = re.compile(r'\s*(?:"?([^"<]*?)"?\s*)<([^<>]+)>\s*')
_SAFE: Final = "@!$'*+-._~:"


def list_name(content: MessageContent) -> str:
    """The name of a list, never empty."""
    tags = (pr.PR_DISPLAY_NAME, LIST_NAME, pr.PR_SUBJECT)
    return next((text for tag in tags if (text := text_of(content, tag).strip())), NAMELESS)


def list_slots(content: MessageContent, version: str, options: Options) -> dict[str, Slot]:
    """Everything a group card of this version holds of a list."""
    return filled(_slots(content, version, options))


def _slots(content: MessageContent, version: str, options: Options) -> Iterator[Slot]:
    name = list_name(content)
    yield Slot("FN", name, [Line("FN", escape(name))])
    if version == "3.0":
        yield Slot("N", name, [Line("N", structured([name, "", "", "", ""]))])
    line_name = _member_name(version)
    for member in members_of(content):
        reference = reference_of(member, version, options)
        if reference is not None:
            yield Slot(f"MEMBER {reference.casefold()}", reference, [Line(line_name, reference)])
    yield from export_texts(content, version)


def _member_name(version: str) -> str:
    return _APPLE_MEMBER if version == "3.0" else "MEMBER"


def members_named(lines: Iterable[Line], version: str) -> list[Line]:
    """The lines of a group card with its members as this version names them, those too that are kept from the other."""
    name = _member_name(version)
    return [
        Line(name, line.value, line.params, line.group) if line.name in ("MEMBER", _APPLE_MEMBER) else line
        for line in lines
    ]


def reference_of(member: Member, version: str, options: Options) -> str | None:
    """How a card names a member: by UID when it is in the collection, else by address, which 3.0 cannot."""
    found = _person(member, options)
    if found is not None and found.is_here and found.uid:
        return f"urn:uuid:{bare(found.uid)}"
    if version == "3.0":
        return None
    address = _address(member, found)
    return f"mailto:{quote(address, safe=_SAFE)}" if address else None


def _person(member: Member, options: Options) -> Person | None:
    if options.members is None or not member.entryid:
        return None
    return options.members.by_entryid(member.entryid)


def _address(member: Member, found: Person | None) -> str:
    """The address of a member: the contact's own, else what the list remembers."""
    if found is not None and not found.is_list:
        address = found.addresses[member.slot] or next(filter(None, found.addresses), "")
        if address:
            return address
    one_off = member.one_off
    if one_off is None or one_off.address_type.upper() == LIST_TYPE or "@" not in one_off.address:
        return ""
    return one_off.address


# Reading


def read_list(card: Card, existing: MessageContent | None, options: Options) -> MessageContent:
    """A group card as a distribution list, merged into the one that is there."""
    version = "4.0" if card.version == "4.0" else "3.0"
    content = copied(existing)
    old = list_slots(content, version, options) if existing is not None else {}
    draft = Draft(card, content, old, options)
    draft.put(pr.PR_MESSAGE_CLASS, CLASS)
    draft.put(pr.PR_ICON_INDEX, _ICON)
    put_uid(content, card.text("UID"))
    _take_name(draft)
    _take_members(draft, version)
    take_texts(draft)
    retain(draft, list_slots(content, version, options), version)
    return content


def _take_name(draft: Draft) -> None:
    lines = draft.lines("FN", "N")
    for line in lines:
        draft.claim(line, line.name)
    name = next((text for line in lines if line.name == "FN" and (text := line.text.strip())), "")
    name = name or next((text for line in lines if (text := line.text.strip(" ;"))), NAMELESS)
    for tag in (
        pr.PR_DISPLAY_NAME, pr.PR_SUBJECT, pr.PR_NORMALIZED_SUBJECT, pr.PR_CONVERSATION_TOPIC, LIST_NAME, FILE_AS
    ):  # fmt: skip
        draft.put(tag, name)


def _take_members(draft: Draft, version: str) -> None:
    options = draft.options
    before = members_of(draft.content)
    known = {
        reference.casefold(): member
        for member in before
        if (reference := reference_of(member, version, options)) is not None
    }
    members: dict[bytes, Member] = {}
    for line, reference in _references(draft):
        member = known.get(reference.casefold()) or _new_member(reference, options)
        if member is None:
            continue  # perhaps its card comes later: the line is kept
        written = reference_of(member, version, options) or reference
        draft.claim(line, f"MEMBER {written.casefold()}")
        members.setdefault(member.entry, member)
    for member in before:
        if reference_of(member, version, options) is None:
            members.setdefault(member.entry, member)  # the client was not shown it
    put_members(draft.content, [*members.values()])
    draft.drop(LIST_STREAM)


def _references(draft: Draft) -> Iterator[tuple[Line, str]]:
    """Members as URIs: MEMBER, Apple's member, and the addresses of Evolution's lists."""
    for line in draft.lines("MEMBER", _APPLE_MEMBER):
        if reference := _tidy(line.text):
            yield line, reference
    if draft.card.text("X-EVOLUTION-LIST").upper() == "TRUE":
        for line in draft.lines("EMAIL"):
            if "@" in line.text:
                yield line, f"mailto:{line.text.strip()}"


def _tidy(text: str) -> str:
    """A reference with its scheme in lower case; a bare UID gets one."""
    scheme, colon, rest = text.strip().partition(":")
    if colon and scheme.lower() in ("mailto", "urn"):
        return f"{scheme.lower()}:{rest[:5].lower() + rest[5:] if scheme.lower() == 'urn' else rest}"
    return f"urn:uuid:{text.strip()}" if text.strip() else ""


def _new_member(reference: str, options: Options) -> Member | None:
    if reference.startswith("mailto:"):
        return _by_address(reference[len("mailto:") :])
    if options.members is None:
        return None
    person = options.members.by_uid(bare(reference))
    if person is None:
        return None
    if person.is_list:
        return list_member(person.entryid, person.name)
    slot = next((n for n, address in enumerate(person.addresses) if address), 0)
    return contact_member(person.entryid, person.name, person.addresses[slot], slot)


def _by_address(text: str) -> Member | None:
    """A ``mailto:`` (RFC 6068), with the name some clients put into it."""
    address = unquote(text.partition("?")[0])
    name = address
    if named := _NAMED.fullmatch(address):
        name, address = named[1].strip() or named[2], named[2]
    address = address.strip()
    return one_off_member(OneOff(name, "SMTP", address)) if "@" in address and "\0" not in address else None


def is_list(content: MessageContent) -> bool:
    """Whether an object is a distribution list."""
    return text_of(content, pr.PR_MESSAGE_CLASS).upper().startswith(CLASS.upper())


#: For expanding lists: kinds whose members are other people's business.
NESTED: Final = frozenset({LIST, GROUP})
LoadList: TypeAlias = "Callable[[bytes], MessageContent | None]"


def addresses_of_list(content: MessageContent, options: Options, load: LoadList, depth: int = 8) -> list[str]:
    """The addresses of all members, nested lists expanded, each once; cycles end by themselves."""
    found: dict[str, str] = {}
    seen: set[bytes] = set()

    def expand(current: MessageContent, left: int) -> None:
        for member in members_of(current):
            if member.kind in NESTED and member.entryid:
                if left and member.entryid not in seen:
                    seen.add(member.entryid)
                    inner = load(member.entryid)
                    if inner is not None:
                        expand(inner, left - 1)
            elif address := _address(member, _person(member, options)):
                found.setdefault(address.casefold(), address)

    expand(content, depth)
    return [*found.values()]

"""Giving a client back what it sent: its own lines where nothing changed, and those that MAPI has no place for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateway.convert.lines import Line
from gateway.convert.vcard.card import types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import VCARD_RETAINED
from gateway.convert.vcard.kept import EMPTY, Kept, Retained
from gateway.convert.vcard.slots import Slot

#: Lines that are about another line of their group.
_ABOUT: frozenset[str] = frozenset({"X-ABLABEL", "X-ABADR"})
#: Written by us on every card, or meaningful only for the card they came in.
_OURS: frozenset[str] = frozenset({"PRODID", "UID", "REV", "VERSION", "KIND", "X-ADDRESSBOOKSERVER-KIND"})
#: Members whose cards are not there: told to clients of the other version under the other name, so that they know them.
_KNOWN_TO_ALL: frozenset[str] = frozenset({"X-ADDRESSBOOKSERVER-MEMBER"})


def merged(slots: dict[str, Slot], retained: Retained, version: str) -> list[Line]:
    """The lines of a card: in the client's order and words where its values still hold, else ours."""
    lines: list[Line] = []
    done: set[str] = set()
    numbers: Counter[tuple[str, str]] = Counter()
    same_version = retained.version == version
    for kept in retained.kept:
        number = numbers[kept.slot, kept.name]
        numbers[kept.slot, kept.name] += 1
        slot = slots.get(kept.slot) if kept.slot else None
        if slot is None:
            if not kept.slot or kept.mark == EMPTY:
                lines.append(kept.line(""))
        elif slot.mark == kept.mark and same_version:
            done.add(slot.key)
            lines.append(kept.line(slot.like(kept.name, number).value))
        elif slot.key not in done:
            done.add(slot.key)
            lines += _ours(slot, kept if slot.mark == kept.mark else None)
    for key, slot in slots.items():
        if key not in done:
            lines += slot.lines
    return [*_with_partners(lines)]


def _ours(slot: Slot, kept: Kept | None) -> Iterator[Line]:
    """Our lines for a slot; in another version than the client's they keep its group and labels."""
    for number, line in enumerate(slot.lines):
        if kept is None or number or line.group:
            yield line
            continue
        params = dict(line.params)
        labels = [*types_of(Line(kept.name, "", kept.params)) - {"pref", "internet", "voice", "x509", "base64"}]
        if slot.key[:5] in ("EMAIL", "ADR-O") and labels:
            params["TYPE"] = tuple(sorted({*params.get("TYPE", ()), *labels}))
        yield Line(line.name, line.value, params, kept.group if kept.name == line.name else "")


def _with_partners(lines: list[Line]) -> Iterator[Line]:
    """Without labels whose line is gone."""
    groups = {line.group.lower() for line in lines if line.group and line.name not in _ABOUT}
    return (line for line in lines if line.name not in _ABOUT or not line.group or line.group.lower() in groups)


def retain(draft: Draft, slots: dict[str, Slot], version: str) -> None:
    """Keep the card's lines beside the contact, and those of other clients that this one may not know."""
    kept: list[Kept] = []
    numbers: Counter[tuple[str, str]] = Counter()
    for line in draft.card.lines:
        if line.name not in _OURS:
            slot = draft.claimed.get(id(line), "")
            kept.append(_kept(line, slots.get(slot), slot, numbers[slot, line.name], draft.writer))
            numbers[slot, line.name] += 1
    kept += _of_others(draft, kept, slots)
    draft.put(VCARD_RETAINED, Retained(version, kept).encoded())


def _kept(line: Line, slot: Slot | None, key: str, number: int, writer: str) -> Kept:
    if slot is None:
        return Kept(key, EMPTY if key else "", line.group, line.name, line.params, line.value, writer)
    ours = slot.like(line.name, number)
    value = None if ours.value == line.value else line.value
    params = line.params
    if key in ("PHOTO", "KEY"):
        value = None  # large, and the same bytes
        if _is_data_uri(line) is not _is_data_uri(ours):
            params = ours.params  # the client's say nothing of how ours is encoded
    return Kept(key, slot.mark, line.group, line.name, params, value, writer)


def _is_data_uri(line: Line) -> bool:
    return line.value[:5].lower() == "data:"


def _of_others(draft: Draft, kept: list[Kept], slots: dict[str, Slot]) -> list[Kept]:
    """Lines kept before that are missing now, from clients that may know more than this one."""
    there = {(line.name, line.value) for line in draft.card.lines}
    present = {each.slot for each in kept if each.slot}
    found = []
    for each in draft.retained.kept:
        if each.writer and each.writer == draft.writer:
            continue
        if each.slot:
            missing = each.slot in slots and each.slot not in present
        else:
            told = each.name.startswith("X-") and each.name not in _KNOWN_TO_ALL
            missing = told and (each.name, each.value) not in there
        if missing:
            found.append(each)
    return found

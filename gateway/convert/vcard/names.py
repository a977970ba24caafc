"""FN and N, and how a contact is filed (RFC 6350 6.2.1-6.2.2, MS-OXOCNTC 2.2.1.1).

FN is PR_DISPLAY_NAME and nothing else: clients show and edit it by itself, so it is never rebuilt from N. FileAs
and the subject follow it, because Outlook and WebApp list contacts by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import parts_of, structured
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.emails import addresses_of
from gateway.convert.vcard.fields import FILE_AS, FILE_AS_ID
from gateway.convert.vcard.options import Options
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent

_N: Final = (
    pr.PR_SURNAME, pr.PR_GIVEN_NAME, pr.PR_MIDDLE_NAME, pr.PR_DISPLAY_NAME_PREFIX, pr.PR_GENERATION,
)  # fmt: skip
NAMELESS: Final = "(no name)"
_LAST_FIRST_MIDDLE: Final = 0x8017
_BY_NAME: Final = 0x3001
_BY_COMPANY: Final = 0x3A16
#: Kinds of FileAs that are computed from the name, so that they follow it.
_COMPUTED: Final = frozenset({_LAST_FIRST_MIDDLE, _BY_NAME, _BY_COMPANY, 0xFFFFFFFD, 0xFFFFFFFF})
_FILE_AS_LINES: Final = ("X-FILE-AS", "X-EVOLUTION-FILE-AS", "SORT-STRING")


def full_name(content: MessageContent, options: Options) -> str:
    """FN, never empty: the display name, the parts of the name, the company, an address, a nickname."""
    given = (pr.PR_GIVEN_NAME, pr.PR_MIDDLE_NAME, pr.PR_SURNAME)
    return (
        text_of(content, pr.PR_DISPLAY_NAME).strip()
        or " ".join(filter(None, (text_of(content, tag).strip() for tag in given)))
        or text_of(content, pr.PR_COMPANY_NAME).strip()
        or next((address for address in addresses_of(content, options) if address), "")
        or text_of(content, pr.PR_NICKNAME).strip()
        or NAMELESS
    )


def export_names(content: MessageContent, version: str, options: Options) -> Iterator[Slot]:
    """FN, and N where there is one; 3.0 wants an N in any case."""
    name = full_name(content, options)
    yield Slot("FN", name, [Line("FN", escape(name))])
    parts = tuple(text_of(content, tag) for tag in _N)
    if any(parts) or version == "3.0":
        yield Slot("N", parts, [Line("N", structured(parts))])


def take_names(draft: Draft) -> None:
    """FN and N into a contact."""
    for line in draft.lines("N")[:1]:
        draft.claim(line, "N")
        for tag, part in zip(_N, parts_of(line, len(_N)), strict=False):
            draft.put(tag, part)
        break
    else:
        if draft.is_gone("N"):
            draft.drop(*_N)
    name = ""
    for line in draft.lines("FN")[:1]:
        draft.claim(line, "FN")
        name = line.text.strip()
    draft.put(pr.PR_DISPLAY_NAME, name)


def settle_names(draft: Draft) -> None:
    """When all else is read: what follows from the name. An FN that is missing is computed from what there is."""
    name = full_name(draft.content, draft.options)
    draft.put(pr.PR_DISPLAY_NAME, name)
    for tag in (pr.PR_SUBJECT, pr.PR_NORMALIZED_SUBJECT, pr.PR_CONVERSATION_TOPIC):
        draft.put(tag, name)
    _file(draft, name)


def _file(draft: Draft, name: str) -> None:
    """Keep FileAs in step with the name, unless somebody chose it."""
    chosen = next((line.text.strip() for line in draft.lines(*_FILE_AS_LINES) if line.text.strip()), "")
    if chosen:
        draft.put(FILE_AS, chosen)
        draft.put(FILE_AS_ID, 0)
        return
    if draft.text(FILE_AS) and draft.get(FILE_AS_ID) not in (_COMPUTED | {None}):
        return
    kind, text = _filed(draft, name)
    draft.put(FILE_AS, text)
    draft.put(FILE_AS_ID, kind)


def _filed(draft: Draft, name: str) -> tuple[int, str]:
    family, first = draft.text(pr.PR_SURNAME), draft.text(pr.PR_GIVEN_NAME)
    if family:
        rest = " ".join(filter(None, (first, draft.text(pr.PR_MIDDLE_NAME))))
        return _LAST_FIRST_MIDDLE, f"{family}, {rest}" if rest else family
    company = draft.text(pr.PR_COMPANY_NAME)
    if company and not first and name == company:
        return _BY_COMPANY, company
    return _BY_NAME, name

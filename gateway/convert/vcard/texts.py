"""Properties that are one text on both sides, as a table; and those that are nearly so (ORG, categories, class ...)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.convert.htmltext import to_text
from gateway.convert.lines import Line, escape, texts
from gateway.convert.vcard.card import parts_of, structured, types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import FREE_BUSY_LOCATION, YOMI_COMPANY, YOMI_FIRST_NAME, YOMI_LAST_NAME
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.propnames import KEYWORDS, PidLidPrivate
from gateway.mapi.props import PropTag


@dataclass(frozen=True, slots=True)
class Text:
    """One text: its tag, the line's name in each version, the names that are read, whether clients may not know it.

    With ``related`` the 4.0 form is RELATED of that type, holding text.
    """

    tag: PropTag
    name: str
    also: tuple[str, ...] = ()
    name4: str = ""
    related: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are read."""
        return (self.name, *self.also, *([self.name4] if self.name4 else []))

    @property
    def is_optional(self) -> bool:
        """Whether many clients drop such a line."""
        return self.name.startswith("X-") or self.name == "FBURL"


TEXTS: Final = (
    Text(pr.PR_TITLE, "TITLE"),
    Text(pr.PR_PROFESSION, "ROLE", ("X-KADDRESSBOOK-X-PROFESSION",)),
    Text(pr.PR_OFFICE_LOCATION, "X-KADDRESSBOOK-X-OFFICE", ("X-EVOLUTION-OFFICE",)),
    Text(
        pr.PR_MANAGER_NAME,
        "X-EVOLUTION-MANAGER",
        ("X-MANAGER", "X-MS-MANAGER", "X-KADDRESSBOOK-X-MANAGERSNAME"),
        related="x-manager",
    ),
    Text(
        pr.PR_ASSISTANT,
        "X-EVOLUTION-ASSISTANT",
        ("X-ASSISTANT", "X-MS-ASSISTANT", "X-KADDRESSBOOK-X-ASSISTANTSNAME"),
        related="agent",
    ),
    Text(
        pr.PR_SPOUSE_NAME,
        "X-EVOLUTION-SPOUSE",
        ("X-SPOUSE", "X-MS-SPOUSE", "X-KADDRESSBOOK-X-SPOUSENAME"),
        related="spouse",
    ),
    Text(pr.PR_HOBBIES, "X-MS-INTERESTS", ("X-INTEREST", "INTEREST", "HOBBY"), name4="HOBBY"),
    Text(YOMI_FIRST_NAME, "X-PHONETIC-FIRST-NAME"),
    Text(YOMI_LAST_NAME, "X-PHONETIC-LAST-NAME"),
    Text(YOMI_COMPANY, "X-PHONETIC-ORG"),
    Text(FREE_BUSY_LOCATION, "FBURL"),
)
_WITH_NAMES: Final = [
    (each, frozenset((*each.names, *(["RELATED"] if each.related else [])))) for each in TEXTS
]
_SENSITIVITY: Final = {"PUBLIC": 0, "X-PERSONAL": 1, "PRIVATE": 2, "CONFIDENTIAL": 3}
_CLASSES: Final = {number: name for name, number in _SENSITIVITY.items()}
_GENDERS: Final = {1: "F", 2: "M"}


def export_texts(content: MessageContent, version: str) -> Iterator[Slot]:
    """The table's lines, then the others."""
    for each in TEXTS:
        text = text_of(content, each.tag)
        if text:
            yield Slot(each.name, text, [_line(each, text, version)], each.is_optional)
    yield from _lists(content, version)
    yield from _words(content, version)
    note = note_of(content)
    if note:
        yield Slot("NOTE", note, [Line("NOTE", escape(note))])


def _line(each: Text, text: str, version: str) -> Line:
    if version == "3.0":
        return Line(each.name, escape(text))
    if each.related:
        return Line("RELATED", escape(text), {"TYPE": (each.related,), "VALUE": ("text",)})
    return Line(each.name4 or each.name, escape(text))


def _lists(content: MessageContent, version: str) -> Iterator[Slot]:
    company, department = text_of(content, pr.PR_COMPANY_NAME), text_of(content, pr.PR_DEPARTMENT_NAME)
    if company or department:
        parts = (company, department) if department else (company,)
        yield Slot("ORG", (company, department), [Line("ORG", structured(parts))])
    nickname = text_of(content, pr.PR_NICKNAME)
    if nickname:
        yield Slot("NICKNAME", nickname, [Line("NICKNAME", ",".join(map(escape, nickname.split(","))))])
    words = content.get(KEYWORDS)
    if words:
        yield Slot("CATEGORIES", tuple(words), [Line("CATEGORIES", ",".join(map(escape, words)))])
    children = content.get(pr.PR_CHILDRENS_NAMES)
    if children:
        kin = {"TYPE": ("child",), "VALUE": ("text",)}
        lines = (
            [Line("X-MS-CHILD", ",".join(map(escape, children)))]
            if version == "3.0"
            else [Line("RELATED", escape(child), kin) for child in children]
        )
        yield Slot("CHILDREN", tuple(children), lines, optional=True)


def _words(content: MessageContent, version: str) -> Iterator[Slot]:
    gender = _GENDERS.get(content.get(pr.PR_GENDER, 0))
    if gender:
        name = "X-GENDER" if version == "3.0" else "GENDER"
        yield Slot("GENDER", gender, [Line(name, gender)], optional=version == "3.0")
    language = text_of(content, pr.PR_LANGUAGE)
    if language and version != "3.0":
        yield Slot("LANG", language, [Line("LANG", escape(language))], optional=True)
    sensitivity = _CLASSES.get(content.get(pr.PR_SENSITIVITY, 0), "PUBLIC")
    if sensitivity != "PUBLIC" and version == "3.0":
        yield Slot("CLASS", sensitivity, [Line("CLASS", sensitivity)], optional=True)


def note_of(content: MessageContent) -> str:
    """The note: the plain body, or the text of the HTML one."""
    body = text_of(content, pr.PR_BODY)
    html = content.get(pr.PR_HTML)
    if not body and html:
        data = html.read() if isinstance(html, Blob) else html
        body = to_text(data.decode("utf-8", "replace"))
    return body.replace("\r\n", "\n").strip("\n")


def take_texts(draft: Draft) -> None:
    """The table's lines into properties, then the others."""
    for each, names in _WITH_NAMES:
        line = _first(draft, each) if draft.has_any(names) else None
        if line is not None:
            draft.claim(line, each.name)
            draft.put(each.tag, line.text)
        elif draft.is_gone(each.name):
            draft.drop(each.tag)
    _take_lists(draft)
    _take_children(draft)
    _take_words(draft)
    _take_note(draft)


def _first(draft: Draft, each: Text) -> Line | None:
    lines = draft.lines(*each.names)
    if each.related:
        lines += _related(draft, each.related)
    return next((line for line in lines if line.text.strip()), None)


def _related(draft: Draft, type_: str) -> list[Line]:
    return [
        line for line in draft.lines("RELATED") if type_ in types_of(line) and line.param("VALUE") == "text"
    ]


def _take_lists(draft: Draft) -> None:
    for line in draft.lines("ORG")[:1]:
        draft.claim(line, "ORG")
        company, department, *_ = parts_of(line, 2)
        draft.put(pr.PR_COMPANY_NAME, company)
        draft.put(pr.PR_DEPARTMENT_NAME, department)
        break
    else:
        if draft.is_gone("ORG"):
            draft.drop(pr.PR_COMPANY_NAME, pr.PR_DEPARTMENT_NAME)
    lines = draft.lines("NICKNAME")
    for line in lines:
        draft.claim(line, "NICKNAME")
    draft.put(pr.PR_NICKNAME, ",".join(text for line in lines for text in texts(line.value) if text))
    lines = draft.lines("CATEGORIES")
    for line in lines:
        draft.claim(line, "CATEGORIES")
    words = dict.fromkeys(text.strip() for line in lines for text in texts(line.value) if text.strip())
    draft.put(KEYWORDS, tuple(words) or None)


def _take_children(draft: Draft) -> None:
    lines = [*draft.lines("X-MS-CHILD"), *_related(draft, "child")]
    names = [text.strip() for line in lines for text in _children(line) if text.strip()]
    for line in lines:
        draft.claim(line, "CHILDREN")
    if names:
        draft.put(pr.PR_CHILDRENS_NAMES, tuple(names))
    elif draft.is_gone("CHILDREN"):
        draft.drop(pr.PR_CHILDRENS_NAMES)


def _children(line: Line) -> list[str]:
    return texts(line.value) if line.name == "X-MS-CHILD" else [line.text]


def _take_words(draft: Draft) -> None:
    for line in draft.lines("GENDER", "X-GENDER", "SEX")[:1]:
        draft.claim(line, "GENDER")
        word = parts_of(line, 1)[0].upper()
        number = {"F": 1, "FEMALE": 1, "2": 1, "M": 2, "MALE": 2, "1": 2}.get(word)
        draft.put(pr.PR_GENDER, number)
        break
    else:
        if draft.is_gone("GENDER"):
            draft.drop(pr.PR_GENDER)
    for line in draft.lines("LANG")[:1]:
        draft.claim(line, "LANG")
        draft.put(pr.PR_LANGUAGE, line.text)
    for line in draft.lines("CLASS")[:1]:
        number = _SENSITIVITY.get(line.text.strip().upper(), 2)  # unknown words are to be treated as PRIVATE
        draft.claim(line, "CLASS")
        draft.content.props[pr.PR_SENSITIVITY] = number
        draft.content.props[PidLidPrivate] = number >= 2


def _take_note(draft: Draft) -> None:
    lines = draft.lines("NOTE")
    note = "\n\n".join(text for line in lines if (text := line.text.replace("\r\n", "\n").strip("\n")))
    for line in lines:
        draft.claim(line, "NOTE")
    if note == note_of(draft.content):
        return  # the formatted text that it may have stays
    draft.drop(pr.PR_HTML, pr.PR_RTF_COMPRESSED, pr.PR_RTF_IN_SYNC)
    draft.put(pr.PR_BODY, note.replace("\n", "\r\n"))

"""URL and IMPP: the web pages and the one instant messaging address of a contact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.convert.lines import Line, escape
from gateway.convert.vcard.card import types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import IM_ADDRESS, PR_FTP_SITE, WEB_PAGE
from gateway.convert.vcard.slots import Slot, text_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent

_IM_NAMES: Final = (
    "IMPP", "X-MS-IMADDRESS", "X-JABBER", "X-AIM", "X-ICQ", "X-MSN", "X-YAHOO", "X-SKYPE", "X-SKYPE-USERNAME",
    "X-GOOGLE-TALK", "X-GADUGADU", "X-GROUPWISE",
)  # fmt: skip


def export_web(content: MessageContent, version: str) -> Iterator[Slot]:
    """The pages, each once, and the instant messaging address."""
    page, work = text_of(content, WEB_PAGE).strip(), text_of(content, pr.PR_BUSINESS_HOME_PAGE).strip()
    home, ftp = text_of(content, pr.PR_PERSONAL_HOME_PAGE).strip(), text_of(content, PR_FTP_SITE).strip()
    if page:
        yield Slot("URL", page, [_url(page, "", version)])
    if work and work != page:
        yield Slot("URL-WORK", work, [_url(work, "WORK", version)])
    if home:
        yield Slot("URL-HOME", home, [_url(home, "HOME", version)])
    if ftp:
        yield Slot("URL-FTP", ftp, [_url(ftp, "FTP", version)])
    im = text_of(content, IM_ADDRESS).strip()
    if im and ":" in im:
        yield Slot("IMPP", im, [Line("IMPP", im)])
    elif im:
        yield Slot("IMPP", im, [Line("X-MS-IMADDRESS", escape(im))], optional=True)


def _url(text: str, type_: str, version: str) -> Line:
    params = {"TYPE": (type_ if version == "3.0" else type_.lower(),)} if type_ else {}
    return Line("URL", text.replace("\n", ""), params)


def take_web(draft: Draft) -> None:
    """URL and IM lines into properties; further ones stay lines."""
    _take_pages(draft)
    _take_im(draft)


def _take_pages(draft: Draft) -> None:
    found: dict[str, str] = {}
    taken: list[tuple[Line, str]] = []
    old_page = draft.text(WEB_PAGE).strip()
    was_one = old_page == draft.text(pr.PR_BUSINESS_HOME_PAGE).strip()
    for line in draft.lines("URL", "X-FTP"):
        text = line.text.strip()
        key = _kind_of(line, was_one and text == old_page)
        if text and key not in found:
            found[key] = text
            taken.append((line, key))
    if "URL" not in found and "URL-WORK" in found and not old_page:
        found["URL"] = found["URL-WORK"]
    for line, key in taken:
        draft.claim(line, "URL" if found[key] == found.get("URL") and key == "URL-WORK" else key)
    draft.put(WEB_PAGE, found.get("URL"))
    draft.put(pr.PR_BUSINESS_HOME_PAGE, found.get("URL-WORK", found.get("URL")))
    draft.put(pr.PR_PERSONAL_HOME_PAGE, found.get("URL-HOME"))
    draft.put(PR_FTP_SITE, found.get("URL-FTP"))


def _kind_of(line: Line, is_the_page: bool) -> str:
    types = types_of(line)
    if line.name == "X-FTP" or "ftp" in types:
        return "URL-FTP"
    if "home" in types:
        return "URL-HOME"
    return "URL-WORK" if "work" in types and not is_the_page else "URL"


def _take_im(draft: Draft) -> None:
    lines = [line for line in draft.lines(*_IM_NAMES) if line.text.strip()]
    if not lines:
        if draft.is_gone("IMPP"):
            draft.drop(IM_ADDRESS)
        return
    before = draft.text(IM_ADDRESS).strip()
    rank = {name: number for number, name in enumerate(_IM_NAMES)}
    chosen = min(lines, key=lambda line: (line.text.strip() != before, rank[line.name]))
    if before and chosen.text.strip() != before and not draft.is_gone("IMPP"):
        return  # the client does not know of the one that is there
    draft.claim(chosen, "IMPP")
    draft.put(IM_ADDRESS, chosen.text.strip())

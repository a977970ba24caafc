"""Principals: people and groups found while somebody types a name (RFC 3744 9.4, 9.5, and Apple's form of it)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, multistatus
from gateway.dav.directoryquery import text_restriction
from gateway.dav.scope import RequestScope
from gateway.dav.xmltext import xml_text
from gateway.mapi import proptags as pr
from gateway.mapi.ids import EVERYONE
from gateway.mapi.props import Props, PropTag, present
from gateway.mapi.restrictions import And, Or, Restriction
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import directory

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
SEARCH: Final = f"{_D}principal-property-search"
SEARCH_PROPS: Final = f"{_D}principal-search-property-set"
TOKEN_SEARCH: Final = f"{_CS}calendarserver-principal-search"
_MOST: Final = 100
_MOST_TESTS: Final = 10
_ADDRESSES: Final = (pr.PR_SMTP_ADDRESS, pr.PR_EMS_AB_PROXY_ADDRESSES)
#: What can be searched: the words for it, and where it is in the directory.
_SEARCHABLE: Final[dict[str, tuple[str, tuple[PropTag, ...]]]] = {
    f"{_D}displayname": ("Name", (pr.PR_DISPLAY_NAME,)),
    f"{_C}calendar-user-address-set": ("Mail address", _ADDRESSES),
    f"{_CS}email-address-set": ("Mail address", _ADDRESSES),
    f"{_CS}first-name": ("First name", (pr.PR_GIVEN_NAME,)),
    f"{_CS}last-name": ("Last name", (pr.PR_SURNAME,)),
}
_ANYTHING: Final = (pr.PR_DISPLAY_NAME, pr.PR_GIVEN_NAME, pr.PR_SURNAME, pr.PR_ACCOUNT, *_ADDRESSES)
_COLUMNS: Final = (*directory.COLUMNS, pr.PR_GIVEN_NAME, pr.PR_SURNAME)
_ROOM, _EQUIPMENT = 7, 8


def report(scope: RequestScope, root: ET.Element, path: str) -> bytes | None:
    """The answer of a search for principals, None for any other report."""
    if root.tag == SEARCH_PROPS:
        return _search_props()
    if root.tag == SEARCH:
        return _answered(scope, root, _by_properties(root), f"{_D}limit/{_D}nresults")
    if root.tag == TOKEN_SEARCH:
        return _answered(scope, root, _by_tokens(root), f"{_CS}limit/{_CS}nresults")
    return None


def _search_props() -> bytes:
    parts = [
        f"<principal-search-property><prop>{multistatus.element(tag)}</prop>"
        f'<description xml:lang="en">{words}</description></principal-search-property>'
        for tag, (words, _) in _SEARCHABLE.items()
    ]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<principal-search-property-set xmlns="DAV:">'
    return f"{head}{''.join(parts)}</principal-search-property-set>\n".encode()


# What is searched


def _by_properties(root: ET.Element) -> Restriction | None:
    """All tests, or with ``test="anyof"`` one of them; None when nothing is asked that could be found."""
    parts: list[Restriction] = []
    for search in root.findall(f"{_D}property-search")[:_MOST_TESTS]:
        match = search.find(f"{_D}match")
        text = _plain((match.text if match is not None else "") or "")
        known = [_SEARCHABLE[each.tag][1] for each in search.iterfind(f"{_D}prop/*") if each.tag in _SEARCHABLE]
        if match is None or not text:
            continue
        tags = dict.fromkeys(tag for tags in known for tag in tags)
        parts.append(text_restriction(tags, text, _kind(match, known)))
    if not parts:
        return None
    return Or(tuple(parts)) if root.get("test") == "anyof" else And(tuple(parts))


def _kind(match: ET.Element, known: list[tuple[PropTag, ...]]) -> str:
    """How a text is compared; addresses have their type before them."""
    return "contains" if _ADDRESSES in known else match.get("match-type", "contains")


def _by_tokens(root: ET.Element) -> Restriction | None:
    texts = [_plain(each.text or "") for each in root.findall(f"{_CS}search-token")[:_MOST_TESTS]]
    parts = tuple(text_restriction(_ANYTHING, text) for text in texts if text)
    return And(parts) if parts else None


def _plain(text: str) -> str:
    text = text.strip()
    return text[len("mailto:") :] if text[: len("mailto:")].lower() == "mailto:" else text


def _answered(scope: RequestScope, root: ET.Element, wanted: Restriction | None, limit: str) -> bytes:
    text = (root.findtext(limit) or "").strip()
    most = min(int(text), _MOST) if text.isdigit() and int(text) else _MOST
    # python-caldav puts what it wants beside an empty prop.
    tags = [each.tag for each in root.iterfind(f"{_D}prop/*")] or [f"{_D}displayname", f"{_C}calendar-home-set"]
    found = scope.wait(lambda: _found(scope, wanted, most)) if wanted is not None else []
    parts = [_response(principal, props, tags) for principal, props in found[:most]]
    if len(found) > most:
        parts.append(multistatus.cut_response("/"))
    return multistatus.document(parts)


async def _found(scope: RequestScope, wanted: Restriction, most: int) -> list[tuple[str, Props]]:
    found: dict[str, Props] = {}
    async with directory.entries(scope.session, _COLUMNS, restriction=wanted) as table:
        async for rows in table.batches():
            for row in rows:
                props = dict(present(row))
                principal = _principal(props)
                if principal:
                    found.setdefault(principal, props)
            if len(found) > most:
                break
    return list(found.items())[: most + 1]


def _principal(props: Props) -> str:
    """The principal of an entry, "" for one that has none."""
    account = props.get(pr.PR_ACCOUNT) or ""
    if not account or not hrefs.is_name(account) or props.get(pr.PR_ENTRYID) == EVERYONE:
        return ""
    return hrefs.GROUP + account if _is_group(props) else account


def _is_group(props: Props) -> bool:
    return props.get(pr.PR_OBJECT_TYPE) == ObjectType.DISTRIBUTION_LIST


# What is told


def _response(principal: str, props: Props, tags: Iterable[str]) -> str:
    path = hrefs.principal_path(principal)
    values = _values(path, principal, props)
    present_ = "".join(_filled(tag, values[tag]) for tag in tags if tag in values)
    missing = "".join(multistatus.element(tag) for tag in tags if tag not in values)
    found = f"<propstat><prop>{present_}</prop><status>HTTP/1.1 200 OK</status></propstat>" if present_ else ""
    lost = (
        f"<propstat><prop>{missing}</prop><status>HTTP/1.1 404 Not Found</status></propstat>" if missing else ""
    )
    return f"<response><href>{path}</href>{found}{lost}</response>"


def _values(path: str, principal: str, props: Props) -> dict[str, str]:
    """Properties as XML, by tag."""
    address = xml_text(props.get(pr.PR_SMTP_ADDRESS) or "")
    href = f"<href>{path}</href>"
    values = {
        f"{_D}displayname": xml_text(props.get(pr.PR_DISPLAY_NAME) or principal),
        f"{_D}principal-URL": href,
        f"{_D}resourcetype": "<principal/><collection/>",
        f"{_C}calendar-user-address-set": (f"<href>mailto:{address}</href>" if address else "") + href,
        f"{_C}calendar-user-type": _user_type(props),
    }
    if address:
        element = f'<email-address xmlns="http://calendarserver.org/ns/">{address}</email-address>'
        values[f"{_CS}email-address-set"] = element
    if not _is_group(props):
        values |= {f"{_C}calendar-home-set": href, f"{_CR}addressbook-home-set": href}
    for name, tag in (("first-name", pr.PR_GIVEN_NAME), ("last-name", pr.PR_SURNAME)):
        if props.get(tag):
            values[f"{_CS}{name}"] = xml_text(props[tag])
    return values


def _user_type(props: Props) -> str:
    if _is_group(props):
        return "GROUP"
    kind = props.get(pr.PR_DISPLAY_TYPE_EX, 0) & 0xFF
    return "ROOM" if kind == _ROOM else "RESOURCE" if kind == _EQUIPMENT else "INDIVIDUAL"


def _filled(tag: str, inner: str) -> str:
    empty = multistatus.element(tag)
    name = empty[1:-2].split(" ")[0]
    if not tag.startswith(_D):
        # Elements inside are DAV's own.
        inner = inner.replace("<href>", '<href xmlns="DAV:">')
    return f"{empty[:-2]}>{inner}</{name}>"

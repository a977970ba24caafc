"""Replaying recorded traffic against our store, and comparing what it answers with what was recorded.

Identifiers differ between servers. Where a recorded reply and ours have different ids, keys or numbers in the
same place, the pair is remembered, and later requests are sent with our value. What is compared is the shape of
a reply: elements, result codes, property tags and types.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from tests.mapiclient.recordings import files

_ILLEGAL = re.compile(rb"&#x?[0-9a-fA-F]+;")
#: Elements whose numbers name something on one server only.
_NUMBERS = {
    "ulSessionId", "session-id", "ulTableId", "ulUserId", "ulUserid", "ulGroupId", "ulSyncId", "ulServerId", "ulbkPosition",
    "ulBookmark", "ulMaxChangeId", "ulChangeId", "ulOwner",
}  # fmt: skip


def parsed(body: bytes) -> etree._Element:
    """The call's or reply's element of a message."""

    def legal(match: re.Match[bytes]) -> bytes:
        text = match[0][2:-1]
        number = int(text[1:], 16) if text[:1] in b"xX" else int(text)
        return match[0] if number >= 0x20 or number in (9, 10, 13) else b"?"

    root = etree.fromstring(
        _ILLEGAL.sub(legal, body), etree.XMLParser(resolve_entities=False, huge_tree=True, recover=True)
    )
    found = root[-1][0]
    assert isinstance(found, etree._Element)
    return found


def local(element: etree._Element) -> str:
    """The name without its namespace."""
    return str(etree.QName(element).localname)


@dataclass
class Exchange:
    """One recorded request and its reply."""

    flow: str
    name: str
    call: str
    request: bytes
    reply: bytes


def flow(name: str) -> Iterator[Exchange]:
    """The exchanges of a recorded flow that are plain XML, in order."""
    recorded = files()
    for path in sorted(path for path in recorded if path.startswith(name) and path.endswith(".req.xml")):
        reply = recorded.get(path.replace(".req.", ".res."))
        in_parts = "MessageFromStream" in path or "ChangesAsStream" in path
        if reply and not in_parts:
            number, _, rest = path.split("/")[1].partition("_")
            yield Exchange(path.split("/")[0], number, rest.removesuffix(".req.xml"), recorded[path], reply)


@dataclass
class Translation:
    """Our values for recorded ones."""

    known: dict[str, str] = field(default_factory=dict)

    def request(self, element: etree._Element) -> tuple[bytes, list[str]]:
        """The request with our values, and the recorded ids in it that nothing is known about."""
        unknown: list[str] = []
        for node in element.iter():
            text = (node.text or "").strip()
            if not text or len(node):
                continue
            key = f"{_family(local(node))}:{text}" if local(node) in _NUMBERS else text
            if key in self.known:
                node.text = self.known[key]
            elif (guid := self.known.get(_store_of(text))) is not None:
                # an id that the client invented in a store we know
                node.text = self.known[text] = _in_store(text, guid)
            elif local(node) in _NUMBERS and text not in ("0", "1", "2", "3", "4294967295"):
                unknown.append(f"{local(node)} {text}")
            elif _looks_like_an_id(text):
                unknown.append(f"{local(node)} {text[:60]}")
        return etree.tostring(element.getroottree(), xml_declaration=True, encoding="UTF-8"), unknown

    def learn(self, recorded: etree._Element, ours: etree._Element) -> None:
        """Remember which of our values stand where recorded ones stood."""
        if not len(recorded) and not len(ours):
            old, new = (recorded.text or "").strip(), (ours.text or "").strip()
            if local(recorded) in _NUMBERS and old and new:
                self.known.setdefault(f"{_family(local(recorded))}:{old}", new)
                self.known[f"{_family(local(recorded))}:{old}"] = new
            elif old and new and old != new and _is_binary(old) and _is_binary(new):
                self.known[old] = new
                if _store_of(old) and _store_of(new):
                    self.known[_store_of(old)] = _store_of(new)
            return
        if _is_props(recorded) and _is_props(ours):
            mine = {_tag(prop): prop for prop in ours}
            for prop in recorded:
                if _tag(prop) in mine:
                    self._learn_children(prop, mine[_tag(prop)])
            return
        self._learn_children(recorded, ours)

    def _learn_children(self, recorded: etree._Element, ours: etree._Element) -> None:
        for one, other in zip(recorded, ours, strict=False):
            if local(one) == local(other):
                self.learn(one, other)


def _family(name: str) -> str:
    """Elements that hold the same kind of number."""
    return {
        "ulUserid": "user", "ulUserId": "user", "ulGroupId": "user", "ulOwner": "user", "ulbkPosition": "bookmark",
        "ulBookmark": "bookmark", "ulMaxChangeId": "change", "ulChangeId": "change", "session-id": "ulSessionId",
    }.get(name, name)  # fmt: skip


def _is_binary(text: str) -> bool:
    if len(text) < 8 or len(text) % 4:
        return False
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _store_of(text: str) -> str:
    """The store's GUID in an entry id, as hex; empty when it is none."""
    if len(text) != 64 or not text.startswith("AAAAA"):
        return ""
    return b64decode(text)[4:20].hex()


def _in_store(text: str, guid: str) -> str:
    data = b64decode(text)
    return b64encode(data[:4] + bytes.fromhex(guid) + data[20:]).decode()


#: The GUIDs of the recorded server and its stores.
_GUIDS = (b"k8sJfQUETSiWY6nHTN3upg==",)


def _looks_like_an_id(text: str) -> bool:
    """An entry id of a store object, or a source key of the recorded server."""
    if not _is_binary(text):
        return False
    data = b64decode(text)
    if len(data) == 48 and data[:4] == bytes(4) and data[20:24] == b"\1\0\0\0":
        return data[24] in (1, 3)
    return len(data) == 22 and data.startswith(b64decode(_GUIDS[0]))


def _is_props(element: etree._Element) -> bool:
    return len(element) > 0 and all(len(child) and local(child[0]) == "ulPropTag" for child in element)


def _tag(prop: etree._Element) -> int:
    return int(prop[0].text or 0)


def differences(recorded: etree._Element, ours: etree._Element, path: str = "") -> Iterator[str]:
    """Where the shapes of two replies differ."""
    here = f"{path}/{local(recorded)}"
    if local(recorded) != local(ours):
        yield f"{here}: we say <{local(ours)}>"
        return
    if local(recorded) in ("er", "result"):
        if recorded.text != ours.text:
            yield f"{here}: {recorded.text}, we say {ours.text}"
        return
    if (
        bool(recorded.get("{http://schemas.xmlsoap.org/soap/encoding/}arrayType"))
        != bool(ours.get("{http://schemas.xmlsoap.org/soap/encoding/}arrayType"))
        and len(recorded)
        and len(ours)
    ):
        yield f"{here}: arrayType"
    if _is_props(recorded) and (_is_props(ours) or not len(ours)):
        yield from _prop_differences(recorded, ours, here)
        return
    if _is_list(recorded) or _is_list(ours):
        yield from _list_differences(recorded, ours, here)
        return
    theirs, mine = [local(child) for child in recorded], [local(child) for child in ours]
    if theirs != mine:
        yield f"{here}: members {theirs}, we have {mine}"
        return
    for one, other in zip(recorded, ours, strict=True):
        yield from differences(one, other, here)


def _is_list(element: etree._Element) -> bool:
    return len(element) > 0 and all(local(child) == "item" for child in element)


def _list_differences(recorded: etree._Element, ours: etree._Element, here: str) -> Iterator[str]:
    """Lists are compared item by item, as far as both go; a list that should have something must not be empty."""
    if local(recorded) == "delProps":
        theirs, mine = ({int(item.text or 0) for item in element} for element in (recorded, ours))
        if theirs != mine:
            yield f"{here}: tags missing {_hex(theirs - mine)}, additional {_hex(mine - theirs)}"
        return
    if len(recorded) and not len(ours):
        yield f"{here}: empty"
    if len(ours) and not len(recorded):
        yield f"{here}: not empty"
    for one, other in zip(recorded, ours, strict=False):
        yield from differences(one, other, here)


def _prop_differences(recorded: etree._Element, ours: etree._Element, here: str) -> Iterator[str]:
    theirs = {_tag(prop): [local(child) for child in prop] for prop in recorded}
    mine = {_tag(prop): [local(child) for child in prop] for prop in ours}
    missing, more = theirs.keys() - mine.keys(), mine.keys() - theirs.keys()
    if missing or more:
        yield f"{here}: properties missing {_hex(missing)}, additional {_hex(more)}"
    for tag in theirs.keys() & mine.keys():
        if theirs[tag] != mine[tag]:
            yield f"{here}: property {tag:#010x} is {theirs[tag]}, ours {mine[tag]}"


def _hex(tags: set[int]) -> str:
    return "[" + " ".join(f"{tag:08x}" for tag in sorted(tags)) + "]"

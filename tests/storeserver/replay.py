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

from gateway.mapi.props import PropName
from gateway.mapiclient.wire.calls_object import GetIdsFromNames
from tests.mapiclient.recordings import files
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

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


def _recorded_messages() -> dict[str, etree._Element]:
    """What loadObject told of messages, by their recorded entry ids."""
    found: dict[str, etree._Element] = {}
    recorded = files()
    for path in sorted(recorded):
        reply = recorded.get(path.replace(".req.", ".res."))
        if path.endswith("_loadObject.req.xml") and reply:
            answer = parsed(reply)
            if answer.findtext("er") == "0" and answer.findtext("sSaveObject/ulObjType") == "5":
                found.setdefault(parsed(recorded[path]).findtext("sEntryId") or "", answer)
    return found


class World:
    """A store in which recorded traffic makes sense: its users, and messages that recorded requests speak of."""

    def __init__(self, store: RunningStore) -> None:
        self.store = store
        self.translation = Translation()
        self._messages = _recorded_messages()
        self._made: set[str] = set()
        for number in range(1, 6):
            name = f"u{number}@example.test"
            store.add_user(name, full_name=f"User {number}", email=name)
        self.system = store.system()
        # Recorded property ids go up to 0x8522: register as many names as the recorded server had.
        names = [PropName(bytes(16), f"name {number}") for number in range(40)]
        self.system.ok(GetIdsFromNames(names, 2))
        self._clients: dict[bool, SoapClient] = {}

    def close(self) -> None:
        """Close the connections."""
        for client in (self.system, *self._clients.values()):
            client.close()

    def client(self, local_socket: bool) -> SoapClient:
        """A connection of the kind the flow used."""
        if local_socket not in self._clients:
            self._clients[local_socket] = SoapClient(self.store.unix if local_socket else self.store.url)
        return self._clients[local_socket]

    def replay(self, exchange: Exchange) -> tuple[list[str], list[str]]:
        """Send a recorded request in our words: ids in it that mean nothing here, and how our reply differs."""
        client = self.client(exchange.flow[:2] in LOCAL_FLOWS)
        request = parsed(exchange.request)
        self._log_on(client, request, exchange)
        self._make_messages(request, exchange)
        body, unknown = self.translation.request(request)
        recorded = parsed(exchange.reply)
        if unknown:
            return unknown, []
        _, answer = client.raw(body)
        ours = parsed(answer)
        found = list(differences(recorded, ours))
        self.translation.learn(recorded, ours)
        return [], found

    def _log_on(self, client: SoapClient, request: etree._Element, exchange: Exchange) -> None:
        """Flows use sessions whose logon was not kept: give them one."""
        for node in request.iter("ulSessionId", "session-id"):
            if node.text != "0" and f"ulSessionId:{node.text}" not in self.translation.known:
                local_socket = exchange.flow[:2] in LOCAL_FLOWS
                reply = client.logon("SYSTEM" if local_socket else "u1@example.test", session_group=77)
                self.translation.known[f"ulSessionId:{node.text}"] = str(reply.session_id)

    def _make_messages(self, request: etree._Element, exchange: Exchange) -> None:
        """Create the messages a request names, as they were recorded."""
        named = {node.text for node in request.iter() if node.text and _store_of(node.text)}
        if exchange.call == "saveObject" and request.findtext("lpsSaveObj/ulServerId") == "0":
            self._made |= named  # this is how it came into being
        for entryid in sorted(named - self._made):
            if entryid in self._messages:
                self._made.add(entryid)
                self._make(entryid, self._messages[entryid])

    def _make(self, entryid: str, answer: etree._Element) -> None:
        known = self.translation.known
        tree = answer.find("sSaveObject")
        assert tree is not None
        parents = [prop[1].text or "" for prop in tree.iterfind("modProps/item") if _tag(prop) == 0x0E090102]
        if not parents or parents[0] not in known or _store_of(entryid) not in known:
            return
        ours = known[entryid] = _in_store(entryid, known[_store_of(entryid)])
        text = re.sub(
            "<delProps.*?(</delProps>|/>)", "<delProps></delProps>", etree.tostring(tree).decode(), flags=re.S
        )
        text = re.sub("<ulServerId>[0-9]+<", "<ulServerId>0<", text).replace("sSaveObject", "lpsSaveObj")
        _, reply = self.system.raw(
            b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
            b'<n:saveObject xmlns:n="urn:zarafa"><ulSessionId>%d</ulSessionId><sParentEntryId>%b</sParentEntryId>'
            b"<sEntryId>%b</sEntryId>%b<ulFlags>0</ulFlags><ulSyncId>0</ulSyncId></n:saveObject></E:Body></E:Envelope>"
            % (self.system.session_id, known[parents[0]].encode(), ours.encode(), text.encode())
        )
        saved = parsed(reply)
        assert saved.findtext("er") == "0", reply
        known[f"ulServerId:{tree.findtext('ulServerId')}"] = saved.findtext("sSaveObject/ulServerId") or ""


#: Flows that were recorded on the local socket, by the beginning of their names.
LOCAL_FLOWS = {"23", "24", "70", "71", "74"}

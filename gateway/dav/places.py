"""Places: the folders a user sees as collections, of his own store, of other users and of the public store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from radicale.xmlutils import make_human_tag

from gateway.dav import hrefs
from gateway.dav.kinds import CALENDAR, CONTACTS, DIRECTORY, TASKS, Kind, kind_of
from gateway.mapi import proptags as pr
from gateway.mapi.ids import GLOBAL_ADDRESS_BOOK, parse_object_entryid
from gateway.mapi.propnames import DAV_FOLDER_NAME, PSETID_Gateway
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName, Props, PropTag
from gateway.mapi.rights import Rights
from gateway.mapiclient.store import Special, Store

#: Properties of a collection that MAPI has no place for (colour, order ...), as a JSON object of texts.
COLLECTION_PROPS: Final = NamedTag(PropName(PSETID_Gateway, "dav-properties"), PT_UNICODE)
#: What a user gives collections of others, with the top of his own folders: such objects by source key (hexadecimal).
PERSONAL_PROPS: Final = NamedTag(PropName(PSETID_Gateway, "dav-personal-properties"), PT_UNICODE)
#: Named columns of the hierarchy table, after `FOLDER_TAGS`.
NAMED_COLUMNS: Final = (DAV_FOLDER_NAME, COLLECTION_PROPS, PERSONAL_PROPS)
FOLDER_TAGS: Final = (
    pr.PR_ENTRYID,
    pr.PR_PARENT_ENTRYID,
    pr.PR_DISPLAY_NAME,
    pr.PR_CONTAINER_CLASS,
    pr.PR_FOLDER_TYPE,
    pr.PR_EC_HIERARCHYID,
    pr.PR_SOURCE_KEY,
    pr.PR_RIGHTS,
    pr.PR_ATTR_HIDDEN,
    pr.PR_COMMENT,
    pr.PR_CONTENT_COUNT,
    pr.PR_LOCAL_COMMIT_TIME_MAX,
)
#: What the names of properties begin with that are kept as XML.
TREE: Final = "<"
#: Radicale's name of a collection's title.
TITLE: Final = "D:displayname"
_MAX_DEPTH: Final = 64
_NORMAL_FOLDER: Final = 1


@dataclass(frozen=True, slots=True)
class Home:
    """One opened store whose folders become places."""

    store: Store
    owner: str
    """Login name of the owner, or `hrefs.PUBLIC`."""
    own: bool = False
    """Whether it is the session user's own."""
    special: dict[Special, bytes] = field(default_factory=dict)
    shows_private: bool = False
    """Of another user: whether the session user is a delegate who sees private items."""

    @property
    def wastebasket(self) -> bytes:
        """Entry id of the folder for what is deleted, empty when it has none."""
        return self.store.props.get(pr.PR_IPM_WASTEBASKET_ENTRYID) or b""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is a collection, as it was when the tree was read."""

    name: str
    """The last part of its path."""
    kind: Kind
    entryid: bytes
    source_key: bytes
    server_id: int
    title: str
    rights: int
    home: Home | None
    """None for the global address book."""
    comment: str = ""
    changed: int = 0
    count: int = 0
    stored: dict[str, str] = field(default_factory=dict)
    is_default: bool = False
    personal: dict[str, str] = field(default_factory=dict)
    """Of another's collection: the properties that are the session user's own, which count before the owner's."""
    since: int = 0
    """Of a scheduling Inbox: the time (FILETIME) from which on messages are shown."""

    @property
    def owner(self) -> str:
        """Login name of the owner, or the name of a principal that is no user."""
        return self.home.owner if self.home else hrefs.DIRECTORY

    @property
    def is_own(self) -> bool:
        """Whether it lies in the session user's own store."""
        return self.home is not None and self.home.own

    @property
    def sees_private(self) -> bool:
        """Whether private items are shown: to their owner, to delegates whom he lets see them, in public folders."""
        home = self.home
        return home is None or home.own or home.shows_private or self.owner == hrefs.PUBLIC

    @property
    def readable(self) -> bool:
        """Whether items may be read."""
        return bool(self.rights & Rights.READ_ANY)

    @property
    def writable(self) -> bool:
        """Whether items may be put; the store decides about each one."""
        return bool(self.rights & (Rights.CREATE | Rights.EDIT_OWNED | Rights.EDIT_ANY | Rights.DELETE_ANY))

    @property
    def is_owned(self) -> bool:
        """Whether the folder itself may be changed and deleted."""
        return bool(self.rights & Rights.FOLDER_OWNER)

    @property
    def shown_title(self) -> str:
        """The name that tells it from the user's own collections."""
        if TITLE in self.personal:
            return self.personal[TITLE]
        if self.home is None or self.home.own or self.owner == hrefs.PUBLIC:
            return self.title
        return f"{self.title} ({self.owner})"


def directory_place(title: str) -> Place:
    """The global address book."""
    return Place(
        name="global-address-book",
        kind=DIRECTORY,
        entryid=GLOBAL_ADDRESS_BOOK,
        source_key=b"",
        server_id=0,
        title=title,
        rights=Rights.READ_ANY | Rights.FOLDER_VISIBLE,
        home=None,
    )


def places_of(rows: Iterable[Props], home: Home, named: Sequence[PropTag]) -> list[Place]:
    """The places among the folders of a store; ``named`` are the tags of `NAMED_COLUMNS`.

    Hidden folders, search folders, what lies in the wastebasket and what may not be read are left out.
    """
    children: dict[bytes, list[Props]] = {}
    for row in rows:
        if not row.get(pr.PR_ATTR_HIDDEN) and row.get(pr.PR_FOLDER_TYPE, 1) == _NORMAL_FOLDER:
            children.setdefault(row.get(pr.PR_PARENT_ENTRYID, b""), []).append(row)
    found: list[Place] = []
    level = [home.store.ipm_subtree]
    for _ in range(_MAX_DEPTH):
        below = [row for parent in level for row in children.get(parent, ())]
        below = [row for row in below if row[pr.PR_ENTRYID] != home.wastebasket]
        found += filter(None, (_place(row, home, named) for row in below))
        level = [row[pr.PR_ENTRYID] for row in below]
        if not level:
            break
    return _distinct(found)


def _place(row: Props, home: Home, named: Sequence[PropTag]) -> Place | None:
    kind = kind_of(row.get(pr.PR_CONTAINER_CLASS, ""))
    rights = row.get(pr.PR_RIGHTS, int(Rights.OWNER))
    source_key = row.get(pr.PR_SOURCE_KEY, b"")
    if kind is None or not rights & Rights.READ_ANY or not source_key:
        return None
    name_tag, props_tag, _ = named
    name = row.get(name_tag) if name_tag else None
    entryid = row[pr.PR_ENTRYID]
    return Place(
        name=name if isinstance(name, str) and hrefs.is_name(name) else source_key.hex(),
        kind=kind,
        entryid=entryid,
        source_key=source_key,
        server_id=row.get(pr.PR_EC_HIERARCHYID, 0),
        title=row.get(pr.PR_DISPLAY_NAME, "") or kind.name,
        rights=rights,
        home=home,
        comment=row.get(pr.PR_COMMENT, ""),
        changed=row.get(pr.PR_LOCAL_COMMIT_TIME_MAX, 0),
        count=row.get(pr.PR_CONTENT_COUNT, 0),
        stored=stored_props(row.get(props_tag) if props_tag else None),
        is_default=entryid in _defaults(home),
    )


def _defaults(home: Home) -> set[bytes]:
    wanted = (Special.CALENDAR, Special.CONTACTS, Special.TASKS, Special.NOTES, Special.JOURNAL)
    return {home.special[each] for each in wanted if each in home.special}


def _distinct(found: Sequence[Place]) -> list[Place]:
    """Places with different names: of two with the same one (a copied folder) the older keeps it."""
    taken: dict[str, Place] = {}
    for place in sorted(found, key=lambda each: each.server_id):
        if place.name in taken:
            place = _renamed(place)
        taken[place.name] = place
    return sorted(taken.values(), key=_order)


def _renamed(place: Place) -> Place:
    values = {each: getattr(place, each) for each in Place.__slots__}
    return Place(**values | {"name": place.source_key.hex()})


def _order(place: Place) -> tuple[int, bool, str]:
    first = (CALENDAR, TASKS, CONTACTS)
    return first.index(place.kind) if place.kind in first else 9, not place.is_default, place.title.lower()


def stored_props(text: object) -> dict[str, str]:
    """The properties of a collection from their JSON; anything else gives none."""
    return {key: value for key, value in _members(text).items() if isinstance(value, str)}


def _members(text: object) -> dict[str, Any]:
    """What a JSON object holds; anything else gives nothing."""
    try:
        found = json.loads(text) if isinstance(text, str) and text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def personal_of(rows: Iterable[Props], home: Home, named: Sequence[PropTag]) -> dict[str, dict[str, str]]:
    """What the owner of a home gives collections of others, by source key in hexadecimal."""
    tag = named[2]
    text = next((row.get(tag) for row in rows if row[pr.PR_ENTRYID] == home.store.ipm_subtree), None)
    return {key: stored_props(json.dumps(value)) for key, value in _members(text).items()}


def with_personal(place: Place, personal: Mapping[str, dict[str, str]]) -> Place:
    """A collection of somebody else as the user has made it look for himself."""
    own = personal.get(place.source_key.hex())
    if not own:
        return place
    stored = {key: value for key, value in place.stored.items() if _as_text(key) not in own}
    return replace(place, personal=own, stored=stored | own)


def _as_text(key: str) -> str:
    """Under which name a property that is kept as XML would be kept as text."""
    return text_key(key.removeprefix(TREE)) if key.startswith(TREE) else key


def text_key(tag: str) -> str:
    """Under which name a property is kept as text: Radicale's; it has none for those without a namespace."""
    return make_human_tag(tag) if tag.startswith("{") else tag


def store_guid(place: Place) -> bytes:
    """The GUID that entry ids of new messages carry."""
    return parse_object_entryid(place.entryid).store

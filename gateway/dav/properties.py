"""Properties of collections: which lie in the store's own properties, and which are kept beside them as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from gateway.dav.errors import Refused
from gateway.dav.places import COLLECTION_PROPS, PERSONAL_PROPS, TITLE, TREE, Place
from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps

_DISPLAYNAME: Final = TITLE
#: Radicale's names of what the store keeps itself, or what follows from the kind of folder.
_DERIVED: Final = frozenset(
    {
        "tag",
        _DISPLAYNAME,
        "C:calendar-description",
        "CR:addressbook-description",
        "C:supported-calendar-component-set",
    }
)
#: The most that one collection keeps (bytes of JSON).
MAX_STORED: Final = 32 << 10
_MOST: Final = 100


def description_of(place: Place) -> str:
    """The name of the property that describes a collection of this kind."""
    return "C:calendar-description" if place.kind.is_calendar else "CR:addressbook-description"


def tree_key(tag: str) -> str:
    """Under which name the XML of a property is kept, whose value is more than text."""
    return f"{TREE}{tag}"


def trees_of(place: Place) -> dict[str, str]:
    """The properties of a collection whose values are XML; Radicale knows none."""
    return {key: value for key, value in place.stored.items() if key.startswith(TREE)}


def meta_of(place: Place) -> dict[str, str]:
    """The other properties of a collection as Radicale names them."""
    meta = {key: value for key, value in place.stored.items() if not key.startswith(TREE)}
    meta["tag"] = place.kind.tag
    meta[_DISPLAYNAME] = place.shown_title
    comment = place.personal.get(description_of(place), place.comment)
    if comment:
        meta[description_of(place)] = comment
    if place.kind.is_calendar:
        meta["C:supported-calendar-component-set"] = ",".join(place.kind.components)
    return meta


def stored_of(props: Mapping[str, str]) -> NamedProps:
    """What is kept as text of a client's properties (Refused when it is too much)."""
    kept = {key: value for key, value in props.items() if key not in _DERIVED}
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if kept else ""
    if len(kept) > _MOST or len(text.encode("utf-8", "surrogatepass")) > MAX_STORED:
        raise Refused(507, "", "a collection does not keep so many or so long properties")
    return {COLLECTION_PROPS: text}


def changes_of(place: Place, props: Mapping[str, str]) -> NamedProps:
    """The folder's properties that make a collection have these, the unchanged ones left out."""
    changes: NamedProps = {}
    title = props.get(_DISPLAYNAME, "").strip()
    if title and title not in (place.title, place.shown_title):
        changes[pr.PR_DISPLAY_NAME] = title
    comment = props.get(description_of(place), "")
    if comment != place.comment:
        changes[pr.PR_COMMENT] = comment
    stored = stored_of(props)
    if {key: value for key, value in props.items() if key not in _DERIVED} != place.stored:
        changes |= stored
    return changes


def personal_of(place: Place, props: Mapping[str, str]) -> dict[str, str]:
    """What of these properties the user has given another's collection, and the owner has not."""
    derived = _DERIVED - {_DISPLAYNAME, description_of(place)}
    before = meta_of(place) | trees_of(place)
    return {
        key: value
        for key, value in props.items()
        if key not in derived and (before.get(key) != value or place.personal.get(key) == value)
    }


def personal_text(personal: Mapping[str, Mapping[str, str]]) -> NamedProps:
    """What is kept of all collections of others (Refused when it is too much)."""
    text = json.dumps(personal, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text.encode("utf-8", "surrogatepass")) > MAX_STORED:
        raise Refused(507, "", "so many properties of others' collections are not kept")
    return {PERSONAL_PROPS: text}

"""What tells an item from all others: UID, the global object ids, and when it was written."""

from __future__ import annotations

from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import globalid
from gateway.convert.ical import propids as ids
from gateway.convert.ical.moments import utc_text
from gateway.convert.ical.options import Options
from gateway.convert.ical.values import number, octets
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps

_EPOCH: Final = "19700101T000000Z"


def uid_of(props: NamedProps) -> str:
    """The UID of an item; one without global object id has the same from its keys every time."""
    blob = octets(props, ids.CLEAN_GLOBAL_ID) or octets(props, ids.GLOBAL_ID)
    if blob:
        return globalid.to_uid(blob)
    for tag in (pt.PR_SOURCE_KEY, pt.PR_SEARCH_KEY, pt.PR_ENTRYID):
        if key := octets(props, tag):
            return key.hex().upper()
    return "0" * 32


def read_uid(component: Component) -> str:
    """The UID of a component (ParseError when it has none, or one that is not credible)."""
    uid = (component.text("UID") or "").strip().replace("\0", "")
    if not uid:
        raise ParseError(f"a {component.name} without UID")
    if len(uid) > globalid.MAX_UID:
        raise ParseError(f"a UID of {len(uid)} characters")
    return uid


def write_ids(props: NamedProps, uid: str, date: globalid.InstanceDate | None = None) -> None:
    """Set the global object ids; those that mean the UID already keep their form."""
    clean = octets(props, ids.CLEAN_GLOBAL_ID)
    if not clean or globalid.to_uid(clean) != uid:
        clean = globalid.from_uid(uid)
    props[ids.CLEAN_GLOBAL_ID] = clean
    props[ids.GLOBAL_ID] = globalid.with_date(clean, date) if date is not None else clean


def stamps(props: NamedProps, options: Options) -> list[str]:
    """DTSTAMP, CREATED and LAST-MODIFIED; never the time of reading, unless the item has no time at all."""
    created = utc_text(number(props, pt.PR_CREATION_TIME))
    modified = utc_text(number(props, pt.PR_LAST_MODIFICATION_TIME))
    stamp = utc_text(number(props, ids.OWNER_CHANGE)) or modified or created or utc_text(options.now) or _EPOCH
    lines = [f"DTSTAMP:{stamp}"]
    if created is not None:
        lines.append(f"CREATED:{created}")
    if modified is not None:
        lines.append(f"LAST-MODIFIED:{modified}")
    return lines

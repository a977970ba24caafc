"""What an item is marked with: privacy, importance, busy status; both ways (MS-OXCICAL 2.1.3.1.1.20)."""

from __future__ import annotations

from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.values import number
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps

NORMAL, PERSONAL, PRIVATE, CONFIDENTIAL = range(4)
_CLASSES: Final = {
    "PUBLIC": NORMAL,
    "PRIVATE": PRIVATE,
    "CONFIDENTIAL": CONFIDENTIAL,
    "X-PERSONAL": PERSONAL,
    "PERSONAL": PERSONAL,
    "RESTRICTED": PRIVATE,
}
_CLASS_NAMES: Final = {PERSONAL: "X-PERSONAL", PRIVATE: "PRIVATE", CONFIDENTIAL: "CONFIDENTIAL"}
_PRIORITIES: Final = {2: "1", 0: "9"}
BUSY_WORDS: Final = ("FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE")
_BUSY: Final = {word: value for value, word in enumerate(BUSY_WORDS)}
_TRANSPARENT: Final = (ids.FREE, ids.WORKING_ELSEWHERE)
_VENDORS: Final = ("X-MICROSOFT-CDO-", "X-MICROSOFT-MSNCALENDAR-")
_HIGHEST_LOW: Final = 5


# Privacy


def sensitivity(props: NamedProps) -> int:
    """How private an item is; when its two marks disagree, the private one counts."""
    found = number(props, pt.PR_SENSITIVITY) or NORMAL
    return PRIVATE if props.get(ids.PRIVATE) and found < PRIVATE else found


def is_private(props: NamedProps) -> bool:
    """Whether only its owner may read it."""
    return sensitivity(props) >= PRIVATE


def write_class(block: Block, props: NamedProps) -> None:
    """CLASS, which is not written for what everybody may see."""
    found = sensitivity(props)
    if found != NORMAL:
        block.lines.append(f"CLASS:{_CLASS_NAMES.get(found, 'PRIVATE')}")


def read_class(component: Component, props: NamedProps) -> None:
    """Set privacy; a class that nobody knows is private (RFC 5545 3.8.1.3)."""
    access = (component.text("X-CALENDARSERVER-ACCESS") or "").strip().upper()
    word = (component.text("CLASS") or "").strip().upper()
    found = _CLASSES.get(word, PRIVATE) if word else NORMAL
    if access and access != "PUBLIC" and found < PRIVATE:
        found = PRIVATE
    if found != sensitivity(props) or pt.PR_SENSITIVITY not in props:
        props[pt.PR_SENSITIVITY] = found
    props[ids.PRIVATE] = found >= PRIVATE


# Importance


def write_priority(block: Block, props: NamedProps) -> None:
    """PRIORITY, which is not written when it is normal."""
    found = _PRIORITIES.get(number(props, pt.PR_IMPORTANCE) or 0) if pt.PR_IMPORTANCE in props else None
    if found is not None:
        block.lines.append(f"PRIORITY:{found}")


def read_priority(component: Component, props: NamedProps) -> None:
    """Set the importance."""
    props[pt.PR_IMPORTANCE] = _importance(component)


def _importance(component: Component) -> int:
    for vendor in _VENDORS:
        word = (component.text(vendor + "IMPORTANCE") or "").strip()
        if word in ("0", "1", "2"):
            return int(word)
    word = (component.text("PRIORITY") or "").strip()
    if len(word) != 1 or word not in "123456789":
        return 1
    return 2 if int(word) < _HIGHEST_LOW else 1 if int(word) == _HIGHEST_LOW else 0


# Busy status


def busy_status(props: NamedProps) -> int:
    """The busy status of an event."""
    found = number(props, ids.BUSY_STATUS)
    return found if found is not None and 0 <= found < len(BUSY_WORDS) else ids.BUSY


def write_busy(block: Block, props: NamedProps) -> None:
    """STATUS, TRANSP, and the status in Microsoft's words, which say more."""
    busy = busy_status(props)
    state = number(props, ids.STATE) or 0
    status = "TENTATIVE" if busy == ids.TENTATIVE else "CONFIRMED"
    block.lines.append(f"STATUS:{'CANCELLED' if state & ids.IS_CANCELED else status}")
    block.lines.append(f"TRANSP:{'TRANSPARENT' if busy in _TRANSPARENT else 'OPAQUE'}")
    block.lines.append(f"X-MICROSOFT-CDO-BUSYSTATUS:{BUSY_WORDS[busy]}")
    intended = number(props, ids.INTENDED_BUSY)
    if intended is not None and 0 <= intended < len(BUSY_WORDS):
        block.lines.append(f"X-MICROSOFT-CDO-INTENDEDSTATUS:{BUSY_WORDS[intended]}")


def read_busy(component: Component, props: NamedProps, *, stored: bool) -> None:
    """Set the busy status; a stored one that says more than the component, and agrees with it, stays."""
    for name, key in (("BUSYSTATUS", ids.BUSY_STATUS), ("INTENDEDSTATUS", ids.INTENDED_BUSY)):
        for vendor in _VENDORS:
            word = (component.text(vendor + name) or "").strip().upper()
            if word in _BUSY:
                props[key] = _BUSY[word]
                break
        else:
            if key == ids.BUSY_STATUS:
                before = busy_status(props) if stored else None
                props[key] = _busy(component, before)


def _busy(component: Component, before: int | None) -> int:
    transparency = (component.text("TRANSP") or "").strip().upper()
    status = (component.text("STATUS") or "").strip().upper()
    if status == "CANCELLED" and not transparency:
        return ids.FREE
    if transparency == "TRANSPARENT":
        return before if before in _TRANSPARENT else ids.FREE
    if status == "TENTATIVE":
        return ids.TENTATIVE if before in (None, ids.FREE, ids.BUSY, ids.WORKING_ELSEWHERE) else before or 0
    if before == ids.TENTATIVE and status == "CONFIRMED":
        return ids.BUSY
    if before is not None and before not in _TRANSPARENT:
        return before
    return ids.BUSY

"""Organizer and attendees: recipient rows and response states (MS-OXOCAL 2.2.4.10, MS-OXCICAL 2.1.3.1.1.20.2)."""

from __future__ import annotations

from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.options import Options
from gateway.convert.ical.people import (
    RECIPIENT,
    REPRESENTING,
    SENDER,
    address_of,
    calendar_address,
    new_row,
    person_props,
)
from gateway.convert.ical.values import number, text
from gateway.convert.lines import Component, Line, line_text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

TO, CC, RESOURCE = 1, 2, 3
_ROLES: Final = {"OPT-PARTICIPANT": CC, "NON-PARTICIPANT": RESOURCE}
_STATES: Final = {
    "ACCEPTED": ids.ACCEPTED,
    "DECLINED": ids.DECLINED,
    "TENTATIVE": ids.TENTATIVELY,
    "NEEDS-ACTION": ids.NO_RESPONSE,
}
_PARTSTATS: Final = {
    ids.TENTATIVELY: "TENTATIVE",
    ids.ACCEPTED: "ACCEPTED",
    ids.DECLINED: "DECLINED",
    ids.ORGANIZED: "ACCEPTED",
}
_ANSWERED: Final = frozenset((ids.TENTATIVELY, ids.ACCEPTED, ids.DECLINED))
_GROUP: Final = 1


# Writing


def is_organizer_row(row: NamedProps, organizer: str) -> bool:
    """Whether a row stands for the organizer."""
    if (number(row, pt.PR_RECIPIENT_FLAGS) or 0) & ids.ORGANIZER or not number(row, pt.PR_RECIPIENT_TYPE):
        return True
    return bool(organizer) and address_of(row, RECIPIENT).lower() == organizer


def attending(content: MessageContent) -> list[NamedProps]:
    """The rows of those who are invited: not the organizer, nor who was left out of this instance."""
    organizer = address_of(content.props, REPRESENTING).lower()
    return [
        row
        for row in content.recipients
        if not is_organizer_row(row, organizer)
        and not (number(row, pt.PR_RECIPIENT_FLAGS) or 0) & ids.EXCEPTIONAL_DELETED
    ]


def organizer_of(content: MessageContent, options: Options) -> str:
    """The organizer's Internet address, "" when nobody tells it.

    Kopano's clients name somebody of the house by his login name; his own row, or whose calendar it is, says more.
    """
    found = address_of(content.props, REPRESENTING) or address_of(content.props, SENDER)
    if found:
        return found
    for row in content.recipients:
        if (number(row, pt.PR_RECIPIENT_FLAGS) or 0) & ids.ORGANIZER and (found := address_of(row, RECIPIENT)):
            return found
    state = number(content.props, ids.STATE) or 0
    is_own = state & (ids.IS_MEETING | ids.IS_RECEIVED) == ids.IS_MEETING
    return options.owner[0] if is_own and options.owner else ""


def write_people(block: Block, content: MessageContent, options: Options) -> None:
    """ORGANIZER and ATTENDEE; an event that nobody is invited to has neither (iPhones refuse it)."""
    rows = [(address, row) for row in attending(content) if (address := address_of(row, RECIPIENT))]
    organizer = organizer_of(content, options)
    if not rows or not organizer:
        return
    block.lines.append(organizer_line(content.props, organizer))
    state = number(content.props, ids.STATE) or 0
    for address, row in rows:
        track = number(row, pt.PR_RECIPIENT_TRACKSTATUS) or 0
        if state & ids.IS_RECEIVED and options.owns(address):
            track = number(content.props, ids.RESPONSE) or 0
        block.lines.append(attendee_line(row, address, track))


def organizer_line(props: NamedProps, organizer: str) -> str:
    """ORGANIZER, always with a name: Outlook offers no answer otherwise."""
    params = {"CN": (text(props, pt.PR_SENT_REPRESENTING_NAME) or organizer,)}
    sender = address_of(props, SENDER)
    if sender and sender.lower() != organizer.lower():
        params["SENT-BY"] = (f"mailto:{sender}",)
    return line_text("ORGANIZER", f"mailto:{organizer}", params)


def attendee_line(row: NamedProps, address: str, track: int) -> str:
    """ATTENDEE for a row."""
    params = {"CN": (text(row, pt.PR_DISPLAY_NAME) or address,)}
    kind = number(row, pt.PR_RECIPIENT_TYPE)
    if kind == RESOURCE:
        params["CUTYPE"] = ("RESOURCE",)
    elif number(row, pt.PR_DISPLAY_TYPE) == _GROUP:
        params["CUTYPE"] = ("GROUP",)
    roles = {CC: "OPT-PARTICIPANT", RESOURCE: "NON-PARTICIPANT"}
    params["ROLE"] = (roles.get(kind or TO, "REQ-PARTICIPANT"),)
    if track in _PARTSTATS:
        params["PARTSTAT"] = (_PARTSTATS[track],)
    else:
        params |= {"PARTSTAT": ("NEEDS-ACTION",), "RSVP": ("TRUE",)}
    return line_text("ATTENDEE", f"mailto:{address}", params)


# Reading


def partstat(line: Line) -> int:
    """The track status of an ATTENDEE; what MAPI does not know is no answer."""
    return _STATES.get(line.param("PARTSTAT").upper(), ids.NO_RESPONSE)


def read_people(
    component: Component, content: MessageContent, options: Options, *, only_own: bool = False
) -> None:
    """Set organizer, recipients and states of an event.

    ``only_own``: the owner was invited, and says nothing about the others but what the organizer told him.
    """
    invited = [(address, line) for line in component.all("ATTENDEE") if (address := calendar_address(line))]
    line = component.first("ORGANIZER")
    organizer = calendar_address(line) if line is not None else ""
    if only_own:
        _answer(content, invited, options)
        return
    stored = address_of(content.props, REPRESENTING)
    main = organizer or stored or (options.owner[0] if options.owner else "")
    if all(address.lower() == main.lower() for address, _ in invited):
        _no_meeting(content)
        return
    if line is not None and organizer:
        _read_organizer(line, organizer, content.props)
    elif main and not stored:
        for role in (REPRESENTING, SENDER):
            content.props.update(person_props(options.owner_name, main, role))
    organizer = main
    _read_rows(content, invited, organizer)
    _read_state(content, invited, organizer, options)
    requested = any(line.param("RSVP").upper() == "TRUE" for _, line in invited)
    content.props[pt.PR_RESPONSE_REQUESTED] = requested or bool(content.props.get(pt.PR_RESPONSE_REQUESTED))


def _no_meeting(content: MessageContent) -> None:
    if number(content.props, ids.STATE) or content.recipients:
        content.recipients.clear()
        for key in (ids.ALL_ATTENDEES, ids.TO_ATTENDEES, ids.CC_ATTENDEES):
            content.props.pop(key, None)
    content.props[ids.STATE] = 0
    content.props[ids.RESPONSE] = ids.NO_RESPONSE
    content.props.setdefault(ids.INVITED, False)


def _answer(content: MessageContent, invited: list[tuple[str, Line]], options: Options) -> None:
    """Take over the owner's own answer."""
    for address, line in invited:
        if options.owns(address):
            found = partstat(line)
            content.props[ids.RESPONSE] = found or ids.NOT_RESPONDED


def _read_organizer(line: Line, organizer: str, props: NamedProps) -> None:
    name = line.param("CN")
    if address_of(props, REPRESENTING).lower() != organizer.lower():
        props.update(person_props(name, organizer, REPRESENTING))
    sent_by = line.param("SENT-BY")
    sender = calendar_address(Line("SENT-BY", sent_by)) if sent_by else organizer
    if sender and address_of(props, SENDER).lower() != sender.lower():
        same = sender.lower() == organizer.lower()
        props.update(person_props(name if same else "", sender, SENDER))


def _read_rows(content: MessageContent, invited: list[tuple[str, Line]], organizer: str) -> None:
    """Bring the recipients up to date, keeping the rows of those who stay."""
    stored: dict[str, NamedProps] = {}
    for row in content.recipients:
        stored.setdefault(address_of(row, RECIPIENT).lower(), row)
    stored.pop("", None)
    rows: dict[str, NamedProps] = {}
    key = organizer.lower()
    if organizer:
        own = stored.get(key) or new_row(text(content.props, pt.PR_SENT_REPRESENTING_NAME), organizer, TO)
        own[pt.PR_RECIPIENT_FLAGS] = (number(own, pt.PR_RECIPIENT_FLAGS) or 0) | ids.SENDABLE | ids.ORGANIZER
        own.setdefault(pt.PR_RECIPIENT_TRACKSTATUS, ids.NO_RESPONSE)
        rows[key] = own
    for address, line in invited:
        if address.lower() not in rows and address.lower() != key:
            rows[address.lower()] = _row(stored.get(address.lower()), address, line)
    content.recipients[:] = rows.values()
    _display(content)


def _row(stored: NamedProps | None, address: str, line: Line) -> NamedProps:
    kind = _kind(line)
    name = line.param("CN")
    row = new_row(name, address, kind) if stored is None else stored
    row[pt.PR_RECIPIENT_TYPE] = kind
    flags = number(row, pt.PR_RECIPIENT_FLAGS) or 0
    row[pt.PR_RECIPIENT_FLAGS] = (flags | ids.SENDABLE) & ~(ids.ORGANIZER | ids.EXCEPTIONAL_DELETED)
    if name.strip() and stored is not None and name.strip().lower() != address.lower():
        row[pt.PR_DISPLAY_NAME] = name.strip()
    if line.param("CUTYPE").upper() == "GROUP":
        row[pt.PR_DISPLAY_TYPE] = _GROUP
    found = partstat(line)
    before = number(row, pt.PR_RECIPIENT_TRACKSTATUS) or 0
    if found or before in _ANSWERED or stored is None:
        row[pt.PR_RECIPIENT_TRACKSTATUS] = found
    return row


def _kind(line: Line) -> int:
    if line.param("CUTYPE").upper() in ("RESOURCE", "ROOM"):
        return RESOURCE
    return _ROLES.get(line.param("ROLE").upper(), TO)


def _read_state(
    content: MessageContent, invited: list[tuple[str, Line]], organizer: str, options: Options
) -> None:
    props = content.props
    before = number(props, ids.STATE) or 0
    if not options.owner or not organizer or options.owns(organizer):
        props[ids.STATE] = before & ids.IS_CANCELED | ids.IS_MEETING
        props[ids.RESPONSE] = ids.ORGANIZED
        props.setdefault(ids.INVITED, False)
        return
    props[ids.STATE] = before & ids.IS_CANCELED | ids.IS_MEETING | ids.IS_RECEIVED
    props.setdefault(ids.RESPONSE, ids.NOT_RESPONDED)
    props[ids.INVITED] = True
    _answer(content, invited, options)


def _display(content: MessageContent) -> None:
    """Set the names that MAPI clients show."""
    rows = attending(content)
    kinds = ((ids.ALL_ATTENDEES, (TO, CC, RESOURCE)), (ids.TO_ATTENDEES, (TO,)), (ids.CC_ATTENDEES, (CC,)))
    for key, which in kinds:
        names = (text(row, pt.PR_DISPLAY_NAME) for row in rows if row.get(pt.PR_RECIPIENT_TYPE) in which)
        content.props[key] = "; ".join(names)

"""A meeting message for some of those who are invited: its recipients are they, its text still names everybody.

MAPI has one list for both. So those who do not get the message are kept as the text says them (see `retained`), and so
is the organizer of an invitation that somebody else passes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.kinds import method_of
from gateway.convert.ical.layout import ZonesUsed
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.people import REPRESENTING, SENDER, address_of, calendar_address, person_props
from gateway.convert.ical.retained import Kept, Piece, Retained, digest, read, said_of, written
from gateway.convert.ical.values import octets
from gateway.convert.ical.writing import components
from gateway.convert.lines import Line
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

_ATTENDEE: Final = "ATTENDEE"
_ORGANIZER: Final = "ORGANIZER"


def addressed(
    message: MessageContent,
    rows: Iterable[NamedProps],
    options: Options = DEFAULTS,
    sender: NamedProps | None = None,
) -> MessageContent:
    """A meeting message with other recipients; whom its text names and they are not is still in the text.

    ``sender`` are the properties of who passes it on, when that is not the organizer.
    """
    rows = [dict(row) for row in rows]
    changed = MessageContent({**message.props, **(sender or {})}, rows, message.attachments)
    kept = read(octets(message.props, ids.RETAINED))
    try:
        before, after = _blocks(message, options, kept), _blocks(changed, options)
    except ParseError:
        return changed
    found = Retained(list(kept.calendar), dict(kept.components))
    for key, block in after.items():
        pieces = _missing(before.get(key, block), block)
        if pieces:
            one = found.of(key)
            found.components[key] = _with(one, pieces)
    blob = written(found)
    if blob:
        changed.props[ids.RETAINED] = blob
    return changed


def keep_attendees(mail: MessageContent, meeting: MessageContent) -> None:
    """Keep in an invitation that came by mail whom it invites beside those that the mail was sent to, and who invites."""
    same = mail.props.get(ids.GLOBAL_ID) == meeting.props.get(ids.GLOBAL_ID)
    if same and method_of(meeting.props) == "REQUEST" and method_of(mail.props) == "REQUEST":
        sender: NamedProps = {
            key: mail.props[key] for key in (*REPRESENTING, *SENDER) if mail.props.get(key) is not None
        }
        blob = addressed(meeting, mail.recipients, sender=sender).props.get(ids.RETAINED)
        if blob is not None:
            mail.props[ids.RETAINED] = blob


def as_organized(message: MessageContent, options: Options = DEFAULTS) -> MessageContent:
    """An invitation that somebody passed on, with the organizer whom its text names in the place of the sender."""
    sender = address_of(message.props, REPRESENTING).lower()
    kept = read(octets(message.props, ids.RETAINED))
    named = next(filter(None, (said_of(one, _ORGANIZER) for one in kept.components.values())), None)
    organizer = calendar_address(named).lower() if named is not None else ""
    if named is None or not sender or organizer in ("", sender):
        return message
    changed = MessageContent({**message.props, **_roles(named)}, message.recipients, message.attachments)
    try:
        before, after = _blocks(message, options), _blocks(changed, options)
    except ParseError:
        return message
    for key, one in kept.components.items():
        if key in before and key in after:
            one.pieces = _owned_by(after[key], before[key], one.pieces)
    changed.props[ids.RETAINED] = written(kept)
    return changed


def _roles(organizer: Line) -> NamedProps:
    """The properties of an organizer, and of who sends for him."""
    address, name = calendar_address(organizer), organizer.param("CN")
    sent_by = calendar_address(Line("SENT-BY", organizer.param("SENT-BY")))
    sender = person_props("", sent_by, SENDER) if sent_by else person_props(name, address, SENDER)
    return {**person_props(name, address, REPRESENTING), **sender}


def _owned_by(block: Block, before: Block, pieces: Iterable[Piece]) -> list[Piece]:
    """What belonged to the sender as organizer, now belonging to the organizer himself."""
    old, new = (digest(_line(each, _ORGANIZER)) for each in (before, block))
    return [
        Piece(each.key, each.owner, new if each.digest == old else each.digest, each.line) for each in pieces
    ]


def _line(block: Block, name: str) -> str:
    return next((line for line in block.lines if line.startswith(name)), "")


def _blocks(content: MessageContent, options: Options, kept: Retained | None = None) -> dict[str, Block]:
    return dict(components(content, kept or Retained(), ZonesUsed(), options))


def _missing(before: Block, after: Block) -> list[Piece]:
    """The people of a component that its properties and rows name no more."""
    organizer, sender = _line(before, _ORGANIZER), _line(after, _ORGANIZER)
    there = {_address(line) for line in after.lines if line.startswith(_ATTENDEE)}
    owner = digest(sender) if sender else ""
    kept = [(_ORGANIZER, organizer)] if sender and _address(organizer) != _address(sender) else []
    kept += [
        (f"{_ATTENDEE} {_address(line)}", line)
        for line in before.lines
        if line.startswith(_ATTENDEE) and ":mailto:" in line and _address(line) not in there
    ]
    return [Piece(key, _ORGANIZER, owner, line) for key, line in kept if line]


def _address(line: str) -> str:
    return line.rpartition(":mailto:")[2].lower()


def _with(one: Kept, pieces: list[Piece]) -> Kept:
    new = {piece.key for piece in pieces}
    others = [piece for piece in one.pieces if piece.key not in new]
    return Kept(
        [*others, *pieces], one.alarms, one.alarms_of, one.parts, one.rules, one.dates, one.rule_of, one.html,
        one.only_instances,
    )  # fmt: skip

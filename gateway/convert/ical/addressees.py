"""A meeting message for some of those who are invited: its recipients are they, its text still names everybody.

MAPI has one list for both. So those who do not get the message are kept as the text says them (see `retained`).
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
from gateway.convert.ical.retained import Kept, Piece, Retained, digest, read, written
from gateway.convert.ical.values import octets
from gateway.convert.ical.writing import components
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

_ATTENDEE: Final = "ATTENDEE"
_ORGANIZER: Final = "ORGANIZER"


def addressed(
    message: MessageContent, rows: Iterable[NamedProps], options: Options = DEFAULTS
) -> MessageContent:
    """A meeting message with other recipients; whom its text names and they are not is still in the text."""
    changed = MessageContent(dict(message.props), [dict(row) for row in rows], message.attachments)
    try:
        before, after = _blocks(message, options), _blocks(changed, options)
    except ParseError:
        return changed
    kept = read(octets(message.props, ids.RETAINED))
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
    """Keep in an invitation that came by mail whom it invites beside those that the mail was sent to."""
    same = mail.props.get(ids.GLOBAL_ID) == meeting.props.get(ids.GLOBAL_ID)
    if same and method_of(meeting.props) == "REQUEST" and method_of(mail.props) == "REQUEST":
        blob = addressed(meeting, mail.recipients).props.get(ids.RETAINED)
        if blob is not None:
            mail.props[ids.RETAINED] = blob


def _blocks(content: MessageContent, options: Options) -> dict[str, Block]:
    return dict(components(content, Retained(), ZonesUsed(), options))


def _missing(before: Block, after: Block) -> list[Piece]:
    """The people of a component that its rows name no more."""
    organizer = next((line for line in after.lines if line.startswith(_ORGANIZER)), None)
    there = {_address(line) for line in after.lines if line.startswith(_ATTENDEE)}
    owner = digest(organizer) if organizer is not None else ""
    return [
        Piece(f"{_ATTENDEE} {_address(line)}", _ORGANIZER, owner, line)
        for line in before.lines
        if line.startswith(_ATTENDEE) and _address(line) not in there
    ]


def _address(line: str) -> str:
    return line.rpartition(":mailto:")[2].lower()


def _with(one: Kept, pieces: list[Piece]) -> Kept:
    new = {piece.key for piece in pieces}
    others = [piece for piece in one.pieces if piece.key not in new]
    return Kept(
        [*others, *pieces], one.alarms, one.alarms_of, one.parts, one.rules, one.dates, one.rule_of, one.html,
        one.only_instances,
    )  # fmt: skip

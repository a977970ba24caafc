"""One PUT of an event with people in it: what is stored, and what is sent (RFC 6638 3.2.1, 3.2.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gateway.convert.ical import propids as ids
from gateway.convert.ical import uid_of
from gateway.convert.ical.options import Options as IcalOptions
from gateway.dav import hrefs
from gateway.dav.errors import Refused
from gateway.dav.places import Place
from gateway.dav.scheduling import attending, edits, organizing, tag
from gateway.dav.scheduling.answered import note_answers
from gateway.dav.scheduling.edits import Edits
from gateway.dav.scheduling.meeting import Meeting, meeting_of
from gateway.dav.scheduling.organizing import Message
from gateway.dav.scheduling.roles import Role, is_over, role_in
from gateway.dav.texts import Rendering
from gateway.mapi.content import MessageContent

if TYPE_CHECKING:
    from gateway.dav.scheduling.scheduler import Scheduler

#: RFC 6638 3.2.9: handed to mail, and nobody knows whether it arrived; no such address.
SENT: Final = "1.1"
INVALID: Final = "3.7"
Convert = Callable[[bytes, MessageContent | None], MessageContent]


@dataclass(slots=True)
class Change:
    """A change that is ready to be made."""

    content: MessageContent | None
    """The item to be stored; None for one that is deleted."""
    messages: list[MessageContent] = field(default_factory=list)
    tag: str = ""
    """The schedule tag that it will have."""


class Put:
    """One PUT of an event with people in it."""

    def __init__(
        self,
        scheduler: Scheduler,
        place: Place,
        existing: MessageContent | None,
        body: bytes,
        convert: Convert,
    ) -> None:
        self._scheduler = scheduler
        self._scope = scheduler.scope
        self._place = place
        self._existing = existing
        self._body = body
        self._convert = convert
        self._now = scheduler.now
        self._rendering: Rendering = self._scope.rendering(place)
        self._own = addresses_of(self._rendering.ical)
        self._forced = edits.forced(body)
        self._edits = Edits(forces=bool(self._forced))

    def change(self) -> Change:
        """What is stored and sent."""
        content = self._convert(self._body, self._existing)
        old = meeting_of(self._rendering.write(self._existing)) if self._existing is not None else None
        new = meeting_of(self._rendering.write(content))
        role = role_in(old, self._own)
        if role is Role.NONE:
            role = role_in(new, self._own)
        if role is Role.NONE or (old is None and new is None):
            return self._finished(content, [])
        self._refuse_second(content)
        over = is_over(content, self._now) and (self._existing is None or is_over(self._existing, self._now))
        if role is Role.ORGANIZER:
            return self._organized(content, old, new, over=over)
        return self._attended(content, old, new, over=over)

    def _organized(
        self, content: MessageContent, old: Meeting | None, new: Meeting | None, *, over: bool
    ) -> Change:
        if old is not None and new is not None and new.organizer not in self._own:
            raise Refused(403, "C:allowed-organizer-scheduling-object-change", "a meeting keeps its organizer")
        if old is not None and new is not None:
            if self._scheduler.headers.get("if-schedule-tag-match"):
                self._edits.answers |= edits.known(old, new, self._own)
            self._edits.answers |= edits.anew(old, new, self._own)
        messages = [] if over else self._to_guests(old, new)
        if old is not None and any(each.method == "CANCEL" for each in messages):
            content, new = self._raised(content, old, new)
            messages = self._to_guests(old, new)
        for each in messages:
            if each.method == "REQUEST":
                self._edits.statuses |= dict.fromkeys(each.recipients, SENT)
        if new is not None and new.unreachable():
            self._edits.statuses[""] = INVALID
        return self._finished(content, messages)

    def _to_guests(self, old: Meeting | None, new: Meeting | None) -> list[Message]:
        forced = [address for address, word in self._forced.items() if word == "REQUEST"]
        asked = None if new is None else _with_answers(new, self._edits)
        return organizing.messages(old, asked, self._own, self._now, forced)

    def _raised(
        self, content: MessageContent, old: Meeting, new: Meeting | None
    ) -> tuple[MessageContent, Meeting | None]:
        """A cancellation is a revision of its own: what is sent later must not look older (RFC 5546 2.1.4)."""
        if new is None or new.sequence > old.sequence:
            return content, new
        content.props[ids.SEQUENCE] = old.sequence + 1
        return content, meeting_of(self._rendering.write(content))

    def _attended(
        self, content: MessageContent, old: Meeting | None, new: Meeting | None, *, over: bool
    ) -> Change:
        if old is not None:
            _refuse_others_changes(old, new)
        forced = "REPLY" in self._forced.values()
        messages = [] if over else attending.answers(old, new, self._own, self._now, forced=forced)
        for each in messages:
            self._edits.statuses |= dict.fromkeys(each.recipients, SENT)
        if new is not None:
            name = self._rendering.ical.owner_name
            note_answers(content, self._existing, old, new, self._own, name, self._now)
        return self._finished(content, messages)

    def _finished(self, content: MessageContent, messages: list[Message]) -> Change:
        """The change with all that the server adds to the item."""
        if self._edits:
            text = edits.edited(self._rendering.write(content), self._edits)
            content = self._convert(text, content)
        made = self._scheduler.contents(self._place, messages, content)
        return Change(content, made, tag.tag_of(self._rendering.write(content), self._own))

    def _refuse_second(self, content: MessageContent) -> None:
        """A meeting is in one of its owner's calendars only (RFC 6638 3.2.4.1)."""
        if self._existing is not None:
            return
        uid = uid_of(content.props)
        for place in self._scope.places(self._scope.user):
            other = place.owner == self._place.owner and place.source_key != self._place.source_key
            if other and place.kind.name == "calendar":
                entry = self._scope.listing(place).by_uid.get(uid)
                if entry is not None:
                    path = hrefs.item_path(quote(f"/{self._scope.user}/{place.name}/"), entry.href)
                    text = "the meeting is in another calendar already"
                    raise Refused(403, "C:unique-scheduling-object-resource", text, path)


def _with_answers(meeting: Meeting, changes: Edits) -> Meeting:
    """A meeting with the answers that count."""
    if not changes.answers:
        return meeting
    lines = {
        key: [edits.edited_line(line, key, Edits(answers=changes.answers)) for line in each.lines]
        for key, each in meeting.components.items()
    }
    components = [type(each)(each.name, lines[key], each.children) for key, each in meeting.components.items()]
    return Meeting(meeting.calendar, components)


def _refuse_others_changes(old: Meeting, new: Meeting | None) -> None:
    """A guest's copy has the organizer's times, unless it comes with a later revision of his (RFC 6638 3.2.2.1)."""
    if new is not None and new.sequence > old.sequence:
        return
    if new is None or new.organizer != old.organizer or (new.times() != old.times() and "" in old.components):
        raise Refused(
            403, "C:allowed-attendee-scheduling-object-change", "only the organizer changes this of the meeting"
        )


def addresses_of(options: IcalOptions) -> frozenset[str]:
    """The addresses of a calendar's owner in small letters."""
    return frozenset(each.lower() for each in options.owner)

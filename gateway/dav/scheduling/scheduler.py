"""What scheduling makes of a change to a calendar: messages that go out with it, and what the store keeps.

A change of the organizer becomes requests and cancellations, a guest's becomes answers; nothing else sends (RFC 6638 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical import uid_of
from gateway.convert.ical.options import Options as IcalOptions
from gateway.dav import hrefs
from gateway.dav.errors import Refused
from gateway.dav.places import Place
from gateway.dav.scheduling import attending, edits, organizing, outgoing, sending, tag, tasks
from gateway.dav.scheduling.answered import note_answers
from gateway.dav.scheduling.edits import Edits
from gateway.dav.scheduling.enclosed import Enclosed
from gateway.dav.scheduling.meeting import Meeting, meeting_of
from gateway.dav.scheduling.organizing import Message
from gateway.dav.scheduling.roles import Role, is_over, role_in
from gateway.dav.scope import RequestScope
from gateway.dav.texts import Rendering
from gateway.mapi.content import MessageContent

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


class Scheduler:
    """Scheduling in one request; ``headers`` have names in small letters."""

    def __init__(self, scope: RequestScope, headers: Mapping[str, str]) -> None:
        self.scope = scope
        self.headers = headers
        self.now = scope.shared.now()

    # What a change means

    def put(self, place: Place, existing: MessageContent | None, body: bytes, convert: Convert) -> Change:
        """What a PUT stores and sends (Refused with the precondition that it breaks)."""
        if not _has_people(existing, body):
            return Change(convert(body, existing))
        if not self._is_scheduled(place):
            return self._task(place, existing, body, convert)
        edits.check_organizers(body)
        return _Put(self, place, existing, body, convert).change()

    def revision(
        self, place: Place, existing: MessageContent, content: MessageContent, convert: Convert
    ) -> Change:
        """What a change that comes without a text stores and sends: other files of a meeting (RFC 8607 3.12.6)."""
        if not self._is_scheduled(place) or not existing.recipients:
            return Change(content)

        def given(body: bytes, old: MessageContent | None) -> MessageContent:
            return convert(body, old) if body else content

        return _Put(self, place, existing, b"", given).change()

    def deletion(self, place: Place, existing: MessageContent) -> Change:
        """What a DELETE sends."""
        if not self._is_scheduled(place) or not existing.recipients or is_over(existing, self.now):
            return Change(None)
        rendering = self.scope.rendering(place)
        meeting, own = meeting_of(rendering.write(existing)), addresses_of(rendering.ical)
        role, found = role_in(meeting, own), []
        if role is Role.ORGANIZER:
            found = organizing.messages(meeting, None, own, self.now)
        elif role is Role.GUEST and self.headers.get("schedule-reply", "").strip().upper() != "F":
            found = attending.answers(meeting, None, own, self.now)
        return Change(None, self.contents(place, found))

    def _task(self, place: Place, existing: MessageContent | None, body: bytes, convert: Convert) -> Change:
        """What is stored where nothing is sent: a task says so."""
        content = convert(body, existing)
        if self.scope.shared.schedules and place.kind.name == "tasks":
            rendering = self.scope.rendering(place)
            text = rendering.write(content)
            told = tasks.marked(text, addresses_of(rendering.ical))
            content = content if told == text else convert(told, content)
        return Change(content)

    def _is_scheduled(self, place: Place) -> bool:
        """Whether the server schedules for the owner of a collection."""
        owner_is_user = place.owner not in (hrefs.PUBLIC, hrefs.DIRECTORY)
        return self.scope.shared.schedules and place.kind.name == "calendar" and owner_is_user

    # Carrying it out

    def carry_out(self, change: Change, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write, and send what there is to be sent; when the store refuses, nothing is sent."""
        wait = self.scope.wait
        if not change.messages:
            wait(write)
            return
        store = wait(self.scope.homes.own).store
        wait(lambda: outgoing.send_with(store, change.messages, write, self.now))

    def contents(
        self, place: Place, messages: Iterable[Message], item: MessageContent | None = None
    ) -> list[MessageContent]:
        """The messages as MAPI has them, with the files of the item that they name.

        Refused when the user may not send for the calendar's owner.
        """
        found = list(messages)
        if not found:
            return []
        options = self.scope.rendering(place).ical
        delegate = None if place.is_own else self._delegate(place.owner, options)
        made = [sending.content_of(each, delegate, _enclosing(options, item), self.now) for each in found]
        if any(content is None for content in made):
            raise Refused(403, "C:valid-calendar-data", "this has no form in which guests could be told of it")
        return [content for content in made if content is not None]

    def _delegate(self, owner: str, options: IcalOptions) -> tuple[str, str]:
        """The name and address of the user, who sends for the owner of a calendar (Refused)."""
        self._refuse_stranger(owner, options.owner[0] if options.owner else "")
        addresses, name = self.scope.wait(
            lambda: self.scope.shared.people.addresses(self.scope.session, self.scope.user)
        )
        if not addresses:
            raise Refused(403, "", "you have no mail address: invitations cannot be sent")
        return name, addresses[0]

    def _refuse_stranger(self, owner: str, address: str) -> None:
        """Only who may send in somebody's name invites and answers for him."""
        may_send_as = self.scope.shared.sending.may_send_as
        if may_send_as is None:
            raise Refused(
                403, "D:need-privileges", f"this server cannot find out whether you may send for {owner}"
            )
        if not self.scope.wait(lambda: _truth(may_send_as(self.scope.user, address))):
            raise Refused(
                403, "D:need-privileges", f"you may not send invitations and answers in the name of {owner}"
            )


class _Put:
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
                    path = f"/{self._scope.user}/{place.name}/{entry.href}"
                    raise Refused(403, "C:unique-scheduling-object-resource", path)


def _enclosing(options: IcalOptions, item: MessageContent | None) -> IcalOptions:
    """Options with which a message gets the files that its text names."""
    return options if item is None else replace(options, attached=Enclosed(item))


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


def _has_people(existing: MessageContent | None, body: bytes) -> bool:
    return bool(existing is not None and existing.recipients) or b"ATTENDEE" in body.upper()


def addresses_of(options: IcalOptions) -> frozenset[str]:
    """The addresses of a calendar's owner in small letters."""
    return frozenset(each.lower() for each in options.owner)


async def _truth(answer: Any) -> bool:
    return bool(await answer)

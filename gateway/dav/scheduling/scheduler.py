"""What scheduling makes of a change to a calendar: messages that go out with it, and what the store keeps.

A change of the organizer becomes requests and cancellations, a guest's becomes answers; nothing else sends (RFC 6638 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any

from gateway.convert.ical.options import Options as IcalOptions
from gateway.dav import hrefs
from gateway.dav.errors import Refused
from gateway.dav.places import Place
from gateway.dav.scheduling import attending, edits, organizing, outgoing, sending, tasks
from gateway.dav.scheduling.enclosed import Enclosed
from gateway.dav.scheduling.meeting import meeting_of
from gateway.dav.scheduling.organizing import Message
from gateway.dav.scheduling.put import Change, Convert, Put, addresses_of
from gateway.dav.scheduling.roles import Role, is_over, role_in
from gateway.dav.scope import RequestScope
from gateway.mapi.content import MessageContent


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
        if not self.is_scheduled(place):
            return self._task(place, existing, body, convert)
        edits.check_organizers(body)
        return Put(self, place, existing, body, convert).change()

    def revision(
        self, place: Place, existing: MessageContent, content: MessageContent, convert: Convert
    ) -> Change:
        """What a change that comes without a text stores and sends: other files of a meeting (RFC 8607 3.12.6)."""
        if not self.is_scheduled(place) or not existing.recipients:
            return Change(content)

        def given(body: bytes, old: MessageContent | None) -> MessageContent:
            return convert(body, old) if body else content

        return Put(self, place, existing, b"", given).change()

    def deletion(self, place: Place, existing: MessageContent) -> Change:
        """What a DELETE sends."""
        if not self.is_scheduled(place) or not existing.recipients or is_over(existing, self.now):
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

    def is_scheduled(self, place: Place) -> bool:
        """Whether the server schedules for the owner of a collection."""
        owner_is_user = place.owner not in (hrefs.PUBLIC, hrefs.DIRECTORY)
        return self.scope.shared.schedules and place.kind.name == "calendar" and owner_is_user

    # Carrying it out

    def carry_out(self, change: Change, write: Callable[[], Coroutine[Any, Any, object]]) -> None:
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


def _enclosing(options: IcalOptions, item: MessageContent | None) -> IcalOptions:
    """Options with which a message gets the files that its text names."""
    return options if item is None else replace(options, attached=Enclosed(item))


def _has_people(existing: MessageContent | None, body: bytes) -> bool:
    return bool(existing is not None and existing.recipients) or b"ATTENDEE" in body.upper()


async def _truth(answer: Any) -> bool:
    return bool(await answer)

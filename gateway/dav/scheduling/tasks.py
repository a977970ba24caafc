"""Tasks with people in them: kept as their client wrote them, and told to nobody.

A task that MAPI clients assign (IPM.TaskRequest, MS-OXOTASK) has one new owner and leaves its first one; what RFC 5546 3.4
asks for has no form in it, and no MAPI client reads a VTODO in a mail. So the text says that nobody was told.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.dav.scheduling.edits import Edits, edited
from gateway.dav.scheduling.meeting import SERVER, Meeting, meeting_of

#: RFC 6638 3.2.9: there was no way to deliver the message.
_UNDELIVERABLE: Final = "5.2"
COMPONENT: Final = "VTODO"


def marked(text: bytes, own: Collection[str]) -> bytes:
    """The text of a task, with a status for everybody whom its client expects to be told; ``own`` is the owner."""
    found = meeting_of(text, COMPONENT)
    statuses = dict.fromkeys(_expecting(found, own), _UNDELIVERABLE) if found is not None else {}
    return edited(text, Edits(statuses=statuses)) if statuses else text


def _expecting(task: Meeting, own: Collection[str]) -> list[str]:
    """The guests of the owner's task; the organizer of somebody else's that he has to do."""
    if task.organizer in own:
        return task.invited(own)
    is_guest = task.line_of(own) is not None and task.organizer_agent == SERVER
    return [task.organizer] if is_guest and task.organizer else []

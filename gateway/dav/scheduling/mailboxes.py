"""The mailboxes for scheduling: the user's Inbox, as far as meetings go, and an Outbox that takes requests (RFC 6638 2).

The Inbox shows the meeting messages of the folder that receives them. Old ones are left out: clients delete what they
have dealt with, and a user's mails of last year are not theirs to tidy up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

from gateway.dav.homes import UserHomes
from gateway.dav.kinds import SCHEDULE_INBOX, SCHEDULE_OUTBOX, Kind
from gateway.dav.places import Home, Place
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.rights import Rights
from gateway.mapi.times import from_unix
from gateway.mapiclient.folder import load_props

#: Last parts of their paths.
INBOX: Final = "schedule-inbox"
OUTBOX: Final = "schedule-outbox"
NAMES: Final = (INBOX, OUTBOX)
#: How long a message is shown and applied (seconds).
RECENT: Final = 30 * 86_400
_REQUEST: Final = "IPM.Schedule.Meeting.Request"
_known: WeakKeyDictionary[UserHomes, dict[str, Place]] = WeakKeyDictionary()


async def of(homes: UserHomes, now: float) -> dict[str, Place]:
    """The mailboxes of a user, by name; where they are is asked once."""
    found = _known.get(homes)
    if found is None:
        found = _known[homes] = await _read(homes)
    since = from_unix(now - RECENT)
    return {name: replace(place, since=since) for name, place in found.items()}


async def _read(homes: UserHomes) -> dict[str, Place]:
    home = await homes.own()
    found: dict[str, Place] = {}
    inbox = await home.store.receive_folder(_REQUEST)
    found[INBOX] = await _place(home, inbox, INBOX, SCHEDULE_INBOX, Rights.READ_ANY | Rights.DELETE_ANY)
    outbox = home.store.props.get(pr.PR_IPM_OUTBOX_ENTRYID)
    if not outbox:
        raise NotFound("the store has no Outbox")
    found[OUTBOX] = await _place(home, outbox, OUTBOX, SCHEDULE_OUTBOX, Rights.READ_ANY)
    return found


async def _place(home: Home, entryid: bytes, name: str, kind: Kind, rights: int) -> Place:
    props, server_id = await load_props(home.store.session, entryid)
    return Place(
        name=name,
        kind=kind,
        entryid=entryid,
        source_key=props.get(pr.PR_SOURCE_KEY, b""),
        server_id=server_id,
        title={INBOX: "Inbox", OUTBOX: "Outbox"}[name],
        rights=int(rights),
        home=home,
        is_default=True,
    )

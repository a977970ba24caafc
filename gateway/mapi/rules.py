"""Rule actions: what a rule of the Inbox does with a message (MS-OXORULE 2.2.5, Kopano's encoding)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

from gateway.mapi.props import Prop


class ActionType(IntEnum):
    """What an action does."""

    MOVE = 1
    COPY = 2
    REPLY = 3
    OOF_REPLY = 4
    DEFER = 5
    BOUNCE = 6
    FORWARD = 7
    DELEGATE = 8
    TAG = 9
    DELETE = 10
    MARK_AS_READ = 11


class ForwardFlavor(IntFlag):
    """How a message is forwarded."""

    PRESERVE_SENDER = 1
    DO_NOT_MUNGE = 2
    AS_ATTACHMENT = 4


@dataclass(frozen=True, slots=True)
class MoveCopy:
    """MOVE or COPY to a folder; the ids are in the form clients exchange."""

    type: int
    store: bytes
    folder: bytes
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """REPLY or OOF_REPLY with a template message."""

    type: int
    message: bytes
    guid: bytes
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Defer:
    """DEFER: the client does it, with data only it understands."""

    data: bytes
    type: int = ActionType.DEFER
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Bounce:
    """BOUNCE with a reason."""

    code: int
    type: int = ActionType.BOUNCE
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Forward:
    """FORWARD or DELEGATE to recipients, each a row of properties."""

    type: int
    recipients: tuple[tuple[Prop, ...], ...]
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """TAG: set a property."""

    prop: Prop
    type: int = ActionType.TAG
    flavor: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Plain:
    """DELETE, MARK_AS_READ, and types that carry nothing we know."""

    type: int
    flavor: int = 0
    flags: int = 0


Action: TypeAlias = MoveCopy | Reply | Defer | Bounce | Forward | Tag | Plain
#: The value of a PT_ACTIONS property, in the order of execution.
Actions: TypeAlias = tuple[Action, ...]

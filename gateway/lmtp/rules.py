"""The rules of an Inbox: which apply to a message, and what they want done with it (MS-OXORULE 2.2.1, 3.2.5). Pure.

What only a client can do (defer) and actions of an unknown kind are named in `Plan.left_out`; the mail stays where the
other actions put it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.lmtp.matching import Subject, matches
from gateway.mapi import proptags as pr
from gateway.mapi.props import PT_OBJECT, NamedProps, Props, Value, present, prop_type
from gateway.mapi.rules import Action, ActionType, Bounce, Forward, MoveCopy, Reply, Tag
from gateway.mapiclient.wire.documents import decode_rows

#: Bits of PR_RULE_STATE.
_ENABLED: Final = 0x01
_ONLY_WHEN_AWAY: Final = 0x04
_EXIT: Final = 0x10
_MOST_SENT: Final = 20
#: What a rule may not set: the store decides, or delivery does.
_UNTAGGABLE: Final = frozenset({pr.PR_MESSAGE_FLAGS, pr.PR_MESSAGE_SIZE, pr.PR_ENTRYID, pr.PR_PARENT_ENTRYID})


@dataclass(frozen=True, slots=True)
class Sending:
    """A mail that a rule wants sent."""

    rule: str
    """The rule's name."""
    action: Forward | Reply


@dataclass(slots=True)
class Plan:
    """What to do with a message."""

    folders: list[bytes] = field(default_factory=list)
    """Where it is stored, each a copy."""
    delete: bool = False
    """Whether the rules want it gone (it is kept among the recoverable items)."""
    mark_read: bool = False
    tags: NamedProps = field(default_factory=dict)
    """Properties that it gets."""
    sendings: list[Sending] = field(default_factory=list)
    bounce: Bounce | None = None
    """How it goes back to its sender, if it does."""
    left_out: list[str] = field(default_factory=list)
    """What rules want that is not done here, for the log."""


def read_rules(document: bytes) -> list[Props]:
    """The enabled rules in the order of their execution (WireError, ValueError when the document makes no sense)."""
    if not document:
        return []
    rows = [dict(present(row)) for row in decode_rows(document)]
    enabled = [row for row in rows if row.get(pr.PR_RULE_STATE, 0) & _ENABLED]
    return sorted(enabled, key=lambda row: row.get(pr.PR_RULE_SEQUENCE, 0))


def plan_of(rules: Sequence[Props], subject: Subject, home: bytes, *, away: bool) -> Plan:
    """What the rules want done with a message that otherwise goes to the folder ``home``.

    After a rule that ends the processing only those for the time of absence are looked at (MS-OXORULE 2.2.1.3.1.3).
    """
    plan = Plan()
    moved = ended = False
    for rule in rules:
        state, condition = rule.get(pr.PR_RULE_STATE, 0), rule.get(pr.PR_RULE_CONDITION)
        of_absence = bool(state & _ONLY_WHEN_AWAY)
        if (of_absence and not away) or (ended and not of_absence):
            continue
        if condition is not None and not matches(condition, subject):
            continue
        name = str(rule.get(pr.PR_RULE_NAME) or "without a name")
        for action in rule.get(pr.PR_RULE_ACTIONS) or ():
            moved = _act(action, plan, name) or moved
        ended = ended or bool(state & _EXIT)
    if not (moved or plan.delete or plan.bounce):
        plan.folders.insert(0, home)
    plan.folders = list(dict.fromkeys(plan.folders))
    return plan


def _act(action: Action, plan: Plan, rule: str) -> bool:
    """Note an action; whether it takes the message away from its home."""
    match action:
        case MoveCopy(folder=folder) if folder:
            plan.folders.append(folder)
            return action.type == ActionType.MOVE
        case Forward() | Reply() if len(plan.sendings) < _MOST_SENT:
            plan.sendings.append(Sending(rule, action))
        case Bounce():
            plan.bounce = action
        case Tag(prop=(tag, value)) if _may_tag(tag, value):
            plan.tags[tag] = value
        case _ if action.type == ActionType.DELETE:
            plan.delete = True
        case _ if action.type == ActionType.MARK_AS_READ:
            plan.mark_read = True
        case _:
            plan.left_out.append(f"{_kind(action.type)} of rule {rule!r}")
    return False


def _may_tag(tag: int, value: Value) -> bool:
    return tag not in _UNTAGGABLE and prop_type(tag) != PT_OBJECT and value is not None


def _kind(number: int) -> str:
    return ActionType(number).name.lower() if number in set(ActionType) else f"action {number}"

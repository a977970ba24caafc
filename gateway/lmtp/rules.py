"""The rules of an Inbox: which apply to a message, and what they want done with it (MS-OXORULE 2.2.1, 3.1.4.2). Pure.

Move, copy, delete, mark as read and forward are obeyed. What only a client can do (defer, reply with a template) or
what would send mail back (bounce) is left; the mail stays where the other actions put it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.lmtp.matching import Subject, matches
from gateway.mapi import proptags as pr
from gateway.mapi.props import Props, present
from gateway.mapi.rules import Action, ActionType, Forward, MoveCopy
from gateway.mapiclient.wire.documents import decode_rows
from gateway.mapiclient.wire.errors import WireError

#: Bits of PR_RULE_STATE.
_ENABLED: Final = 0x01
_ONLY_WHEN_AWAY: Final = 0x04
_EXIT: Final = 0x10
_MOST_FORWARDS: Final = 20


@dataclass(slots=True)
class Plan:
    """What to do with a message."""

    folders: list[bytes] = field(default_factory=list)
    """Where it is stored, each a copy."""
    delete: bool = False
    """Whether the rules want it gone (it is kept among the recoverable items)."""
    mark_read: bool = False
    forwards: list[Forward] = field(default_factory=list)


def read_rules(document: bytes) -> list[Props]:
    """The enabled rules in the order of their execution; none when the document makes no sense."""
    if not document:
        return []
    try:
        rows = [dict(present(row)) for row in decode_rows(document)]
    except (WireError, ValueError):
        return []
    enabled = [row for row in rows if row.get(pr.PR_RULE_STATE, 0) & _ENABLED]
    return sorted(enabled, key=lambda row: row.get(pr.PR_RULE_SEQUENCE, 0))


def plan_of(rules: Sequence[Props], subject: Subject, home: bytes, *, away: bool) -> Plan:
    """What the rules want done with a message that otherwise goes to the folder ``home``."""
    plan = Plan()
    moved = False
    for rule in rules:
        state, condition = rule.get(pr.PR_RULE_STATE, 0), rule.get(pr.PR_RULE_CONDITION)
        if state & _ONLY_WHEN_AWAY and not away:
            continue
        if condition is not None and not matches(condition, subject):
            continue
        for action in rule.get(pr.PR_RULE_ACTIONS) or ():
            moved = _act(action, plan) or moved
        if state & _EXIT:
            break
    if not moved and not plan.delete:
        plan.folders.insert(0, home)
    plan.folders = list(dict.fromkeys(plan.folders))
    return plan


def _act(action: Action, plan: Plan) -> bool:
    """Note an action; whether it takes the message away from its home."""
    if isinstance(action, MoveCopy):
        if not action.folder:
            return False
        plan.folders.append(action.folder)
        return action.type == ActionType.MOVE
    if isinstance(action, Forward):
        if len(plan.forwards) < _MOST_FORWARDS:
            plan.forwards.append(action)
    elif action.type == ActionType.DELETE:
        plan.delete = True
    elif action.type == ActionType.MARK_AS_READ:
        plan.mark_read = True
    return False

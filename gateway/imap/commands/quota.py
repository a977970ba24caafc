"""GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208): one root, the user's store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from gateway.imap.answers import Done, Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.connection import User
from gateway.mailbox.account import Quota
from gateway.mailbox.tree import PERSONAL

#: The name of the only root.
ROOT: Final = ""


async def get_quota(user: User, command: c.GetQuota) -> AsyncIterator[bytes | Done]:
    """How full the store is."""
    if command.root != ROOT:
        raise Refused("No such quota root", "NONEXISTENT")
    yield w.quota(ROOT, resources(await user.account.quota()))


async def get_quota_root(user: User, command: c.GetQuotaRoot) -> AsyncIterator[bytes | Done]:
    """The root a mailbox counts for: other people's and public folders have none we may look at."""
    mailbox = await user.mailbox(command.mailbox)
    own = mailbox.namespace == PERSONAL
    yield w.quota_root(mailbox.name, [ROOT] if own else [], utf8=user.connection.utf8)
    if own:
        yield w.quota(ROOT, resources(await user.account.quota()))


async def set_quota(user: User, command: c.SetQuota) -> AsyncIterator[bytes | Done]:
    """The administrator of the store sets quotas, nobody else."""
    raise Refused("Quotas are set by the administrator", "NOPERM")
    yield Done()


def resources(quota: Quota) -> list[tuple[str, int, int]]:
    """STORAGE in units of 1024 octets (RFC 9208 5.1); none when there is no limit."""
    return [("STORAGE", -(-quota.used // 1024), quota.limit // 1024)] if quota.limit else []

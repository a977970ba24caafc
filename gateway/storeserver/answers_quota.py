"""Answers about quota."""

from __future__ import annotations

from gateway.mapi.errors import ErrorCode, InvalidParameter
from gateway.mapiclient.wire import calls_directory as calls
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.structs import Quota
from gateway.storeserver import accounts, groups
from gateway.storeserver.accountrecords import user_list
from gateway.storeserver.accounts import Account, ObjectClass
from gateway.storeserver.context import Context, required
from gateway.storeserver.dispatch import reads, writes
from gateway.storeserver.groups import Quota as Levels


def _own_or_admin(context: Context, account: Account) -> None:
    if account.id != context.actor.user_id:
        accounts.require_admin(context.actor)


@reads(calls.GetQuota)
def get_quota(context: Context, call: calls.GetQuota) -> calls.QuotaReply:
    """Quota settings of a user."""
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    _own_or_admin(context, account)
    levels = groups.quota(context.tx, account.id)
    return calls.QuotaReply(Quota(levels.is_default, False, levels.warn, levels.soft, levels.hard))


@writes(calls.SetQuota)
def set_quota(context: Context, call: calls.SetQuota) -> Result:
    """Change quota settings; for administrators only."""
    quota = required(call.quota, "lpsQuota")
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    if min(quota.warn_size, quota.soft_size, quota.hard_size) < 0:
        raise InvalidParameter("a quota is not negative")
    levels = Levels(quota.warn_size, quota.soft_size, quota.hard_size, quota.use_default_quota)
    groups.set_quota(context.tx, context.actor, account.id, levels)
    return Result()


@reads(calls.GetQuotaStatus)
def get_quota_status(context: Context, call: calls.GetQuotaStatus) -> calls.QuotaStatusReply:
    """How full a user's store is."""
    if not call.user_id and not call.user_entryid:
        raise InvalidParameter("a user must be named")
    account = accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)
    if account.is_group or account.object_class == ObjectClass.CONTACT:
        raise InvalidParameter(f"{account.name} has no store", code=ErrorCode.INVALID_TYPE)
    size, state = groups.quota_status(context.tx, context.actor, account)
    return calls.QuotaStatusReply(size, int(state))


@reads(calls.GetQuotaRecipients)
def get_quota_recipients(context: Context, call: calls.GetQuotaRecipients) -> calls.UserListReply:
    """Who gets quota mails: the user himself."""
    accounts.require_admin(context.actor)
    return user_list(context, [accounts.resolve(context.tx, context.actor, call.user_id, call.user_entryid)])

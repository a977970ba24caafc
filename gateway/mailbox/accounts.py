"""Accounts: from proven credentials to a user's mail. One session, one tree and one set of Views per user."""

from __future__ import annotations

from gateway.mailbox.account import Account
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.userstore import UserStore
from gateway.mapiclient.session import Session
from gateway.mapiclient.sessions import Credentials, Lease, Sessions


class Accounts:
    """Gives out accounts. Every protocol head of a process shares one of these."""

    def __init__(self, sessions: Sessions, runtime: Runtime, *, show_all: bool = False) -> None:
        self._sessions = sessions
        self._runtime = runtime
        self._show_all = show_all
        self._stores: dict[Session, tuple[UserStore, int]] = {}

    async def login(self, user: str, password: str, *, application: str, peer: str = "") -> Account:
        """The account of a user (LogonFailed; NotFound when the user has no store; TransportError)."""
        lease = await self._sessions.lease(Credentials(user, password), application=application, address=peer)
        store = self._hold(lease.session)
        try:
            await store.open()
        except BaseException:
            self._let_go(lease)
            raise
        return Account(store, lambda: self._let_go(lease))

    def _hold(self, session: Session) -> UserStore:
        store, count = self._stores.get(session, (None, 0))
        if store is None:
            store = UserStore(session, self._runtime, show_all=self._show_all)
        self._stores[session] = (store, count + 1)
        return store

    def _let_go(self, lease: Lease) -> None:
        store, count = self._stores[lease.session]
        if count > 1:
            self._stores[lease.session] = (store, count - 1)
        else:
            del self._stores[lease.session]
            store.close()
        lease.release()

    def close(self) -> None:
        """Close everything; accounts that are still out become useless."""
        for store, _ in self._stores.values():
            store.close()
        self._stores.clear()

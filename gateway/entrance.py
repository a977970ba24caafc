"""The way in that every protocol head is given: prove the password, and see that the store lets the user use the protocol.

Kopano's administrators switch protocols on and off per user (``kopano-admin --enable-feature imap``); the server tells, but it
is the gateway that has to obey.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from gateway.mailbox.account import Account
from gateway.mailbox.accounts import Accounts
from gateway.mapi.errors import FeatureOff
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session


class Entrance:
    """Opens accounts for one protocol: ``await entrance(user, password, peer)``."""

    def __init__(self, accounts: Accounts, protocol: str) -> None:
        self._accounts = accounts
        self._protocol = protocol
        self._off: WeakKeyDictionary[Session, frozenset[str]] = WeakKeyDictionary()

    async def __call__(self, user: str, password: str, peer: str) -> Account:
        """The account of a user; raise LogonFailed, FeatureOff, NotFound without a store, TransportError."""
        account = await self._accounts.login(user, password, application=self._protocol, peer=peer)
        try:
            if self._protocol in await self._switched_off(account.session):
                raise FeatureOff(f"{self._protocol} is switched off for {account.user!r}")
        except BaseException:
            account.logout()
            raise
        return account

    async def _switched_off(self, session: Session) -> frozenset[str]:
        """The features that the user does not have, asked once for each session."""
        off = self._off.get(session)
        if off is None:
            _, off = directory.features(await directory.own_user(session))
            self._off[session] = off
        return off

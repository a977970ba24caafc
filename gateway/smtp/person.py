"""A user as the address book has him: who receives, and who sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.props import Props
from gateway.mapiclient import directory

#: What to ask the address book for.
PERSON_COLUMNS: Final = (*directory.COLUMNS, pr.PR_EMS_AB_PROXY_ADDRESSES)


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the address book has him."""

    login: str
    props: Props

    @property
    def name(self) -> str:
        """Display name."""
        return self.props.get(pr.PR_DISPLAY_NAME) or self.login

    @property
    def address(self) -> str:
        """Main mail address."""
        return self.props.get(pr.PR_SMTP_ADDRESS) or ""

    @property
    def addresses(self) -> frozenset[str]:
        """All mail addresses in lower case."""
        others = self.props.get(pr.PR_EMS_AB_PROXY_ADDRESSES) or ()
        known = {other.partition(":")[2] for other in others if other[:5].lower() == "smtp:"}
        return frozenset(address.lower() for address in (*known, self.address) if address)

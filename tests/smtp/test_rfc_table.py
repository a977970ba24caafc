"""docs/rfc.md says what POP3 and SMTP offer, and they offer what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.pop3.commands import capabilities
from gateway.pop3.options import Options as Pop3Options
from gateway.pop3.session import Session as Pop3Session
from gateway.pop3.session import Shared
from gateway.smtp.options import ServerOptions
from gateway.smtp.session import Session

DOCUMENT = Path(__file__).parents[2] / "docs" / "rfc.md"
_ROW = re.compile(r"\| [^|]* \| [^|]* \| `([^`]+)` \| (yes|partial|no) \|")


def table(name: str) -> dict[str, bool]:
    """What is offered by the rows of a section."""
    section = DOCUMENT.read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    return {offer: support != "no" for offer, support in _ROW.findall(section)}


def pattern(offer: str) -> str:
    return re.escape(offer).replace(r"\{\}", r"\S+")


def compare(offers: list[str], rows: dict[str, bool]) -> None:
    said = [offer for offer, offered in rows.items() if offered]
    assert [offer for offer in said if not any(re.fullmatch(pattern(offer), each) for each in offers)] == []
    assert [each for each in offers if not any(re.fullmatch(pattern(offer), each) for offer in said)] == []


def test_pop3() -> None:
    async def nobody(user: str, password: str, peer: str) -> Any:
        raise AssertionError

    shared = Shared(nobody, Pop3Options(login_delay=5, plaintext_login="always"), lambda: 0.0, tls=True)
    session = Pop3Session(shared, None, "", secure=False, local=True)  # type: ignore[arg-type]
    compare(capabilities(session), table("POP3"))


class Offering:
    """A backend that offers all there is."""

    lmtp = False
    hostname = "x"
    options = ServerOptions()

    def offers_auth(self, session: Session) -> bool:
        return True


@pytest.mark.parametrize("name", ["LMTP and SMTP"])
def test_smtp(name: str) -> None:
    session = Session(Offering(), None, "", secure=False, local=True, tls=True)  # type: ignore[arg-type]
    compare(session._extensions(), table(name))

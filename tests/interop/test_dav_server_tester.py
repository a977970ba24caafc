"""caldav-server-tester: what python-caldav's own survey of servers finds out about the gateway."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.gateway import GatewayProcess

pytestmark = pytest.mark.interop
_TESTER = Path(sys.executable).with_name("caldav-server-tester")
#: What is not as the survey wishes, and why.
_KNOWN: Final = {
    "create-calendar.auto": "what does not exist is not made by looking at it",
    "get-current-user-principal.has-calendar": "a statement without a judgement",
    "save-load.todo.mixed-calendar": "a folder of the store holds events or tasks, as Outlook has it",
    "save-load.journal.mixed-calendar": "the same for notes",
    "save-load.event.recurrences.exception.cancelled": "the store keeps a cancelled instance as a deleted one",
    "save.etag": "a PUT has no ETag, because what is stored is never byte for byte what was sent",
    "search.is-not-defined": "because of the next one",
    "search.is-not-defined.dtend": "every event of the store has an end",
    "search.text.comp-type-optional": "a filter on VCALENDAR itself sees VCALENDAR's own properties only",
    "url.encode-at.identity": "the survey puts the same UID at both spellings, which is refused",
    "url.encode-at.literal.principal": "no login name of this test has an @",
    "scheduling": "no mail can leave this gateway, so that it leaves invitations to the clients",
    "principal-search.list-all": "users are looked for, all of them are never listed",
    "well-known": "not asked of a server on this machine",
}


def test_what_the_survey_finds(gateway: GatewayProcess, user: str) -> None:
    url = f"http://127.0.0.1:{gateway.port('dav')}/"
    login = ("--caldav-url", url, "--caldav-user", user, "--caldav-password", user)
    done = subprocess.run(
        [str(_TESTER), *login, "--verbose"], capture_output=True, timeout=500, check=False, text=True
    )
    found = dict(re.findall(r"^## (\S+)\nFeature support level found: (\S+)$", done.stdout, re.M))
    assert len(found) > 80, done.stderr
    wanting = {name for name, support in found.items() if support != "full"}
    assert wanting == set(_KNOWN)

"""A store that is away: what was found out before is told all the same, so that clients count messages rightly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imap.dialogue import Dialogue, message
from tests.imap.server import running_server


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[Dialogue]:
    with running_server(tmp_path) as server:
        dialogue = Dialogue(server)
        yield dialogue
        dialogue.close()
        server.store.start()


def test_what_was_found_out_is_told(imap: Dialogue) -> None:
    """A result that cannot be kept up to date any more is given up (RFC 5267 4.3.1)."""
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 SEARCH RETURN (UPDATE COUNT) TEXT Hello
        S: * ESEARCH (TAG "a2") COUNT 2
        S: a2 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 1 +FLAGS.SILENT (\\Deleted)
        S2: b2 OK ...
        C2: b3 EXPUNGE
        S2: * 1 EXPUNGE
        S2: b3 OK ...
        C2: b4 STORE 1 +FLAGS (\\Flagged)
        S2: * 1 FETCH (UID ... FLAGS (\\Flagged))
        S2: b4 OK ...
    """)
    imap.server.store.stop()
    imap.talk("""
        C: a3 CAPABILITY
        S: * CAPABILITY ...
        S: * ESEARCH (TAG "a2") REMOVEFROM (0 1)
        S: * 1 EXPUNGE
        S: * 1 FETCH (UID ... FLAGS (\\Flagged))
        S: * NO [NOUPDATE "a2"] ...
        S: a3 OK ...
        C: a4 CANCELUPDATE "a2"
        S: a4 BAD ...
    """)

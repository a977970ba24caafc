"""Any line in any state is answered, with OK, NO or BAD, and never with a bug."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.imap.codec.parser import COMMANDS, UID_COMMANDS
from gateway.imap.options import Options
from tests.imap.dialogue import Dialogue, Talker, message
from tests.imap.server import Server

#: These change the state the test is about, or how the stream is to be read.
LEAVE_OUT = {
    "LOGOUT",
    "IDLE",
    "AUTHENTICATE",
    "STARTTLS",
    "COMPRESS",
    "UNAUTHENTICATE",
    "LOGIN",
    "CLOSE",
    "UNSELECT",
}
STATE = {"SELECT", "EXAMINE", "DELETE", "RENAME", "ENABLE"}
NAMES = sorted((set(COMMANDS) | {f"UID {name}" for name in UID_COMMANDS}) - LEAVE_OUT - STATE)
WORDS = [
    "(",
    ")",
    "1",
    "2",
    "3",
    "*",
    "1:*",
    "$",
    "0",
    "4294967295",
    "99999999999",
    "INBOX",
    "nowhere",
    "x/y",
    "Sent",
    "NIL",
    '""',
    '"a',
    'b"',
    '"\\\\"',
    '"&AOQ-"',
    "%",
    "RETURN",
    "ALL",
    "COUNT",
    "MIN",
    "MAX",
    "SAVE",
    "PARTIAL",
    "1:5",
    "-1:-5",
    "FLAGS",
    "+FLAGS",
    "-FLAGS.SILENT",
    "\\Seen",
    "\\Bogus",
    "Work",
    "(\\Seen)",
    "()",
    "BODY[]",
    "BODY[1]",
    "BODY[1.2.3.TEXT]",
    "BODY.PEEK[HEADER.FIELDS",
    "(Subject)]<0.5>",
    "BINARY[1]",
    "BINARY.SIZE[]",
    "ENVELOPE",
    "BODYSTRUCTURE",
    "UID",
    "MODSEQ",
    "(CHANGEDSINCE",
    "1)",
    "(UNCHANGEDSINCE",
    "0)",
    "(FLAGS)",
    "(MESSAGES)",
    "STATUS",
    "SEEN",
    "NOT",
    "OR",
    "SUBJECT",
    "BODY",
    "TEXT",
    "HEADER",
    "FROM",
    "SINCE",
    "1-Jan-2020",
    "31-Feb-2020",
    "LARGER",
    "YOUNGER",
    "CHARSET",
    "UTF-8",
    "X-NONE",
    "(DATE)",
    "(REVERSE",
    "SUBJECT)",
    "REFERENCES",
    "SET",
    "NONE",
    "SELECTED",
    "PERSONAL",
    "(MessageNew",
    "MessageExpunge)",
    "IN",
    "MAILBOXES",
    "{3+}\r\nabc",
    "~{2+}\r\n\x00\x01",
    "{0+}\r\n",
    "ÿ",
    "Ã¤",
    "\t",
    "/private/x",
    "lr",
    "+s",
    "500",
    "(STORAGE",
    "1)",
    "EMAILID",
    "M1",
    "THREADID",
    "PREVIEW",
    "(LAZY)",
    "(UPDATE",
    "CONTEXT)",
    "(UPDATE (UID))",
    "UIDAFTER",
    "UIDBEFORE",
    "(USE",
    "(\\Archive))",
    "(DEPTH",
    "infinity)",
    "(personal",
    "(MailboxMetadataChange))",
    "(QRESYNC",
    "(1 2 1:3 (1 1)))",
    "CATENATE",
    "(URL",
    "SAVEDON",
]
LINES = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(WORDS), max_size=7)).map(
        lambda made: " ".join([made[0], *made[1]]).encode("latin-1")
    ),
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"").replace(b"{", b"")),
)
LITERAL = re.compile(rb"\{\d+\}\r?\Z|\}\s*\Z")
FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def fuzzed(imap_server: Server) -> Iterator[Dialogue]:
    dialogue = Dialogue(imap_server, Options(max_bad_commands=1_000_000, name="fuzz"))
    dialogue.given(inbox=[("\\Seen", message("one")), message("two"), message("three")])
    yield dialogue
    dialogue.close()


def answered(talker: Talker, line: bytes) -> None:
    if LITERAL.search(line):
        return
    talker.send(b"t1 " + line + b"\r\nt2 NOOP\r\n")
    seen: list[str] = []
    while not (said := talker.line()).startswith("t2 "):
        seen.append(said)
    assert said.startswith("t2 OK"), (line, seen, said)
    assert not any("SERVERBUG" in one for one in seen), (line, seen)
    assert any(re.match(r"(t1|\*) (OK|NO|BAD) ", one) for one in seen), (line, seen)


def test_before_login(fuzzed: Dialogue) -> None:
    talker = fuzzed.talker(login=False)

    @FUZZ
    @given(LINES)
    def run(line: bytes) -> None:
        answered(talker, line)

    run()


def test_after_login(fuzzed: Dialogue) -> None:
    talker = fuzzed.talker()

    @FUZZ
    @given(LINES)
    def run(line: bytes) -> None:
        answered(talker, line)

    run()


def test_in_a_mailbox(fuzzed: Dialogue) -> None:
    talker = fuzzed.talker()
    talker.command("SELECT INBOX (CONDSTORE)")

    @FUZZ
    @given(LINES)
    def run(line: bytes) -> None:
        answered(talker, line)

    run()


def test_in_a_mailbox_with_everything_enabled(fuzzed: Dialogue) -> None:
    talker = fuzzed.talker()
    talker.command("ENABLE IMAP4rev2 QRESYNC UIDONLY UTF8=ACCEPT METADATA")
    talker.command("SELECT INBOX")

    @FUZZ
    @given(LINES)
    def run(line: bytes) -> None:
        answered(talker, line)

    run()


def test_in_idle(fuzzed: Dialogue) -> None:
    """Whatever comes ends IDLE, with BAD unless it is DONE; what is behind it is a command again."""
    talker = fuzzed.talker()
    talker.command("SELECT INBOX")

    @FUZZ
    @given(LINES)
    def run(line: bytes) -> None:
        if b"\n" in line:
            return
        talker.send(b"t1 IDLE\r\n")
        assert talker.line() == "+ idling"
        talker.send(line + b"\r\n")
        answer = talker.line()
        assert answer.startswith("t1 BAD " if line.strip().upper() != b"DONE" else "t1 OK "), (line, answer)
        assert talker.command("NOOP", "t2") == ["t2 OK Noop completed"]

    run()


def test_in_the_middle_of_a_login(fuzzed: Dialogue) -> None:
    """What is no base64 is BAD, what is none of a name and a password too."""
    talker = fuzzed.talker(login=False)

    @FUZZ
    @given(st.one_of(LINES, st.binary(max_size=30).map(b64encode)))
    def run(line: bytes) -> None:
        if b"\n" in line:
            return
        talker.send(b"t1 AUTHENTICATE PLAIN\r\n")
        assert talker.line() == "+ "
        talker.send(line + b"\r\n")
        answer = talker.line()
        assert re.match("t1 (NO|BAD) ", answer), (line, answer)
        assert "SERVERBUG" not in answer, (line, answer)
        assert talker.command("NOOP", "t2") == ["t2 OK Noop completed"]

    run()

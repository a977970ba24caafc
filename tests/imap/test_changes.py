"""What one connection is told of what others do: NOOP, IDLE, the moments of EXPUNGE (RFC 9051 5.2, 6.3.13, 7.5.1)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.imap.dialogue import Dialogue, Talker, message
from tests.imap.server import Server


def test_two_connections(imap: Dialogue) -> None:
    imap.given(inbox=[message("one"), message("two"), message("three")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 2 +FLAGS (\\Deleted)
        S2: * 2 FETCH (UID ... FLAGS (\\Deleted))
        S2: b2 OK ...
        C2: b3 EXPUNGE
        S2: * 2 EXPUNGE
        S2: b3 OK ...
        C: a2 FETCH 3 FLAGS
        S: * 3 FETCH (FLAGS ())
        S: a2 OK ...
        C: a3 FETCH 2 FLAGS
        S: a3 OK [EXPUNGEISSUED] ...
        C: a4 SEARCH ALL
        S: * SEARCH 1 3
        S: a4 OK ...
        C: a5 NOOP
        S: * 2 EXPUNGE
        S: a5 OK ...
        C: a6 FETCH 2 FLAGS
        S: * 2 FETCH (FLAGS ())
        S: a6 OK ...
    """)
    assert imap.silent()


def test_silence_is_about_ones_own_change(imap: Dialogue) -> None:
    """RFC 9051 6.4.6: what somebody else did to the same flags is told with .SILENT, too."""
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C2: b1 SELECT INBOX
        S2: ...
        S2: b1 OK ...
        C2: b2 STORE 1 +FLAGS.SILENT (\\Flagged)
        S2: b2 OK ...
        C: a2 STORE 1:2 +FLAGS.SILENT (\\Seen)
        S: * 1 FETCH (UID ... FLAGS (\\Seen \\Flagged))
        S: a2 OK ...
    """)
    assert imap.silent()


def test_idle(imap: Dialogue) -> None:
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 IDLE
        S: + idling
        C2: b1 APPEND INBOX {14+}
        C2: Subject: x
        C2:
        C2:
        S2: b1 OK [APPENDUID ...] ...
        S: * 1 EXISTS
        C2: b2 SELECT INBOX
        S2: ...
        S2: b2 OK ...
        C2: b3 STORE 1 +FLAGS (\\Seen)
        S2: * 1 FETCH ...
        S2: b3 OK ...
        S: * 1 FETCH (UID ... FLAGS (\\Seen))
        C: DONE
        S: a2 OK Idle ended
        C: a3 IDLE
        S: + idling
        C: a4 NOOP
        S: a3 BAD ...
    """)


def test_idle_and_done_at_once(imap: Dialogue) -> None:
    imap.talker().send(b"a1 IDLE\r\nDONE\r\na2 NOOP\r\n")
    assert [imap.talker().line() for _ in range(3)] == ["+ idling", "a1 OK Idle ended", "a2 OK Noop completed"]


def test_idle_that_some_clients_leave_without_done(imap: Dialogue) -> None:
    imap.talk("""
        C: a0 ID ("name" "iPhone Mail" "version" "1")
        S: * ID ("name" "mapi-gateway")
        S: a0 OK ...
        C: a1 IDLE
        S: + idling
        C: a2 CAPABILITY
        S: a1 OK ...
        S: * CAPABILITY ...
        S: a2 OK ...
    """)


def test_commands_in_a_row(imap: Dialogue) -> None:
    imap.given(inbox=[message("one")])
    imap.talker().send(b"a1 SELECT INBOX\r\na2 FETCH 1 FLAGS\r\na3 STORE 1 +FLAGS (\\Seen)\r\na4 NOOP\r\n")
    imap.talk("""
        S: ...
        S: a1 OK ...
        S: * 1 FETCH (FLAGS ())
        S: a2 OK ...
        S: * 1 FETCH (UID ... FLAGS (\\Seen))
        S: a3 OK ...
        S: a4 OK ...
    """)


class Follower:
    """A client that believes what it is told, and checks each UID it sees against its own count."""

    def __init__(self, talker: Talker) -> None:
        self.talker = talker
        self.uids: list[int | None] = []
        self.command("SELECT INBOX")
        self.check()

    def command(self, text: str) -> None:
        for line in self.talker.command(text)[:-1]:
            words = line.split()
            if words[2:3] == ["EXISTS"]:
                assert int(words[1]) >= len(self.uids)
                self.uids += [None] * (int(words[1]) - len(self.uids))
            elif words[2:3] == ["EXPUNGE"]:
                assert not text.startswith(("FETCH", "STORE", "SEARCH"))
                del self.uids[int(words[1]) - 1]
            elif words[2:3] == ["FETCH"] and "(UID" in words:
                uid = int(words[4].rstrip(")"))
                assert self.uids[int(words[1]) - 1] in (None, uid), (text, line, self.uids)
                self.uids[int(words[1]) - 1] = uid

    def check(self) -> None:
        """After NOOP, what the server counts is what the client counts."""
        self.command("NOOP")
        if self.uids:
            self.command(f"FETCH 1:{len(self.uids)} UID")


def test_sequence_numbers_survive_three_clients(imap: Dialogue) -> None:
    imap.given(inbox=[message(str(n)) for n in range(12)])
    followers = [Follower(imap.talker(str(n))) for n in range(3)]
    writer = imap.talker("9")

    def work(which: int) -> None:
        follower = followers[which]
        for turn in range(6):
            if which == 0:
                writer.append("INBOX", message(f"new {turn}"))
            elif which == 1 and follower.uids:
                follower.command(f"STORE {1 + turn % len(follower.uids)} +FLAGS.SILENT (\\Deleted)")
                follower.command("EXPUNGE")
            elif follower.uids:
                follower.command("FETCH 1:* (UID FLAGS)")
                follower.command("SEARCH UNSEEN")
            follower.check()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work, which) for which in range(3)]:
            done.result(60)
    for follower in followers:
        follower.check()
    counts = {tuple(follower.uids) for follower in followers}
    assert len(counts) == 1


def test_expunge_on_delete(imap_with: Callable[..., Dialogue]) -> None:
    imap = imap_with(expunge_on_delete=True)
    imap.given(inbox=[message("one"), message("two")])
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 UID STORE 1:* +FLAGS (\\Deleted)
        S: * 1 FETCH ...
        S: * 2 FETCH ...
        S: * 2 EXPUNGE
        S: * 1 EXPUNGE
        S: a2 OK ...
    """)


def test_many_changes_at_once_elsewhere(imap: Dialogue, imap_server: Server, tmp_path: Path) -> None:
    """Of more than ten the store tells no single one, only that their folder has changed."""
    imap.given(inbox=[message(str(n)) for n in range(12)])
    gateway = Server(imap_server.store, tmp_path)
    elsewhere = Dialogue(gateway, user=imap.user)
    imap.talk("""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 IDLE
        S: + idling
    """)
    elsewhere.talk("""
        C: b1 SELECT INBOX
        S: ...
        S: b1 OK ...
        C: b2 STORE 1:* +FLAGS.SILENT (\\Deleted)
        S: b2 OK ...
        C: b3 STORE 12 +FLAGS.SILENT (\\Flagged)
        S: b3 OK ...
    """)
    imap.talk("S: ...\nS: * 12 FETCH (UID ... FLAGS (\\Flagged \\Deleted))")
    elsewhere.talk("C: b4 EXPUNGE\nS: ...\nS: b4 OK ...")
    imap.talk("""
        S: ...
        S: * 1 EXPUNGE
        C: DONE
        S: a2 OK ...
    """)
    elsewhere.close()
    gateway.close()

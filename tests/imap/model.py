"""A client that believes what it is told and checks every untagged response against the rules of its mode.

The rules: RFC 9051 5.5 and 7.5.1 (when EXPUNGE may come), RFC 7162 (UIDs and mod-sequences in FETCH, VANISHED), RFC 5465
(what comes without a command), RFC 5267 (results that are kept up to date), RFC 9586 (no sequence numbers).
"""

from __future__ import annotations

import re
import select
from dataclasses import dataclass, field
from itertools import count

from tests.imap.dialogue import Talker

#: Untagged responses that say nothing of the messages in a mailbox.
_ASIDE = re.compile(
    r"\* (OK|NO|FLAGS|STATUS|LIST|ENABLED|CAPABILITY|SEARCH|SORT|THREAD|0 RECENT|ESEARCH (?!.*(ADDTO|REMOVEFROM))|\d+ EXISTS)"
)


@dataclass(frozen=True)
class Mode:
    """What a client has enabled."""

    enabled: tuple[str, ...] = ()
    notify: str = ""
    """The filter of NOTIFY that means the selected mailbox."""
    by_uid: bool = False
    """Whether no command uses sequence numbers."""

    @property
    def uid_only(self) -> bool:
        return "UIDONLY" in self.enabled

    @property
    def vanished(self) -> bool:
        return self.uid_only or "QRESYNC" in self.enabled

    @property
    def condstore(self) -> bool:
        return not {"CONDSTORE", "QRESYNC"}.isdisjoint(self.enabled)


@dataclass(eq=False)
class Known:
    """A message as the client knows it."""

    uid: int = 0
    flags: frozenset[str] | None = None
    modseq: int = 0
    email: str = ""


@dataclass
class Result:
    """A result that the server keeps up to date; UIDs, or messages where it is told by number."""

    search: str
    by_uid: bool
    sorted: bool
    found: list[int | Known] = field(default_factory=list)
    ending: bool = False


class Believer:
    """One connection in INBOX."""

    def __init__(self, port: int, user: str, mode: Mode) -> None:
        self.mode = mode
        self.talker = Talker(port)
        self._tags = count(1)
        self._tag = ""
        self._command = ""
        self.messages: list[Known] = []
        self.results: dict[str, Result] = {}
        self.heard: list[str] = []
        """What the running command, or the last one, was answered with."""
        self.log: list[str] = []
        self.highest = 0
        self.selected = False
        self.run(f"LOGIN {user} {user}")
        if mode.enabled:
            self.run(f"ENABLE {' '.join(mode.enabled)}")
        if mode.notify:
            self.run(f"NOTIFY SET ({mode.notify} (MessageNew (UID FLAGS) MessageExpunge FlagChange))")

    # -- commands

    def run(self, command: str) -> str:
        """Carry a command out; its tagged response."""
        self.begin(command)
        return self.finish()

    def begin(self, command: str, more: bytes = b"") -> None:
        """Send a command, after taking in what was said without one."""
        self.overhear()
        self._tag, self._command = f"t{next(self._tags)}", command
        self.log.append(f"C: {self._tag} {command}")
        self.heard = []
        self.talker.send(f"{self._tag} {command}\r\n".encode() + more)

    @property
    def tag(self) -> str:
        return self._tag

    def wait_for_idle(self) -> None:
        """IDLE has begun."""
        while not (line := self._line()).startswith("+"):
            self._hear(line)

    def done(self) -> None:
        """IDLE ends."""
        self.talker.send(b"DONE\r\n")
        self.finish()

    def finish(self) -> str:
        """The rest of the answer."""
        while not (line := self._line()).startswith(f"{self._tag} "):
            self.heard.append(line)
            self._hear(line)
        ending = line.split(" ", 1)[1]
        if code := re.search(r"HIGHESTMODSEQ (\d+)", ending):
            self.highest = int(code[1])
        self._tag = self._command = ""
        return ending

    def overhear(self) -> None:
        """What was said while no command was running."""
        while self.talker.pending() or select.select([self.talker.socket], [], [], 0)[0]:
            line = self._line()
            self.must(bool(self._command or self.mode.notify), f"nothing may be said without a command: {line}")
            self._hear(line)

    def _line(self) -> str:
        line = self.talker.line()
        self.log.append(f"S: {line}")
        return line

    def must(self, holds: bool, words: str) -> None:
        """A rule."""
        assert holds, "\n".join([words, str(self.mode), *self.log[-40:]])

    # -- what is heard

    def _hear(self, line: str) -> None:
        mode = self.mode
        if found := re.fullmatch(r"\* (\d+) EXISTS", line):
            self._exists(int(found[1]))
        elif found := re.fullmatch(r"\* (\d+) EXPUNGE", line):
            self.must(not mode.vanished, f"VANISHED was asked for: {line}")
            self._may_expunge(line)
            self.must(0 < int(found[1]) <= len(self.messages), f"no such message: {line}")
            self._forget(self.messages[int(found[1]) - 1])
        elif found := re.fullmatch(r"\* VANISHED ([\d:,]+)", line):
            self.must(mode.vanished, f"VANISHED was not asked for: {line}")
            self._may_expunge(line)
            for uid in numbers(found[1]):
                self._forget(self.messages[self._place(uid, line)])
        elif found := re.fullmatch(r"\* (\d+) (UID)?FETCH \((.*)\)", line):
            self._fetched(int(found[1]), bool(found[2]), found[3], line)
        elif found := re.fullmatch(
            r'\* ESEARCH \(TAG "(\w+)"\)( UID)?((?: (?:ADDTO|REMOVEFROM) \([\d:, ]+\))+)', line
        ):
            self._kept(found[1], bool(found[2]), found[3], line)
        elif (found := re.match(r'\* ESEARCH \(TAG "(\w+)"\).*? ALL ([\d:,]+)', line)) and found[
            1
        ] in self.results:
            result = self.results[found[1]]
            result.found = [n if result.by_uid else self.messages[n - 1] for n in numbers(found[2])]
        else:
            self.must(bool(_ASIDE.match(line)), f"what is this: {line}")
        if line.startswith("* OK [CLOSED]"):
            self.messages, self.results = [], {}
        if code := re.match(r"\* OK \[HIGHESTMODSEQ (\d+)\]", line):
            self.highest = int(code[1])

    def _exists(self, told: int) -> None:
        self.must(told >= len(self.messages), f"EXISTS shrank from {len(self.messages)} to {told}")
        self.messages += [Known() for _ in range(told - len(self.messages))]

    def _may_expunge(self, line: str) -> None:
        by_number = self._command.startswith(("FETCH", "STORE", "SEARCH", "SORT"))
        self.must(not by_number, f"not during a command that uses numbers: {line}")
        if not self._command:
            self.must(self.mode.notify == "selected", f"not without a command: {line}")

    def _forget(self, message: Known) -> None:
        for tag, result in self.results.items():
            there = message in result.found or (message.uid and message.uid in result.found)
            self.must(result.ending or not there, f"UID {message.uid} is gone, and still in the result {tag}")
        self.messages.remove(message)

    def _place(self, uid: int, line: str) -> int:
        """Where a UID stands; one that was not told yet stands between its neighbours."""
        for place, message in enumerate(self.messages):
            if message.uid == uid:
                return place
        kept = {one for result in self.results.values() for one in result.found}
        for place, message in enumerate(self.messages):
            if message.uid or message in kept:
                continue
            if all(other.uid > uid for other in self.messages[place:] if other.uid):
                return place
        self.must(False, f"UID {uid} was not there: {line}")
        raise AssertionError

    def _fetched(self, number: int, by_uid: bool, items: str, line: str) -> None:
        self.must(by_uid is self.mode.uid_only, f"FETCH or UIDFETCH: {line}")
        told = re.search(r"\bUID (\d+)", items)
        uid = number if by_uid else int(told[1]) if told else 0
        asked = self._command.startswith("FETCH")
        if not asked and not by_uid:
            self.must(uid > 0, f"the UID is missing: {line}")
        if by_uid:
            message = self.messages[self._place(uid, line)]
        else:
            self.must(0 < number <= len(self.messages), f"no such message: {line}")
            message = self.messages[number - 1]
        if uid:
            self.must(message.uid in (0, uid), f"UID was {message.uid}: {line}")
            message.uid = uid
            if self.mode.uid_only:
                self.messages.sort(key=lambda one: one.uid or 1 << 32)
            ordered = [other.uid for other in self.messages if other.uid]
            self.must(ordered == sorted(set(ordered)), f"UIDs must ascend: {line}")
        if flags := re.search(r"FLAGS \((.*?)\)", items):
            message.flags = frozenset(flags[1].split())
        if email := re.search(r"EMAILID \((\w+)\)", items):
            self.must(message.email in ("", email[1]), f"EMAILID was {message.email}: {line}")
            message.email = email[1]
        modseq = re.search(r"MODSEQ \((\d+)\)", items)
        if modseq:
            self.must(int(modseq[1]) >= message.modseq, f"MODSEQ fell from {message.modseq}: {line}")
            message.modseq = int(modseq[1])
        elif flags and not asked and not self._command.startswith("UID FETCH"):
            self.must(not self.mode.condstore, f"MODSEQ is missing: {line}")

    def _kept(self, tag: str, by_uid: bool, changes: str, line: str) -> None:
        self.must(tag in self.results, f"there is no such result: {line}")
        result = self.results[tag]
        self.must(by_uid is result.by_uid, f"by UID or not: {line}")
        for kind, text in re.findall(r"(ADDTO|REMOVEFROM) \((.*?)\)", changes):
            words = text.split()
            for place, names in zip(words[::2], words[1::2], strict=True):
                for offset, number in enumerate(numbers(names)):
                    self.must(by_uid or 0 < number <= len(self.messages), f"no such message: {line}")
                    one: int | Known = number if by_uid else self.messages[number - 1]
                    if kind == "ADDTO":
                        self.must(one not in result.found, f"it was there: {line}")
                        at = int(place) - 1 + offset if result.sorted else len(result.found)
                        self.must(at <= len(result.found), f"no such place: {line}")
                        result.found.insert(at, one)
                    else:
                        self.must(one in result.found, f"it was not there: {line}")
                        if result.sorted:
                            self.must(result.found.index(one) == int(place) - 1, f"it was elsewhere: {line}")
                        result.found.remove(one)

    # -- what it knows

    def uids(self) -> list[int]:
        """The UIDs of all messages; asks for those it was not told."""
        for turn in count():
            if all(message.uid for message in self.messages):
                break
            self.must(turn < 10, "there are messages whose UIDs are not told")
            first = next(at for at, message in enumerate(self.messages) if not message.uid)
            if self.mode.uid_only:
                self.run("UID FETCH 1:* (FLAGS)")
            elif self.mode.by_uid:
                low = max((message.uid for message in self.messages[:first]), default=0) + 1
                self.run(f"UID FETCH {low}:* (FLAGS)")
            else:
                self.run(f"FETCH {first + 1}:{len(self.messages)} (UID FLAGS)")
            self.run("NOOP")
        return [message.uid for message in self.messages]


def numbers(text: str) -> list[int]:
    """The numbers of a set, in its order."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found

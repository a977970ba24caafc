"""isync's mbsync: a maildir of 300 messages goes to the store and back, flags and deletions both ways, then nothing is left to do."""

from __future__ import annotations

import mailbox
import re
from pathlib import Path

import pytest

from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess, run_program

pytestmark = pytest.mark.interop

_CONFIGURATION = """\
IMAPAccount gateway
Host {host}
Port {port}
User {user}
Pass {user}
{tls}
CertificateFile {certificate}
Timeout 60

IMAPStore far
Account gateway

MaildirStore near
SubFolders Verbatim
Path {directory}/
Inbox {directory}/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
CopyArrivalDate yes
"""


def is_new() -> bool:
    """Whether it is isync 1.5 or later, which names an option differently and decodes mailbox names."""
    version = run_program("mbsync", "--version").split()[1]
    return tuple(map(int, version.split(".")[:2])) >= (1, 5)


class Mbsync:
    """One computer's maildirs."""

    def __init__(self, gateway: GatewayProcess, user: str, directory: Path, tls: str = "None") -> None:
        directory.mkdir()
        self.directory = directory
        host, port = gateway.address("imaps" if tls == "IMAPS" else "imap")
        self._file = directory / "mbsyncrc"
        self._file.write_text(
            _CONFIGURATION.format(
                host="localhost" if tls != "None" else host,
                port=port,
                user=user,
                directory=directory,
                certificate=gateway.certificate,
                tls=f"{'TLSType' if is_new() else 'SSLType'} {tls}",
            )
        )

    def maildir(self, name: str = "INBOX") -> mailbox.Maildir:
        return mailbox.Maildir(self.directory / name, factory=None)

    def put(self, file: str, data: bytes, name: str = "INBOX") -> None:
        """Write a mail as it is; the mailbox module would parse it and write another one."""
        (self.directory / name / "cur" / file).write_bytes(data.replace(b"\r\n", b"\n"))

    def run(self) -> None:
        run_program("mbsync", "-c", str(self._file), "-a")

    def content(self, name: str = "INBOX") -> dict[str, tuple[bytes, str]]:
        """Message-ID to the mail (without the line that mbsync adds) and its flags."""
        found = {}
        for key, message in self.maildir(name).items():
            data = self.maildir(name).get_bytes(key)
            lines = [line for line in data.split(b"\n") if not line.startswith(b"X-TUID: ")]
            found[str(message["Message-ID"])] = b"\n".join(lines), message.get_flags()
        return found


def test_a_maildir_goes_there_and_back_and_then_nothing_is_left_to_do(
    gateway: GatewayProcess, user: str, tmp_path: Path
) -> None:
    here = Mbsync(gateway, user, tmp_path / "here")
    here.maildir()
    expected = {}
    for number in range(300):
        flags = "".join(flag for flag, every in (("F", 7), ("R", 5), ("S", 2)) if number % every == 0)
        here.put(f"{number}.host:2,{flags}", mail(number))
        expected[f"<{number}.7@example.com>"] = mail(number).replace(b"\r\n", b"\n"), flags
    here.run()

    there = Mbsync(gateway, user, tmp_path / "there", "IMAPS")
    there.run()
    assert there.content() == expected

    for file in list((there.directory / "INBOX").glob("*/*:2,*")):
        text = re.search(rb"Message-ID: (<(\d+).*>)", file.read_bytes())
        assert text is not None
        key, number = text[1].decode(), int(text[2])
        if number % 10 == 1:
            file.unlink()
            del expected[key]
        elif number % 10 == 2:
            name, _, flags = file.name.partition(":2,")
            flags = "".join(sorted({*flags, "F", "R"}))
            file.rename(file.parent.parent / "cur" / f"{name}:2,{flags}")
            expected[key] = expected[key][0], flags
    there.run()
    here.run()
    assert here.content() == expected
    assert there.content() == expected

    before = state_of(here.directory), state_of(there.directory)
    here.run()
    there.run()
    assert (state_of(here.directory), state_of(there.directory)) == before


def state_of(directory: Path) -> dict[str, int]:
    """Every mail's file name and time; mbsync's own notes change in every run."""
    return {
        str(file.relative_to(directory)): file.stat().st_mtime_ns
        for file in directory.rglob("*")
        if file.is_file() and file.parent.name in ("cur", "new")
    }


def test_folders_are_made_on_both_sides(gateway: GatewayProcess, user: str, tmp_path: Path) -> None:
    here = Mbsync(gateway, user, tmp_path / "here")
    size = "Größe & Gewicht" if is_new() else "Gr&APYA3w-e &- Gewicht"
    names = ["Projects", f"Projects/{size}", "Projects/a.b"]
    for name in names:
        for part in ("cur", "new", "tmp"):
            (here.directory / name / part).mkdir(parents=True)
        here.put("1.host:2,", mail(1), name)
    here.run()
    there = Mbsync(gateway, user, tmp_path / "there", "STARTTLS")
    there.run()
    for name in names:
        assert len(there.content(name)) == 1, name
    assert (there.directory / "Sent Items").is_dir()

"""`make run`: everything on one machine, and the two accounts can write to each other."""

from __future__ import annotations

import imaplib
import re
import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.admin.demo import CONFIGURATION
from tests.support.gateway import ADMIN, Running, run_program, until
from tests.support.patience import PATIENCE
from tests.support.ports import HeldPort

_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")


class Demo(Running):
    """`gateway-admin demo` on ports of its own, with the log on standard output."""

    def __init__(self, data: Path) -> None:
        super().__init__()
        self._command = [ADMIN, "demo", "--data", str(data)]
        wanted = sorted(set(_PORT.findall(CONFIGURATION)))
        self._held = [HeldPort() for _ in wanted]
        self.ports = {port: each.number for port, each in zip(wanted, self._held, strict=True)}
        text = _PORT.sub(lambda found: str(self.ports[found[0]]), CONFIGURATION)
        self.data = data
        data.mkdir()
        (data / "gateway.toml").write_text(text.replace('file = "gateway.log"', ""))

    def stop(self, seconds: float = PATIENCE) -> None:
        super().stop(seconds)
        for each in self._held:
            each.release()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo") / "var") as running:
        yield running


def letter(recipient: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "demo@example.test", recipient, "Lunch?"
    mail["Message-ID"] = f"<lunch.{recipient}>"
    mail.set_content("At noon?\n")
    return mail


def test_one_account_writes_to_the_other(demo: Demo) -> None:
    with smtplib.SMTP("127.0.0.1", demo.ports["1587"], timeout=PATIENCE) as client:
        client.login("demo", "demo")
        assert client.send_message(letter("demo2@example.test")) == {}
    with imaplib.IMAP4("127.0.0.1", demo.ports["1143"], PATIENCE) as reader:
        reader.login("demo2", "demo2")

        def found() -> list[bytes] | None:
            reader.select("INBOX")
            return reader.search(None, "SUBJECT", "Lunch?", "FROM", "demo@example.test")[1][0].split() or None

        (number,) = until(found)
        _, ((_, octets), _) = reader.fetch(number.decode(), "(BODY.PEEK[])")  # type: ignore[misc]
    assert isinstance(octets, bytes)
    assert message_from_bytes(octets)["Message-ID"] == "<lunch.demo2@example.test>"


def test_mail_for_elsewhere_is_refused_at_once(demo: Demo) -> None:
    with smtplib.SMTP("127.0.0.1", demo.ports["1587"], timeout=PATIENCE) as client:
        client.login("demo", "demo")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(letter("ann@example.org"))
    assert refused.value.smtp_code == 550


def test_the_administrator_tries_every_protocol(demo: Demo) -> None:
    configuration = demo.data / "gateway.toml"
    said = run_program(
        ADMIN, "check", "127.0.0.1", "--user", "demo", "--password", "demo", "--insecure", "--config", str(configuration)
    )  # fmt: skip
    assert said.count("logged in") == 6, said

"""gateway-admin dns: the records of a mail domain (RFC 6186, 6764, 8314)."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.admin import main


def dns(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["dns", *arguments])


def words(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_all_services_at_their_usual_ports() -> None:
    assert words(dns("mail.example.com")) == [
        "_imaps._tcp IN SRV 0 1 993 mail.example.com.",
        "_imap._tcp IN SRV 10 1 143 mail.example.com.",
        "_pop3s._tcp IN SRV 20 1 995 mail.example.com.",
        "_pop3._tcp IN SRV 30 1 110 mail.example.com.",
        "_submissions._tcp IN SRV 0 1 465 mail.example.com.",
        "_submission._tcp IN SRV 10 1 587 mail.example.com.",
        "_caldavs._tcp IN SRV 0 1 443 mail.example.com.",
        '_caldavs._tcp IN TXT "path=/"',
        "_carddavs._tcp IN SRV 0 1 443 mail.example.com.",
        '_carddavs._tcp IN TXT "path=/"',
    ]


def test_complete_names_of_a_domain() -> None:
    lines = words(dns("mail.example.com", "--domain", "example.org"))
    assert lines[0] == "_imaps._tcp.example.org. IN SRV 0 1 993 mail.example.com."
    assert lines[-1] == '_carddavs._tcp.example.org. IN TXT "path=/"'


def test_ports_of_a_configuration(tmp_path: Path) -> None:
    """What is not served is said not to be there; what only a proxy reaches has the usual port."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[imap]\nlisten = ["127.0.0.1:1143"]\ntls_listen = ["*:9993"]\n[pop3]\nenabled = false\n'
        '[dav]\ntls_listen = ["unix:/run/dav", "192.0.2.1:8443"]\n[submission]\nenabled = true\ntls_listen = []\n'
    )
    assert words(dns("mail.example.com", "--config", str(file))) == [
        "_imaps._tcp IN SRV 0 1 9993 mail.example.com.",
        "_imap._tcp IN SRV 10 1 143 mail.example.com.",
        "_pop3s._tcp IN SRV 0 0 0 .",
        "_pop3._tcp IN SRV 0 0 0 .",
        "_submissions._tcp IN SRV 0 0 0 .",
        "_submission._tcp IN SRV 10 1 587 mail.example.com.",
        "_caldavs._tcp IN SRV 0 1 8443 mail.example.com.",
        '_caldavs._tcp IN TXT "path=/"',
        "_carddavs._tcp IN SRV 0 1 8443 mail.example.com.",
        '_carddavs._tcp IN TXT "path=/"',
    ]


@pytest.mark.parametrize("host", ["mail", "-mail.example.com", "a b.example.com", "mail..com", ""])
def test_a_name_that_is_none(host: str) -> None:
    result = dns("--", host)
    assert result.exit_code == 1
    assert "is no complete name of a host" in result.output

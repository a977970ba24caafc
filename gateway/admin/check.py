"""``gateway-admin check``: log on over each protocol, say what works and what to do about what does not."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import click

from gateway import config
from gateway.admin import probes
from gateway.listen import addresses

_STANDARD: Final = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "dav": 0, "davs": 443}


@click.command()
@click.argument("host")
@click.option("--user", "-u", prompt="User", help="Whom to log in as.")
@click.option("--password", prompt=True, hide_input=True, help="His password; better type it when asked.")
@click.option(
    "--config", "file", type=click.Path(path_type=Path), help="Take the ports from this configuration."
)
@click.option("--insecure", is_flag=True, help="Go on when the certificate cannot be verified.")
@click.option("--ca-file", type=click.Path(exists=True), help="PEM file of the authorities to trust.")
@click.option("--store", "url", help="Ask this store server, too: http://host:236/.")
@click.option("--imap", type=int, help="Port of IMAP (0 = leave it out).")
@click.option("--imaps", type=int, help="Port of IMAP over TLS.")
@click.option("--pop3", type=int, help="Port of POP3.")
@click.option("--pop3s", type=int, help="Port of POP3 over TLS.")
@click.option("--dav", type=int, help="Port of CalDAV and CardDAV.")
@click.option("--davs", type=int, help="Port of CalDAV and CardDAV over TLS.")
def check(
    host: str,
    user: str,
    password: str,
    file: Path | None,
    *,
    insecure: bool,
    ca_file: str | None,
    url: str | None,
    **ports: int | None,
) -> None:
    """Log on over each protocol at HOST; exit with 1 if one does not work."""
    try:
        known = _configured(config.load(file)) if file else _STANDARD
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    target = probes.Target(host, user, password, _context(ca_file, insecure=insecure))
    wanted = {name: known.get(name, 0) if port is None else port for name, port in ports.items()}
    results = list(_results(target, {name: port for name, port in wanted.items() if port}, url))
    sys.exit(0 if results and all(results) else 1)


def _results(target: probes.Target, ports: dict[str, int], url: str | None) -> Iterator[bool]:
    """Try every protocol and print a line for each; whether it works."""
    for name, port in ports.items():
        yield _line(f"{name} {target.host}:{port}", partial(probes.PROBES[name], target, port))
    if url:
        from gateway.admin.stores import probe

        yield _line(f"store {url}", lambda: probe(url, target.user, target.password))


def _line(what: str, work: Callable[[], str]) -> bool:
    """Do one thing and print how it went."""
    try:
        good, text = True, work()
    except Exception as error:
        good, text = False, probes.explain(error)
    click.echo(f"{click.style('ok ', fg='green') if good else click.style('BAD', fg='red')} {what}: {text}")
    return good


def _configured(settings: config.Config) -> dict[str, int]:
    """The TCP ports of a configuration by protocol, 0 for what it does not serve."""
    return {
        name + suffix: next((place.port for text in texts for place in addresses(text) if place.port), 0)
        for name, section in (("imap", settings.imap), ("pop3", settings.pop3), ("dav", settings.dav))
        for suffix, texts in (("", section.listen), ("s", section.tls_listen))
        if section.enabled
    }


def _context(ca_file: str | None, *, insecure: bool) -> ssl.SSLContext:
    """How certificates are verified."""
    context = ssl.create_default_context(cafile=ca_file)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

"""``gateway-admin dns``: the DNS records with which clients find the server from a mail address (RFC 6186, 6764, 8314)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

import click

from gateway import config
from gateway.listen import addresses

_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+")


class _Service(NamedTuple):
    """A service: its label, section and list of the configuration, its usual port, and its place in the client's choice."""

    label: str
    section: str
    places: str
    port: int
    priority: int


_SERVICES: Final = (
    _Service("_imaps", "imap", "tls_listen", 993, 0),
    _Service("_imap", "imap", "listen", 143, 10),
    _Service("_pop3s", "pop3", "tls_listen", 995, 20),
    _Service("_pop3", "pop3", "listen", 110, 30),
    _Service("_submissions", "submission", "tls_listen", 465, 0),
    _Service("_submission", "submission", "listen", 587, 10),
    _Service("_caldavs", "dav", "tls_listen", 443, 0),
    _Service("_carddavs", "dav", "tls_listen", 443, 0),
)
_WITH_PATH: Final = ("_caldavs", "_carddavs")


@click.command()
@click.argument("host")
@click.option(
    "--domain", help='The part of mail addresses after the "@"; without it names are relative to the zone.'
)
@click.option(
    "--config", "file", type=click.Path(path_type=Path), help="Take ports, and what is served, from it."
)
def dns(host: str, domain: str | None, file: Path | None) -> None:
    """Print the SRV and TXT records of a mail domain whose clients shall use HOST, for its zone file.

    Ports on which only this machine is listened to are taken for those of a proxy: the usual ones are printed.
    """
    for name in (host, *([domain] if domain else [])):
        if _HOST.fullmatch(name.rstrip(".")) is None:
            raise click.ClickException(f"{name!r} is no complete name of a host; write e.g. mail.example.com")
    try:
        settings = config.load(file) if file else None
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    for line in records(host.rstrip("."), domain.rstrip(".") if domain else "", settings):
        click.echo(line)


def records(host: str, domain: str, settings: config.Config | None) -> Iterator[str]:
    """The lines; a service that a configuration does not have is said not to be there (RFC 2782)."""
    suffix = f".{domain}." if domain else ""
    for service in _SERVICES:
        port = service.port if settings is None else _port(settings, service)
        name = f"{service.label}._tcp{suffix}"
        place = f"{service.priority} 1 {port} {host}." if port else "0 0 0 ."
        yield f"{name:<{len(suffix) + 18}} IN SRV {place}"
        if service.label in _WITH_PATH and port:
            yield f'{name:<{len(suffix) + 18}} IN TXT "path=/"'


def _port(settings: config.Config, service: _Service) -> int:
    """The port of a service for clients elsewhere, 0 when it is not served."""
    section = getattr(settings, service.section)
    found = [place for text in getattr(section, service.places) for place in addresses(text)]
    if not section.enabled or not found:
        return 0
    public = [place.port for place in found if place.port and not _is_loopback(place.host)]
    return public[0] if public else service.port


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

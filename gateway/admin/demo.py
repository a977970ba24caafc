"""``gateway-admin demo``: what `make run` does: write a configuration once, then become the gateway with an embedded store."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Final

import click

from gateway import config
from gateway.listen import addresses

CONFIGURATION: Final = """\
# Written by `make run`; yours to change. etc/gateway.toml of the sources lists every option.
# Paths are meant from this directory.

[gateway]
cache = "cache"
state = "state"

[store]
embedded = true

[embedded]
data = "store"
listen = ["127.0.0.1:12360"]
demo = true

[imap]
listen = ["127.0.0.1:1143"]
tls_listen = ["127.0.0.1:1993"]

[pop3]
listen = ["127.0.0.1:1110"]
tls_listen = ["127.0.0.1:1995"]

[dav]
listen = ["127.0.0.1:5232"]
tls_listen = ["127.0.0.1:5233"]

[lmtp]
enabled = true
listen = ["127.0.0.1:1024"]

# What the two accounts send goes to each other only. A real smarthost speaks "smtp".
[submission]
enabled = true
listen = ["127.0.0.1:1587"]
tls_listen = ["127.0.0.1:1465"]
smarthost = "127.0.0.1:1024"
smarthost_protocol = "lmtp"

[tls]
certificate = "tls/gateway.pem"
self_signed = true

[log]
file = "gateway.log"
"""


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("var"), show_default=True
)
def demo(data: Path) -> None:
    """Run everything on this machine: a store with two accounts in --data, and the gateway before it, until Ctrl-C."""
    data = data.absolute()
    file = data / "gateway.toml"
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            file.write_text(CONFIGURATION)
        settings = config.load(file)
    except (OSError, config.ConfigError) as error:
        raise click.ClickException(str(error)) from error
    taken = [text for text in _places(settings) if _is_taken(text)]
    if taken:
        raise click.ClickException(
            f"{', '.join(taken)}: taken by another program, perhaps by another `make run`. "
            f"Stop it, or write other ports into {file}"
        )
    twistd = Path(sys.executable).with_name("twistd")
    os.execv(twistd, [str(twistd), "--nodaemon", "--pidfile=", "gateway", "--config", str(file), "--greet"])  # noqa: S606


def _places(settings: config.Config) -> list[str]:
    """Every address that will be listened on."""
    sections = (settings.imap, settings.pop3, settings.dav, settings.lmtp, settings.submission)
    heads = [section for section in sections if section.enabled]
    return [text for section in heads for text in (*section.listen, *section.tls_listen)] + list(
        settings.embedded.listen if settings.store.embedded else ()
    )


def _is_taken(text: str) -> bool:
    """Whether somebody answers at an address already."""
    for place in addresses(text):
        if place.kind == "tcp" and place.port:
            family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((place.host, place.port))
                except OSError:
                    return True
    return False

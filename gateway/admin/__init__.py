"""``gateway-admin``: what an administrator does at the command line (click)."""

from __future__ import annotations

import click

from gateway.admin.check import check
from gateway.admin.demo import demo
from gateway.admin.dns import dns
from gateway.admin.storedata import store
from gateway.admin.users import user


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mapi-gateway")
def main() -> None:
    """Administer the MAPI gateway and its embedded store."""


main.add_command(user)
main.add_command(store)
main.add_command(check)
main.add_command(dns)
main.add_command(demo)

"""``gateway-admin store``: backups of the embedded store's data, and whether they are sound."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.admin.users import DATA, directory_of
from gateway.storeserver.backup import back_up
from gateway.storeserver.soundness import findings


@click.group("store")
@DATA
@click.pass_context
def store(context: click.Context, data: Path) -> None:
    """Look after the data of the embedded store. It may be running."""
    context.obj = data


@store.command("backup")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def backup(data: Path, target: Path) -> None:
    """Copy everything as of this moment to the directory TARGET, or bring the backup there up to date.

    To restore, stop the store and copy TARGET to the place of its directory.
    """
    try:
        copied = back_up(directory_of(data), target)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    megabytes = copied.octets / (1 << 20)
    click.echo(f"database of {megabytes:.1f} MiB, {copied.files} attachment files, {copied.new} of them new")


@store.command("check")
@click.option("--contents", is_flag=True, help="Read the attachment files, too.")
@click.pass_obj
def check(data: Path, *, contents: bool) -> None:
    """Say what is wrong with the data; exit with 1 if anything is."""
    count = 0
    try:
        for finding in findings(directory_of(data), contents=contents):
            click.echo(finding)
            count += 1
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if count:
        raise click.ClickException(f"{count} findings: put the last backup in place of the damaged data")
    click.echo("the data are sound")
